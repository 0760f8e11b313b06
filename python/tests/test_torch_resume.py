"""States saved inside a step, with everything running ahead: no sample is lost or repeated."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, Endpoint
from framework_data import Store, image, numbers, stored
from torch.utils.data import DataLoader

import bucketline as bl

STEPS = 5  # of an epoch


@pytest.fixture(scope="module")
def store(versitygw: Endpoint) -> Iterator[Store]:
    with stored(versitygw) as there:
        yield there


def resumable(store: Store, kind: str, workers: int = 2, batch_size: int = 8, **options: Any) -> Any:
    of_loader: dict[str, Any] = {"num_workers": workers, "timeout": DEADLINE_SECONDS if workers else 0}
    if workers:
        of_loader |= {"multiprocessing_context": "fork", "prefetch_factor": 3}
    options = {"shuffle": True, "seed": 4, **options}
    if kind == "iterable":
        data = bl.torch.IterableDataset(store.open(), batch_size, image=image(), **options)
        return bl.torch.Resumable(DataLoader(data, batch_size=None, **of_loader))
    samples = bl.torch.MapDataset(store.open(), image())
    sampler = bl.torch.BatchSampler(samples, batch_size, **options)
    return bl.torch.Resumable(DataLoader(samples, batch_sampler=sampler, **of_loader))


def reference(store: Store, epochs: int = 2) -> list[int]:
    with bl.torch.Loader(store.open(), 8, image=image(), shuffle=True, seed=4) as loader:
        return [number for _ in loader.epochs(epochs) for images, _ in loader for number in numbers(images)]


@pytest.mark.parametrize("kind", ["map", "iterable"])
@pytest.mark.parametrize("workers", [0, 2])
def test_resumes_at_every_step(store: Store, kind: str, workers: int) -> None:
    whole = reference(store)
    first = resumable(store, kind, workers)
    states, used = [first.state_dict()], []
    for _ in first.epochs(2):
        for images, _ in first:
            used += numbers(images)
            states.append(json.loads(json.dumps(first.state_dict())))
    assert used == whole and len(states) == 2 * STEPS + 1
    for steps in (0, 1, 3, STEPS, STEPS + 2, 2 * STEPS):
        second = resumable(store, kind, workers)
        second.load_state_dict(states[steps])
        rest = [number for _ in second.epochs(2) for images, _ in second for number in numbers(images)]
        assert used[: steps * 8] + rest == whole, f"after {steps} steps"


def test_a_resumed_run_resumes(store: Store) -> None:
    whole, used, state = reference(store), [], None
    for _ in range(2 * STEPS):  # a process for each step
        loader = resumable(store, "map", workers=0)
        if state is not None:
            loader.load_state_dict(state)
        images, _ = next(iter(loader))
        used += numbers(images)
        state = loader.state_dict()
    assert used == whole


@pytest.mark.parametrize("kind", ["map", "iterable"])
def test_a_state_moves_between_kinds_batch_sizes_and_ranks(store: Store, kind: str) -> None:
    with bl.torch.Loader(store.open(), 8, image=image(), shuffle=True, seed=4) as loader:
        iterator = iter(loader)
        next(iterator), next(iterator)
        state = loader.state_dict()
    rest = []
    for rank in range(2):
        part = resumable(store, kind, batch_size=5, last="partial", rank=rank, world_size=2)
        part.load_state_dict(state)
        rest += [number for images, _ in part for number in numbers(images)]
    assert sorted(rest) == sorted(reference(store, 1)[16:])
    part = resumable(store, kind)
    next(iter(part))
    with bl.torch.Loader(store.open(), 8, image=image(), shuffle=True, seed=4) as loader:
        loader.load_state_dict(part.state_dict())
        assert numbers(next(iter(loader))[0]) == reference(store, 1)[8:16]


def test_states_of_another_run_are_refused(store: Store) -> None:
    state = resumable(store, "map").state_dict()
    for change, what in (({"seed": 5}, "seed"), ({"shuffle": False, "last": "drop"}, "shuffle")):
        with pytest.raises(bl.InvalidArgumentError, match=f"of another run: its {what}"):
            resumable(store, "map", **change).load_state_dict(state)
    with pytest.raises(bl.InvalidArgumentError, match="its fingerprint"):
        resumable(store, "iterable").load_state_dict({**state, "fingerprint": 1})
    for name, wrong in (("epoch", -1), ("epoch", "0"), ("position", 41), ("position", None)):
        with pytest.raises(bl.InvalidArgumentError, match=f"the state's {name} must be"):
            resumable(store, "map").load_state_dict({**state, name: wrong})
    with pytest.raises(bl.InvalidArgumentError, match="its version"):
        resumable(store, "iterable").load_state_dict({})


def test_set_epoch_before_a_restored_state_is_used_warns(store: Store) -> None:
    loader = resumable(store, "map", workers=0)
    state = {**loader.state_dict(), "epoch": 3, "position": 8}
    loader.load_state_dict(state)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loader.set_epoch(3)
    with pytest.warns(
        UserWarning, match=r"set_epoch\(0\) leaves the state that was loaded \(epoch 3, position 8\)"
    ):
        loader.set_epoch(0)
    assert loader.epoch == 0


@pytest.mark.parametrize("kind", ["map", "iterable"])
def test_set_epoch_after_a_break_is_a_state_of_its_own(store: Store, kind: str) -> None:
    loader = resumable(store, kind)
    iterator = iter(loader)
    next(iterator), next(iterator)
    loader.set_epoch(1)
    state = loader.state_dict()
    assert (state["epoch"], state["position"]) == (1, 0)
    assert [n for images, _ in loader for n in numbers(images)] == reference(store)[STEPS * 8 :]


def test_two_live_iterators_the_older_raises(store: Store) -> None:
    loader = resumable(store, "map", workers=0)
    older, younger = iter(loader), iter(loader)
    next(younger)
    with pytest.raises(bl.InvalidArgumentError, match="this iterator is over"):
        next(older)


def test_what_cannot_be_counted(store: Store) -> None:
    samples = bl.torch.MapDataset(store.open(), image())
    with pytest.raises(bl.InvalidArgumentError, match="Resumable needs a DataLoader with batch_sampler="):
        bl.torch.Resumable(DataLoader(samples, 8))
    batches = bl.torch.IterableDataset(store.open(), 8, image=image())
    with pytest.raises(bl.InvalidArgumentError, match="batch_size=None to the DataLoader"):
        bl.torch.Resumable(DataLoader(batches, 8))
