"""Ranks of a torch process group: they share the records, and must agree about them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import DEADLINE_SECONDS, Endpoint
from framework_data import COUNT, Store, image, stored
from torch.utils.data import DataLoader

import bucketline as bl

WORLD = 2


@pytest.fixture(scope="module")
def store(versitygw: Endpoint) -> Iterator[Store]:
    with stored(versitygw) as there:
        yield there


def _rank(work: Callable[..., Any], number: int, folder: str, uri: str, queue: Any) -> None:
    group = f"file://{folder}/group"
    torch.distributed.init_process_group("gloo", init_method=group, rank=number, world_size=WORLD)
    queue.put((number, work(number, bl.Dataset(uri, labels="folder"))))
    torch.distributed.destroy_process_group()


def on_all_ranks(work: Callable[..., Any], store: Store, folder: Path) -> list[Any]:
    """What each of them says, by rank."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    ranks = [
        context.Process(target=_rank, args=(work, number, str(folder), store.uri, queue))
        for number in range(WORLD)
    ]
    for process in ranks:
        process.start()
    said = dict(queue.get(timeout=DEADLINE_SECONDS) for _ in ranks)
    for process in ranks:
        process.join(DEADLINE_SECONDS)
        assert process.exitcode == 0
    return [said[number] for number in range(WORLD)]


def what_a_rank_sees(number: int, dataset: bl.Dataset) -> tuple[list[int], int, int]:
    """Record numbers of a Loader and of a BatchSampler, and how many rows an IterableDataset gives."""
    with bl.torch.Loader(dataset, 5, image=image(), last="partial", shuffle=True) as loader:
        assert (loader.rank, loader.world_size) == (number, WORLD)
        of_loader = [int(index) for batch in loader for index in batch.indices[batch.valid]]
    sampler = bl.torch.BatchSampler(bl.torch.MapDataset(dataset), 5, last="partial", shuffle=True)
    assert [int(index) for batch in sampler for index in batch] == of_loader
    batches = bl.torch.IterableDataset(dataset, 5, image=image())
    return of_loader, len(batches), sum(len(images) for images, _ in DataLoader(batches, batch_size=None))


def test_they_share_the_records(store: Store, tmp_path: Path) -> None:
    said = on_all_ranks(what_a_rank_sees, store, tmp_path)
    assert sorted(index for indices, _, _ in said for index in indices) == list(range(COUNT))
    assert [(steps, rows) for _, steps, rows in said] == [(4, 20)] * WORLD


def what_disagreement_says(number: int, dataset: bl.Dataset) -> list[str]:
    other = dataset[: 20 if number else 30]
    made: tuple[Callable[[], object], ...] = (
        lambda: bl.torch.Loader(other, 5),
        lambda: bl.torch.BatchSampler(bl.torch.MapDataset(other), 5),
        lambda: bl.torch.IterableDataset(dataset, 5, seed=number),
        lambda: bl.torch.Loader(dataset, 5, sampling=("balanced", "replacement")[number]),
        lambda: bl.torch.Loader(dataset, 5, sampling="balanced", epoch_size=20 + number),
        lambda: bl.torch.Loader(dataset, 5, last=("pad", "drop")[number]),
        lambda: bl.torch.Loader(dataset, 5, shuffle=number == 1, last="pad"),
        lambda: bl.torch.Loader(dataset, 5 + number),
        lambda: bl.torch.Loader(dataset, 5, shuffle="window", window=3 + number),
        lambda: bl.torch.BatchSampler(bl.torch.MapDataset(dataset), 5, last=("pad", "drop")[number]),
        lambda: bl.torch.IterableDataset(dataset, 5 + number),
        lambda: bl.torch.Loader(other, 5, distributed=False),  # its own affair
        lambda: bl.torch.Loader(other, 5, rank=0, world_size=1),
    )
    said = []
    for make in made:
        try:
            make()
            said.append("nothing")
        except bl.InvalidArgumentError as error:
            said.append(str(error))
    return said


def test_they_must_agree(store: Store, tmp_path: Path) -> None:
    for said in on_all_ranks(what_disagreement_says, store, tmp_path):
        assert "would not deal the same records: fingerprint is" in said[0]
        assert "would not deal the same records: fingerprint is" in said[1]
        assert "seed is 0 on rank 0 and 1 on rank 1" in said[2]
        assert "sampling is 'balanced' on rank 0 and 'replacement' on rank 1" in said[3]
        assert "epoch_size is 20 on rank 0 and 21 on rank 1" in said[4]
        assert "last is 'pad' on rank 0 and 'drop' on rank 1" in said[5]
        assert "shuffle is False on rank 0 and True on rank 1" in said[6]
        assert "batch_size is 5 on rank 0 and 6 on rank 1" in said[7]
        assert "window is 3 on rank 0 and 4 on rank 1" in said[8]
        assert "last is 'pad' on rank 0 and 'drop' on rank 1" in said[9]
        assert "batch_size is 5 on rank 0 and 6 on rank 1" in said[10]
        assert said[11:] == ["nothing", "nothing"]
