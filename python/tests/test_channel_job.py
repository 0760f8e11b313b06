"""One script on a bucket, and in jobs whose channel comes in each mode: it sees the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint
from images import labelled_objects
from job_requests import Job, needs, request
from pipe_channels import described_bucket

OBJECTS = labelled_objects(13)
SCRIPT = """
import hashlib, os
import bucketline as bl

train = bl.Dataset(
    "channel:train", labels=bl.Labels("folder", classes=["bright", "dark"]), default=os.environ["DATA"]
)
seen = hashlib.sha256()
image = bl.Image(16, crop="random_resized", flip=0.5, dtype="uint8")
with bl.Loader(train, batch_size=4, image=image, seed=3) as loader:
    for epoch in loader.epochs(2):
        for images, labels in loader:
            seen.update(images.tobytes() + labels.tobytes())
print("saw", seen.hexdigest())
"""


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    return described_bucket(versitygw, OBJECTS)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("script") / "train.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture(scope="module")
def outside(on_versitygw: Command, bucket: str, script: Path) -> str:
    """What it prints of the bucket itself."""
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**on_versitygw.full_environment(), "DATA": f"s3://{bucket}/images/"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def channel(bucket: str, mode: str) -> dict[str, Any]:
    source: dict[str, Any] = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/images/"}
    if mode == "Pipe":
        source = {
            "S3DataType": "AugmentedManifestFile",
            "S3Uri": f"s3://{bucket}/train.jsonl",
            "AttributeNames": ["image-ref", "class"],
        }
    wrapper = {"RecordWrapperType": "RecordIO"} if mode == "Pipe" else {}
    return {
        "ChannelName": "train",
        "InputMode": mode,
        "DataSource": {"S3DataSource": {**source, "S3DataDistributionType": "FullyReplicated"}},
        **wrapper,
    }


@pytest.mark.parametrize("mode", ["File", "FastFile", "Pipe"])
def test_a_script_sees_in_every_mode_what_it_sees_in_the_bucket(
    on_versitygw: Command, bucket: str, script: Path, outside: str, tmp_path: Path, mode: str
) -> None:
    needs(mode)
    environment = {"DATA": "s3://elsewhere/", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    description = request(bucket, mode, Environment=environment)
    description["InputDataConfig"] = [channel(bucket, mode)]
    outcome = Job(on_versitygw, tmp_path, description).run(sys.executable, script)
    assert outcome.code == 0, outcome.err
    assert outside in outcome.out
