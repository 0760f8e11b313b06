"""What a listing shows while it lasts, and what the engine says to Python's logging."""

from __future__ import annotations

import builtins
import io
import logging
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import servers
from conftest import Command, Endpoint

import bucketline as bl

COUNT = 2500


@pytest.fixture(scope="module")
def listed(versitygw: Endpoint) -> str:
    bucket = versitygw.new_bucket()
    with versitygw.reached(), bl.Writer(f"s3://{bucket}/") as writer:
        for i in range(COUNT):
            writer.put(f"{i:05}.jpg", b"x")
    return f"s3://{bucket}/"


@pytest.fixture
def no_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("tqdm"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_function_is_told_of_every_object(reached: Endpoint, listed: str) -> None:
    told: list[int] = []
    bl.Dataset(listed, progress=told.append)
    assert told == sorted(told) and told[-1] == COUNT


def test_a_tqdm_bar_counts_and_is_closed(
    reached: Endpoint, listed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tqdm = pytest.importorskip("tqdm.auto")
    bars: list[Any] = []

    class Bar(tqdm.tqdm):  # type: ignore[misc,name-defined]
        def __init__(self, **options: Any) -> None:
            super().__init__(file=io.StringIO(), **options)
            self.closed = False
            bars.append(self)

        def close(self) -> None:
            self.closed = True
            super().close()

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    bl.Dataset(listed, progress=True)
    assert [(bar.n, bar.closed) for bar in bars] == [(COUNT, True)]
    with pytest.raises(bl.NotFoundError):
        bl.Dataset(listed + "nothing/", progress=True)
    assert bars[1].closed


def test_without_tqdm_a_terminal_gets_a_line(
    reached: Endpoint, listed: str, no_tqdm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    bl.Dataset(listed, progress=True)
    assert re.search(rf"\r\x1b\[Klisting: {COUNT} objects, \d+/s\n$", terminal.getvalue())


def test_without_tqdm_a_pipe_gets_nothing(
    reached: Endpoint, listed: str, no_tqdm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", pipe := io.StringIO())
    bl.Dataset(listed, progress=True)
    assert pipe.getvalue() == ""


def test_what_progress_raises_ends_the_listing(reached: Endpoint, listed: str) -> None:
    def refuse(objects: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bl.Dataset(listed, progress=refuse)


@pytest.mark.parametrize("progress", ["yes", 1, 2.5])
def test_progress_of_the_wrong_kind_is_named(progress: Any) -> None:
    with pytest.raises(bl.InvalidArgumentError, match="progress must be True, False or something to call"):
        bl.Dataset("s3://bucket/", progress=progress)


def test_engine_messages_reach_logging(
    bucketline: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that mostly says SlowDown: the warning that requests are tried again comes by the logger "bucketline"."""
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket/k").write_bytes(b"x" * 1000)
    with servers.serve(bucketline.binary, tmp_path, "--slow-down", "0.8") as endpoint:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3", "AWS_REGION"):
            monkeypatch.setenv(name, endpoint.environment()[name])
        runtime = bl.Runtime()
        caplog.set_level(logging.DEBUG, logger="bucketline")
        for _ in range(40):
            try:
                assert bl.get("s3://bucket/k", runtime=runtime) == b"x" * 1000
            except bl.ThrottledError as error:
                assert error.http_status == 503
            if caplog.records:
                break
    record = caplog.records[0]
    assert record.name == "bucketline" and record.levelno == logging.WARNING
    assert "still trying" in record.getMessage() and "s3://bucket/k" in record.getMessage()
