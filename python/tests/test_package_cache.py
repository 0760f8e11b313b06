"""cache= and cache_size=: on a Dataset, a Loader, a Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Endpoint
from images import labelled_objects, put_all

import bucketline as bl

COUNT = 24
IMAGE = bl.Image(16, dtype="uint8")


@pytest.fixture(scope="module")
def images(versitygw: Endpoint) -> str:
    bucket = versitygw.new_bucket()
    put_all(versitygw, bucket, "images/", labelled_objects(COUNT))
    return f"s3://{bucket}/images/"


def pixels(loader: bl.Loader) -> list[np.ndarray]:
    return [np.array(images) for images, _ in loader]


@pytest.mark.parametrize("where", ["dataset", "loader", "runtime", "uri", "view"])
def test_the_second_epoch_comes_from_the_disk(
    versitygw: Endpoint, images: str, tmp_path: Path, where: str
) -> None:
    with versitygw.reached():
        plain = bl.Dataset(images)
        cache: dict[str, Any] = {"cache": tmp_path / "cache", "cache_size": "64MiB"}
        runtime = bl.Runtime(**(cache if where == "runtime" else {}))
        given: dict[str, Any] = cache if where in ("dataset", "view") else {}
        dataset = bl.Dataset(images, runtime=runtime, **given)
        if where == "view":
            dataset = dataset.split(0.5)[0].filter(lambda key: True)
        options: dict[str, Any] = cache if where in ("loader", "uri") else {}
        if where == "uri":
            loader = bl.Loader(images, 8, image=IMAGE, epochs=3, runtime=runtime, **options)
        else:
            loader = bl.Loader(dataset, 8, image=IMAGE, epochs=3, **options)
        count = len(loader.dataset)
        with loader:  # of three epochs, so that none is read ahead for a fourth
            epochs = [pixels(loader) for _ in range(3)]
        stats = runtime.stats()
        assert (stats["cache_misses"], stats["cache_hits"]) == (count, 2 * count)
        assert stats["cache_hit_bytes"] == 2 * stats["cache_miss_bytes"] > 0
        if where != "view":
            with bl.Loader(plain, 8, image=IMAGE) as uncached:
                expected = pixels(uncached)
            for epoch in epochs:
                assert all(np.array_equal(a, b) for a, b in zip(epoch, expected, strict=True))


@pytest.mark.parametrize("where", ["dataset", "loader", "runtime", "uri", "cached"])
def test_kept_pixels_give_the_same_batches_without_reads(
    versitygw: Endpoint, images: str, tmp_path: Path, where: str
) -> None:
    image = bl.Image(16, crop="center", flip=0.5, jitter=(0.4, 0.4, 0.4), mean="imagenet", std="imagenet")
    with versitygw.reached():
        with bl.Loader(bl.Dataset(images), 8, image=image, shuffle=True, epochs=2) as plain:
            expected = pixels(plain) + pixels(plain)
        cache: dict[str, Any] = {"cache": tmp_path / "cache", "cache_size": "64MiB", "cache_pixels": True}
        for turn in range(2):
            runtime = bl.Runtime(**(cache if where == "runtime" else {}))
            options: dict[str, Any] = cache if where in ("loader", "uri") else {}
            dataset: Any = images
            if where != "uri":
                dataset = bl.Dataset(images, runtime=runtime, **(cache if where == "dataset" else {}))
            else:
                options = {**options, "runtime": runtime}
            if where == "cached":
                dataset = dataset.cached(tmp_path / "cache", "64MiB", pixels=True)
            with bl.Loader(dataset, 8, image=image, shuffle=True, epochs=2, **options) as loader:
                given = pixels(loader) + pixels(loader)
                stats = loader.stats()
            assert len(given) == len(expected) == 6
            assert all(np.array_equal(a, b) for a, b in zip(given, expected, strict=True))
            assert stats["pixel_hits"] + stats["pixel_misses"] == 2 * COUNT
            if turn:
                assert (stats["pixel_misses"], stats["bytes"]) == (0, 0)
                assert stats["pixel_hit_bytes"] == 2 * COUNT * 16 * 16 * 3
                assert stats["pixel_seconds"] > 0 and runtime.stats()["cache_pixel_hits"] == 2 * COUNT
        random = bl.Image(16, crop="random_resized")
        with pytest.raises(bl.InvalidArgumentError, match="leave cache_pixels out"):
            bl.Loader(dataset, 8, image=random, **options)
        with pytest.raises(bl.InvalidArgumentError, match="cache_pixels is of a cache"):
            bl.Dataset(images, cache_pixels=True)
        with pytest.raises(bl.InvalidArgumentError, match="cache_pixels must be True or False"):
            bl.Dataset(images, cache=tmp_path / "cache", cache_pixels="yes")  # type: ignore[arg-type]


def test_a_loader_counts_its_own_reads(versitygw: Endpoint, images: str, tmp_path: Path) -> None:
    with versitygw.reached():
        dataset = bl.Dataset(images, runtime=bl.Runtime(), cache=tmp_path / "cache", cache_size="64MiB")
        for hits, misses in ((0, COUNT), (COUNT, 0)):
            with bl.Loader(dataset, 8, image=IMAGE, epochs=1) as loader:
                pixels(loader)
                stats = loader.stats()
            assert (stats["cache_hits"], stats["cache_misses"]) == (hits, misses)
            assert stats["cache_hit_bytes"] + stats["cache_miss_bytes"] == stats["bytes"]
            assert (stats["cache_seconds"] > 0) == (hits > 0) and stats["pixel_hits"] == 0


def test_samples_and_concatenations_are_read_through_it(
    versitygw: Endpoint, images: str, tmp_path: Path
) -> None:
    with versitygw.reached():
        runtime = bl.Runtime()
        dataset = bl.Dataset(images, runtime=runtime, cache=tmp_path, cache_size="64MiB")
        both = bl.concat([dataset[:3], dataset[3:]])
        assert both[1].data == dataset[1].data
        assert runtime.stats()["cache_hits"] == 1


def test_files_are_read_where_they_are(tmp_path: Path) -> None:
    with bl.Writer(tmp_path / "images") as writer:
        for key, data in labelled_objects(4).items():
            writer.put(key, data)
    dataset = bl.Dataset(tmp_path / "images", cache=tmp_path / "cache", cache_size="64MiB")
    assert dataset[0].data == dataset[0].data
    assert not (tmp_path / "cache").exists()


def test_what_does_not_do_is_said(versitygw: Endpoint, images: str, tmp_path: Path) -> None:
    with versitygw.reached():
        with pytest.raises(bl.InvalidArgumentError, match="a new cache needs a size"):
            bl.Dataset(images, cache=tmp_path / "new")
        with pytest.raises(bl.InvalidArgumentError, match="give its folder as cache"):
            bl.Dataset(images, cache_size="1GiB")
        with pytest.raises(bl.InvalidArgumentError, match="cache must be a folder"):
            bl.Dataset(images, cache=7)  # type: ignore[arg-type]
        with pytest.raises(bl.InvalidArgumentError, match="cache_size must be a number of bytes"):
            bl.Dataset(images, cache=tmp_path, cache_size="much")
        with pytest.raises(bl.InvalidArgumentError, match='pin="etag"'):
            bl.Dataset(images, pin="size", cache=tmp_path, cache_size="64MiB")
        first = bl.Dataset(images, cache=tmp_path / "one", cache_size="64MiB")
        with pytest.raises(bl.InvalidArgumentError, match=r"128\.0 MiB.*64\.0 MiB"):
            bl.Loader(first, cache=tmp_path / "one", cache_size="128MiB")
        other = bl.Runtime()
        with pytest.raises(bl.InvalidArgumentError, match="other processes use this cache"):
            bl.Dataset(images, runtime=other, cache=tmp_path / "one", cache_size="128MiB")
        bl.Dataset(images, runtime=other, cache=tmp_path / "one")
