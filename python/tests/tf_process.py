"""A process in which s3:// is registered with TensorFlow. Python text is sent there and run, one after the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from typing import Any

SECONDS = 600  # TensorFlow's start alone takes some on a busy machine

# What the texts find there; `root` is the first of their arguments.
SURROUNDINGS = """
import contextlib, json, os, sys, traceback
import tensorflow as tf
from tensorflow import errors
import bucketline as bl
import bucketline.tf

gfile = tf.io.gfile
bl.tf.register_filesystem()

def write(path, data):
    with gfile.GFile(path, "wb") as file:
        file.write(data)

def read(path):
    with gfile.GFile(path, "rb") as file:
        return file.read()

def refused(kind, call, *words):
    try:
        call()
    except kind as error:
        assert all(word in str(error) for word in words), error
    else:
        raise AssertionError("it worked")

@contextlib.contextmanager
def environment(**changes):
    before = {name: os.environ.pop(name, None) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    text, arguments = json.loads(line)
    try:
        exec(text, {**globals(), "arguments": arguments, "root": arguments[0]})
        failure = ""
    except BaseException:
        failure = traceback.format_exc()
    print(json.dumps(failure), file=answers, flush=True)
"""


class TensorFlowProcess:
    """Ends at the end of its `with`, and must end well."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-c", SURROUNDINGS],
            env={**os.environ, **environment, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def run(self, text: str, *arguments: object) -> None:
        """Fails as the text does."""
        assert self._process.stdin and self._process.stdout
        watch = threading.Timer(SECONDS, self._process.kill)
        watch.start()
        try:
            print(json.dumps([text, [str(each) for each in arguments]]), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        finally:
            watch.cancel()
        assert answer, f"the process ended: {self._last_errors()}"
        failure = json.loads(answer)
        assert not failure, failure

    def _last_errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-3000:]

    def __enter__(self) -> TensorFlowProcess:
        return self

    def __exit__(self, *_: Any) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            code = self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        with self._errors:
            assert code == 0, self._last_errors()
