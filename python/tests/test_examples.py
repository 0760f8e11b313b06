"""The examples, as a user runs them: killed in the middle of an epoch and started again, they go on as if nothing had
happened."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DEADLINE_SECONDS, ROOT, Endpoint
from framework_data import Store, stored

ARGUMENTS = ["--epochs", "8", "--batch-size", "8", "--size", "24", "--save-every", "7"]
KILLED_AT = 12  # between two checkpoints, of which the one before stands in the middle of an epoch

# Steps of a whole run; how each is told where its checkpoints are, and what to continue from.
EXAMPLES: dict[str, tuple[int, list[str], list[str]]] = {
    "pytorch_resume.py": (40, ["--checkpoint", "{folder}/run"], []),
    "jax_train.py": (40, ["--checkpoint", "{folder}/run"], []),
    "lightning_train.py": (24, ["--folder", "{folder}"], ["--resume", "{folder}/last.ckpt"]),
}


@pytest.fixture(scope="module")
def store(versitygw: Endpoint) -> Iterator[Store]:
    with stored(versitygw) as there:
        yield there


# Runs a script that dies right after it has said that.
DYING = """
import builtins, os, runpy, signal, sys
mark, script = sys.argv[1:3]
say = builtins.print
def say_and_die(*words, **options):
    say(*words, **options)
    if mark in " ".join(map(str, words)):
        os.kill(os.getpid(), signal.SIGKILL)
builtins.print = say_and_die
sys.argv[:] = sys.argv[2:]
sys.path[0] = os.path.dirname(script)
runpy.run_path(script, run_name="__main__")
"""


def start(name: str, *arguments: str, kill_at: str | None = None) -> subprocess.Popen[str]:
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1"}
    dying = [] if kill_at is None else ["-c", DYING, kill_at]
    command = [sys.executable, *dying, str(ROOT / "examples" / name), *arguments, *ARGUMENTS]
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def output_of(process: subprocess.Popen[str], code: int = 0) -> str:
    try:
        out, _ = process.communicate(timeout=DEADLINE_SECONDS)
    finally:
        process.kill()
    assert process.returncode == code, out
    return out


def losses(out: str) -> dict[int, float]:
    return {int(step): float(loss) for step, loss in re.findall(r"step (\d+) loss ([\d.]+)", out)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_killed_run_continues(store: Store, tmp_path: Path, name: str) -> None:
    steps, *options = EXAMPLES[name]
    run, resume = ([text.format(folder=tmp_path) for text in texts] for texts in options)
    dying = start(name, store.uri, *run, kill_at=f"step {KILLED_AT} ")
    first = losses(output_of(dying, -signal.SIGKILL))
    assert max(first) == KILLED_AT
    rest = losses(output_of(start(name, store.uri, *run, *resume)))
    saved = min(rest) - 1
    assert saved % 7 == 0 and KILLED_AT - 7 < saved <= max(first)  # where its last checkpoint stood
    assert sorted({**first, **rest}) == list(range(1, steps + 1))
    for step in first.keys() & rest.keys():  # what both computed is the same
        assert first[step] == pytest.approx(rest[step], rel=1e-4), step
