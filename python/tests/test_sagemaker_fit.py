"""bl.sagemaker: jobs that run: their data, their results, and how they end."""

from __future__ import annotations

import inspect
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from bucketline.sagemaker import LocalEstimator, TrainingInput
from conftest import DEADLINE_SECONDS, ROOT, Command, Endpoint
from job_requests import READER, SAMPLES, archive, needs, put_samples

import bucketline as bl

ARGUMENTS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
parser.add_argument("--name")
given = parser.parse_args()
(model / "arguments.json").write_text(json.dumps([given.epochs, given.name]))
"""


@pytest.fixture
def bucket(reached: Endpoint, bucketline: Command, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of samples below data/; this process and its children reach it, and find the command."""
    monkeypatch.setenv("PATH", f"{bucketline.binary.parent}:{os.environ['PATH']}")
    name = reached.new_bucket()
    put_samples(reached, name)
    return name


def estimator(bucket: str, folder: Path, body: str = READER, **options: Any) -> LocalEstimator:
    script = folder / "train.py"
    script.write_text(body)
    return LocalEstimator(script, output_path=f"s3://{bucket}/out", **options)


@pytest.mark.parametrize("mode", ["File", "FastFile", "Pipe"])
def test_a_script_sees_every_sample(bucket: str, reached: Endpoint, tmp_path: Path, mode: str) -> None:
    needs(mode)
    lines: list[str] = []
    parameters = {"epochs": 2, "name": "a b"}
    training = estimator(bucket, tmp_path, READER + ARGUMENTS, hyperparameters=parameters)
    done = training.fit(
        {"train": TrainingInput(f"s3://{bucket}/data/", input_mode=mode)}, job_name="job-1", logs=lines.append
    )
    assert (done.status, done.failure_reason, done.exit_codes) == ("Completed", "", [0])
    assert done.model_data == training.model_data == f"s3://{bucket}/out/job-1/output/model.tar.gz"
    model = archive(reached, bucket, "out/job-1/output/model.tar.gz")
    assert json.loads(model["seen-algo-1.json"]) == [SAMPLES, SAMPLES]
    assert json.loads(model["arguments.json"]) == [2, "a b"]
    assert f"read {2 * len(SAMPLES)} samples" in lines
    assert [phase.phase for phase in done.phases][-3:] == ["Training", "Uploading", "Completed"]
    assert all(phase.seconds >= 0 for phase in done.phases)


def test_hosts_share_the_samples(bucket: str, reached: Endpoint, tmp_path: Path) -> None:
    training = estimator(bucket, tmp_path, instance_count=2, disable_output_compression=True)
    data = TrainingInput(f"s3://{bucket}/data/", distribution="ShardedByS3Key")
    done = training.fit({"train": data}, job_name="job-2", logs=False, root=tmp_path / "ml")
    assert done.status == "Completed" and done.exit_codes == [0, 0]
    assert done.model_data == f"s3://{bucket}/out/job-2/output/model/"
    seen = [json.loads(bl.get(f"{done.model_data}seen-algo-{host}.json"))[0] for host in (1, 2)]
    assert sorted(seen[0] + seen[1]) == SAMPLES and all(seen)
    assert (tmp_path / "ml" / "algo-2" / "input" / "config").is_dir(), "a root of one's own is kept"
    again = training.fit({"train": data}, job_name="job-3", logs=False, root=tmp_path / "ml")
    assert again.status == "Completed", "what the job before left is no obstacle"


def test_a_command_of_any_kind(bucket: str, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["sh", "-c", 'echo "$LEVEL $SM_HP_EPOCHS"; echo kept > "$SM_MODEL_DIR/m"']
    training = LocalEstimator(
        command=words,
        output_path=f"s3://{bucket}/out/",
        hyperparameters={"epochs": 7},
        environment={"LEVEL": "high"},
    )
    done = training.fit(f"s3://{bucket}/data/")
    assert done.status == "Completed" and "high 7\n" in capfd.readouterr().out
    assert done.model_data is not None and bl.exists(done.model_data)
    silent = training.fit(f"s3://{bucket}/data/", logs=False)
    assert silent.status == "Completed" and "high" not in capfd.readouterr().out
    assert silent.name != done.name


def test_a_failure_is_told(bucket: str, tmp_path: Path) -> None:
    body = (
        "import os; open(os.environ['SM_OUTPUT_FAILURE'], 'w').write('nothing to learn'); raise SystemExit(9)"
    )
    done = estimator(bucket, tmp_path, body).fit(f"s3://{bucket}/data/", logs=False)
    assert (done.status, done.failure_reason) == ("Failed", "nothing to learn") and done.exit_codes != [0]
    slow = estimator(bucket, tmp_path, "import signal; signal.pause()", max_run=1).fit(logs=False)
    assert slow.status == "MaxRuntimeExceeded"


def test_checkpoints_are_there_again(bucket: str, tmp_path: Path) -> None:
    body = """
import sys
from pathlib import Path
kept = Path(sys.argv[sys.argv.index("--kept") + 1])
print("found", kept.exists())
kept.write_text("1")
"""
    where = tmp_path / "ml" / "checkpoints" / "kept"
    training = estimator(
        bucket,
        tmp_path,
        body,
        checkpoint_s3_uri=f"s3://{bucket}/checkpoints",
        hyperparameters={"kept": str(where)},
    )
    said: list[str] = []
    for _ in range(2):
        assert training.fit(logs=said.append, root=tmp_path / "ml").status == "Completed", said
    assert [line for line in said if line.startswith("found")] == ["found False", "found True"]
    assert bl.get(f"s3://{bucket}/checkpoints/kept") == b"1"


def test_what_sagemaker_would_refuse_is_an_error_that_names_the_field(bucket: str, tmp_path: Path) -> None:
    manifest = TrainingInput(f"s3://{bucket}/list", s3_data_type="ManifestFile", input_mode="FastFile")
    with pytest.raises(bl.InvalidArgumentError, match=r"(?i)InputDataConfig(\[0\]|\.1).*"):
        estimator(bucket, tmp_path).fit({"train": manifest}, logs=False)


def test_ctrl_c_stops_the_job_and_keeps_its_work(bucket: str, reached: Endpoint, tmp_path: Path) -> None:
    saves = """
import os, signal, sys
def save(*_):
    open(os.environ["SM_MODEL_DIR"] + "/w", "w").write("w")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
while True:
    signal.pause()
"""
    (tmp_path / "train.py").write_text(saves)
    code = f"""
from bucketline.sagemaker import LocalEstimator
training = LocalEstimator("train.py", output_path="s3://{bucket}/out")
training.fit("s3://{bucket}/data/", job_name="job-9", logs=lambda line: print(line, flush=True))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = threading.Timer(DEADLINE_SECONDS, process.kill)
    deadline.start()
    try:
        assert process.stdout is not None
        assert "ready\n" in iter(process.stdout.readline, "")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE_SECONDS)
    finally:
        deadline.cancel()
        process.kill()
    assert "KeyboardInterrupt" in err and process.returncode != 0
    assert archive(reached, bucket, "out/job-9/output/model.tar.gz") == {"w": b"w"}


PAGE = (ROOT / "docs" / "sagemaker-python.md").read_text()


def test_the_page_runs_as_it_stands(
    bucket: str, reached: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("images", "validation"):
        bl.put(f"s3://{bucket}/{folder}/0.txt", b"0")
        bl.put(f"s3://{bucket}/{folder}/1.txt", b"1")
    (tmp_path / "train.py").write_text("import os; open(os.environ['SM_CHANNEL_TRAIN'] + '_0').read()")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block.replace("s3://bucket/", f"s3://{bucket}/"), names)
    assert names["request"]["ResourceConfig"]["InstanceCount"] == 2


@pytest.mark.parametrize("kind", [LocalEstimator, TrainingInput])
def test_the_page_names_every_keyword(kind: Any) -> None:
    known = set(inspect.signature(kind).parameters) - {"unknown"}
    assert known - set(re.findall(r"`([a-z_0-9]+)`", PAGE)) == set()
