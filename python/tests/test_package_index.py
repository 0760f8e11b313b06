"""bl.index and bl.diff: what `bucketline index` and `diff` do, in Python, and how far a listing says that it is."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import Command, Endpoint
from scripted_bucket import ManyKeys, serve

import bucketline as bl

COUNT = 200_000
TRIES = 8  # in some orders of the answers a listing so short never knows how far it is


@pytest.fixture(scope="module")
def many() -> Iterator[ManyKeys]:
    draw = Random(1)
    bucket = ManyKeys({}, keys=sorted(f"p/img_{draw.getrandbits(64):016x}.jpg" for _ in range(COUNT)))
    with serve(bucket):
        yield bucket


@pytest.fixture
def reached_many(many: ManyKeys, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in many.environment().items():
        monkeypatch.setenv(name, value)
    return "s3://many/p/"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    for i, name in enumerate(("cat/1.jpg", "dog/2.jpg", "dog/3.jpg")):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(b"x" * (i + 1))
    return data


def test_it_is_the_commands_index(folder: Path, tmp_path: Path, bucketline: Command) -> None:
    report = bl.index(folder, tmp_path / "ours.manifest", labels="folder")
    words = ("index", folder, "-o", tmp_path / "theirs.manifest", "--labels", "folder", "--json")
    theirs = json.loads(bucketline.done(*words).out)
    assert (report.records, report.bytes, report.classes) == (3, 6, ["cat", "dog"])
    assert f"{report.fingerprint:016x}" == theirs["fingerprint"]
    assert report.notes == theirs["notes"] == []
    assert (tmp_path / "ours.manifest").read_bytes() == (tmp_path / "theirs.manifest").read_bytes()
    opened = bl.Dataset(report.manifest)
    assert list(map(int, opened.labels if opened.labels is not None else [])) == [0, 1, 1]
    assert opened.fingerprint == report.fingerprint
    assert not list(tmp_path.glob("*.partial"))


def test_progress_estimates_what_is_left(reached_many: str, tmp_path: Path) -> None:
    for _ in range(TRIES):
        told: list[bl.ListingProgress] = []
        report = bl.index(reached_many, tmp_path / "x.manifest", progress=told.append)
        assert report.records == COUNT
        assert [now.objects for now in told] == sorted(now.objects for now in told)
        assert (told[-1].objects, told[-1].left, told[-1].seconds_left) == (COUNT, 0, 0)
        estimated = [now for now in told[:-1] if now.left is not None]
        for now in estimated:
            assert now.left is not None and now.seconds_left is not None
            assert 0.75 * COUNT <= now.objects + now.left <= 1.3 * COUNT
            assert now.seconds_left == pytest.approx(now.left / now.per_second)
        if estimated:
            return
    raise AssertionError("the listings were told of, and never what is left")


def test_the_commands_line_estimates_what_is_left(
    many: ManyKeys, bucketline: Command, tmp_path: Path
) -> None:
    """On a terminal."""
    command = bucketline.with_environment(many.environment())
    words = [str(command.binary), "index", "s3://many/p/", "-o", str(tmp_path / "x.manifest")]
    for _ in range(TRIES):
        lines = on_a_terminal(words, command.full_environment()).split("\r\x1b[K")
        estimated = [line for line in lines if "% listed" in line]
        assert all(line.startswith("listing s3://many/p/: ") and "/s, about " in line for line in estimated)
        if estimated:
            return
    raise AssertionError(f"no line tells what is left: {lines}")


def on_a_terminal(words: list[str], environment: dict[str, str]) -> str:
    parent, child = os.openpty()
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=child)
    os.close(child)
    shown = b""
    try:
        while data := os.read(parent, 65536):
            shown += data
    except OSError:  # how a terminal says that the other end is closed
        pass
    finally:
        os.close(parent)
    assert process.wait(60) == 0
    return shown.decode()


KILLED = """
import sys, bucketline as bl
bl.index(sys.argv[1], sys.argv[2], progress=lambda now: print(now.objects, flush=True))
"""


def test_a_killed_index_goes_on(reached_many: str, tmp_path: Path) -> None:
    output, state = tmp_path / "x.manifest", tmp_path / "x.manifest.partial"
    words = [sys.executable, "-c", KILLED, reached_many, str(output)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and int(process.stdout.readline()) > 0
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    process.stdout.close()
    assert not output.exists() and state.exists()
    report = bl.index(reached_many, output, resume=True)
    assert report.records == COUNT and "objects were listed before" in report.notes[0]
    assert not state.exists()
    assert bl.index(reached_many, tmp_path / "anew.manifest").fingerprint == report.fingerprint


def test_what_progress_raises_keeps_what_was_listed(reached_many: str, tmp_path: Path) -> None:
    state = tmp_path / "kept"

    def refuse(now: bl.ListingProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bl.index(reached_many, tmp_path / "x.manifest", state=state, progress=refuse)
    assert state.exists()
    with pytest.raises(bl.InvalidArgumentError, match="state of another listing"):
        bl.index(reached_many + "img_1", tmp_path / "x.manifest", state=state, resume=True)
    begun_anew = bl.index(reached_many, tmp_path / "x.manifest", state=state)
    assert begun_anew.notes == [] and not state.exists()


def test_new_keys_only_and_what_changed(folder: Path, tmp_path: Path) -> None:
    old = bl.index(folder, tmp_path / "old.manifest")
    (folder / "dog" / "4.jpg").write_bytes(b"new")
    new = bl.index(folder, tmp_path / "new.manifest", since=old.manifest)
    assert new.records == 4 and "only keys after" in new.notes[0]
    (folder / "cat" / "1.jpg").unlink()
    (folder / "dog" / "2.jpg").write_bytes(b"changed")
    newer = bl.index(folder, tmp_path / "newer.manifest", since=tmp_path / "new.manifest")
    assert newer.records == 3 and "all is listed" in newer.notes[0]
    found = bl.diff(old.manifest, tmp_path / "newer.manifest")
    assert (found.added, found.removed, found.changed, found.same) == (1, 1, 1, 1)
    key = str(folder).lstrip("/")
    expected = [("removed", "cat/1.jpg"), ("changed", "dog/2.jpg"), ("added", "dog/4.jpg")]
    assert found.changes == [(what, f"{key}/{name}") for what, name in expected]
    counted = bl.diff(old.manifest, newer.manifest, keys=False)
    assert (counted.added, counted.removed, counted.changed, counted.same) == (1, 1, 1, 1)
    assert counted.changes == []


def test_an_inventory_and_a_manifest_in_the_bucket(reached: Endpoint) -> None:
    bucket = reached.new_bucket()
    client = reached.client()
    client.put_object(Bucket=bucket, Key="p/a.jpg", Body=b"a")
    (entry,) = client.list_objects_v2(Bucket=bucket)["Contents"]
    line = f'"{bucket}","{entry["Key"]}","1",{entry["ETag"]}\n'
    client.put_object(Bucket=bucket, Key="inventory/1.csv.gz", Body=gzip.compress(line.encode()))
    about = {
        "sourceBucket": bucket,
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, ETag",
        "creationTimestamp": "1514944800000",
        "files": [{"key": "inventory/1.csv.gz"}],
    }
    client.put_object(Bucket=bucket, Key="inventory/manifest.json", Body=json.dumps(about).encode())
    place = f"s3://{bucket}/"
    report = bl.index(place + "p/", place + "x.manifest", inventory=place + "inventory/manifest.json")
    assert report.records == 1 and "nothing was listed" in report.notes[0]
    listed = bl.index(place + "p/", place + "y.manifest")
    assert listed.notes == [] and listed.fingerprint == report.fingerprint
    assert bl.diff(report.manifest, listed.manifest).same == 1
    with pytest.raises(bl.InvalidArgumentError, match="local file; name one with --state or state="):
        bl.index(place + "p/", place + "z.manifest", resume=True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"inventory": "s3://b/manifest.json", "resume": True}, "give no resume and no since"),
        ({"inventory": "s3://b/manifest.json", "since": "x.manifest"}, "give no resume and no since"),
        ({"resume": 1}, "resume must be True or False"),
        ({"progress": "yes"}, "progress must be True, False or something to call"),
    ],
)
def test_wrong_options_are_named(folder: Path, tmp_path: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        bl.index(folder, tmp_path / "x.manifest", **options)


def test_what_cannot_be_indexed_says_so(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(bl.InvalidArgumentError, match="ends in .manifest"):
        bl.index(folder, tmp_path / "x")
    with pytest.raises(bl.InvalidArgumentError, match="index each part"):
        bl.index({"image": folder, "mask": folder}, tmp_path / "x.manifest")
    with pytest.raises(bl.UnsupportedError, match="only the listing of one prefix"):
        bl.index([folder / "cat", folder / "dog"], tmp_path / "x.manifest", resume=True)
    with pytest.raises(bl.UnsupportedError, match="of one prefix"):
        bl.index(tmp_path / "x.tar", tmp_path / "x.manifest", resume=True)
    with pytest.raises(bl.NotFoundError):
        bl.index(folder, tmp_path / "x.manifest", since=tmp_path / "no.manifest")
    with pytest.raises(bl.NotFoundError):
        bl.diff(tmp_path / "no.manifest", tmp_path / "no.manifest")
    (tmp_path / "bad.manifest").write_bytes(b"x" * 100)
    with pytest.raises(bl.CorruptDataError):
        bl.diff(tmp_path / "bad.manifest", tmp_path / "bad.manifest")
    with pytest.raises(TypeError, match="did you mean 'labels'"):
        bl.index(folder, tmp_path / "x.manifest", label="folder")
    with pytest.raises(TypeError, match="diff got an unexpected keyword argument"):
        bl.diff("a", "b", labels="folder")  # type: ignore[call-arg]
