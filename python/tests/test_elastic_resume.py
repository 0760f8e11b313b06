"""Random runs of a Loader that are killed and go on with other ranks: every row is the one that a plain model says."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from reference.epoch_model import Order, Row, Step, steps

import bucketline as bl

CASES = int(os.environ.get("BUCKETLINE_ELASTIC_CASES", "1000"))
EPOCHS = 2
CLASS_SIZES = (1, 2, 7, 20, 34)
RECORDS = sum(CLASS_SIZES)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> bl.Dataset:
    """RECORDS texts, in classes of unequal size whose records do not stand together."""
    folder = tmp_path_factory.mktemp("records")
    labels = {}
    for number, label in enumerate(sorted(range(RECORDS), key=lambda i: i * 29 % RECORDS)):
        key = f"{number:02}.txt"
        (folder / key).write_bytes(f"record {number}".encode())
        labels[key] = next(i for i in range(5) if label < sum(CLASS_SIZES[: i + 1]))
    return bl.Dataset(folder, labels, extensions=None)


@dataclass(frozen=True)
class Phase:
    """A job that runs for some steps and is then killed; None: it ends by itself."""

    world: int
    batch: int
    steps: int | None
    state_of: str = "batch"  # "batch" | "loader", and of which rank
    rank: int = 0


@dataclass(frozen=True)
class Case:
    sampling: str
    ranges: tuple[tuple[int, int], ...]  # views of the dataset: one, or those of a mix
    weights: tuple[int, ...]
    shuffle: bool
    seed: int
    epoch_size: int | None
    last: str
    phases: tuple[Phase, ...] = field(default=())

    def data(self, dataset: bl.Dataset) -> bl.Dataset:
        views = [dataset[begin:end] for begin, end in self.ranges]
        return bl.mix(views, self.weights) if self.sampling == "mix" else views[0]

    def order(self, data: bl.Dataset) -> Order:
        labels: tuple[int, ...] = ()
        if self.sampling == "balanced":
            assert data.labels is not None
            labels = tuple(int(label) for label in data.labels)
        sizes = [end - begin for begin, end in self.ranges]
        parts = tuple(zip(sizes, self.weights, strict=True)) if self.sampling == "mix" else ()
        return Order(sum(sizes), self.sampling, self.shuffle, self.seed, self.epoch_size, labels, parts)

    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"shuffle": self.shuffle, "seed": self.seed, "last": self.last}
        if self.sampling in ("balanced", "replacement"):
            options["sampling"] = self.sampling
        return {**options, "epoch_size": self.epoch_size, "threads": 1, "memory": "1MiB"}


worlds = st.sampled_from([1, 1, 2, 2, 3, 4, 5, 6, 8, 12])
ranges = st.tuples(st.integers(0, RECORDS - 1), st.integers(1, RECORDS)).map(
    lambda pair: (pair[0], min(RECORDS, pair[0] + pair[1]))
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sampling = draw(st.sampled_from(["all", "all", "balanced", "replacement", "mix"]))
    views = draw(st.integers(1, 3)) if sampling == "mix" else 1
    phases = []
    for _ in range(draw(st.integers(0, 3))):
        world = draw(worlds)
        phases.append(
            Phase(
                world,
                draw(st.integers(1, 6)),
                draw(st.integers(0, 12)),
                draw(st.sampled_from(["batch", "loader"])),
                draw(st.integers(0, world - 1)),
            )
        )
    weights = draw(st.lists(st.integers(1, 4), min_size=views, max_size=views))
    common = math.gcd(*weights)  # a mix takes them as small as can be
    return Case(
        sampling=sampling,
        ranges=tuple(draw(st.lists(ranges, min_size=views, max_size=views))),
        weights=tuple(weight // common for weight in weights),
        shuffle=draw(st.booleans()),
        seed=draw(st.integers(0, 2**64 - 1)),
        epoch_size=None if sampling == "all" else draw(st.none() | st.integers(1, 70)),
        last=draw(st.sampled_from(["drop", "partial", "pad"])),
        phases=(*phases, Phase(draw(worlds), draw(st.integers(1, 6)), None)),
    )


def promised(case: Case, order: Order, phase: Phase, epoch: int, position: int) -> list[tuple[int, Step]]:
    """Each step from there to the end of the run, with its epoch."""
    return [
        (number, step)
        for number in range(epoch, EPOCHS)
        for step in steps(
            order.epoch(number), position if number == epoch else 0, phase.world, phase.batch, case.last
        )
    ]


def batches(loader: bl.Loader) -> Iterator[Any]:
    for _ in loader.epochs(EPOCHS):
        yield from loader


def seen_by(
    data: bl.Dataset, case: Case, phase: Phase, rank: int, state: dict[str, Any] | None
) -> tuple[list[tuple[int, int, tuple[Row, ...]]], dict[str, Any]]:
    """What this rank gets until it is killed, and the state that is left."""
    with bl.Loader(data, phase.batch, rank=rank, world_size=phase.world, **case.options()) as loader:
        if state is not None:
            loader.load_state_dict(state)
        seen = []
        left = loader.state_dict()
        for batch in itertools.islice(batches(loader), phase.steps):
            rows = tuple(
                Row(int(record), bool(valid))
                for record, valid in zip(batch.indices, batch.valid, strict=True)
            )
            texts = [data[int(record)].data for record in batch.indices]
            assert list(batch.images) == texts, "other bytes than those of its records"
            seen.append((batch.epoch, batch.position, rows))
            left = batch.state_dict() if phase.state_of == "batch" else loader.state_dict()
    return seen, left


# Each is a whole run: some jobs, one after the other, of up to 12 ranks.
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_every_row_is_where_the_model_says(dataset: bl.Dataset, case: Case) -> None:
    data = case.data(dataset)
    order = case.order(data)
    state: dict[str, Any] | None = None
    epoch = position = 0
    valid: list[list[int]] = [[] for _ in range(EPOCHS)]
    dealt_by: list[int] = []  # rows of a step
    for phase in case.phases:
        if not steps(order.epoch(0), 0, phase.world, phase.batch, case.last):
            with pytest.raises(bl.InvalidArgumentError, match="do not fill one step"):
                bl.Loader(data, phase.batch, rank=0, world_size=phase.world, **case.options())
            if phase.steps is not None:
                continue
            phase = Phase(1, 1, None)
        dealt_by.append(phase.world * phase.batch)
        ahead = promised(case, order, phase, epoch, position)
        expected = ahead[: phase.steps]
        event("killed" if len(expected) < len(ahead) else "ran to its end")
        states = []
        for rank in range(phase.world):
            seen, left = seen_by(data, case, phase, rank, state)
            assert seen == [(number, step.position, step.ranks[rank]) for number, step in expected], (
                f"rank {rank} of {phase}"
            )
            states.append(json.dumps(left))
        assert len(set(states)) == 1, "the state is the same on all ranks"
        state = json.loads(states[phase.rank])
        for number, step in expected:
            valid[number] += [row.record for rank in step.ranks for row in rank if row.valid]
            epoch, position = number, step.next_position
    for number in range(EPOCHS):
        whole = Counter(order.epoch(number))
        if case.sampling == "all":
            assert set(whole.values()) == {1}
        if case.last == "drop":
            assert Counter(valid[number]) <= whole, "a row came twice"
            assert whole.total() - len(valid[number]) < max(dealt_by), "more than a tail is missing"
        else:
            assert Counter(valid[number]) == whole, "not exactly once"


@pytest.mark.parametrize("last", ["drop", "partial", "pad"])
@pytest.mark.parametrize("world", [6, 1, 12])
def test_a_state_of_eight_ranks_goes_on_at_any_number(dataset: bl.Dataset, world: int, last: str) -> None:
    """64 records, 2 rows a rank, killed after 2 steps: 32 are left to deal."""
    run = Case("all", ((0, RECORDS),), (), True, 7, None, last)
    killed, rest = Phase(8, 2, 2), Phase(world, 2, None)
    data, order = run.data(dataset), run.order(run.data(dataset))
    first = [seen_by(data, run, killed, rank, None) for rank in range(8)]
    again = [seen_by(data, run, rest, rank, first[0][1]) for rank in range(world)]
    rows = [
        row.record
        for seen, _ in first + again
        for epoch, _, batch in seen
        for row in batch
        if epoch == 0 and row.valid
    ]
    dropped = 32 % (2 * world) if last == "drop" else 0
    assert len(rows) == RECORDS - dropped and len(set(rows)) == len(rows)
    assert set(rows) == set(order.epoch(0)[: RECORDS - dropped])
    lengths = {len(seen) for seen, _ in again}
    assert len(lengths) == 1, "all ranks make the same steps"
