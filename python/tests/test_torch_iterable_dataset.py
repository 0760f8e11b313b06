"""bl.torch.IterableDataset in a DataLoader: the batches of a Loader, with any workers and ranks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from conftest import DEADLINE_SECONDS, Endpoint
from framework_data import COUNT, Store, image, numbers, stored
from images import jpeg, put_all
from torch.utils.data import DataLoader

import bucketline as bl


@pytest.fixture(scope="module")
def store(versitygw: Endpoint) -> Iterator[Store]:
    with stored(versitygw) as there:
        yield there


def batches(store: Store, batch_size: int = 8, **options: Any) -> bl.torch.IterableDataset:
    options = {"image": image(), "shuffle": True, **options}
    return bl.torch.IterableDataset(store.open(options.pop("labels", "folder")), batch_size, **options)


def in_loader(data: bl.torch.IterableDataset, workers: int = 0, method: str = "fork", **options: Any) -> Any:
    if workers:
        options |= {"num_workers": workers, "multiprocessing_context": method, "timeout": DEADLINE_SECONDS}
    return DataLoader(data, batch_size=None, **options)


def epoch_of(loader: Any) -> list[int]:
    return [number for images, _ in loader for number in numbers(images)]


@pytest.mark.parametrize(
    ("workers", "method", "persistent"),
    [(0, "fork", False), (1, "fork", False), (2, "fork", False), (2, "fork", True), (2, "spawn", True)],
)
def test_the_batches_of_a_loader(store: Store, workers: int, method: str, persistent: bool) -> None:
    loader = in_loader(batches(store), workers, method, persistent_workers=persistent)
    with bl.torch.Loader(store.open(), 8, image=image(), shuffle=True) as expected:
        for _ in range(3):
            for (images, labels), (more_images, more_labels) in zip(expected, loader, strict=True):
                assert (images == more_images).all() and (labels == more_labels).all()


@pytest.mark.parametrize("workers", [0, 2])
def test_exactly_once_over_ranks_and_workers(store: Store, workers: int) -> None:
    seen = []
    for rank in range(3):
        data = batches(store, 6, image=bl.Image(8), last="partial", rank=rank, world_size=3)
        steps = list(in_loader(data, workers))
        assert len(steps) == len(data)
        seen += [number for images, _ in steps for number in numbers(images)]
    assert len(seen) == COUNT and len(set(seen)) == COUNT


def test_without_labels_the_images_alone(store: Store) -> None:
    for workers in (0, 2):
        images = next(iter(in_loader(batches(store, labels=None), workers)))
        assert isinstance(images, torch.Tensor) and len(images) == 8


@pytest.mark.parametrize("persistent", [False, True])
def test_set_epoch_reaches_the_workers(store: Store, persistent: bool) -> None:
    data = batches(store)
    loader = in_loader(data, 2, persistent_workers=persistent)
    epochs = [epoch_of(loader) for _ in range(3)]
    assert len(set(sum(epochs, []))) == 3 * COUNT
    data.set_epoch(1)
    assert data.next_epoch == 1
    assert epoch_of(loader) == epochs[1]
    assert epoch_of(loader) == epochs[2]


@pytest.mark.parametrize("persistent", [False, True])
def test_a_break_ends_the_epoch_for_all_workers(store: Store, persistent: bool) -> None:
    expected = [epoch_of(in_loader(data)) for data in [batches(store)] for _ in range(3)]
    loader = in_loader(batches(store), 2, persistent_workers=persistent)
    for images, _ in loader:
        assert numbers(images) == expected[0][:8]
        break
    assert epoch_of(loader) == expected[1]
    assert epoch_of(loader) == expected[2]


def test_an_error_in_a_worker_comes_out(versitygw: Endpoint, store: Store) -> None:
    put_all(versitygw, store.bucket, "bad/", {"a.jpg": jpeg(1), "b.jpg": b"<html>", "c.jpg": jpeg(2)})
    data = bl.torch.IterableDataset(f"s3://{store.bucket}/bad/", 1, image=image())
    for workers in (0, 2):
        iterator = iter(in_loader(data, workers))
        assert len(next(iterator)) == 1
        with pytest.raises(bl.CorruptDataError, match=r"bad/b\.jpg"):
            next(iterator)


def test_wrong_input(store: Store) -> None:
    with pytest.raises(TypeError, match="'batchsize'; did you mean 'batch_size'"):
        bl.torch.IterableDataset(store.uri, batchsize=4)
    with pytest.raises(bl.InvalidArgumentError, match="last must be one of"):
        batches(store, last="none")
    data = batches(store)
    next(iter(data))
    with pytest.raises(bl.InvalidArgumentError, match=r"give\s+state_dict\(steps="):
        data.state_dict()
    with pytest.raises(bl.InvalidArgumentError, match="steps=6, but this epoch has 5 batches"):
        data.state_dict(steps=6)
