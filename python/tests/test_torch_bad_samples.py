"""on_error= of bl.torch.MapDataset and IterableDataset: the rules of bl.Loader for what cannot be decoded."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import DEADLINE_SECONDS
from images import jpeg
from torch.utils.data import DataLoader

import bucketline as bl

COUNT = 12
BAD = (3, 8)
IMAGE = bl.Image(16, crop="random_resized", flip=0.5)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bl.Dataset:
    return write(tmp_path_factory.mktemp("some"), BAD)


def write(folder: Path, bad: Any) -> bl.Dataset:
    for i in range(COUNT):
        (folder / f"{i:02}.jpg").write_bytes(b"<html>" if i in bad else jpeg(i, size=24))
    return bl.Dataset(folder, list(range(COUNT)))


def samples_of(data: bl.Dataset, on_error: str, **options: Any) -> bl.torch.MapDataset:
    return bl.torch.MapDataset(
        data, options.pop("image", IMAGE), on_error=on_error, max_skipped=0.2, **options
    )


def dealt(samples: bl.torch.MapDataset, **options: Any) -> DataLoader[Any]:
    sampler = bl.torch.BatchSampler(samples, 4, shuffle=True, seed=5, distributed=False)
    return DataLoader(samples, batch_sampler=sampler, **options)


def of_loader(data: bl.Dataset, on_error: str) -> list[bl.torch.Batch]:
    with bl.torch.Loader(
        data, 4, image=IMAGE, shuffle=True, seed=5, on_error=on_error, max_skipped=0.2, distributed=False
    ) as loader:
        return list(loader)


@pytest.mark.parametrize("workers", [0, 2])
def test_skip_puts_the_record_there_that_a_loader_puts(data: bl.Dataset, workers: int) -> None:
    options: dict[str, Any] = {"timeout": DEADLINE_SECONDS} if workers else {}
    batches = list(dealt(samples_of(data, "skip"), num_workers=workers, **options))
    for (images, labels), expected in zip(batches, of_loader(data, "skip"), strict=True):
        assert (images == expected.images).all() and (labels == expected.indices).all()
        assert not set(labels.tolist()) & set(BAD)


def test_mask_gives_zeros_and_says_where(data: bl.Dataset) -> None:
    for (images, labels, valid), expected in zip(
        dealt(samples_of(data, "mask")), of_loader(data, "mask"), strict=True
    ):
        assert (images == expected.images).all() and (labels == expected.labels).all()
        assert (valid == expected.valid).all() and (
            valid == torch.tensor([i not in BAD for i in labels])
        ).all()
    unlabelled = samples_of(bl.Dataset(str(data.uris[0]).rsplit("/", 1)[0]), "mask")
    image, valid = unlabelled[BAD[0]]
    assert not image.any() and valid is False and unlabelled[0][1] is True


@pytest.mark.parametrize("on_error", ["skip", "mask"])
def test_an_iterable_dataset_does_the_same(data: bl.Dataset, on_error: str) -> None:
    batches = bl.torch.IterableDataset(
        data, 4, image=IMAGE, shuffle=True, seed=5, on_error=on_error, max_skipped=0.2, distributed=False
    )
    for given, expected in zip(batches, of_loader(data, on_error), strict=True):
        assert (given[0] == expected.images).all() and (given[1] == expected.labels).all()
        assert on_error == "skip" or (given[2] == expected.valid).all()
    assert len(batches.bad_samples) == len(BAD)


def test_images_of_their_own_size_are_replaced(data: bl.Dataset) -> None:
    samples = samples_of(data, "skip", image=bl.Image(dtype="uint8"))
    pictures = [picture for picture, _ in samples.__getitems__(range(COUNT))]
    assert all(picture.shape == (3, 24, 24) for picture in pictures)
    with pytest.raises(bl.InvalidArgumentError, match="zeros in place of an image, which need a size"):
        samples_of(data, "mask", image=bl.Image())


def test_each_is_named(data: bl.Dataset, caplog: pytest.LogCaptureFixture) -> None:
    samples = samples_of(data, "skip")
    with caplog.at_level(logging.WARNING, "bucketline"):
        for _ in range(2):
            samples.__getitems__(range(COUNT))
    assert [bad.uri for bad in samples.bad_samples] == [data.uris[i] for i in BAD] * 2
    assert all("HTML" in bad.reason and bad.replaced_by in list(data.uris) for bad in samples.bad_samples)
    assert len(caplog.records) == len(BAD), "once each"
    masked = samples_of(data, "mask")
    assert not masked[BAD[0]][2] and masked.bad_samples[0].replaced_by == ""


def test_more_than_max_skipped_is_an_error(data: bl.Dataset) -> None:
    samples = bl.torch.MapDataset(data, IMAGE, on_error="skip", max_skipped=0.1)  # one of twelve
    for _ in range(3):
        samples[BAD[0]]  # the same one counts once
    with pytest.raises(bl.CorruptDataError, match=r"08\.jpg.*2 samples .* max_skipped = 0.1 allows 1"):
        samples[BAD[1]]


def test_nothing_else_to_take_is_an_error(tmp_path: Path) -> None:
    samples = bl.torch.MapDataset(write(tmp_path, range(COUNT)), IMAGE, on_error="skip", max_skipped=1)
    with pytest.raises(bl.CorruptDataError, match=r"00\.jpg.*none of the 8 records drawn in its place"):
        samples[0]


def test_an_object_that_changed_is_never_passed_over(tmp_path: Path) -> None:
    data = write(tmp_path, ())
    samples = samples_of(data, "skip")
    (tmp_path / "05.jpg").write_bytes(jpeg(99, size=32))
    with pytest.raises(bl.ObjectChangedError, match=r"05\.jpg"):
        samples[5]


def test_wrong_words(data: bl.Dataset) -> None:
    with pytest.raises(bl.InvalidArgumentError, match="on_error must be one of 'raise' | 'skip' | 'mask'"):
        bl.torch.MapDataset(data, IMAGE, on_error="ignore")
    with pytest.raises(bl.InvalidArgumentError, match="max_skipped must be from 0 to 1"):
        bl.torch.MapDataset(data, IMAGE, max_skipped=2)
    with pytest.raises(bl.CorruptDataError, match=r"03\.jpg.*HTML"):
        bl.torch.MapDataset(data, IMAGE)[3]
