"""bl.Writer: many objects written behind the caller's back."""

from __future__ import annotations

import gc
import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Endpoint, wait_until

import bucketline as bl


def keys_below(url: str) -> list[str]:
    return [each.uri.removeprefix(url) for each in bl.list(url)]


def test_what_was_put_is_there_after_close(bucket_url: str) -> None:
    names = [f"{i:03}.bin" for i in range(300)]
    with bl.Writer(bucket_url + "out") as writer:
        for i, name in enumerate(names):
            assert writer.put(name, bytes([i % 256]) * 100)
    assert keys_below(bucket_url + "out/") == names and writer.written == 300
    assert bl.get(bucket_url + "out/007.bin") == b"\x07" * 100
    assert "300 written, closed" in repr(writer)


def test_the_callers_memory_is_free_again_at_once(bucket_url: str) -> None:
    row = np.zeros(1000, np.uint8)
    with bl.Writer(bucket_url) as writer:
        for i in range(100):
            row[:] = i
            writer.put(f"{i:03}", row)
    assert all(set(bl.get(f"{bucket_url}{i:03}")) == {i} for i in range(100))


def test_flush_waits_for_all(bucket_url: str) -> None:
    writer = bl.Writer(bucket_url, parallel=2)
    for i in range(20):
        writer.put(str(i), b"x")
    writer.flush()
    assert writer.written == 20 and len(keys_below(bucket_url)) == 20
    writer.put("more", b"x")
    writer.close()
    writer.close()
    assert len(keys_below(bucket_url)) == 21
    with pytest.raises(ValueError, match="closed"):
        writer.put("late", b"x")
    with pytest.raises(ValueError, match="closed"):
        writer.flush()


def test_memory_is_bounded(bucket_url: str) -> None:
    data = np.random.default_rng(0).bytes(1 << 20)
    with bl.Writer(bucket_url, memory="8MiB", parallel=8) as writer:
        for i in range(40):
            writer.put(f"{i:02}", data)
    assert len(keys_below(bucket_url)) == 40
    assert (2 << 20) <= writer._core.memory_peak <= (8 << 20)


def test_an_object_that_could_never_fit_says_what_it_needs(bucket_url: str) -> None:
    with bl.Writer(bucket_url, memory="1MiB") as writer:
        with pytest.raises(bl.ResourceExhaustedError, match="2000000 bytes on its way.*1048576") as raised:
            writer.put("large", bytes(1_000_000))
        assert raised.value.uri == bucket_url + "large"
        writer.put("small", b"x")
    assert keys_below(bucket_url) == ["small"]


def test_large_objects_go_in_parts(bucket_url: str) -> None:
    data = np.random.default_rng(0).bytes(20_000_000)
    with bl.Writer(bucket_url) as writer:
        writer.put("large", data)
    assert bl.get(bucket_url + "large") == data


def test_a_failure_names_its_object_at_the_next_call(bucket_url: str) -> None:
    bl.put(bucket_url + "taken", b"old")
    writer = bl.Writer(bucket_url, if_absent=True)
    writer.put("free", b"new")
    writer.put("taken", b"new")
    with pytest.raises(bl.AlreadyExistsError) as raised:
        writer.flush()
    assert raised.value.uri == bucket_url + "taken"
    assert list(writer.failures) == ["taken"] and bl.get(bucket_url + "free") == b"new"
    writer.close()
    assert bl.get(bucket_url + "taken") == b"old"


def test_each_failure_is_raised_once_by_put_flush_or_close(bucket_url: str) -> None:
    for name in "abc":
        bl.put(bucket_url + name, b"old")
    writer = bl.Writer(bucket_url, if_absent=True)
    writer.put("a", b"new")
    wait_until(lambda: "a" in writer.failures, "the failure")
    with pytest.raises(bl.AlreadyExistsError, match="/a:"):
        writer.put("d", b"new")
    writer.put("b", b"new")
    with pytest.raises(bl.AlreadyExistsError, match="/b:"):
        writer.flush()
    writer.put("c", b"new")
    with pytest.raises(bl.AlreadyExistsError, match="/c:"):
        writer.close()
    assert list(writer.failures) == ["a", "b", "c"]
    assert not bl.exists(bucket_url + "d"), "what raised took nothing"


def test_a_missing_bucket_is_raised_by_close(reached: Endpoint) -> None:
    with pytest.raises(bl.NotFoundError, match="bucket"), bl.Writer("s3://no-such-bucket-here/") as writer:
        writer.put("k", b"x")


def test_an_exception_finishes_what_was_put_and_is_the_one_raised(
    bucket_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    bl.put(bucket_url + "taken", b"old")
    with pytest.raises(ZeroDivisionError), bl.Writer(bucket_url, if_absent=True) as writer:
        writer.put("before", b"x")
        writer.put("taken", b"x")
        raise ZeroDivisionError
    assert bl.exists(bucket_url + "before")
    with pytest.raises(ValueError, match="closed"):
        writer.put("after", b"x")
    assert [record.name for record in caplog.records] == ["bucketline"]
    assert caplog.records[0].levelno == logging.ERROR and bucket_url + "taken" in caplog.text


def test_skip_existing_leaves_what_is_there(bucket_url: str) -> None:
    for name in ("a", "sub/b"):
        bl.put(bucket_url + "out/" + name, b"old")
    with bl.Writer(bucket_url + "out/") as writer:
        assert writer.skip_existing() == {"a", "sub/b"}
        assert not writer.put("a", b"new") and not writer.put("sub/b", b"new") and writer.put("c", b"new")
    assert [bl.get(bucket_url + "out/" + name) for name in ("a", "sub/b", "c")] == [b"old", b"old", b"new"]


def test_files_are_written_too(tmp_path: Path) -> None:
    with bl.Writer(tmp_path / "out") as writer:
        assert writer.skip_existing() == frozenset()
        writer.put("deep/er/a", b"x")
    assert (tmp_path / "out/deep/er/a").read_bytes() == b"x"
    with bl.Writer(tmp_path / "out") as writer:
        assert writer.skip_existing() == {"deep/er/a"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"memory": "much"}, "memory must be"),
        ({"parallel": 0}, "parallel must be"),
        ({"if_absent": 1}, "if_absent must be"),
        ({"content_type": 3}, "content_type must be"),
        ({"parallel": 2.5}, "parallel must be"),
    ],
)
def test_options_that_do_not_fit_are_named(options: Any, says: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        bl.Writer("s3://bucket/", **options)


@pytest.mark.parametrize("key", ["", None, 3])
def test_a_key_that_is_none_is_named(bucket_url: str, key: Any) -> None:
    with bl.Writer(bucket_url) as writer, pytest.raises(TypeError, match="a key must be a text"):
        writer.put(key, b"x")


def test_a_text_is_not_bytes(bucket_url: str) -> None:
    with bl.Writer(bucket_url) as writer, pytest.raises(TypeError, match="encode it"):
        writer.put("k", "text")


def test_a_forgotten_writer_leaves_no_thread(bucket_url: str) -> None:
    def threads() -> set[str]:
        found = set()
        for path in Path("/proc/self/task").iterdir():
            with suppress(OSError):  # it has ended
                if (path / "comm").read_text() == "bl-put\n":
                    found.add(path.name)
        return found

    gc.collect()  # writers of tests before, whose threads end when they like
    before = threads()
    writer = bl.Writer(bucket_url, parallel=5)
    writer.put("k", b"x")
    wait_until(lambda: len(threads() - before) == 5, "the beginning of the threads")
    of_writer = threads() - before
    del writer
    gc.collect()
    wait_until(lambda: not threads() & of_writer, "the end of the threads")


def test_others_run_while_put_waits_for_memory(bucket_url: str) -> None:
    ticks = 0
    done = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not done.wait(0.001):
            ticks += 1

    counter = threading.Thread(target=count)
    counter.start()
    with bl.Writer(bucket_url, memory="4MiB", parallel=2) as writer:
        for i in range(30):
            writer.put(str(i), bytes(2 << 20))
    done.set()
    counter.join()
    assert ticks > 5
