"""bl.sagemaker: the requests that a LocalEstimator makes, held against botocore's model of the service and moto's service."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.validate import ParamValidator
from bucketline.sagemaker import LocalEstimator, ShuffleConfig, TrainingInput, job
from conftest import DEADLINE_SECONDS

import bucketline as bl

ROLE = "arn:aws:iam::123456789012:role/training"
OUT = "s3://bucket/out"
EVERYTHING: dict[str, Any] = {
    "command": ["python3", "/opt/program/train.py"],
    "image_uri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:latest",
    "role": ROLE,
    "instance_count": 2,
    "instance_type": "ml.m5.xlarge",
    "input_mode": "FastFile",
    "output_path": OUT,
    "disable_output_compression": True,
    "max_run": 3600,
    "checkpoint_s3_uri": "s3://bucket/checkpoints",
    "checkpoint_local_path": "/opt/ml/checkpoints",
    "hyperparameters": {"epochs": 3, "lr": 0.1, "name": "a", "sizes": [1, 2], "flip": True},
    "environment": {"LEVEL": "debug"},
    "base_job_name": "mine",
    "tags": [{"Key": "team", "Value": "vision"}],
}
INPUTS = {
    "train": TrainingInput(
        "s3://bucket/train/",
        distribution="ShardedByS3Key",
        compression="Gzip",
        content_type="application/x-recordio",
        record_wrapping="RecordIO",
        input_mode="Pipe",
        shuffle_config=ShuffleConfig(-7),
    ),
    "augmented": TrainingInput(
        "s3://bucket/list.jsonl",
        s3_data_type="AugmentedManifestFile",
        attribute_names=["source-ref", "label"],
        input_mode="Pipe",
    ),
    "validation": "s3://bucket/validation/",
}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train_it.py"
    path.write_text("")
    return path


def faults_of(request: dict[str, Any]) -> list[str]:
    """What the service's model says is wrong: shapes and limits as botocore checks them, words and patterns besides."""
    shape = (
        botocore.session.get_session()
        .get_service_model("sagemaker")
        .operation_model("CreateTrainingJob")
        .input_shape
    )
    report = ParamValidator().validate(request, shape)
    faults = report.generate_report().splitlines() if report.has_errors() else []
    return faults + list(_beyond_botocore(request, shape, ""))


def _beyond_botocore(value: Any, shape: Any, path: str) -> Any:
    if shape.type_name == "structure":
        for name, part in value.items():
            if name in shape.members:
                yield from _beyond_botocore(part, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for number, part in enumerate(value):
            yield from _beyond_botocore(part, shape.member, f"{path}[{number}]")
    elif shape.type_name == "map":
        for name, part in value.items():
            yield from _beyond_botocore(name, shape.key, f"{path}.{name}")
            yield from _beyond_botocore(part, shape.value, f"{path}.{name}")
    elif shape.type_name == "string":
        pattern = shape.metadata.get("pattern")
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value} is none of the service's words"
        elif pattern and "\\p" not in pattern and not re.fullmatch(pattern, value, re.DOTALL):
            yield f"{path}: {value} does not match {pattern}"


def test_a_whole_request_is_what_the_service_takes() -> None:
    request = LocalEstimator(**EVERYTHING).to_request(INPUTS)
    assert faults_of(request) == []
    assert re.fullmatch(r"mine-\d{4}(-\d\d){5}-\d{3}", request["TrainingJobName"])
    assert request["HyperParameters"] == {
        "epochs": "3",
        "lr": "0.1",
        "name": "a",
        "sizes": "[1, 2]",
        "flip": "true",
    }
    train, augmented, validation = request["InputDataConfig"]
    assert train == {
        "ChannelName": "train",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": "s3://bucket/train/",
                "S3DataDistributionType": "ShardedByS3Key",
            }
        },
        "CompressionType": "Gzip",
        "ContentType": "application/x-recordio",
        "RecordWrapperType": "RecordIO",
        "InputMode": "Pipe",
        "ShuffleConfig": {"Seed": -7},
    }
    assert augmented["DataSource"]["S3DataSource"]["AttributeNames"] == ["source-ref", "label"]
    assert "InputMode" not in validation
    assert request["AlgorithmSpecification"] == {
        "TrainingInputMode": "FastFile",
        "TrainingImage": EVERYTHING["image_uri"],
        "ContainerEntrypoint": EVERYTHING["command"],
    }
    assert request["OutputDataConfig"] == {"S3OutputPath": OUT, "CompressionType": "NONE"}
    assert request["CheckpointConfig"] == {
        "S3Uri": "s3://bucket/checkpoints",
        "LocalPath": "/opt/ml/checkpoints",
    }
    assert request["ResourceConfig"]["InstanceCount"] == 2 and request["RoleArn"] == ROLE
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
    assert request["Environment"] == {"LEVEL": "debug"}


def test_a_script_gets_its_hyperparameters_as_json(script: Path) -> None:
    estimator = LocalEstimator(script, output_path=OUT, role=ROLE, hyperparameters={"name": "a", "epochs": 3})
    request = estimator.to_request("s3://bucket/train")
    assert request["HyperParameters"] == {"name": '"a"', "epochs": "3", "sagemaker_program": '"train_it.py"'}
    assert [channel["ChannelName"] for channel in request["InputDataConfig"]] == ["training"]
    assert request["TrainingJobName"].startswith("train-it-")
    assert faults_of(request) == [".ResourceConfig.InstanceType: local is none of the service's words"]


def test_moto_creates_the_job() -> None:
    moto = pytest.importorskip("moto")
    variables = {
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        with moto.mock_aws():
            client = boto3.client("sagemaker")
            request = LocalEstimator(**EVERYTHING).to_request(INPUTS, job_name="first-job")
            arn = client.create_training_job(**request)["TrainingJobArn"]
            kept = client.describe_training_job(TrainingJobName="first-job")
    assert arn.endswith("training-job/first-job")
    for name in (
        "InputDataConfig",
        "HyperParameters",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
    ):
        assert kept[name] == request[name]


def test_every_name_is_valid(script: Path) -> None:
    for base in ("a" * 70, "-under_score.", "x/y:z", "...", "a-" * 31):
        name = LocalEstimator(script, output_path=OUT, base_job_name=base).to_request()["TrainingJobName"]
        assert len(name) <= 63 and faults_of({"TrainingJobName": name}) != []
        assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)
    names = [
        LocalEstimator(output_path=OUT, **what).to_request()["TrainingJobName"]
        for what in ({"command": ["/bin/true"]}, {"image_uri": "host/some/image:1"})
    ]
    assert [name.rsplit("-", 7)[0] for name in names] == ["true", "image"]


def test_a_request_is_the_callers(script: Path) -> None:
    estimator = LocalEstimator(script, output_path=OUT, role=ROLE)
    first = estimator.to_request(job_name="a")
    first["ResourceConfig"]["InstanceCount"] = 9
    assert estimator.to_request(job_name="a")["ResourceConfig"]["InstanceCount"] == 1


def test_known_keywords_are_those_that_there_are() -> None:
    for kind in (LocalEstimator, TrainingInput):
        taken = [name for name in inspect.signature(kind).parameters if name != "unknown"]
        module = sys.modules[kind.__module__]
        assert list(module._KEYWORDS) == taken


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"instance_cout": 2}, TypeError, "'instance_cout'; did you mean 'instance_count'"),
    ({"command": ["a"]}, bl.InvalidArgumentError, "entry_point .* or command .* not both"),
    ({"entry_point": None}, bl.InvalidArgumentError, "give what to run: entry_point="),
    ({"entry_point": "absent.py"}, bl.InvalidArgumentError, "there is no file '.*absent.py'"),
    (
        {"entry_point": None, "command": "python train.py"},
        bl.InvalidArgumentError,
        "command must be a list of texts",
    ),
    (
        {"input_mode": "fastfile"},
        bl.InvalidArgumentError,
        "input_mode must be one of 'File' | 'FastFile' | 'Pipe'",
    ),
    ({"instance_count": 0}, bl.InvalidArgumentError, "instance_count must be at least 1"),
    ({"max_run": 29 * 86400}, bl.InvalidArgumentError, "max_run must be from 1 to "),
    ({"output_path": "/tmp/out"}, bl.InvalidArgumentError, "output_path must be 's3://bucket/...'"),
    ({"checkpoint_s3_uri": "file:///x"}, bl.InvalidArgumentError, "checkpoint_s3_uri must be 's3://"),
    (
        {"checkpoint_local_path": "/x"},
        bl.InvalidArgumentError,
        "checkpoint_local_path needs checkpoint_s3_uri",
    ),
    ({"hyperparameters": [1]}, bl.InvalidArgumentError, "hyperparameters must be a dict"),
    ({"environment": "A=1"}, bl.InvalidArgumentError, "environment must be a dict"),
    ({"hyperparameters": {"net": {1}}}, bl.InvalidArgumentError, "the hyperparameter 'net' must be a text"),
    (
        {"disable_output_compression": 1},
        bl.InvalidArgumentError,
        "disable_output_compression must be True or False",
    ),
]


@pytest.mark.parametrize(("options", "kind", "says"), WRONG, ids=[says for *_, says in WRONG])
def test_what_does_not_fit_says_why(
    script: Path, options: dict[str, Any], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        LocalEstimator(**{"entry_point": script, "output_path": OUT, **options}).to_request()


WORDS: dict[str, Any] = {"yes": "yes"}  # of no type that a checker knows
WRONG_INPUTS: list[tuple[Any, type[Exception], str]] = [
    (lambda: TrainingInput("s3://b/x", shufle_config=None), TypeError, "did you mean 'shuffle_config'"),
    (lambda: TrainingInput("b/x"), bl.InvalidArgumentError, "s3_data must be 's3://bucket/...'"),
    (lambda: TrainingInput("s3:///x"), bl.InvalidArgumentError, "s3_data must be 's3://bucket/...'"),
    (
        lambda: TrainingInput("s3://b/x", distribution="Sharded"),
        bl.InvalidArgumentError,
        "distribution must be one of",
    ),
    (
        lambda: TrainingInput("s3://b/x", compression="gzip"),
        bl.InvalidArgumentError,
        "compression must .* 'Gzip'",
    ),
    (
        lambda: TrainingInput("s3://b/x", record_wrapping="R"),
        bl.InvalidArgumentError,
        "record_wrapping must be one of",
    ),
    (
        lambda: TrainingInput("s3://b/x", s3_data_type="M"),
        bl.InvalidArgumentError,
        "s3_data_type must be one of",
    ),
    (lambda: TrainingInput("s3://b/x", input_mode="M"), bl.InvalidArgumentError, "input_mode must be one of"),
    (
        lambda: TrainingInput("s3://b/x", attribute_names="a"),
        bl.InvalidArgumentError,
        "attribute_names must be a list",
    ),
    (
        lambda: TrainingInput("s3://b/x", shuffle_config=WORDS["yes"]),
        bl.InvalidArgumentError,
        "must be a ShuffleConfig, not .yes.",
    ),
    (lambda: ShuffleConfig(2**63), bl.InvalidArgumentError, "seed must be from "),
    (
        lambda: estimator().to_request(["s3://b/x"]),
        bl.InvalidArgumentError,
        "inputs must be a URI, a TrainingInput",
    ),
    (
        lambda: estimator().to_request({"a": 7}),
        bl.InvalidArgumentError,
        "the channel 'a' must be an s3:// URI",
    ),
    (
        lambda: estimator().to_request(job_name="a_b"),
        bl.InvalidArgumentError,
        "job_name must be at most 63 letters",
    ),
    (lambda: estimator().fit(logs=WORDS["yes"]), bl.InvalidArgumentError, "logs must be True or False"),
]


def estimator() -> LocalEstimator:
    return LocalEstimator(command=["true"], output_path=OUT)


@pytest.mark.parametrize(("make", "kind", "says"), WRONG_INPUTS, ids=[says for *_, says in WRONG_INPUTS])
def test_inputs_that_do_not_fit_say_why(make: Any, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        make()


def test_without_the_command_it_says_where_it_comes_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(bl.NotFoundError, match="comes with the wheel: pip install bucketline"):
        estimator().fit()


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A program called bucketline, first in PATH."""
    program = folder / "bucketline"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(folder / "absent"))


def test_what_the_command_says_is_raised_by_its_class(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    error = {
        "error": "NotFound",
        "message": "nothing there",
        "uri": "s3://bucket/x",
        "http_status": 404,
        "request_id": "",
    }
    stand_in(tmp_path, monkeypatch, f"echo '{json.dumps(error)}'; exit 1")
    with pytest.raises(bl.NotFoundError, match="s3://bucket/x: nothing there"):
        estimator().fit()
    stand_in(tmp_path, monkeypatch, "echo oops >&2; kill -9 $$")
    lines: list[str] = []
    with pytest.raises(bl.InternalError, match="exit code -9 and without a report"):
        estimator().fit(logs=lines.append)
    assert lines == ["oops"]


REPORT = {
    "job": "j",
    "status": "Failed",
    "failure_reason": "why",
    "phases": [{"phase": "Starting", "begin": "2026-01-01T00:00:00.000Z", "seconds": 1.5}],
    "exit_codes": [3],
    "artifacts": ["s3://bucket/out/j/output/output.tar.gz"],
    "skipped": [],
    "channel_bytes": 0,
    "checkpoints_uploaded": 0,
}


def test_a_report_becomes_a_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(
        tmp_path,
        monkeypatch,
        f"""cp "$4" {tmp_path}/request; echo "$@" > {tmp_path}/words; echo '{json.dumps(REPORT)}'""",
    )
    options: dict[str, Any] = {"endpoint_url": "http://127.0.0.1:1", "region": "eu-west-1", "profile": "p"}
    asked = LocalEstimator(command=["true"], output_path=OUT, **options)
    assert asked.model_data is None
    done = asked.fit("s3://bucket/x", job_name="j", root=tmp_path / "ml")
    assert (done.name, done.status, done.failure_reason, done.exit_codes) == ("j", "Failed", "why", [3])
    assert done.model_data is None and done.artifacts == REPORT["artifacts"]
    assert done.phases == [job.Phase("Starting", "2026-01-01T00:00:00.000Z", 1.5)]
    assert asked.latest_training_job is done
    words = (tmp_path / "words").read_text().split()
    assert words[:3] == ["job", "run", "--json"] and words[4:] == (
        f"--root {tmp_path}/ml --fresh --endpoint-url http://127.0.0.1:1 --region eu-west-1 --profile p".split()
    )
    assert json.loads((tmp_path / "request").read_text()) == asked.to_request("s3://bucket/x", "j")
    with_model = {**REPORT, "artifacts": [f"{OUT}/j/output/model.tar.gz"], "status": "Completed"}
    stand_in(tmp_path, monkeypatch, f"echo '{json.dumps(with_model)}'")
    asked.fit(job_name="j")
    assert asked.model_data == "s3://bucket/out/j/output/model.tar.gz"


def test_it_is_imported_when_it_is_used() -> None:
    code = "import sys, bucketline as bl; assert 'bucketline.sagemaker' not in sys.modules; print(bl.sagemaker.LocalEstimator)"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True
    ).stdout
    assert "LocalEstimator" in out
