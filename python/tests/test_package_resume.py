"""States of a bl.Loader: a run goes on anywhere, by any number of ranks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loading import epoch_of, labelled_dataset, make

import bucketline as bl


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> bl.Dataset:
    return labelled_dataset(tmp_path_factory.mktemp("images"))


def test_a_state_gives_the_rest_of_its_epoch_and_no_more(dataset: bl.Dataset) -> None:
    with make(dataset, shuffle=True) as loader:
        iterator = iter(loader)
        batches = [next(iterator) for _ in range(3)]
        state = loader.state_dict()
        assert state == batches[2].state_dict() == json.loads(json.dumps(state))
        rest, following = [b.indices.tolist() for b in iterator], epoch_of(loader)
    with make(dataset, shuffle=True) as again:
        again.load_state_dict(state)
        assert again.remaining == 3 and len(again) == 6
        assert [b.indices.tolist() for b in again] == rest
        assert epoch_of(again) == following
        again.load_state_dict(batches[0].state_dict())
        assert again.epoch == 0 and again.remaining == 5


def test_loading_a_state_ends_what_iterates(dataset: bl.Dataset) -> None:
    with make(dataset) as loader:
        iterator = iter(loader)
        state = next(iterator).state_dict()
        loader.load_state_dict(state)
        with pytest.raises(bl.InvalidArgumentError, match="a state was loaded"):
            next(iterator)


def test_a_state_at_the_end_of_an_epoch(dataset: bl.Dataset) -> None:
    with make(dataset, shuffle=True) as loader:
        of_last_batch = list(loader)[-1].state_dict()
        after_the_epoch = loader.state_dict()
        following = epoch_of(loader)
    with make(dataset, shuffle=True) as again:
        again.load_state_dict(after_the_epoch)
        assert again.epoch == 1 and epoch_of(again) == following
        again.load_state_dict(of_last_batch)
        assert again.remaining == 0 and epoch_of(again) == [], "nothing is left of its epoch"
        assert epoch_of(again) == following


@pytest.mark.parametrize(
    ("options", "says"),
    [({"seed": 1}, "seed"), ({"shuffle": False}, "shuffl"), ({"dataset": 1}, "data")],
)
def test_a_state_of_something_else_says_what_differs(
    dataset: bl.Dataset, options: dict[str, Any], says: str
) -> None:
    with make(dataset, shuffle=True) as loader:
        state = loader.state_dict()
    other = dataset[:20] if options.pop("dataset", None) else dataset
    with (
        make(other, **{"shuffle": True, **options}) as loader,
        pytest.raises(bl.InvalidArgumentError, match=says),
    ):
        loader.load_state_dict(state)


@pytest.mark.parametrize("state", [{}, {"epoch": 1}, {"format": "x"}, 3, "state", None])
def test_what_is_no_state_is_an_error(dataset: bl.Dataset, state: Any) -> None:
    with make(dataset) as loader:
        with pytest.raises(bl.InvalidArgumentError):
            loader.load_state_dict(state)
        assert len(list(loader)) == 7, "it goes on as before"


@settings(max_examples=25, deadline=None)
@given(
    saved_ranks=st.integers(1, 4),
    saved_batch=st.integers(1, 5),
    steps=st.integers(0, 20),
    ranks=st.integers(1, 4),
    batch=st.integers(1, 5),
    threads=st.integers(1, 4),
    shuffle=st.booleans(),
)
def test_a_run_goes_on_with_any_ranks_batches_and_threads(
    dataset: bl.Dataset,
    saved_ranks: int,
    saved_batch: int,
    steps: int,
    ranks: int,
    batch: int,
    threads: int,
    shuffle: bool,
) -> None:
    """What is left of the epoch after any step is the same sequence, however it is dealt."""
    options = {"shuffle": shuffle, "last": "partial", "image": None, "seed": 5}

    def rows(loaders: list[bl.Loader]) -> list[list[int]]:
        """Step by step, the records of all ranks in their order."""
        return [
            [int(i) for each in together for i in each.indices[each.valid]]
            for together in zip(*loaders, strict=True)
        ]

    with make(dataset, **options) as loader:
        whole = epoch_of(loader)
    first = [
        make(dataset, **options, batch_size=saved_batch, rank=rank, world_size=saved_ranks)
        for rank in range(saved_ranks)
    ]
    iterators = [iter(loader) for loader in first]
    steps = min(steps, len(first[0]) - 1)
    done = []
    for _ in range(steps):
        for iterator in iterators:
            done += next(iterator).indices.tolist()
    states = [loader.state_dict() for loader in first]
    assert all(state == states[0] for state in states) and done == whole[: len(done)]

    again = [
        make(dataset, **options, batch_size=batch, rank=rank, world_size=ranks, threads=threads)
        for rank in range(ranks)
    ]
    for loader in again:
        loader.load_state_dict(states[0])
    rest = [index for step in rows(again) for index in step]
    assert rest == whole[len(done) :]
    for loader in first + again:
        loader.close()
