"""Training jobs on a real S3 server: what AWS calls a job is run here, in every mode, and leaves what it should."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, ROOT, Command, Endpoint, missing, wait_until
from job_requests import READER, SAMPLES, Job, archive, channel, needs, put_samples, request
from unprivileged import NOBODY, as_nobody


@pytest.fixture
def bucket(versitygw: Endpoint) -> str:
    name = versitygw.new_bucket()
    put_samples(versitygw, name)
    return name


@pytest.fixture
def job(on_versitygw: Command, bucket: str, tmp_path: Path) -> Job:
    (tmp_path / "reader.py").write_text(READER)
    return Job(on_versitygw, tmp_path, request(bucket))


@contextmanager
def serving(bucketline: Command, *options: str) -> Iterator[tuple[subprocess.Popen[str], Endpoint]]:
    """A server that a test may kill."""
    server = bucketline.start("serve", *options, "--json")
    try:
        assert server.stdout
        reach = json.loads(server.stdout.readline())
        yield server, Endpoint(reach["endpoint_url"], reach["access_key_id"], reach["secret_access_key"])
    finally:
        server.kill()
        server.communicate(timeout=DEADLINE_SECONDS)


@pytest.mark.parametrize("hosts", [1, 2])
@pytest.mark.parametrize("mode", ["File", "FastFile", "Pipe"])
def test_every_mode_shows_the_same_samples(
    job: Job, versitygw: Endpoint, bucket: str, mode: str, hosts: int
) -> None:
    needs(mode)
    job.description = request(bucket, mode, hosts, HyperParameters={"epochs": "2"})
    job.description["InputDataConfig"] = [channel(bucket, sharded=True)]
    outcome = job.run(sys.executable, job.folder / "reader.py")
    assert outcome.code == 0, outcome.err
    model = archive(versitygw, bucket, "out/job-1/output/model.tar.gz")
    assert sorted(model) == [f"seen-algo-{host + 1}.json" for host in range(hosts)]
    seen = [json.loads(text) for text in model.values()]
    for epoch in range(2):
        assert sorted(sum((host[epoch] for host in seen), [])) == SAMPLES
        assert all(host[epoch] for host in seen)
    prefix = "algo-1 | " if hosts == 2 else ""
    assert f"{prefix}read {2 * len(SAMPLES) // hosts} samples\n" in outcome.out
    assert ("Downloading" in outcome.err) == (mode == "File")
    assert f"uploaded s3://{bucket}/out/job-1/output/model.tar.gz" in outcome.err


def test_all_modes_in_one_job(job: Job, bucket: str) -> None:
    needs("FastFile")
    job.description["InputDataConfig"] = [
        channel(bucket, "files"),
        channel(bucket, "mounted", InputMode="FastFile"),
        channel(bucket, "piped", InputMode="Pipe"),
    ]
    folder = job.root / "input/data"
    outcome = job.run(
        "sh", "-c", f"cd {folder} && cat files/* > a && cat mounted/* > b && cat piped_0 > c && cmp a b && cmp b c"
    )  # fmt: skip
    assert outcome.code == 0, outcome.out + outcome.err


def test_the_report(job: Job, bucket: str) -> None:
    report = job.report("sh", "-c", "echo out; echo o > $SM_OUTPUT_DATA_DIR/o")
    assert report["job"] == "job-1"
    assert report["status"] == "Completed"
    assert [phase["phase"] for phase in report["phases"]] == [
        "Starting", "Downloading", "Training", "Uploading", "Completed"
    ]  # fmt: skip
    assert report["artifacts"] == [
        f"s3://{bucket}/out/job-1/output/{name}.tar.gz" for name in ("model", "output")
    ]
    assert report["channel_bytes"] == sum(len(line) + 1 for line in SAMPLES)


def test_a_failure_is_the_scripts_own_words(job: Job) -> None:
    outcome = job.run("sh", "-c", "echo nothing to learn > $SM_OUTPUT_FAILURE; exit 9")
    assert outcome.code == 1
    assert "job job-1: Failed\nbucketline: nothing to learn" in outcome.err


def test_the_runtime_is_limited(job: Job) -> None:
    job.description["StoppingCondition"] = {"MaxRuntimeInSeconds": 1}
    outcome = job.run("sh", "-c", "trap '' TERM; while :; do sleep 1000; done", options=("--grace", "100ms"))
    assert outcome.code == 1
    assert "MaxRuntimeExceeded" in outcome.err
    assert outcome.seconds < 120


def started(job: Job, script: str, *options: object, **popen: Any) -> subprocess.Popen[str]:
    """The job, once its script has printed "ready"."""
    process = job.bucketline.start(*job.arguments(*options), "--", "sh", "-c", script, **popen)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


SAVES = "trap 'echo w > $SM_MODEL_DIR/w; exit 0' TERM; echo ready; while :; do sleep 0.01; done"
STAYS = "trap '' TERM; echo ready; while :; do sleep 1000; done"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_job_saves_its_work(
    job: Job, versitygw: Endpoint, bucket: str, number: signal.Signals
) -> None:
    process = started(job, SAVES)
    process.send_signal(number)
    _, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 130, err
    assert "job job-1: Stopped" in err
    assert archive(versitygw, bucket, "out/job-1/output/model.tar.gz") == {"w": b"w\n"}


def test_a_job_below_nohup_outlives_its_terminal(job: Job) -> None:
    process = started(job, SAVES, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 130


def test_the_second_interrupt_waits_for_nothing(job: Job, bucket: str) -> None:
    needs("FastFile")
    job.description["InputDataConfig"] = [
        channel(bucket, "a", InputMode="Pipe"),
        channel(bucket, "b", InputMode="FastFile"),
    ]
    process = started(job, STAYS)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    while "stopping" not in (line := process.stderr.readline()):
        assert line, "it ended without a word of the stop"
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE_SECONDS) == 130
    assert_nothing_is_left(job)
    process.communicate()


def assert_nothing_is_left(job: Job) -> None:
    """No FIFO and no mount below the root, and no process whose SageMaker folder it is, once the killed ones are gone."""
    assert not [path for path in job.root.rglob("*") if path.is_fifo() or os.path.ismount(path)]
    mark = f"SAGEMAKER_BASE_DIR={job.root}".encode()

    def left() -> list[Path]:
        found = []
        for environment in Path("/proc").glob("[0-9]*/environ"):
            with suppress(FileNotFoundError, PermissionError, ProcessLookupError):
                if mark in environment.read_bytes():
                    found.append(environment)
        return found

    wait_until(lambda: not left(), "the end of all its processes")


def test_readers_that_go_away_do_not_end_the_job(
    job: Job, versitygw: Endpoint, bucket: str, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    script = f"echo ready; while [ ! -e {go} ]; do sleep 0.01; done; yes | head -n 100000; echo w > $SM_MODEL_DIR/w"
    process = started(job, script)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stderr.close()
    go.touch()
    process.wait(DEADLINE_SECONDS)
    assert archive(versitygw, bucket, "out/job-1/output/model.tar.gz") == {"w": b"w\n"}
    assert (job.root / "output/log.txt").stat().st_size == len("ready\n") + 200_000


def test_the_second_run_needs_a_fresh_root(job: Job) -> None:
    assert job.run("true").code == 0
    outcome = job.run("true")
    assert outcome.code == 1
    assert "give another --root, or --fresh" in outcome.err
    assert job.run("true", options=("--fresh",)).code == 0


def test_checkpoints_outlive_the_job(job: Job, versitygw: Endpoint, bucket: str) -> None:
    job.description["CheckpointConfig"] = {"S3Uri": f"s3://{bucket}/checkpoints"}
    script = "cd $SAGEMAKER_BASE_DIR/checkpoints; ls; echo $1 > step-$1; rm -f step-$(($1 - 1)); echo end"
    for step in (1, 2):
        outcome = job.run("sh", "-c", script, "sh", step, options=("--fresh",))
        assert outcome.code == 0, outcome.err
        assert outcome.out == ("end\n" if step == 1 else "step-1\nend\n")
    listed = versitygw.client().list_objects_v2(Bucket=bucket, Prefix="checkpoints/")["Contents"]
    assert [entry["Key"] for entry in listed] == ["checkpoints/step-2"]


def test_the_jobs_own_command(job: Job) -> None:
    job.description["AlgorithmSpecification"] |= {
        "ContainerEntrypoint": [sys.executable, "-c", "import sys; print(sys.argv[1:])"],
        "ContainerArguments": ["a b"],
    }
    job.description["HyperParameters"] = {"lr": "0.1", "b": "true"}
    outcome = job.bucketline.done(*job.arguments("--script-arguments"))
    assert outcome.out == "['a b', '-b', 'True', '--lr', '0.1']\n"


def test_validate_names_every_fault(job: Job) -> None:
    job.description["InputDataConfig"][0] |= {"ChannelName": "a b", "CompressionType": "Gzip"}
    del job.description["OutputDataConfig"]
    outcome = job.bucketline.run("job", "validate", job.file)
    assert outcome.code == 1
    assert [line.split(":")[0] for line in outcome.err.splitlines()] == [
        "InputDataConfig[0].ChannelName", "OutputDataConfig", "InputDataConfig[0].CompressionType"
    ]  # fmt: skip
    faults = json.loads(job.bucketline.run("job", "validate", job.file, "--json").out)
    assert not faults["valid"]
    assert faults["faults"][1] == {"path": "OutputDataConfig", "what": "is required"}
    outcome = job.run("true")
    assert outcome.code == 1
    assert "OutputDataConfig: is required" in outcome.err
    assert not job.root.exists()


def test_describe_says_what_means_nothing_here(job: Job) -> None:
    outcome = job.bucketline.done("job", "describe", job.file)
    assert "channel      train (File)" in outcome.out
    nothing = "RoleArn, ResourceConfig.InstanceType, ResourceConfig.VolumeSizeInGB"
    assert f"without effect here: {nothing}" in outcome.out
    description = json.loads(job.bucketline.done("job", "describe", job.file, "--json").out)
    assert description["without_effect"] == nothing.split(", ")
    assert description["channels"][0]["mode"] == "File"
    assert "a valid training job" in job.bucketline.done("job", "validate", job.file).out


def test_nothing_to_run_says_what_to_give(job: Job) -> None:
    outcome = job.bucketline.run(*job.arguments())
    assert outcome.code == 1
    assert "give a command after --" in outcome.err


def test_no_secret_is_told(job: Job, versitygw: Endpoint) -> None:
    outcome = job.run("false", options=("--json",))
    assert versitygw.secret_access_key not in outcome.out + outcome.err
    for path in (job.root / "input/config").iterdir():
        assert versitygw.secret_access_key not in path.read_text()


def wheels_command(folder: Path) -> Path:
    """The wheel's command with its libraries, where anybody may read them: those of the build may be root's."""
    site = Path(sysconfig.get_path("platlib"))
    for part in ("bucketline.scripts", "bucketline.libs"):
        if not (site / part).is_dir():
            missing(f"{site / part} is not there: the package is no installed wheel")
        shutil.copytree(site / part, folder / part)
    return folder / "bucketline.scripts" / "bucketline"


@pytest.mark.parametrize("mode", ["File", "FastFile", "Pipe"])
def test_nobody_needs_to_be_root(job: Job, bucket: str, mode: str) -> None:
    needs(mode)
    if os.geteuid() != 0:
        pytest.skip("the other tests run without root here")
    with tempfile.TemporaryDirectory() as name:
        binary = wheels_command(Path(name))
        theirs = as_nobody(Command(binary, Path(name), job.bucketline.environment), Path(name))
        job = Job(theirs, Path(name), request(bucket, mode))
        reads = 'id -u; if [ -d "$SM_CHANNEL_TRAIN" ]; then cat "$SM_CHANNEL_TRAIN"/*; else cat "$SM_CHANNEL_TRAIN"_0; fi'
        outcome = job.run("sh", "-c", reads)
        assert outcome.code == 0, outcome.err
        assert outcome.out.splitlines() == [str(NOBODY), *SAMPLES]
        assert_nothing_is_left(job)


@pytest.mark.parametrize("mode", ["File", "FastFile", "Pipe"])
def test_a_store_that_goes_away_fails_the_job(bucketline: Command, tmp_path: Path, mode: str) -> None:
    needs(mode)
    with serving(bucketline, "--memory", "--bucket", "there") as (server, endpoint):
        endpoint.client().put_object(Bucket="there", Key="data/large", Body=bytes(64 << 20))
        here = bucketline.with_environment(endpoint.environment())
        job = Job(here, tmp_path, request("there", mode))
        reads = 'echo ready; while [ ! -e "$0" ]; do sleep 0.01; done; cat "$SM_CHANNEL_TRAIN"* > /dev/null; sleep 1'
        go = tmp_path / "go"
        options = ("--max-attempts", 2, "--deadline", "2s")
        process = job.bucketline.start(*job.arguments(*options), "--", "sh", "-c", reads, go)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        server.kill()
        go.touch()
        _, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 1
    assert "job job-1: Failed" in err
    assert endpoint.url.removeprefix("http://").split(":")[0] in err or "s3://there/" in err
    assert_nothing_is_left(job)


def test_the_request_on_the_page_is_valid(job: Job) -> None:
    page = (ROOT / "docs/jobs.md").read_text()
    job.description = json.loads(page.split("```json\n")[1].split("```")[0])
    assert "a valid training job" in job.bucketline.done("job", "validate", job.file).out


FAKE_DOCKER = """#!/bin/sh
echo "$@" >> "$DOCKER_LOG"
[ "$1" = run ] && echo "$TRAINING_JOB_NAME $SM_MODEL_DIR"
exit 0
"""


def test_an_image_is_docker_s_to_run(job: Job, tmp_path: Path) -> None:
    """What docker is asked; the image itself is not run here."""
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(FAKE_DOCKER)
    docker.chmod(0o755)
    job.description["AlgorithmSpecification"]["TrainingImage"] = "registry/image:1"
    environment = {"PATH": f"{docker.parent}:{os.environ['PATH']}", "DOCKER_LOG": str(tmp_path / "log")}
    job.bucketline = job.bucketline.with_environment(job.bucketline.environment | environment)
    outcome = job.bucketline.done(*job.arguments())
    assert outcome.out == "job-1 /opt/ml/model\n"
    ran, removed = (tmp_path / "log").read_text().splitlines()
    assert ran.startswith("run --rm --name bucketline-job-1-algo-1-")
    assert f"--volume {job.root}:/opt/ml " in ran
    assert ran.endswith(" registry/image:1 train")
    assert removed == f"rm --force {ran.split()[3]}"


def test_an_image_without_docker_says_so(job: Job, tmp_path: Path) -> None:
    job.description["AlgorithmSpecification"]["TrainingImage"] = "registry/image:1"
    job.bucketline = job.bucketline.with_environment(job.bucketline.environment | {"PATH": str(tmp_path)})
    outcome = job.bucketline.run(*job.arguments())
    assert outcome.code == 1
    assert "there is no docker in PATH" in outcome.err
