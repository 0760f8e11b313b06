"""TensorBoard's event files, read back by TensorFlow."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint, missing
from training import SMALL, events_of, image_folder

# In a process of its own: TensorFlow and PyTorch do not share one here.
READER = """
import json, sys
import tensorflow as tf
for path in sys.argv[1:]:
    for event in tf.compat.v1.train.summary_iterator(path):  # checks every CRC
        start = event.session_log.status == event.session_log.START
        values = {value.tag: value.simple_value for value in event.summary.value}
        print(json.dumps({"version": event.file_version, "step": event.step, "start": start, "values": values}))
"""


def events_in(files: list[Path]) -> list[dict[str, Any]]:
    if importlib.util.find_spec("tensorflow") is None:
        missing("tensorflow is not installed")
    result = subprocess.run(
        [sys.executable, "-c", READER, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_folder(tmp_path_factory.mktemp("images"))


def scalars(files: list[Path]) -> tuple[dict[str, dict[int, float]], list[int]]:
    """Values by tag and step, and the steps at which a session started; in the files' order."""
    values: dict[str, dict[int, float]] = {}
    starts = []
    events = events_in(files)
    assert sum(event["version"] == "brain.Event:2" for event in events) == len(files)
    for event in events:
        step = event["step"]
        if event["start"]:  # as TensorBoard does: what comes later in the run is void
            starts.append(step)
            values = {tag: {s: v for s, v in old.items() if s < step} for tag, old in values.items()}
        for tag, value in event["values"].items():
            values.setdefault(tag, {})[step] = value
    return values, starts


def test_tensorflow_reads_what_was_logged(bucketline: Command, folder: Path, tmp_path: Path) -> None:
    log, board = tmp_path / "log.jsonl", tmp_path / "board"
    arguments = ("train", folder, *SMALL, "--validation-split", 0.3, "--checkpoint", tmp_path / "c", "--resume",
                 "--log", log, "--tensorboard", board)  # fmt: skip
    bucketline.done(*arguments, "--epochs", 2)
    bucketline.done(*arguments, "--epochs", 3)
    files = sorted(board.iterdir())
    assert len(files) == 3  # one for each epoch
    values, starts = scalars(files)
    steps = events_of(log, "step")
    assert starts == [1, steps[-1]["step"] * 2 // 3 + 1]
    for tag, field in [
        ("train/loss", "batch_loss"),
        ("train/learning_rate", "learning_rate"),
        ("train/images_per_second", "images_per_second"),
        ("train/wait_share", "wait_share"),
    ]:
        assert values[tag] == {step["step"]: pytest.approx(step[field], rel=1e-6) for step in steps}, tag
    for tag, field in [
        ("epoch/loss", "loss"),
        ("epoch/accuracy", "accuracy"),
        ("validation/loss", "validation_loss"),
        ("validation/accuracy", "validation_accuracy"),
        ("validation/auc", "validation_auc"),
    ]:
        expected = {epoch["step"]: pytest.approx(epoch[field], rel=1e-6) for epoch in events_of(log, "epoch")}
        assert values[tag] == expected, tag


def test_event_files_go_to_a_bucket_too(
    on_versitygw: Command, versitygw: Endpoint, folder: Path, tmp_path: Path
) -> None:
    bucket = versitygw.new_bucket()
    on_versitygw.done("train", folder, *SMALL, "--epochs", 2, "--tensorboard", f"s3://{bucket}/runs/1/")
    client = versitygw.client()
    keys = [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket)["Contents"]]
    assert all(key.startswith("runs/1/events.out.tfevents.") for key in keys)
    for key in keys:
        client.download_file(bucket, key, str(tmp_path / Path(key).name))
    values, _ = scalars(sorted(tmp_path.iterdir()))
    assert len(values["train/loss"]) == 2 * (64 // 8)
    assert len(values["epoch/loss"]) == 2


def test_a_place_that_cannot_be_written_is_named(bucketline: Command, folder: Path) -> None:
    outcome = bucketline.run("train", folder, *SMALL, "--epochs", 1, "--tensorboard", "/proc/no/place")
    assert outcome.code == 1
    assert "/proc/no/place" in outcome.err
