"""LocalEstimator: a training job as SageMaker's SDK describes it, run on this machine."""

from __future__ import annotations

import datetime
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bucketline._options import choice, flag, number, reject_unknown
from bucketline.errors import InvalidArgumentError
from bucketline.sagemaker import job
from bucketline.sagemaker.inputs import MODES, channels, s3_uri, texts

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_LONGEST_NAME = 63
_LONGEST_RUN = 28 * 86400  # seconds, SageMaker's


class LocalEstimator:
    """A training job: its script, its hosts, where its results go. `fit` gives it data and runs it.

    entry_point: a Python script, run with this Python and with the hyperparameters as arguments (--name value), as the
        framework containers do. command: a list of words that is run instead. Else image_uri, which needs Docker.
    role: an IAM role's ARN; only `to_request` for AWS itself needs it.
    instance_count: hosts, which are processes here. instance_type: told to the script.
    input_mode: of channels that name none: "File" | "FastFile" | "Pipe".
    output_path: "s3://bucket/prefix": model.tar.gz is below it, in <job>/output/; disable_output_compression=True uploads
        the files themselves.
    max_run: seconds until the job is stopped. checkpoint_s3_uri: what is in checkpoint_local_path goes there, and is there
        again when a job begins.
    hyperparameters: values of any JSON type. environment: variables of the script.
    base_job_name: of the jobs' names, which a time follows; None: the script's name.
    endpoint_url, region, profile: how the buckets are reached; None: as bl.Dataset finds them.
    """

    def __init__(
        self,
        entry_point: str | os.PathLike[str] | None = None,
        *,
        command: Sequence[str] | None = None,
        image_uri: str | None = None,
        role: str | None = None,
        instance_count: int = 1,
        instance_type: str = "local",
        volume_size: int = 30,
        input_mode: str = "File",
        output_path: str,
        disable_output_compression: bool = False,
        max_run: int = 86400,
        checkpoint_s3_uri: str | None = None,
        checkpoint_local_path: str | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        base_job_name: str | None = None,
        tags: Sequence[Mapping[str, str]] | None = None,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        **unknown: Any,
    ) -> None:
        reject_unknown(unknown, _KEYWORDS, "LocalEstimator")
        if sum(given is not None for given in (entry_point, command)) > 1:
            raise InvalidArgumentError(
                "give entry_point (a Python script) or command (any program), not both"
            )
        if entry_point is None and command is None and image_uri is None:
            raise InvalidArgumentError(
                "give what to run: entry_point='train.py', command=[...] or image_uri=..."
            )
        self._script = None if entry_point is None else _script(entry_point)
        self._command = None if command is None else texts(command, "command")
        algorithm: dict[str, Any] = {"TrainingInputMode": choice(input_mode, "input_mode", MODES)}
        if image_uri is not None:
            algorithm["TrainingImage"] = image_uri
        if self._command is not None:
            algorithm["ContainerEntrypoint"] = self._command
        output: dict[str, Any] = {"S3OutputPath": s3_uri(output_path, "output_path")}
        self._compressed = not flag(disable_output_compression, "disable_output_compression")
        if not self._compressed:
            output["CompressionType"] = "NONE"
        self._request: dict[str, Any] = {
            "AlgorithmSpecification": algorithm,
            "OutputDataConfig": output,
            "ResourceConfig": {
                "InstanceType": instance_type,
                "InstanceCount": number(instance_count, "instance_count", 1, whole=True),
                "VolumeSizeInGB": number(volume_size, "volume_size", 1, whole=True),
            },
            "StoppingCondition": {
                "MaxRuntimeInSeconds": number(max_run, "max_run", 1, _LONGEST_RUN, whole=True)
            },
        }
        if role is not None:
            self._request["RoleArn"] = role
        if checkpoint_s3_uri is not None:
            self._request["CheckpointConfig"] = {"S3Uri": s3_uri(checkpoint_s3_uri, "checkpoint_s3_uri")}
            if checkpoint_local_path is not None:
                self._request["CheckpointConfig"]["LocalPath"] = checkpoint_local_path
        elif checkpoint_local_path is not None:
            raise InvalidArgumentError("checkpoint_local_path needs checkpoint_s3_uri, where its files go")
        self._hyperparameters = dict(_mapping(hyperparameters, "hyperparameters"))
        variables = _mapping(environment, "environment")
        if variables:
            self._request["Environment"] = {str(name): str(value) for name, value in variables.items()}
        if tags is not None:
            self._request["Tags"] = [dict(tag) for tag in tags]
        self._base_name = self._base(base_job_name)
        connection = {"--endpoint-url": endpoint_url, "--region": region, "--profile": profile}
        self._connection = [word for name, value in connection.items() if value for word in (name, value)]
        self.latest_training_job: job.TrainingJob | None = None

    @property
    def model_data(self) -> str | None:
        """The URI of the latest job's model."""
        return None if self.latest_training_job is None else self.latest_training_job.model_data

    def to_request(self, inputs: Any = None, job_name: str | None = None) -> dict[str, Any]:
        """What boto3's `create_training_job` takes: `client("sagemaker").create_training_job(**estimator.to_request(...))`.

        inputs: as `fit` takes them. A job for AWS needs role=, image_uri= and one of AWS's instance types besides, and a
        script that is in the image.
        """
        name = self._name() if job_name is None else job_name
        if not _NAME.fullmatch(name):
            raise InvalidArgumentError(
                f"job_name must be at most {_LONGEST_NAME} letters, digits and hyphens, and begin and end without hyphen, "
                f"not {name!r}"
            )
        request = {"TrainingJobName": name, **json.loads(json.dumps(self._request))}
        config = channels(inputs)
        if config:
            request["InputDataConfig"] = config
        parameters = {
            str(key): _parameter(key, value, self._script) for key, value in self._hyperparameters.items()
        }
        if self._script is not None:
            parameters["sagemaker_program"] = json.dumps(self._script.name)
        if parameters:
            request["HyperParameters"] = parameters
        return request

    def fit(
        self,
        inputs: Any = None,
        *,
        job_name: str | None = None,
        logs: bool | Callable[[str], Any] = True,
        root: str | os.PathLike[str] | None = None,
    ) -> job.TrainingJob:
        """Runs the job, waits for it, and says how it went; a job that failed is no exception: look at its `status`.

        inputs: {channel: "s3://..." or TrainingInput}; one of them alone is the channel "training".
        logs: True: the job's output is printed, line by line; False: it is not; or what to call with each line.
        root: the folder that stands for /opt/ml, kept afterwards; what an earlier job left in it is removed. None: one of
            its own, removed at the end.

        Ctrl-C stops the job, which has its time to save its work, and once more at once. Raises InvalidArgumentError for
        a request that SageMaker would refuse, naming each field, and what the store says before the job begins.
        """
        on_line = logs if callable(logs) else print if flag(logs, "logs") else _nothing
        request = self.to_request(inputs, job_name)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bucketline-job-")))
            description = folder / "job.json"
            description.write_text(json.dumps(request, indent=1))
            place = folder / "ml" if root is None else Path(root)
            report = job.run([str(description), "--root", str(place), *self._arguments()], on_line)
        ending = "model.tar.gz" if self._compressed else "model/"
        output = self._request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        model_data = f"{output}/{request['TrainingJobName']}/output/{ending}"
        self.latest_training_job = job.TrainingJob.of_report(report, model_data)
        return self.latest_training_job

    def __repr__(self) -> str:
        what = self._script or self._command or self._request["AlgorithmSpecification"]["TrainingImage"]
        return f"LocalEstimator({str(what)!r}, output_path={self._request['OutputDataConfig']['S3OutputPath']!r})"

    def _arguments(self) -> list[str]:
        arguments = ["--fresh", *self._connection]
        if self._script is not None:
            arguments += ["--script-arguments", "--", sys.executable, str(self._script)]
        return arguments

    def _base(self, given: str | None) -> str:
        image = self._request["AlgorithmSpecification"].get("TrainingImage", "job")
        default = (
            self._script.stem if self._script else Path(self._command[0]).name if self._command else image
        )
        base = given or default.rsplit("/", 1)[-1].split(":")[0]
        return re.sub(r"[^a-zA-Z0-9]+", "-", base).strip("-") or "job"

    def _name(self) -> str:
        """A new one, as the SDK makes them: the base, and now to the millisecond."""
        now = datetime.datetime.now(datetime.timezone.utc)
        time = now.strftime("%Y-%m-%d-%H-%M-%S-") + f"{now.microsecond // 1000:03}"
        return f"{self._base_name[: _LONGEST_NAME - len(time) - 1].rstrip('-')}-{time}"


def _script(given: str | os.PathLike[str]) -> Path:
    path = Path(given).absolute()
    if not path.is_file():
        raise InvalidArgumentError(f"entry_point must be a Python script; there is no file {str(path)!r}")
    return path


def _mapping(given: Any, option: str) -> Mapping[str, Any]:
    if not (given is None or isinstance(given, Mapping)):
        raise InvalidArgumentError(f"{option} must be a dict, not {given!r}")
    return given or {}


def _parameter(name: Any, value: Any, script: Path | None) -> str:
    """As JSON, which the framework containers decode; for any other program a text is what it is."""
    if script is None and isinstance(value, str):
        return value
    try:
        return json.dumps(value)
    except TypeError:
        raise InvalidArgumentError(
            f"the hyperparameter {name!r} must be a text, a number, a truth value, a list or a dict, not {value!r}"
        ) from None


def _nothing(_: str) -> None:
    pass


_KEYWORDS = (
    "entry_point",
    "command",
    "image_uri",
    "role",
    "instance_count",
    "instance_type",
    "volume_size",
    "input_mode",
    "output_path",
    "disable_output_compression",
    "max_run",
    "checkpoint_s3_uri",
    "checkpoint_local_path",
    "hyperparameters",
    "environment",
    "base_job_name",
    "tags",
    "endpoint_url",
    "region",
    "profile",
)
