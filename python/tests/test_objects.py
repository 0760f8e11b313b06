"""bl.get, put, list, delete and exists against a real S3 server, and against files."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Endpoint

import bucketline as bl


@pytest.fixture(params=["s3", "files"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What URIs begin with, of both kinds of stores."""
    if request.param == "files":
        return f"{tmp_path}/"
    url: str = request.getfixturevalue("bucket_url")
    return url


def test_what_was_put_is_got_whole_and_in_parts(base: str) -> None:
    put = bl.put(base + "a/b.bin", b"0123456789")
    assert put.size == 10 and put.uri == base + "a/b.bin" and put.etag
    assert bl.get(base + "a/b.bin") == b"0123456789"
    assert bl.get(base + "a/b.bin", offset=3) == b"3456789"
    assert bl.get(base + "a/b.bin", offset=3, length=2) == b"34"
    assert bl.get(base + "a/b.bin", offset=10) == b""


def test_a_large_object_comes_whole(base: str) -> None:
    data = np.random.default_rng(0).bytes(20_000_000)  # several parts to write, several ranges to read
    bl.put(base + "large", data)
    assert bl.get(base + "large") == data


@pytest.mark.parametrize("data", [b"", bytearray(b"ab"), memoryview(b"abcd")[1:3], np.arange(6.0)])
def test_put_takes_whatever_has_bytes(base: str, data: Any) -> None:
    bl.put(base + "k", data)
    assert bl.get(base + "k") == bytes(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [("text", "encode it: text.encode()"), (3, "not int"), (None, "not NoneType")],
)
def test_put_of_something_else_says_what_to_give(base: str, data: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        bl.put(base + "k", data)
    assert not bl.exists(base + "k")


def test_put_if_absent_leaves_what_is_there(base: str) -> None:
    bl.put(base + "k", b"first", if_absent=True)
    with pytest.raises(bl.AlreadyExistsError) as raised:
        bl.put(base + "k", b"second", if_absent=True)
    assert isinstance(raised.value, FileExistsError) and raised.value.uri == base + "k"
    assert bl.get(base + "k") == b"first"


def test_put_tells_the_content_type(reached: Endpoint, bucket_url: str) -> None:
    bl.put(bucket_url + "k", b"{}", content_type="application/json")
    head = reached.client().head_object(Bucket=bucket_url[5:-1], Key="k")
    assert head["ContentType"] == "application/json"


def test_delete_is_done_once_or_twice(base: str) -> None:
    bl.put(base + "k", b"x")
    assert bl.exists(base + "k")
    bl.delete(base + "k")
    assert not bl.exists(base + "k")
    bl.delete(base + "k")


def test_a_missing_object_is_a_missing_file(base: str) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        bl.get(base + "nothing")
    assert isinstance(raised.value, bl.NotFoundError) and raised.value.uri == base + "nothing"


def test_a_range_beyond_the_end_is_an_error(base: str) -> None:
    bl.put(base + "k", b"abc")
    with pytest.raises(bl.InvalidArgumentError):
        bl.get(base + "k", offset=2, length=5)


def test_list_says_what_is_there(base: str) -> None:
    for key in ("x/2", "x/10", "x/1/deep", "xy", "other"):
        bl.put(base + key, key.encode())
    found = list(bl.list(base + "x/"))
    assert [each.uri for each in found] == [base + key for key in ("x/1/deep", "x/10", "x/2")]
    assert [each.size for each in found] == [8, 4, 3]
    for each in found:
        assert each.uri.endswith(each.key) and not each.is_folder and each.etag
        assert each.last_modified and abs(each.last_modified - datetime.now(timezone.utc)) < timedelta(
            minutes=5
        )
    assert len(list(bl.list(base))) == 5


def test_list_of_one_level_has_folders_in_their_order(base: str) -> None:
    for key in ("a/1", "a/2", "b", "a-", "c/d/e"):
        bl.put(base + key, b"x")
    found = list(bl.list(base, recursive=False))
    assert [each.uri for each in found] == [base + key for key in ("a-", "a/", "b", "c/")]
    assert [each.is_folder for each in found] == [False, True, False, True]
    assert found[1].size == 0 and found[1].last_modified is None


def test_an_empty_prefix_is_an_empty_listing(bucket_url: str) -> None:
    assert list(bl.list(bucket_url)) == []


def test_a_missing_bucket_is_an_error(reached: Endpoint) -> None:
    with pytest.raises(bl.NotFoundError, match="bucket"):
        list(bl.list("s3://no-such-bucket-here/"))


def test_a_listing_goes_on_beyond_a_page_and_no_further_than_needed(bucket_url: str) -> None:
    with bl.Writer(bucket_url) as writer:
        for i in range(2500):
            writer.put(f"{i:05}", b"")
    assert [each.key for each in bl.list(bucket_url)] == [f"{i:05}" for i in range(2500)]
    runtime = bl.Runtime()
    first = list(itertools.islice(bl.list(bucket_url, runtime=runtime), 1000))
    assert first[-1].key == "00999" and runtime.stats()["requests"] == 1


def test_unusual_keys_come_back_as_they_were(bucket_url: str) -> None:
    for key in ("a b", "ü/é", "100%/x", "q?x=1&y#z", "plus+"):
        bl.put(bucket_url + key, key.encode())
        assert bl.get(bucket_url + key) == key.encode()
    assert sorted(each.key for each in bl.list(bucket_url)) == sorted(
        ["a b", "ü/é", "100%/x", "q?x=1&y#z", "plus+"]
    )


CALLS: dict[str, Any] = {
    "get": bl.get,
    "put": lambda uri, **options: bl.put(uri, b"", **options),
    "list": lambda uri, **options: list(bl.list(uri, **options)),
    "delete": bl.delete,
    "exists": bl.exists,
    "open": bl.open,
    "Writer": bl.Writer,
}


@pytest.mark.parametrize("name", CALLS)
def test_an_unknown_keyword_names_the_nearest(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} .*'endpoint_uri'; did you mean 'endpoint_url'"):
        CALLS[name]("s3://bucket/key", endpoint_uri="http://127.0.0.1:1")


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("option", "value"),
    [("endpoint_url", 3), ("region", b"eu"), ("profile", 1), ("anonymous", "no"), ("runtime", "mine")],
)
def test_a_keyword_of_the_wrong_kind_is_named(name: str, option: str, value: Any) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=f"{option} must be"):
        CALLS[name]("s3://bucket/key", **{option: value})


@pytest.mark.parametrize("uri", [3, None, b"s3://bucket/key", ["s3://bucket/key"]])
def test_a_uri_of_the_wrong_kind_is_named(uri: Any) -> None:
    with pytest.raises(bl.InvalidArgumentError, match="a URI must be a text or a path"):
        bl.get(uri)


@pytest.mark.parametrize("uri", ["gs://bucket/key", "s3:///key", "s3://Not A Bucket/key"])
def test_a_malformed_uri_is_named(uri: str) -> None:
    with pytest.raises(bl.InvalidArgumentError):
        bl.get(uri, endpoint_url="http://127.0.0.1:1", anonymous=True)


@pytest.mark.parametrize(
    ("option", "value"), [("offset", -1), ("offset", 1.5), ("length", -1), ("length", "3")]
)
def test_a_range_of_the_wrong_kind_is_named(option: str, value: Any) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=option):
        bl.get("s3://bucket/key", **{option: value})


def test_the_runtime_given_is_the_one_used(bucket_url: str) -> None:
    runtime = bl.Runtime()
    bl.put(bucket_url + "k", b"four", runtime=runtime)
    assert bl.get(bucket_url + "k", runtime=runtime) == b"four"
    assert runtime.stats()["requests"] == 2 and runtime.stats()["bytes_written"] == 4
