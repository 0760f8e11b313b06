"""bl.Loader: what iterating, stopping and going on promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from images import jpeg
from loading import COUNT, SMALL, epoch_of, labelled_dataset, make

import bucketline as bl


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> bl.Dataset:
    return labelled_dataset(tmp_path_factory.mktemp("images"))


def test_an_epoch_is_every_record_once_with_its_pixels_label_and_name(dataset: bl.Dataset) -> None:
    with make(dataset) as loader:
        assert len(loader) == 7 and loader.remaining == 7
        seen = []
        for images, labels in loader:
            assert images.shape[1:] == (3, 16, 16) and images.dtype == np.uint8 and labels.dtype == np.int64
        for batch in loader:
            for row, index in enumerate(batch.indices):
                assert (
                    batch.keys[row] == dataset.keys[int(index)]
                    and batch.uris[row] == dataset.uris[int(index)]
                )
                assert dataset.classes[batch.labels[row]] == batch.keys[row].split("/")[-2]
                sample = dataset[int(index)]
                assert np.array_equal(batch.images[row], SMALL(sample.data))
            seen += batch.indices.tolist()
        assert seen == list(range(COUNT))


def test_shuffled_epochs_differ_and_repeat_by_seed(dataset: bl.Dataset) -> None:
    with (
        make(dataset, shuffle=True, last="partial") as one,
        make(dataset, shuffle=True, last="partial") as two,
    ):
        first, second = epoch_of(one), epoch_of(one)
        assert sorted(first) == sorted(second) == list(range(COUNT)) and first != second
        assert [epoch_of(two), epoch_of(two)] == [first, second]
    with make(dataset, shuffle=True, last="partial", seed=1) as other:
        assert epoch_of(other) != first


@pytest.mark.parametrize(
    ("last", "shuffle", "rows"),
    [
        ("drop", False, [8] * 6),
        ("partial", False, [8] * 6 + [5]),
        ("pad", False, [8] * 7),
        (None, False, [8] * 6 + [5]),
        (None, True, [8] * 6),
    ],
)
def test_the_tail(dataset: bl.Dataset, last: str | None, shuffle: bool, rows: list[int]) -> None:
    with make(dataset, last=last, shuffle=shuffle) as loader:
        batches = list(loader)
        assert [len(batch.images) for batch in batches] == rows == [len(batch.labels) for batch in batches]
        padding = [row for row in batches[-1].valid if not row]
        assert len(padding) == (3 if last == "pad" else 0)


def test_without_image_batches_are_the_bytes(dataset: bl.Dataset) -> None:
    with make(dataset, image=None) as loader:
        images, labels = next(iter(loader))
        assert images == [dataset[i].data for i in range(8)] and len(labels) == 8


def test_without_labels_they_are_none(dataset: bl.Dataset) -> None:
    with bl.Loader(Path(dataset.uris[0]).parents[1], 4, image=SMALL) as loader:
        _, labels = next(iter(loader))
        assert labels is None


def test_a_break_ends_the_epoch(dataset: bl.Dataset) -> None:
    with make(dataset, shuffle=True) as loader, make(dataset, shuffle=True) as whole:
        wanted = [epoch_of(whole) for _ in range(3)]
        for batch in loader:
            assert batch.epoch == 0
            break
        assert epoch_of(loader) == wanted[1]
        for _ in zip(loader, range(3), strict=False):
            pass
        assert loader.epoch == 2
        for batch in loader:
            assert batch.epoch == 3 and batch.position == 0
            break


def test_an_exhausted_iterator_stays_exhausted(dataset: bl.Dataset) -> None:
    with make(dataset) as loader:
        iterator = iter(loader)
        assert len(list(iterator)) == 7
        assert list(iterator) == [] and next(iterator, None) is None
        assert len(list(loader)) == 7


def test_of_two_iterators_the_older_raises(dataset: bl.Dataset) -> None:
    with make(dataset) as loader:
        older = iter(loader)
        next(older)
        younger = iter(loader)
        assert next(younger).epoch == 1
        with pytest.raises(bl.InvalidArgumentError, match="another one was made"):
            next(older)
        assert len(list(younger)) == 6


def test_epochs_counts_from_where_the_state_stands(dataset: bl.Dataset) -> None:
    with make(dataset) as loader:
        assert [(epoch, len(list(loader))) for epoch in loader.epochs(3)] == [(0, 7), (1, 7), (2, 7)]
        assert list(loader.epochs(3)) == []
        loader.load_state_dict({**loader.state_dict(), "epoch": 1, "position": 16})
        assert [(epoch, len(list(loader))) for epoch in loader.epochs(3)] == [(1, 5), (2, 7)]
    with make(dataset) as loader:
        seen = []
        for epoch in loader.epochs(3):
            for batch in loader:
                seen.append((epoch, batch.epoch))
                break
        assert seen == [(0, 0), (1, 1), (2, 2)]


def test_global_batch_size_is_of_all_ranks(dataset: bl.Dataset) -> None:
    with make(dataset, batch_size=None, global_batch_size=12, rank=1, world_size=3) as loader:
        assert loader.batch_size == 4 and loader.rank == 1 and loader.world_size == 3
        assert next(iter(loader)).indices.tolist() == [4, 5, 6, 7]


def test_ranks_come_from_the_launcher(dataset: bl.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with make(dataset, distributed=True) as loader:
        assert (loader.rank, loader.world_size) == (1, 2) and "rank 1 of 2" in repr(loader)
    with make(dataset) as loader:
        assert (loader.rank, loader.world_size) == (0, 1)
    monkeypatch.setenv("RANK", "one")
    with pytest.raises(bl.InvalidArgumentError, match='RANK should be a number, not "one"'):
        make(dataset, distributed=True)


def test_batches_are_the_engines_memory_and_the_callers_to_keep(dataset: bl.Dataset) -> None:
    with make(dataset) as loader:
        batches = list(loader)
        copies = [(batch.images.copy(), batch.labels.copy(), batch.indices.copy()) for batch in batches]
        for batch in batches:
            array = batch.images
            assert array.base is not None and not array.flags.owndata and array.flags.c_contiguous
            assert array.flags.writeable and batch.labels.flags.writeable
            assert array.__array_interface__["data"][0] % 64 == 0
            again = batch._core.pixels(0)
            assert again.__array_interface__["data"] == array.__array_interface__["data"], "no copy is made"
        addresses = [batch.images.__array_interface__["data"][0] for batch in batches]
        assert len(set(addresses)) == len(batches)
        for _ in range(2):
            list(loader)  # the engine goes on, elsewhere
    for batch, (images, labels, indices) in zip(batches, copies, strict=True):
        assert np.array_equal(batch.images, images) and np.array_equal(batch.labels, labels)
        assert np.array_equal(batch.indices, indices)
        batch.images[:] = 7
        assert (batch.images == 7).all()


def test_arrays_outlive_batch_loader_and_dataset(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    images = next(iter(bl.Loader(bl.Dataset(tmp_path), 1, image=SMALL))).images
    assert np.array_equal(images[0], SMALL(jpeg(1)))


@pytest.fixture
def damaged(tmp_path: Path) -> bl.Dataset:
    for i in range(20):
        (tmp_path / f"{i:02}.jpg").write_bytes(b"not an image" if i in (3, 11) else jpeg(i))
    return bl.Dataset(tmp_path)


def test_a_bad_sample_raises_naming_it(damaged: bl.Dataset) -> None:
    with make(damaged) as loader, pytest.raises(bl.CorruptDataError, match="03.jpg"):
        list(loader)


def test_bad_samples_are_skipped_and_named(damaged: bl.Dataset) -> None:
    with make(damaged, on_error="skip", max_skipped=0.2) as loader:
        rows = [key for batch in loader for key in batch.keys]
        assert len(rows) == 20 and not any("/03.jpg" in key or "/11.jpg" in key for key in rows)
        first_epoch = [bad for bad in loader.bad_samples if bad.epoch == 0]  # the engine is ahead of us
        assert sorted(bad.position for bad in first_epoch) == [3, 11]
        bad = min(first_epoch, key=lambda each: each.position)
        assert bad.uri.endswith("03.jpg") and bad.reason and bad.replaced_by.endswith(".jpg")
        assert loader.stats()["skipped"] >= 2


def test_bad_samples_are_masked(damaged: bl.Dataset) -> None:
    with make(damaged, on_error="mask", max_skipped=0.2) as loader:
        batches = list(loader)
        assert np.concatenate([batch.valid for batch in batches]).tolist() == [
            i not in (3, 11) for i in range(20)
        ]
        assert not batches[0].images[3].any() and batches[0].images[2].any()
        assert loader.bad_samples[0].replaced_by == "" and loader.stats()["masked"] >= 2


def test_too_many_bad_samples_end_the_run(damaged: bl.Dataset) -> None:
    with (
        make(damaged, on_error="skip", max_skipped=0.05) as loader,
        pytest.raises(bl.Error, match="max_skipped"),
    ):
        list(loader)


def test_too_little_memory_says_how_much_is_needed(dataset: bl.Dataset) -> None:
    with pytest.raises(bl.Error, match="[0-9]{4}") as raised:
        make(dataset, memory=1000)
    assert isinstance(raised.value, (bl.InvalidArgumentError, bl.ResourceExhaustedError))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"batch_size": 0}, "batch_size must be"),
        ({"batch_size": "8"}, "batch_size must be"),
        ({"batch_size": 8.0}, "batch_size must be"),
        ({"batch_size": 8, "global_batch_size": 8}, "not both"),
        (
            {"batch_size": None, "global_batch_size": 7, "rank": 0, "world_size": 2},
            "not a multiple of the 2 ranks",
        ),
        ({"image": 224}, "image must be"),
        ({"shuffle": 1}, "shuffle must be"),
        ({"seed": -1}, "seed must be"),
        ({"seed": 1.5}, "seed must be"),
        ({"last": "keep"}, "last must be"),
        ({"rank": 0}, "go together"),
        ({"rank": 2, "world_size": 2}, "rank must be"),
        ({"rank": 0, "world_size": 0}, "world_size must be"),
        ({"threads": 0}, "threads must be"),
        ({"threads": "all"}, "threads must be"),
        ({"memory": "plenty"}, "memory must be"),
        ({"memory": -1}, "memory must be"),
        ({"max_requests": 0}, "max_requests must be"),
        ({"on_error": "ignore"}, "on_error must be"),
        ({"max_skipped": 2}, "max_skipped must be"),
        ({"distributed": "no"}, "distributed must be"),
    ],
)
def test_options_that_do_not_fit_are_named(dataset: bl.Dataset, options: dict[str, Any], says: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        make(dataset, **options)


def test_options_of_the_dataset_belong_there(dataset: bl.Dataset) -> None:
    with pytest.raises(TypeError, match="labels belongs to the Dataset"):
        make(dataset, labels="folder")
    with bl.Loader(Path(dataset.uris[0]).parents[1], 8, image=SMALL, labels="folder") as loader:
        assert loader.dataset.classes == ["bright", "dark"]


def test_epochs_must_be_a_number(dataset: bl.Dataset) -> None:
    with make(dataset) as loader, pytest.raises(bl.InvalidArgumentError, match="epochs must be"):
        list(loader.epochs("90"))  # type: ignore[arg-type]


def test_what_things_look_like(dataset: bl.Dataset) -> None:
    with make(dataset) as loader:
        assert repr(loader).startswith("Loader(Dataset(") and "7 batches of 8, epoch 0" in repr(loader)
        batch = next(iter(loader))
        assert repr(batch) == "Batch(images (8, 3, 16, 16), epoch 0, position 0)"
        assert len(batch) == 2 and isinstance(batch, tuple)
        stats = loader.stats()
        assert stats["batches"] == 1 and stats["images"] == 8 and "decode_seconds" in str(stats)
        assert stats._repr_html_().startswith("<table>")
        assert isinstance(loader.explain(), str) and loader.explain()
    with make(dataset, image=None) as loader:
        assert repr(next(iter(loader))) == "Batch(8 records, epoch 0, position 0)"
