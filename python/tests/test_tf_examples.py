"""The examples of Keras and tf.data run as they are, on small images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Endpoint

for framework in ("tensorflow", "keras"):
    pytest.importorskip(framework)
pytest_plugins = ["tf_bucket"]

DEADLINE_SECONDS = 900  # TensorFlow takes its time to trace a network on a busy machine


def run(versitygw: Endpoint, name: str, *arguments: object) -> str:
    outcome = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *map(str, arguments)],
        env={**os.environ, **versitygw.environment(), "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert outcome.returncode == 0, outcome.stderr[-3000:]
    return outcome.stdout


def test_keras_generator(versitygw: Endpoint, bucket: str) -> None:
    out = run(
        versitygw, "keras_generator.py", bucket, "train/", "--size", 32, "--batch-size", 8, "--epochs", 2
    )
    assert "Epoch 2/2" in out and "accuracy" in out


def test_tf_data_mobilenet_goes_on_where_it_was_stopped(
    versitygw: Endpoint, bucket: str, tmp_path: Path
) -> None:
    uri = f"s3://{bucket}/train/"
    arguments = (uri, "--size", 32, "--batch-size", 16, "--epochs", 1, "--state", tmp_path)
    assert "accuracy" in run(versitygw, "tf_data_mobilenet.py", *arguments)
    assert json.loads((tmp_path / "data.json").read_text())["epoch"] == 1
    assert "accuracy" not in run(versitygw, "tf_data_mobilenet.py", *arguments)  # nothing is left to do
