"""File channels: what a download before the job costs, beside boto3's transfer manager."""

from __future__ import annotations

import json
import resource
import secrets
import statistics
import subprocess
from pathlib import Path
from typing import Any

from measuring import DEADLINE_SECONDS, TRANSFERS, Run


def file(run: Run) -> None:
    """CPU and time of a job's File channel, and of the same objects by boto3's transfer manager, ten at a time.

    What a process takes to start and import is in neither.
    """
    start = statistics.median(job(run, None, 0)["cpu_seconds"] for _ in range(3))
    for name, objects, size, label in TRANSFERS:
        uri = run.fill(name, objects, size)
        gigabytes = objects * size / 1e9
        ours, theirs = [], []
        for _ in range(3):
            ours.append(job(run, uri, objects * size))
            theirs.append(run.contender("boto3-download", "bench", f"{name}/", fresh(run)))
        cpu, other = (statistics.median(each["cpu_seconds"] for each in of) for of in (ours, theirs))
        cpu -= start
        seconds, longer = (statistics.median(each["seconds"] for each in of) for of in (ours, theirs))
        run.add(f"{label}, File channel", f"{seconds:.2f} s; {cpu / gigabytes:.2f} s CPU a GB")
        run.add(f"{label}, boto3", f"{longer:.2f} s; {other / gigabytes:.2f} s CPU a GB")
        run.add(f"{label}: CPU / boto3's", f"{cpu / other:.2f}", "<= 0.25", cpu <= other / 4)
        run.add(f"{label}: time / boto3's", f"{seconds / longer:.2f}", "<= 1", seconds <= longer)


def fresh(run: Run) -> Path:
    """A folder that nobody wrote to; none is removed before the end, as file systems shun inodes just freed."""
    return run.work / f"fresh-{secrets.token_hex(4)}"


def job(run: Run, uri: str | None, size: int) -> dict[str, Any]:
    """The Downloading phase of a job that does nothing else, and the command's CPU seconds, all in all. Without `uri` the
    job has no channel."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    channels = [{"ChannelName": "train", "DataSource": source}]
    request = {
        "TrainingJobName": "bench",
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        **({"InputDataConfig": channels} if uri else {}),
        "OutputDataConfig": {"S3OutputPath": "s3://bench/jobs"},
        "ResourceConfig": {"InstanceCount": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    described = run.work / "job.json"
    described.write_text(json.dumps(request))
    words: list[str | Path] = ["job", "run", described, "--root", fresh(run), "--json", "--", "true"]
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
    phases = {phase["phase"]: phase["seconds"] for phase in report["phases"]}
    return {"seconds": phases.get("Downloading", 0), "cpu_seconds": sum(after[:2]) - sum(before[:2])}
