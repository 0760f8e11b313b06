"""What the tests of `bucketline job` share: requests, a bucket with samples, and a script that reads them in any mode."""

from __future__ import annotations

import io
import json
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Command, Endpoint, Outcome

SAMPLES = [f"sample {number:03}" for number in range(40)]

# One line a sample, in files of four; what was seen is the model.
READER = """
import json, os, sys
from pathlib import Path

def lines(channel, epochs):
    folder = Path(os.environ["SM_CHANNEL_" + channel.upper()])
    mode = json.loads(os.environ["SM_INPUT_DATA_CONFIG"])[channel]["TrainingInputMode"]
    for epoch in range(epochs):
        sources = [Path(f"{folder}_{epoch}")] if mode == "Pipe" else sorted(folder.iterdir())
        yield [line for source in sources for line in source.read_text().splitlines()]

epochs = json.loads(os.environ["SM_HPS"]).get("epochs", 1)
seen = list(lines("train", epochs))
model = Path(os.environ["SM_MODEL_DIR"])
(model / f"seen-{os.environ['SM_CURRENT_HOST']}.json").write_text(json.dumps(seen))
print("read", sum(map(len, seen)), "samples")
"""


def needs(mode: str) -> None:
    """Skips where the kernel gives no FUSE, which no package brings."""
    if mode == "FastFile" and not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("/dev/fuse cannot be opened here: no FastFile channel")


def put_samples(endpoint: Endpoint, bucket: str) -> None:
    client = endpoint.client()
    for first in range(0, len(SAMPLES), 4):
        body = "".join(line + "\n" for line in SAMPLES[first : first + 4])
        client.put_object(Bucket=bucket, Key=f"data/{first:03}.txt", Body=body.encode())


def channel(bucket: str, name: str = "train", sharded: bool = False, **fields: Any) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": f"s3://{bucket}/data/",
                "S3DataDistributionType": "ShardedByS3Key" if sharded else "FullyReplicated",
            }
        },
        **fields,
    }


def request(bucket: str, mode: str = "File", hosts: int = 1, **fields: Any) -> dict[str, Any]:
    """As boto3's create_training_job takes it; `fields` are added or replace."""
    return {
        "TrainingJobName": "job-1",
        "AlgorithmSpecification": {"TrainingInputMode": mode},
        "RoleArn": "arn:aws:iam::000000000000:role/unused",
        "InputDataConfig": [channel(bucket)],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": hosts, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 100},
        **fields,
    }


@dataclass
class Job:
    """A request in a file, the folder that it runs in, and the command that runs it."""

    bucketline: Command
    folder: Path
    description: dict[str, Any]

    @property
    def root(self) -> Path:
        return self.folder / "ml"

    @property
    def file(self) -> Path:
        path = self.folder / "job.json"
        path.write_text(json.dumps(self.description))
        return path

    def arguments(self, *options: object) -> list[object]:
        return ["job", "run", self.file, "--root", self.root, *options]

    def run(self, *command: object, options: tuple[object, ...] = ()) -> Outcome:
        return self.bucketline.run(*self.arguments(*options), "--", *command)

    def report(self, *command: object, options: tuple[object, ...] = ()) -> dict[str, Any]:
        outcome = self.run(*command, options=("--json", *options))
        assert outcome.out, outcome.err
        return json.loads(outcome.out)


def archive(endpoint: Endpoint, bucket: str, key: str) -> dict[str, bytes]:
    """The files of a .tar.gz in the bucket, by name."""
    body = endpoint.client().get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
        files = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        return {name: file.read() for name, file in files.items() if file}
