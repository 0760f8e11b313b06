"""`bucketline train channel:train`: on files, and on a Pipe."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Command
from images import labelled_objects
from pipe_channels import Job, pipe_of
from training import SMALL, image_folder, json_lines, summary_of

COUNT = 24


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    job = Job(tmp_path / "ml")
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(job.base))
    return job


def pairs() -> list[bytes]:
    objects = labelled_objects(COUNT)
    return [part for key in sorted(objects) for part in (objects[key], key.split("/")[0].encode())]


def arguments(*more: object) -> tuple[object, ...]:
    return ("train", "channel:train", *SMALL, "--threads", 1, "--seed", 3, "--json", *more)


def test_files_and_the_default_are_datasets(bucketline: Command, job: Job, tmp_path: Path) -> None:
    folder = image_folder(tmp_path / "images", COUNT)
    outside = summary_of(bucketline.done(*arguments("--epochs", 1, "--default", folder)).out)
    job.describe(train={"TrainingInputMode": "FastFile", "S3DistributionType": "FullyReplicated"})
    folder.rename(job.data / "train")
    inside = summary_of(bucketline.done(*arguments("--epochs", 1)).out)
    assert inside["loss"] == outside["loss"]


def test_a_pipe_is_trained_on_and_resumed(bucketline: Command, job: Job, tmp_path: Path) -> None:
    job.describe(train=pipe_of(), validation={"TrainingInputMode": "File"})
    image_folder(job.data / "validation", 8)
    log = tmp_path / "metrics.jsonl"
    more = (
        "--classes", "bright,dark", "--validation", "channel:validation", "--checkpoint", tmp_path / "ckpt",
        "--log", log,
    )  # fmt: skip
    with job.pipe("train", [pairs(), pairs()]) as opened:
        summary = summary_of(bucketline.done(*arguments("--epochs", 2, *more)).out)
    assert opened == [0, 1]
    assert summary["images"] == 2 * COUNT
    begin = json_lines(log)[0]
    assert (begin["train_images"], begin["validation_images"]) == (None, 8)
    assert begin["classes"] == ["bright", "dark"]
    with job.pipe("train", [pairs()], first=2) as opened:
        resumed = summary_of(bucketline.done(*arguments("--epochs", 3, "--resume", *more)).out)
    assert opened == [0]
    assert resumed["steps"] == 3 * COUNT // 8


@pytest.mark.parametrize(
    ("more", "remedy"),
    [
        ((), "--classes"),
        (("--classes", "a,b", "--validation-split", 0.2), "second channel"),
        (("--classes", "a,b", "--schedule", "cosine"), "warm-up in steps"),
        (("--classes", "a,b", "--class-weights", "balanced"), "give the weights as numbers"),
        (("--classes", "a,b", "--labels", "labels.csv"), "AugmentedManifestFile"),
        (("--classes", "a,b", "--validation", "channel:train"), "FastFile"),
    ],
)
def test_what_a_pipe_cannot_do_says_what_can(
    bucketline: Command, job: Job, more: tuple[object, ...], remedy: str
) -> None:
    job.describe(train=pipe_of())
    outcome = bucketline.run(*arguments("--epochs", 1, *more))
    assert outcome.code == 1
    assert remedy in outcome.err
