"""Which records an epoch has: balanced, with replacement, dealt to ranks; and how epochs are counted."""

from __future__ import annotations

import collections
import os
import threading
from pathlib import Path
from typing import Any

import pytest

import bucketline as bl

SIZES = {"few": 3, "many": 24, "some": 9}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> bl.Dataset:
    folder = tmp_path_factory.mktemp("classes")
    for name, size in SIZES.items():
        (folder / name).mkdir()
        for i in range(size):
            (folder / name / f"{i:02}.txt").write_bytes(b"%d" % i)
    return bl.Dataset(folder, "folder", extensions=None)


COUNT = sum(SIZES.values())


def make(dataset: bl.Dataset, batch_size: int | None = 4, **options: Any) -> bl.Loader:
    return bl.Loader(dataset, batch_size, **{"distributed": False, **options})


def rows_of(loader: bl.Loader) -> list[int]:
    return [int(index) for batch in loader for index in batch.indices[batch.valid]]


def test_balanced_gives_every_class_equally_often(dataset: bl.Dataset) -> None:
    with make(dataset, sampling="balanced", epoch_size=48) as loader:
        assert len(loader) == 12
        first, second = rows_of(loader), rows_of(loader)
    for epoch in (first, second):
        assert collections.Counter(dataset[i].label for i in epoch) == {0: 16, 1: 16, 2: 16}
        assert set(epoch) >= {0, 1, 2}, "all of the few"
    assert first != second and first != sorted(first)


def test_replacement_draws_each_row_anew(dataset: bl.Dataset) -> None:
    with make(dataset, sampling="replacement", epoch_size=360) as loader:
        counts = collections.Counter(rows_of(loader))
    assert sum(counts.values()) == 360 and max(counts.values()) > 10 > min(counts.values())
    assert 150 < sum(count for index, count in counts.items() if dataset[index].label == 1) < 320


@pytest.mark.parametrize("sampling", ["balanced", "replacement"])
def test_an_epoch_has_as_many_rows_as_records_unless_told(dataset: bl.Dataset, sampling: str) -> None:
    with make(dataset, sampling=sampling) as loader:
        assert len(loader) == COUNT // 4 and len(rows_of(loader)) == COUNT
    with make(dataset, 5, sampling=sampling, epoch_size=12) as loader:
        assert len(rows_of(loader)) == 10, "random orders drop their tail"
    with make(dataset, 5, sampling=sampling, epoch_size=12, last="partial") as loader:
        assert len(rows_of(loader)) == 12


@pytest.mark.parametrize("sampling", ["balanced", "replacement"])
def test_resuming_goes_on_in_the_same_draw(dataset: bl.Dataset, sampling: str) -> None:
    options: dict[str, Any] = {"sampling": sampling, "epoch_size": 40, "seed": 3}
    with make(dataset, **options) as loader, make(dataset, 8, **options, threads=2) as again:
        whole = rows_of(loader) + rows_of(loader)
        loader.load_state_dict({**loader.state_dict(), "epoch": 0, "position": 0})
        iterator = iter(loader)
        for _ in range(6):
            batch = next(iterator)
        again.load_state_dict(batch.state_dict())
        assert rows_of(again) + rows_of(again) == whole[24:]
        for other, says in (
            ({"sampling": "all", "epoch_size": None}, "sampling"),
            ({"epoch_size": 44}, "epoch_size"),
        ):
            with (
                make(dataset, **{**options, **other}) as different,
                pytest.raises(bl.InvalidArgumentError, match=says),
            ):
                different.load_state_dict(batch.state_dict())


def test_ranks_share_a_draw(dataset: bl.Dataset) -> None:
    options: dict[str, Any] = {"sampling": "balanced", "epoch_size": 48}
    with make(dataset, 4, **options) as alone:
        whole = rows_of(alone)
    ranks = [
        make(dataset, None, global_batch_size=4, rank=rank, world_size=2, **options) for rank in range(2)
    ]
    assert [loader.batch_size for loader in ranks] == [2, 2]
    steps = zip(*ranks, strict=True)
    assert [int(i) for step in steps for batch in step for i in batch.indices] == whole


@pytest.mark.parametrize(("last", "rows"), [("drop", 32), ("partial", 36), ("pad", 36)])
@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_every_rank_makes_as_many_steps_whatever_the_tail(
    dataset: bl.Dataset, last: str, rows: int, world_size: int
) -> None:
    loaders = [
        make(dataset, None, global_batch_size=16, last=last, rank=rank, world_size=world_size)
        for rank in range(world_size)
    ]
    assert len({len(loader) for loader in loaders}) == 1
    epochs = [list(loader) for loader in loaders]
    assert {len(epoch) for epoch in epochs} == {len(loaders[0])}
    seen = sorted(int(i) for epoch in epochs for batch in epoch for i in batch.indices[batch.valid])
    assert seen == list(range(rows))
    if last != "partial":
        assert all(len(batch.images) == 16 // world_size for epoch in epochs for batch in epoch)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sampling": "random"}, "sampling must be"),
        ({"sampling": "balanced", "epoch_size": 0}, "epoch_size must be"),
        ({"sampling": "balanced", "epoch_size": 1.5}, "epoch_size must be"),
        ({"epoch_size": 10}, "epoch_size"),
        ({"pin_threads": 1}, "pin_threads must be"),
        ({"epochs": -1}, "epochs must be"),
    ],
)
def test_options_that_do_not_fit_are_named(dataset: bl.Dataset, options: dict[str, Any], says: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        make(dataset, **options)


def test_balanced_needs_classes(dataset: bl.Dataset) -> None:
    folder = Path(dataset.uris[0]).parents[1]
    for labels in (None, [i / 2 for i in range(COUNT)]):
        with pytest.raises(bl.InvalidArgumentError, match="label|class"):
            make(bl.Dataset(folder, labels, extensions=None), sampling="balanced")


def test_pinned_threads_stay_on_one_cpu_each(dataset: bl.Dataset) -> None:
    cpus: dict[int, set[int]] = {}

    def where(sample: bl.TransformSample) -> int:
        cpus[threading.get_native_id()] = os.sched_getaffinity(0)
        return sample.index

    with make(dataset, transform=where, threads=2, pin_threads=True, epochs=1) as loader:
        assert rows_of(loader) == list(range(COUNT))
    allowed = os.sched_getaffinity(0)
    assert cpus and all(len(each) == 1 and each <= allowed for each in cpus.values())
    cpus.clear()
    with make(dataset, transform=where, threads=2, epochs=1) as loader:
        list(loader)
    assert all(each == allowed for each in cpus.values())


def test_epochs_that_will_not_be_asked_for_are_not_read(dataset: bl.Dataset) -> None:
    seen: list[int] = []

    def note(sample: bl.TransformSample) -> int:
        seen.append(sample.epoch)
        return 0

    with make(dataset, 36, transform=note, epochs=2) as loader:
        assert [len(list(loader)) for _ in range(4)] == [1, 1, 0, 0]
        assert collections.Counter(seen) == {0: COUNT, 1: COUNT} and loader.epoch == 2


def test_remaining_and_len(dataset: bl.Dataset) -> None:
    with make(dataset) as loader:
        for step, _ in enumerate(loader):
            assert len(loader) == 9 and loader.remaining == 8 - step and loader.epoch == 0
        assert loader.remaining == 9 and loader.epoch == 1
        loader.load_state_dict({**loader.state_dict(), "position": 12})
        assert len(loader) == 9 and loader.remaining == 6
        next(iter(loader))
        assert loader.remaining == 5 and loader.state_dict()["position"] == 16, "a break changes no state"
        assert len(list(loader)) == 9 and loader.epoch == 3


def test_epochs_end_however_they_are_used(dataset: bl.Dataset) -> None:
    with make(dataset) as loader:
        assert list(loader.epochs(3)) == [0, 1, 2], "without iterating"
    with make(dataset) as loader:
        seen = []
        for epoch in loader.epochs(6):
            if epoch % 2:
                continue
            seen.append((epoch, {batch.epoch for batch in loader}))
        assert seen == [(0, {0}), (2, {2}), (4, {4})]
    with make(dataset) as loader:
        places: list[tuple[int, int, int]] = []
        for epoch in loader.epochs(4):
            for batch in loader:
                places.append((epoch, batch.epoch, batch.position))
                if epoch % 2:
                    break
        assert [each for each in places if each[0] % 2] == [(1, 1, 0), (3, 3, 0)] and len(places) == 20


def test_epochs_end_when_every_batch_fails(dataset: bl.Dataset) -> None:
    with make(dataset, transform=lambda sample: 1 / 0) as loader:
        failed = []
        for epoch in loader.epochs(3):
            with pytest.raises(ZeroDivisionError):
                list(loader)
            failed.append(epoch)
        assert failed == [0, 1, 2]


def test_a_state_loaded_within_epochs_is_where_they_go_on(dataset: bl.Dataset) -> None:
    with make(dataset) as loader:
        state, seen = loader.state_dict(), []
        for epoch in loader.epochs(2):
            seen.append((epoch, len(list(loader))))
            if len(seen) == 1:
                loader.load_state_dict({**state, "position": 8})
        assert seen == [(0, 9), (0, 7), (1, 9)]
