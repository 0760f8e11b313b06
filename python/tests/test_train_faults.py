"""Ordinary misfortunes of a training run: one clear line each, and nothing lost."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint, Outcome, serve_versitygw, versitygw_binary
from images import jpeg, labelled_objects, put_all
from training import SMALL, image_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_folder(tmp_path_factory.mktemp("images"))


def assert_one_line(outcome: Outcome, *says: str) -> None:
    assert outcome.code == 1
    lines = outcome.err.strip().splitlines()
    assert len(lines) == 1, outcome.err
    for part in says:
        assert part in lines[0]


def test_one_class_only(bucketline: Command, tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    for i in range(10):
        (tmp_path / "cat" / f"{i}.jpg").write_bytes(jpeg(i))
    assert_one_line(bucketline.run("train", tmp_path, *SMALL), "two classes", "1")


def test_validation_with_other_classes(bucketline: Command, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder / "dark", other / "dim")
    shutil.copytree(folder / "bright", other / "bright")
    assert_one_line(
        bucketline.run("train", folder, *SMALL, "--validation", other), "other classes", str(other)
    )


def test_a_checkpoint_prefix_that_is_read_only(bucketline: Command, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    with serve_versitygw(versitygw_binary(), tmp_path, ["--readonly"]) as endpoint:
        outcome = bucketline.with_environment(endpoint.environment()).run(
            "train", folder, *SMALL, "--epochs", 500, "--checkpoint", "s3://bucket/c/"
        )
    assert_one_line(outcome, "s3://bucket/c/", "403")


def test_a_checkpoint_bucket_that_is_not_there(on_versitygw: Command, folder: Path) -> None:
    base = ("train", folder, *SMALL, "--epochs", 500, "--checkpoint", "s3://no-such-bucket-here/c/")
    assert_one_line(on_versitygw.run(*base), "no-such-bucket-here")
    assert_one_line(on_versitygw.run(*base, "--resume"), "no-such-bucket-here")


def test_a_checkpoint_of_other_data(bucketline: Command, folder: Path, tmp_path: Path) -> None:
    base = (*SMALL, "--epochs", 1, "--checkpoint", tmp_path / "c")
    bucketline.done("train", folder, *base)
    other = image_folder(tmp_path / "other", 48)
    assert_one_line(bucketline.run("train", other, *base, "--resume"), "data", str(tmp_path / "c"))


def test_a_manifest_of_other_data(on_versitygw: Command, versitygw: Endpoint, tmp_path: Path) -> None:
    bucket = versitygw.new_bucket()
    put_all(versitygw, bucket, "images/", labelled_objects(32))
    manifest = tmp_path / "saved.manifest"
    on_versitygw.done("index", f"s3://{bucket}/images/", "--labels", "folder", "--output", manifest)
    for key in labelled_objects(32):  # the same keys, other images
        versitygw.client().put_object(Bucket=bucket, Key="images/" + key, Body=jpeg(999))
    assert_one_line(on_versitygw.run("train", manifest, *SMALL), f"s3://{bucket}/images/", "changed")
    for key in labelled_objects(32):
        versitygw.client().delete_object(Bucket=bucket, Key="images/" + key)
    assert_one_line(on_versitygw.run("train", manifest, *SMALL), f"s3://{bucket}/images/")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Room for one checkpoint of the small model, not for two."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(place)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_leaves_the_last_checkpoint(bucketline: Command, folder: Path, small_disk: Path) -> None:
    checkpoint = small_disk / "c"
    base = ("train", folder, *SMALL, "--checkpoint", checkpoint)
    bucketline.done(*base, "--epochs", 1)
    saved = json.loads((checkpoint / "latest.json").read_text())
    assert_one_line(bucketline.run(*base, "--epochs", 500, "--resume"), str(checkpoint), "space")
    now = json.loads((checkpoint / "latest.json").read_text())
    assert now == saved
    for leftover in checkpoint.glob("step-*"):
        if leftover.name + "/" != saved["folder"]:
            shutil.rmtree(leftover)
    bucketline.done(*base, "--epochs", 1, "--resume")


def test_a_file_that_may_not_grow_is_named(bucketline: Command, folder: Path, tmp_path: Path) -> None:
    process = bucketline.start(
        "train", folder, *SMALL, "--epochs", 500, "--checkpoint", tmp_path / "c",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        restore_signals=False,  # SIGXFSZ stays ignored, as Python has it, so that the write fails instead
    )  # fmt: skip
    out, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert_one_line(Outcome(process.returncode, out, err, 0), str(tmp_path / "c"))
    assert not (tmp_path / "c" / "latest.json").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_log_without_room_is_named(bucketline: Command, folder: Path) -> None:
    outcome = bucketline.run("train", folder, *SMALL, "--epochs", 1, "--log", "/dev/full")
    assert_one_line(outcome, "/dev/full", "No space left")


def test_cuda_where_there_is_none(bucketline: Command, folder: Path) -> None:
    outcome = bucketline.run("train", folder, *SMALL, "--epochs", 1, "--device", "cuda")
    if outcome.code == 0:
        pytest.skip("there is a CUDA device")
    assert_one_line(outcome, "no CUDA device can be used")
