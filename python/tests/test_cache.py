"""`--cache` and `bucketline cache`, against a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Command, Endpoint
from images import labelled_objects, put_all

COUNT = 24


@pytest.fixture(scope="module")
def images(versitygw: Endpoint) -> str:
    bucket = versitygw.new_bucket()
    put_all(versitygw, bucket, "images/", labelled_objects(COUNT))
    return f"s3://{bucket}/images/"


def figures(command: Command, *words: str) -> Any:
    return json.loads(command.done(*words).out.splitlines()[-1])


def test_the_second_epoch_and_the_next_job_ask_the_bucket_for_nothing(
    on_versitygw: Command, images: str, tmp_path: Path
) -> None:
    place = ("--cache", str(tmp_path / "cache"))
    words = ("bench", images, "--size", "32", "--batch-size", "8", "--json")
    first = figures(on_versitygw, *words, *place, "--cache-size", "64MiB", "--epochs", "2")
    assert first["requests"] == COUNT
    assert (first["cache"]["misses"], first["cache"]["hits"]) == (COUNT, COUNT)
    again = figures(on_versitygw, *words, *place)
    assert (again["requests"], again["cache"]["hits"], again["cache"]["misses"]) == (0, COUNT, 0)
    assert again["cache"]["hit_bytes"] == first["bytes"]
    assert "24 hits" in on_versitygw.done(*words[:-1], *place).out


def test_kept_pixels_spare_reads_and_decodes(on_versitygw: Command, images: str, tmp_path: Path) -> None:
    place = ("--cache", str(tmp_path / "cache"), "--cache-pixels")
    rows = ("--crop", "center", "--size", "32", "--flip", "0.5", "--batch-size", "8")
    words = ("bench", images, *rows, "--json")
    first = figures(on_versitygw, *words, *place, "--cache-size", "64MiB")
    assert (first["cache"]["pixel_misses"], first["cache"]["pixel_hits"]) == (COUNT, 0)
    again = figures(on_versitygw, *words, *place, "--epochs", "2")
    assert (again["requests"], again["cache"]["pixel_hits"], again["cache"]["pixel_misses"]) == (
        0,
        2 * COUNT,
        0,
    )
    assert again["cache"]["pixel_hit_bytes"] == 2 * COUNT * 32 * 32 * 3
    assert f"pixels: {COUNT} from the cache" in on_versitygw.done(*words[:-1], *place).out

    status = figures(on_versitygw, "cache", "status", str(tmp_path / "cache"), "--json")
    # Beside them are the objects that the bench reads to find its limit.
    (pixels,) = [dataset for dataset in status["datasets"] if " [" in dataset["dataset"]]
    assert "[32x32, center of 37, bilinear as Pillow, 3 channels uint8" in pixels["dataset"]
    assert pixels["entries"] == COUNT
    assert figures(on_versitygw, "cache", "verify", str(tmp_path / "cache"), "--json")["entries"] == 2 * COUNT
    on_versitygw.done("cache", "clear", str(tmp_path / "cache"), "--dataset", pixels["dataset"])
    assert figures(on_versitygw, *words, *place)["cache"]["pixel_misses"] == COUNT


def test_random_crops_and_kept_pixels_are_an_error(
    on_versitygw: Command, images: str, tmp_path: Path
) -> None:
    place = ("--cache", str(tmp_path / "cache"), "--cache-size", "64MiB")
    failed = on_versitygw.run("bench", images, "--crop", "random_resized", *place, "--cache-pixels")
    assert failed.code == 1
    assert "cache_pixels" in failed.err and "random_resized" in failed.err and "leave" in failed.err
    assert on_versitygw.run("bench", images, "--cache-pixels").code == 2


def test_what_is_in_it_and_away_with_it(on_versitygw: Command, images: str, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    on_versitygw.done("bench", images, "--raw", "--cache", str(folder), "--cache-size", "64MiB", "--json")
    status = figures(on_versitygw, "cache", "status", str(folder), "--json")
    assert status["limit_bytes"] == 64 << 20 and 0 < status["used_bytes"] < 4 << 20
    assert not status["in_use"] and status["counted"]
    (dataset,) = status["datasets"]
    assert dataset["dataset"].startswith(images) and dataset["entries"] == COUNT and not dataset["in_use"]
    assert f"{COUNT} entries" in on_versitygw.done("cache", "status", str(folder)).out

    entries = sorted(path for path in folder.rglob("*") if len(path.name) == 16)
    assert len(entries) == COUNT
    assert figures(on_versitygw, "cache", "verify", str(folder), "--json")["damaged"] == 0
    entries[5].write_bytes(entries[5].read_bytes()[:-1] + b"?")
    failed = on_versitygw.run("cache", "verify", str(folder), "--json")
    assert failed.code == 1
    assert json.loads(failed.out) == {
        "folder": str(folder),
        "entries": COUNT,
        "bytes": json.loads(failed.out)["bytes"],
        "damaged": 1,
    }
    assert not entries[5].exists()

    freed = figures(on_versitygw, "cache", "clear", str(folder), "--dataset", dataset["dataset"], "--json")
    assert freed["freed_bytes"] > 0
    assert figures(on_versitygw, "cache", "status", str(folder), "--json")["datasets"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cache", "{tmp}/new"), ("{tmp}/new", "--cache-size 200GiB")),
        (("--cache", "{tmp}/new", "--cache-size", "5KiB"), ("{tmp}/new", "at least 1.0 MiB")),
        (("--cache", "{tmp}/new", "--cache-size", "1GiB", "--pin", "size"), ("pin=", "etag", "images/")),
        (("--cache", "{tmp}/file/new", "--cache-size", "1GiB"), ("{tmp}/file/new", "leave the cache out")),
    ],
)
def test_a_cache_that_cannot_be_is_said(
    on_versitygw: Command, images: str, tmp_path: Path, words: tuple[str, ...], said: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("")
    given = [word.format(tmp=tmp_path) for word in words]
    failed = on_versitygw.run("bench", images, "--raw", *given)
    assert failed.code == 1
    assert all(text.format(tmp=tmp_path) in failed.err for text in said), failed.err


@pytest.mark.parametrize("command", ["status", "verify", "clear"])
def test_a_folder_that_is_no_cache_is_left_alone(on_versitygw: Command, tmp_path: Path, command: str) -> None:
    failed = on_versitygw.run("cache", command, str(tmp_path), "--json")
    assert failed.code == 1
    assert json.loads(failed.out)["error"] == "NotFound" and "no cache" in failed.err
    assert list(tmp_path.iterdir()) == []
