"""File channels: what a download before the job costs, beside boto3's transfer manager."""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import Any

from measuring import DEADLINE_SECONDS, TRANSFERS, Run


def file(run: Run) -> None:
    """CPU and time of a job's File channel, and of the same objects by boto3's transfer manager, ten at a time."""
    for name, objects, size, label in TRANSFERS:
        uri = run.fill(name, objects, size)
        gigabytes = objects * size / 1e9
        ours, theirs = [], []
        for _ in range(3):
            ours.append(channel(run, uri, objects * size))
            target = run.work / "downloaded"
            theirs.append(run.contender("boto3-download", "bench", f"{name}/", target))
            shutil.rmtree(target)
        cpu, other = (statistics.median(each["cpu_seconds"] for each in of) for of in (ours, theirs))
        seconds, longer = (statistics.median(each["seconds"] for each in of) for of in (ours, theirs))
        run.add(f"{label}, File channel", f"{seconds:.2f} s; {cpu / gigabytes:.2f} s CPU a GB")
        run.add(f"{label}, boto3", f"{longer:.2f} s; {other / gigabytes:.2f} s CPU a GB")
        run.add(f"{label}: CPU / boto3's", f"{cpu / other:.2f}", "<= 0.25", cpu <= other / 4)
        run.add(f"{label}: time / boto3's", f"{seconds / longer:.2f}", "<= 1", seconds <= longer)


def channel(run: Run, uri: str, size: int) -> dict[str, Any]:
    """The Downloading phase of a job that does nothing else, and the command's CPU seconds, all in all."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    request = {
        "TrainingJobName": "bench",
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": source}],
        "OutputDataConfig": {"S3OutputPath": "s3://bench/jobs"},
        "ResourceConfig": {"InstanceCount": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    described, root = run.work / "job.json", run.work / "job"
    described.write_text(json.dumps(request))
    words: list[str | Path] = ["job", "run", described, "--root", root, "--fresh", "--json", "--", "true"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [run.bucketline, *words],
        env=run.endpoint.environment(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = json.loads(done.stdout.splitlines()[-1])
    if report["channel_bytes"] != size:
        raise RuntimeError(f"{uri} was not downloaded whole")
    shutil.rmtree(root)
    phases = {phase["phase"]: phase["seconds"] for phase in report["phases"]}
    return {"seconds": phases["Downloading"], "cpu_seconds": sum(after[:2]) - sum(before[:2])}
