"""SageMaker's own training toolkit finds its container: the layout, the configuration and the variables."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Command, Endpoint, missing
from job_requests import READER, SAMPLES, Job, archive, channel, put_samples, request

HYPERPARAMETERS = {
    "epochs": "1",
    "learning-rate": "0.1",
    "layers": "[64, 32]",
    "name": '"resnet"',
    "raw": "no json",
    "v": "true",
    "nothing": "null",
}

# Prints what the toolkit would hand to a script, and what the job's environment has.
COMPARE = """
import json, os
before = dict(os.environ)
from sagemaker_training import environment
print(json.dumps([environment.Environment().to_env_vars(), before]))
"""

# The toolkit waits until the hosts' names have addresses, which /etc/hosts gives on a machine of one's own.
TRAIN = """
import socket
socket.gethostbyname = lambda name: "127.0.0.1"
from sagemaker_training import trainer
trainer.train()
"""

# What the toolkit asks the tools of a vendor for.
OWN = {"SM_TRAINING_ENV", "SM_NUM_GPUS", "SM_NUM_NEURONS"}


@pytest.fixture
def job(on_versitygw: Command, versitygw: Endpoint, tmp_path: Path) -> Job:
    if importlib.util.find_spec("sagemaker_training") is None:
        missing("sagemaker-training is not installed")
    bucket = versitygw.new_bucket()
    put_samples(versitygw, bucket)
    description = request(bucket, HyperParameters=HYPERPARAMETERS)
    description["InputDataConfig"] = [
        channel(bucket, "train", ContentType="text/plain"),
        channel(bucket, "a-second", InputMode="Pipe"),
    ]
    return Job(on_versitygw, tmp_path, description)


@pytest.mark.parametrize("hosts", [1, 2])
def test_the_variables_are_the_toolkits(job: Job, hosts: int) -> None:
    job.description["ResourceConfig"]["InstanceCount"] = hosts
    job.description["HyperParameters"] |= {"sagemaker_program": '"train.py"'}
    outcome = job.run(sys.executable, "-c", COMPARE)
    assert outcome.code == 0, outcome.err
    lines = [line.removeprefix("algo-1 | ") for line in outcome.out.splitlines() if "algo-2 | " not in line]
    toolkit, ours = json.loads(next(line for line in lines if line.startswith("[")))
    for name in set(toolkit) - OWN:
        assert ours[name] == toolkit[name], name
    theirs: dict[str, Any] = json.loads(toolkit["SM_TRAINING_ENV"])
    mine = json.loads(ours["SM_TRAINING_ENV"])
    differing = {name for name in theirs if mine.get(name) != theirs[name]}
    assert differing <= {"num_gpus", "num_neurons"}, differing


def test_the_toolkit_runs_a_script(job: Job, versitygw: Endpoint) -> None:
    code = job.root / "code"
    code.mkdir(parents=True)
    (code / "train.py").write_text(READER + "print('arguments', sys.argv[1:])\n")
    job.description["HyperParameters"] |= {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": json.dumps(str(code)),
    }
    outcome = job.run(sys.executable, "-c", TRAIN)
    assert outcome.code == 0, outcome.out + outcome.err
    assert "arguments ['--epochs', '1', '--layers', '[64, 32]'" in outcome.out
    bucket = job.description["OutputDataConfig"]["S3OutputPath"].split("/")[2]
    model = archive(versitygw, bucket, "out/job-1/output/model.tar.gz")
    assert json.loads(model["seen-algo-1.json"]) == [SAMPLES]
