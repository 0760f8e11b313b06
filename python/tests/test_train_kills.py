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


def read_all(endpoint: Endpoint, bucket: str, prefix: str) -> dict[str, bytes]:
    client = endpoint.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return {
        key.removeprefix(prefix): client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys
    }


def checkpointed(files: dict[str, bytes]) -> tuple[int, bytes]:
    """The step of the latest checkpoint, and the bytes of its model; (0, b"") when there is none."""
    if "latest.json" not in files:
        return 0, b""
    latest: dict[str, Any] = json.loads(files["latest.json"])
    return latest["step"], files[latest["folder"] + "model.safetensors"]


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
    steps, model = checkpointed(read_all(versitygw, bucket, "whole/"))
    assert steps == whole["steps"]

    moments = random.Random(1)
    kills = finished = lost = 0
    while kills < KILLS or finished == 0:
        name = f"killed{finished}/"
        step, _ = checkpointed(read_all(versitygw, bucket, name))
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
            assert done == batches[step : step + len(done)], f"seed 1, after kill {kills}"
            after, _ = checkpointed(read_all(versitygw, bucket, name))
            assert step <= after <= step + len(done) + 1, f"seed 1, after kill {kills}"
            lost += step + len(done) - after
            continue
        assert process.returncode == 0, err
        assert json_lines(log) == batches[step:]
        if step < steps:  # else it was killed after its last save, and there was nothing left to do
            assert summary_of(out)["loss"] == whole["loss"]
        assert checkpointed(read_all(versitygw, bucket, name)) == (steps, model), "not the same weights"
        finished += 1
    figure(f"{kills} kills, {finished} runs to the end, {lost} steps done again; all models the same")
