"""Random runs of a Loader that are killed and go on with other ranks: every row is the one that a plain model says."""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from reference.epoch_model import (
    Order,
    Row,
    Step,
    as_small_as_can_be,
    shards_of,
    steps,
    temperature_weights,
)
from shards import tar

import bucketline as bl

CASES = int(os.environ.get("BUCKETLINE_ELASTIC_CASES", "1000"))
EPOCHS = 2
CLASS_SIZES = (1, 2, 7, 20, 34)
RECORDS = sum(CLASS_SIZES)
TAR_SIZES = (1, 2, 7, 20, 5, 9, 13, 7)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> bl.Dataset:
    """RECORDS texts, in classes of unequal size whose records do not stand together."""
    folder = tmp_path_factory.mktemp("records")
    labels = {}
    for number, label in enumerate(sorted(range(RECORDS), key=lambda i: i * 29 % RECORDS)):
        key = f"{number:02}.txt"
        (folder / key).write_bytes(f"record {number}".encode())
        labels[key] = next(i for i in range(5) if label < sum(CLASS_SIZES[: i + 1]))
    return bl.Dataset(folder, labels, extensions=None)


@pytest.fixture(scope="module")
def sources(objects: bl.Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bl.Dataset]:
    """RECORDS texts: as objects, in tars of unequal size, and packed so that those of a tar stand apart."""
    folder = tmp_path_factory.mktemp("shards")
    tars: list[Path] = []
    for size in TAR_SIZES:
        members = {f"{i:02}.jpg": f"record {len(tars)}/{i}".encode() for i in range(size)}
        tars.append(folder / f"{len(tars)}.tar")
        tars[-1].write_bytes(tar(members))
    report = bl.pack(objects, folder / "packed", shard_size="16KiB", shuffle=3)
    return {
        "objects": objects,
        "tars": bl.Dataset([str(each) for each in tars]),
        "packed": bl.Dataset(report.index),
    }


def shards_in(data: bl.Dataset) -> tuple[tuple[int, ...], ...]:
    """By the URIs of the records, which say the range where a record is one."""
    objects = [uri.split("#")[0] if "#" in uri else None for uri in data.uris]
    return tuple(tuple(shard) for shard in shards_of(objects))


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
    source: str = "objects"
    window: int = 0
    mixed: str = "weights"  # by what: "weights" | "proportional" | "temperature" | "counts"
    temperature: float = 1.0

    def data(self, sources: dict[str, bl.Dataset]) -> bl.Dataset:
        views = [sources[self.source][begin:end] for begin, end in self.ranges]
        if self.sampling != "mix":
            return views[0]
        by: dict[str, Any] = {
            "weights": {"weights": self.weights},
            "proportional": {"weights": "proportional"},
            "temperature": {"temperature": self.temperature},
            "counts": {"counts": self.weights},
        }
        return bl.mix(views, **by[self.mixed])

    def parts(self) -> tuple[tuple[int, int], ...]:
        sizes = [end - begin for begin, end in self.ranges]
        if self.mixed == "temperature":
            weights = temperature_weights(sizes, self.temperature)
        else:
            weights = as_small_as_can_be(sizes if self.mixed == "proportional" else self.weights)
        return tuple(zip(sizes, weights, strict=True))

    def order(self, data: bl.Dataset) -> Order:
        labels: tuple[int, ...] = ()
        if self.sampling == "balanced":
            assert data.labels is not None
            labels = tuple(int(label) for label in data.labels)
        return Order(
            records=sum(end - begin for begin, end in self.ranges),
            sampling=self.sampling,
            shuffle=self.shuffle,
            seed=self.seed,
            epoch_size=sum(self.weights) if self.mixed == "counts" else self.epoch_size,
            shards=shards_in(data) if self.window else (),
            window=self.window,
            labels=labels,
            parts=self.parts() if self.sampling == "mix" else (),
        )

    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"shuffle": self.shuffle, "seed": self.seed, "last": self.last}
        if self.window:
            options |= {"shuffle": "window", "window": self.window}
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
    begins = tuple(draw(st.lists(ranges, min_size=views, max_size=views)))
    source = "objects" if sampling == "balanced" else draw(st.sampled_from(["objects", "tars", "packed"]))
    shuffle = draw(st.booleans()) if sampling != "all" else draw(st.sampled_from([False, True, True]))
    mixed = (
        draw(st.sampled_from(["weights", "proportional", "temperature", "counts"]))
        if sampling == "mix"
        else "weights"
    )
    epoch_size = None
    if sampling != "all" and mixed != "counts":
        epoch_size = draw(st.none() | st.integers(1, 70))
    elif sampling == "all" and shuffle:
        epoch_size = draw(st.none() | st.integers(1, begins[0][1] - begins[0][0]))
    return Case(
        sampling=sampling,
        ranges=begins,
        weights=tuple(draw(st.lists(st.integers(1, 9), min_size=views, max_size=views))),
        shuffle=shuffle,
        seed=draw(st.integers(0, 2**64 - 1)),
        epoch_size=epoch_size,
        last=draw(st.sampled_from(["drop", "partial", "pad"])),
        phases=(*phases, Phase(draw(worlds), draw(st.integers(1, 6)), None)),
        source=source,
        window=draw(st.integers(0, 6)) if sampling == "all" and shuffle else 0,
        mixed=mixed,
        temperature=draw(st.sampled_from([0.5, 1.0, 1.5, 2.0, 5.0, 100.0])),
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
def test_every_row_is_where_the_model_says(sources: dict[str, bl.Dataset], case: Case) -> None:
    data = case.data(sources)
    order = case.order(data)
    event(f"{case.sampling} by {case.mixed}" if case.sampling == "mix" else case.sampling)
    event(f"a window over {case.source}" if case.window else "no window")
    event("a part of the records" if case.sampling == "all" and case.epoch_size else "no part")
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
    if case.mixed == "counts":
        sizes = [end - begin for begin, end in case.ranges]
        begins = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
        for number in range(EPOCHS):
            records = order.epoch(number)
            drawn = [sum(low <= i < high for i in records) for low, high in itertools.pairwise(begins)]
            assert drawn == list(case.weights), "not as many as were asked for"
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
@pytest.mark.parametrize("window", [0, 3])
def test_a_state_of_eight_ranks_goes_on_at_any_number(
    sources: dict[str, bl.Dataset], world: int, last: str, window: int
) -> None:
    """64 records, 2 rows a rank, killed after 2 steps: 32 are left to deal."""
    run = Case("all", ((0, RECORDS),), (), True, 7, None, last, source="tars", window=window)
    killed, rest = Phase(8, 2, 2), Phase(world, 2, None)
    data = run.data(sources)
    order = run.order(data)
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


def test_a_window_never_has_more_shards_open(sources: dict[str, bl.Dataset]) -> None:
    """Of the engine's order: groups of at most so many shards, one after the other, each shard in one."""
    for source in ("tars", "packed"):
        data = sources[source]
        shard_of = {record: i for i, shard in enumerate(shards_in(data)) for record in shard}
        for window in (1, 2, 3):
            with bl.Loader(
                data, 1, shuffle="window", window=window, last="partial", distributed=False
            ) as loader:
                for _ in range(3):
                    order = [shard_of[int(batch.indices[0])] for batch in loader]
                    last_seen = {shard: place for place, shard in enumerate(order)}
                    first_seen = {shard: order.index(shard) for shard in last_seen}
                    opened = [
                        sum(first_seen[shard] <= place <= last_seen[shard] for shard in last_seen)
                        for place in range(len(order))
                    ]
                    assert max(opened) <= window
                    assert window == 1 or max(opened) > 1, "records are mixed among shards"
