"""bl.open: the file objects themselves."""

from __future__ import annotations

import gc
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Endpoint
from hypothesis import given, settings
from hypothesis import strategies as st

import bucketline as bl

DATA = np.random.default_rng(0).bytes(3_000_000)


def keys_of(endpoint: Endpoint, bucket_url: str) -> list[str]:
    return [each.key for each in bl.list(bucket_url)]


def test_a_file_is_read_as_python_reads_files(bucket_url: str) -> None:
    bl.put(bucket_url + "k", DATA)
    with bl.open(bucket_url + "k") as file:
        assert isinstance(file, io.BufferedReader) and file.readable() and file.seekable()
        assert not file.writable() and file.mode == "rb" and file.name == bucket_url + "k"
        assert file.read(10) == DATA[:10] and file.tell() == 10
        assert file.seek(-5, io.SEEK_END) == len(DATA) - 5 and file.read() == DATA[-5:]
        assert file.read() == b"" and file.read(1) == b""
        assert file.seek(100) == 100 and file.seek(50, io.SEEK_CUR) == 150
        assert file.peek(4)[:4] == DATA[150:154]
        target = bytearray(500_000)
        assert file.readinto(target) == 500_000 and target == DATA[150:500_150]
        file.seek(len(DATA) + 10)
        assert file.read(3) == b"" and file.tell() == len(DATA) + 10
        file.seek(0)
        assert file.read() == DATA
        with pytest.raises(OSError):
            file.fileno()
        with pytest.raises(io.UnsupportedOperation):
            file.write(b"x")
    with pytest.raises(ValueError, match="closed file"):
        file.read(1)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["read", "seek", "skip"]), st.integers(0, 1_200_000)), max_size=12
    )
)
def test_any_reads_and_seeks_give_what_a_local_file_gives(
    opened: tuple[Any, io.BytesIO], steps: list[tuple[str, int]]
) -> None:
    file, model = opened
    for what, number in steps:
        if what == "read":
            assert file.read(number) == model.read(number)
        else:
            whence = io.SEEK_SET if what == "seek" else io.SEEK_CUR
            assert file.seek(number, whence) == model.seek(number, whence)
        assert file.tell() == model.tell()


@pytest.fixture(scope="module")
def opened(versitygw: Endpoint) -> Any:
    bucket = versitygw.new_bucket()
    versitygw.client().put_object(Bucket=bucket, Key="k", Body=DATA)
    with versitygw.reached(), bl.open(f"s3://{bucket}/k") as file:
        yield file, io.BytesIO(DATA)


def test_reading_on_asks_for_more_at_a_time(bucket_url: str) -> None:
    bl.put(bucket_url + "k", DATA)
    runtime = bl.Runtime()
    with bl.open(bucket_url + "k", runtime=runtime) as file:
        while file.read(10_000):
            pass
    # HEAD, then windows that double from 256 KiB: 0.5, 1 and 2 MiB hold 3 MB.
    assert runtime.stats()["requests"] <= 5


def test_jumping_about_reads_little(bucket_url: str) -> None:
    bl.put(bucket_url + "k", DATA)
    runtime = bl.Runtime()
    with bl.open(bucket_url + "k", runtime=runtime) as file:
        for at in (2_500_000, 0, 1_500_000):
            file.seek(at)
            assert file.read(10) == DATA[at : at + 10]
    assert runtime.stats()["bytes_read"] <= 3 * (512 << 10)


def test_an_object_that_changes_is_an_error_and_not_a_mixture(bucket_url: str) -> None:
    bl.put(bucket_url + "k", DATA)
    with bl.open(bucket_url + "k") as file:
        assert file.read(10) == DATA[:10]
        bl.put(bucket_url + "k", DATA[::-1])
        with pytest.raises(bl.ObjectChangedError) as raised:
            file.read()
        assert raised.value.uri == bucket_url + "k"


def test_an_object_that_is_gone_is_an_error(bucket_url: str) -> None:
    bl.put(bucket_url + "k", DATA)
    with bl.open(bucket_url + "k") as file:
        bl.delete(bucket_url + "k")
        with pytest.raises(bl.NotFoundError):
            file.read()


def test_a_missing_object_is_an_error_at_once(bucket_url: str) -> None:
    with pytest.raises(FileNotFoundError):
        bl.open(bucket_url + "nothing")


def test_an_object_appears_when_its_file_is_closed(reached: Endpoint, bucket_url: str) -> None:
    file = bl.open(bucket_url + "k", "wb", content_type="text/plain")
    assert file.writable() and not file.seekable() and not file.readable()
    assert file.write(b"ab") == 2 and file.write(memoryview(b"cd")) == 2 and file.tell() == 4
    file.flush()
    assert keys_of(reached, bucket_url) == []
    file.close()
    file.close()
    assert bl.get(bucket_url + "k") == b"abcd"
    head = reached.client().head_object(Bucket=bucket_url[5:-1], Key="k")
    assert head["ContentType"] == "text/plain"
    with pytest.raises(ValueError, match="closed"):
        file.write(b"x")


@pytest.mark.parametrize("size", [3, 30_000_000])  # still buffered; parts are under way
@pytest.mark.parametrize("mode", ["wb", "w"])
def test_an_exception_leaves_no_object(reached: Endpoint, bucket_url: str, size: int, mode: str) -> None:
    bl.put(bucket_url + "k", b"old")
    with pytest.raises(ZeroDivisionError), bl.open(bucket_url + "k", mode) as file:
        file.write("x" * size if mode == "w" else b"x" * size)
        raise ZeroDivisionError
    assert file.closed and bl.get(bucket_url + "k") == b"old"
    client = reached.client()
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket_url[5:-1])


@pytest.mark.parametrize("mode", ["wb", "w"])
def test_a_forgotten_file_leaves_no_object(reached: Endpoint, bucket_url: str, mode: str) -> None:
    file = bl.open(bucket_url + "k", mode)
    file.write("half" if mode == "w" else b"half")
    del file
    gc.collect()
    assert keys_of(reached, bucket_url) == []


def test_abort_closes_without_an_object(reached: Endpoint, bucket_url: str) -> None:
    file = bl.open(bucket_url + "k", "wb")
    file.write(b"x")
    file.abort()
    assert file.closed and keys_of(reached, bucket_url) == []


def test_a_large_object_is_written_in_parts(bucket_url: str) -> None:
    with bl.open(bucket_url + "k", "wb") as file:
        for _ in range(7):
            file.write(DATA)
    assert bl.get(bucket_url + "k") == DATA * 7


@pytest.mark.parametrize("mode", ["xb", "x"])
def test_mode_x_leaves_what_is_there(bucket_url: str, mode: str) -> None:
    bl.put(bucket_url + "k", b"old")
    file = bl.open(bucket_url + "k", mode)
    file.write("new" if mode == "x" else b"new")
    with pytest.raises(FileExistsError):
        file.close()
    assert bl.get(bucket_url + "k") == b"old"


def test_texts_are_utf8_unless_told_otherwise(bucket_url: str) -> None:
    with bl.open(bucket_url + "k", "w") as file:
        file.write("Zürich\n")
    assert bl.get(bucket_url + "k") == "Zürich\n".encode()
    assert bl.open(bucket_url + "k", "r").read() == "Zürich\n"
    with bl.open(bucket_url + "k", "wt", encoding="latin-1", newline="\r\n") as file:
        file.write("Zürich\nBern\n")
    assert bl.get(bucket_url + "k") == "Zürich\r\nBern\r\n".encode("latin-1")
    assert list(bl.open(bucket_url + "k", "rt", encoding="latin-1")) == ["Zürich\n", "Bern\n"]
    with pytest.raises(UnicodeDecodeError):
        bl.open(bucket_url + "k", "r").read()
    assert "Z" in bl.open(bucket_url + "k", "r", errors="replace").read()


def test_json_goes_and_comes(bucket_url: str) -> None:
    with bl.open(bucket_url + "k.json", "w") as file:
        json.dump({"a": [1, 2.5, "ü"]}, file)
    with bl.open(bucket_url + "k.json", "r") as file:
        assert json.load(file) == {"a": [1, 2.5, "ü"]}


def test_an_empty_object_is_an_empty_file(bucket_url: str) -> None:
    with bl.open(bucket_url + "k", "wb"):
        pass
    with bl.open(bucket_url + "k") as file:
        assert file.read(1) == b"" and file.read() == b"" and file.seek(0, io.SEEK_END) == 0


def test_files_on_disk_are_opened_too(tmp_path: Path) -> None:
    with bl.open(tmp_path / "new/k.txt", "w") as file:
        file.write("text")
        assert not (tmp_path / "new/k.txt").exists()
    assert (tmp_path / "new/k.txt").read_text() == bl.open(tmp_path / "new/k.txt", "r").read() == "text"
    with pytest.raises(ZeroDivisionError), bl.open(tmp_path / "half", "wb") as file:
        raise ZeroDivisionError
    assert not (tmp_path / "half").exists()


@pytest.mark.parametrize(
    ("mode", "options", "says"),
    [
        ("a", {}, "mode must be one of"),
        ("r+b", {}, "mode must be one of"),
        (None, {}, "mode must be one of"),
        ("rb", {"encoding": "utf-8"}, "encoding is for texts"),
        ("wb", {"newline": ""}, "newline is for texts"),
        ("rb", {"content_type": "text/plain"}, "content_type is for writing"),
        ("wb", {"content_type": 3}, "content_type must be"),
    ],
)
def test_modes_and_options_that_do_not_fit_are_named(mode: Any, options: Any, says: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        bl.open("s3://bucket/key", mode, anonymous=True, **options)
