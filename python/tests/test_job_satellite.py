"""One training script, unchanged, on satellite tiles in every mode of a channel, on one host and on two, without root."""

from __future__ import annotations

import io
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT, Command, Endpoint
from job_requests import Job, archive, needs, request
from unprivileged import as_nobody

EPOCHS = 3
PIPED = {"InputMode": "Pipe", "RecordWrapperType": "RecordIO"}
TILES = Path(os.environ.get("BUCKETLINE_SAMPLE_DATA", "")) / "satellite"
pytestmark = pytest.mark.skipif(
    "BUCKETLINE_SAMPLE_DATA" not in os.environ, reason="BUCKETLINE_SAMPLE_DATA names no folder"
)


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    """Tiles under keys whose order mixes the classes, and an augmented manifest of them in that order."""
    name = versitygw.new_bucket()
    tiles = sorted(TILES.rglob("*.jpg"))
    random.Random(0).shuffle(tiles)
    client = versitygw.client()
    lines = []
    for number, tile in enumerate(tiles):
        key = f"tiles/{number:03}/{tile.parent.name}/{tile.name}"
        client.put_object(Bucket=name, Key=key, Body=tile.read_bytes())
        lines.append(json.dumps({"class": tile.parent.name, "tile-ref": f"s3://{name}/{key}"}))
    client.put_object(Bucket=name, Key="train.manifest", Body="\n".join(lines).encode())
    return name


def channel(bucket: str, mode: str, hosts: int) -> dict[str, Any]:
    kind = "AugmentedManifestFile" if mode == "Pipe" else "S3Prefix"
    source = {
        "S3DataType": kind,
        "S3Uri": f"s3://{bucket}/" + ("train.manifest" if mode == "Pipe" else "tiles/"),
        "S3DataDistributionType": "ShardedByS3Key" if hosts > 1 else "FullyReplicated",
        **({"AttributeNames": ["tile-ref", "class"]} if mode == "Pipe" else {}),
    }
    return {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": source},
        **(PIPED if mode == "Pipe" else {"InputMode": mode}),
    }


@pytest.fixture(scope="module")
def in_file_mode(versitygw: Endpoint, bucket: str, on_versitygw: Command) -> dict[str, Any]:
    return outcome_of(versitygw, bucket, on_versitygw, "File", 1)


def outcome_of(
    versitygw: Endpoint, bucket: str, bucketline: Command, mode: str, hosts: int
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:  # where nobody can reach it
        folder = Path(name)
        if os.geteuid() == 0:
            bucketline = as_nobody(bucketline, folder, reads_all=True)
        return run_job(versitygw, bucket, Job(bucketline, folder, {}), mode, hosts)


def run_job(versitygw: Endpoint, bucket: str, job: Job, mode: str, hosts: int) -> dict[str, Any]:
    name = f"satellite-{mode}-{hosts}"
    job.description = request(
        bucket, mode, hosts, TrainingJobName=name, HyperParameters={"epochs": str(EPOCHS)}
    )
    job.description["InputDataConfig"] = [channel(bucket, mode, hosts)]
    outcome = job.run(sys.executable, ROOT / "examples/sagemaker_train.py")
    assert outcome.code == 0, outcome.out + outcome.err
    logs = archive(versitygw, bucket, f"out/{name}/output/output.tar.gz")
    models = archive(versitygw, bucket, f"out/{name}/output/model.tar.gz")
    assert sorted(models) == [f"algo-{host + 1}.pt" for host in range(hosts)]
    return {
        "logs": [json.loads(text) for _, text in sorted(logs.items())],
        "model": torch.load(io.BytesIO(models["algo-1.pt"])),
        "out": outcome.out,
    }


@pytest.mark.parametrize("hosts", [1, 2])
@pytest.mark.parametrize("mode", ["File", "FastFile", "Pipe"])
def test_one_script_trains_in_every_mode(
    mode: str,
    hosts: int,
    versitygw: Endpoint,
    bucket: str,
    on_versitygw: Command,
    in_file_mode: dict[str, Any],
    figure: Callable[[str], None],
) -> None:
    needs(mode)
    outcome = outcome_of(versitygw, bucket, on_versitygw, mode, hosts)
    expected = in_file_mode["logs"][0]
    for epoch in range(EPOCHS):
        seen = [sample for log in outcome["logs"] for sample in log["samples"][epoch]]
        assert sorted(seen) == sorted(expected["samples"][epoch])
        assert all(log["samples"][epoch] for log in outcome["logs"])
    if hosts == 1:  # the same samples in the same order are the same training
        assert outcome["logs"] == [expected]
        for name, tensor in outcome["model"].items():
            assert torch.equal(tensor, in_file_mode["model"][name])
    figure(f"satellite job, {mode}, {hosts} host(s): {outcome['out'].strip().splitlines()[-1]}")
