"""Signature Version 4 against botocore, on requests nobody would write by hand.

Needs the sigv4_tool program ($BUCKETLINE_BUILD_DIR/bin, default build/release/bin).
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

auth_module = pytest.importorskip("botocore.auth")
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
REPLY_SECONDS = 300


class Sigv4Tool:
    """One process for all requests; a reply that does not come in time ends it, and the test."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def __call__(self, request: dict[str, Any]) -> dict[str, str]:
        assert self._process.stdin and self._process.stdout
        watchdog = threading.Timer(REPLY_SECONDS, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            reply = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        assert reply, f"sigv4_tool ended without a reply to {request!r}"
        return json.loads(reply)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=REPLY_SECONDS)


@pytest.fixture(scope="module")
def tool() -> Iterator[Sigv4Tool]:
    build = Path(os.environ.get("BUCKETLINE_BUILD_DIR", ROOT / "build" / "release"))
    program = build / "bin" / "sigv4_tool"
    if not program.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is missing; build the target sigv4_tool")
        pytest.skip(f"{program} is missing; build the target sigv4_tool")
    tool = Sigv4Tool(program)
    yield tool
    tool.close()


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
odd_keys = st.sampled_from(
    ["a//b", "a/../b", "./", "%41", "a+b", "a b", "~", "\r\n", "\x01", "é", "🙂", "a?b#c", ""]
)
keys = st.one_of(text, odd_keys, st.lists(odd_keys, max_size=4).map("/".join))
queries = st.lists(st.tuples(st.one_of(text, st.sampled_from(["a", "a%", "A", "uploads"])), text), max_size=6)
header_values = st.text(st.sampled_from('abcXYZ019=*"/;, \t'), min_size=1, max_size=20).map(lambda v: "v" + v)
headers = st.dictionaries(
    st.sampled_from(
        ["Range", "If-Match", "If-None-Match", "Content-Type", "x-amz-meta-a", "x-amz-meta-A-b", "User-Agent"]
    ),
    header_values,
    max_size=4,
)
requests = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"]),
        "host": st.sampled_from(["examplebucket.s3.amazonaws.com", "127.0.0.1:9000", "minio.example:8080"]),
        "path": keys.map(lambda key: "/bucket/" + key),
        "query": queries,
        "headers": headers.map(lambda pairs: list(pairs.items())),
        "payload_hash": st.sampled_from([EMPTY, "UNSIGNED-PAYLOAD", "a" * 64]),
        "access_key_id": st.just("AKIAIOSFODNN7EXAMPLE"),
        "secret_access_key": st.text("abcdefXYZ0123/+=", min_size=8, max_size=40),
        "session_token": st.sampled_from(["", "FwoGZXIvYXdzEA//token+with=signs"]),
        "region": st.sampled_from(["us-east-1", "eu-central-1", "auto"]),
        "service": st.just("s3"),
        "time": st.integers(min_value=946684800, max_value=4102444799),
    }
)


def botocore_request(request: dict[str, Any]) -> tuple[AWSRequest, Credentials]:
    aws = AWSRequest(
        method=request["method"],
        url=f"http://{request['host']}{quote(request['path'], safe='/-_.~')}",
        headers=dict(request["headers"]),
        params=request["query"],
    )
    token = request["session_token"] or None
    return aws, Credentials(request["access_key_id"], request["secret_access_key"], token)


def at_time(request: dict[str, Any]) -> Any:
    moment = datetime.datetime.fromtimestamp(request["time"], datetime.timezone.utc).replace(tzinfo=None)
    return mock.patch.object(auth_module, "get_current_datetime", lambda *_args, **_kwargs: moment)


@settings(deadline=None)
@given(request=requests)
def test_signs_as_botocore_does(tool: Sigv4Tool, request: dict[str, Any]) -> None:
    aws, credentials = botocore_request(request)
    auth = auth_module.S3SigV4Auth(credentials, "s3", request["region"])
    with at_time(request), mock.patch.object(auth, "payload", lambda _request: request["payload_hash"]):
        auth.add_auth(aws)
        del aws.headers["Authorization"]
        canonical = auth.canonical_request(aws)
        to_sign = auth.string_to_sign(aws, canonical)
        aws, _ = botocore_request(request)
        auth.add_auth(aws)

    ours = tool(request)
    assert ours["canonical_request"] == canonical
    assert ours["string_to_sign"] == to_sign
    assert ours["authorization"] == aws.headers["Authorization"]
    # What goes on the wire is what was signed.
    path, _, query = ours["path_and_query"].partition("?")
    assert canonical.split("\n")[1:3] == [path, query]


@settings(deadline=None)
@given(request=requests, expires=st.integers(min_value=1, max_value=604800))
def test_presigns_as_botocore_does(tool: Sigv4Tool, request: dict[str, Any], expires: int) -> None:
    # botocore reads the query of a URL that is to be presigned into a dict, so its names must differ.
    request = {**request, "headers": [], "query": list(dict(request["query"]).items())}
    aws, credentials = botocore_request(request)
    auth = auth_module.S3SigV4QueryAuth(credentials, "s3", request["region"], expires=expires)
    with at_time(request):
        auth.add_auth(aws)

    ours = tool({**request, "expires": expires})["presigned"]
    theirs = urlsplit(aws.url)
    assert ours.partition("?")[0] == theirs.path
    assert parse_qs(urlsplit(ours).query, keep_blank_values=True) == parse_qs(
        theirs.query, keep_blank_values=True
    )
