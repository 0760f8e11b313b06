"""`bucketline train` killed at random moments, again and again: what comes out is what the undisturbed run gives."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint
from images import labelled_objects, put_all
from test_train import COUNT, train_arguments
from training import json_lines, summary_of

KILLS = int(os.environ.get("BUCKETLINE_SOAK_KILLS", "3"))  # ./run soak kills asks for more


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    name = versitygw.new_bucket()
    put_all(versitygw, name, "images/", labelled_objects(COUNT))
    return name


def checkpointed(endpoint: Endpoint, bucket: str, prefix: str) -> tuple[int, bytes]:
    """The step of the latest checkpoint, and the bytes of its model; (0, b"") when there is none."""
    client = endpoint.client()

    def read(key: str) -> bytes:
        data: bytes = client.get_object(Bucket=bucket, Key=prefix + key)["Body"].read()
        return data

    try:
        latest: dict[str, Any] = json.loads(read("latest.json"))
    except client.exceptions.NoSuchKey:
        return 0, b""
    return latest["step"], read(latest["folder"] + "model.safetensors")


def start_of(done: list[dict[str, Any]], batches: list[dict[str, Any]], seen: int) -> int:
    """The step that a run began with. The server may still have been busy with a killed run's last write when the test looked
    at it and saw the checkpoint of `seen`."""
    step = batches.index(done[0]) if done else seen
    assert step >= seen
    return step


def test_killed_at_random_it_goes_on_bit_for_bit(
    on_versitygw: Command,
    versitygw: Endpoint,
    bucket: str,
    tmp_path: Path,
    figure: Callable[[str], None],
) -> None:
    place = f"s3://{bucket}/whole/"
    outcome = on_versitygw.done(*train_arguments(bucket, place, tmp_path / "whole.jsonl"))
    whole, batches = summary_of(outcome.out), json_lines(tmp_path / "whole.jsonl")
    steps, model = checkpointed(versitygw, bucket, "whole/")
    assert steps == whole["steps"]

    moments = random.Random(1)
    kills = finished = lost = reached = 0
    while kills < KILLS or finished == 0:
        name = f"killed{finished}/"
        seen, _ = checkpointed(versitygw, bucket, name)
        log = tmp_path / "run.jsonl"
        log.unlink(missing_ok=True)
        arguments = train_arguments(bucket, f"s3://{bucket}/{name}", log, "--resume")
        process = on_versitygw.start(*arguments)
        try:
            # Once all kills are done, to the end.
            patience = moments.uniform(0, outcome.seconds) if kills < KILLS else DEADLINE_SECONDS
            out, err = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            assert kills < KILLS, "it hangs"
            process.kill()
            process.communicate(timeout=DEADLINE_SECONDS)
            kills += 1
            done = json_lines(log)
            step = start_of(done, batches, seen)
            assert done == batches[step : step + len(done)], f"seed 1, after kill {kills}"
            after, _ = checkpointed(versitygw, bucket, name)
            assert step <= reached + 1, f"seed 1, after kill {kills}"
            reached = max(reached, step + len(done))
            assert step <= after <= reached + 1, f"seed 1, after kill {kills}"
            lost += step + len(done) - after
            continue
        assert process.returncode == 0, err
        done = json_lines(log)
        step = start_of(done, batches, seen) if done else steps
        assert done == batches[step:]
        if step < steps:  # else it was killed after its last save, and there was nothing left to do
            assert summary_of(out)["loss"] == whole["loss"]
        assert checkpointed(versitygw, bucket, name) == (steps, model), "not the same weights"
        finished += 1
        reached = 0
    figure(f"{kills} kills, {finished} runs to the end, {lost} steps done again; all models the same")
