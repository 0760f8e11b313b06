"""`bucketline index` at scale: going on after a kill, refreshing, inventories, differences, synthetic manifests."""

from __future__ import annotations

import gzip
import hashlib
import json
import signal
from pathlib import Path
from typing import Any

import pytest
import servers
from conftest import DEADLINE_SECONDS, Command, Endpoint, wait_until
from gate import gated

OBJECTS = 8000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of buckets; "many" holds so many small objects."""
    root = tmp_path_factory.mktemp("buckets")
    for number in range(OBJECTS):
        path = root / "many" / f"{number % 10}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def summary(command: Command, *words: Any) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(command.done(*words, "--json").out.splitlines()[-1])
    return figures


def test_a_killed_listing_goes_on(bucketline: Command, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "many.manifest"
    state = tmp_path / "many.manifest.partial"
    with servers.serve(bucketline.binary, folder) as endpoint:
        served = Endpoint(endpoint.url, endpoint.access_key_id, endpoint.secret_access_key)
        with gated(served, lambda method, path: "list-type" in path, 6) as gate:  # all takes 8 or more
            process = bucketline.with_environment(gate.endpoint.environment()).start(
                "index", "s3://many/", "-o", output
            )
            gate.closed()
            page = 10_000  # bytes, or less
            wait_until(lambda: state.exists() and state.stat().st_size > page, "a page")
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=DEADLINE_SECONDS)
        assert not output.exists()
        command = bucketline.with_environment(served.environment())
        resumed = summary(command, "index", "s3://many/", "-o", output, "--resume")
        assert resumed["records"] == OBJECTS
        assert len(resumed["notes"]) == 1
        assert "objects were listed before" in resumed["notes"][0]
        assert not state.exists()
        anew = summary(command, "index", "s3://many/", "-o", tmp_path / "anew.manifest")
        assert anew["notes"] == []
        assert anew["fingerprint"] == resumed["fingerprint"]
    assert bucketline.done("diff", output, tmp_path / "anew.manifest").out == (
        f"0 added, 0 removed, 0 changed, {OBJECTS} the same\n"
    )


def test_the_state_of_another_listing_is_refused(bucketline: Command, folder: Path, tmp_path: Path) -> None:
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").write_bytes(b"x")
    state = tmp_path / "state"
    # The output's folder is missing, so that the state is left behind.
    failed = bucketline.run(
        "index", tmp_path / "1", "-o", tmp_path / "1" / "a.jpg" / "x.manifest", "--state", state
    )
    assert failed.code == 1
    assert state.exists()
    refused = bucketline.run(
        "index", tmp_path / "2", "-o", tmp_path / "x.manifest", "--state", state, "--resume"
    )
    assert refused.code == 1
    assert "state of another listing" in refused.err


def test_what_changed(bucketline: Command, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("2024-01.jpg", "2024-02.jpg"):
        (data / name).write_bytes(b"x")
    summary(bucketline, "index", data, "-o", tmp_path / "old.manifest")
    (data / "2024-03.jpg").write_bytes(b"new")
    new = summary(
        bucketline, "index", data, "-o", tmp_path / "new.manifest", "--since", tmp_path / "old.manifest"
    )
    assert new["records"] == 3
    assert "only keys after" in new["notes"][0]
    (data / "2024-01.jpg").unlink()
    (data / "2024-02.jpg").write_bytes(b"changed")
    newer = summary(
        bucketline, "index", data, "-o", tmp_path / "newer.manifest", "--since", tmp_path / "new.manifest"
    )
    assert newer["records"] == 2
    assert "all is listed" in newer["notes"][0]
    lines = bucketline.done("diff", tmp_path / "old.manifest", tmp_path / "newer.manifest").out.splitlines()
    prefix = str(data).lstrip("/")
    assert [line.replace(prefix + "/", "") for line in lines] == [
        "- 2024-01.jpg",
        "~ 2024-02.jpg",
        "+ 2024-03.jpg",
        "1 added, 1 removed, 1 changed, 0 the same",
    ]
    counted = summary(bucketline, "diff", tmp_path / "old.manifest", tmp_path / "newer.manifest", "--count")
    assert counted == {"added": 1, "removed": 1, "changed": 1, "same": 0}


def test_an_inventory_in_place_of_a_listing(
    on_versitygw: Command, versitygw: Endpoint, tmp_path: Path
) -> None:
    bucket = versitygw.new_bucket()
    client = versitygw.client()
    for name in ("p/a.jpg", "p/b c+d.jpg", "q/e.jpg"):
        client.put_object(Bucket=bucket, Key=name, Body=name.encode())
    lines = []
    for entry in client.list_objects_v2(Bucket=bucket)["Contents"]:
        key = entry["Key"].replace("+", "%2B").replace(" ", "+")
        lines.append(f'"{bucket}","{key}","{entry["Size"]}",{entry["ETag"]}\n')
    packed = gzip.compress("".join(lines).encode())
    client.put_object(Bucket=bucket, Key="inventory/data/1.csv.gz", Body=packed)
    manifest = {
        "sourceBucket": bucket,
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, ETag",
        "creationTimestamp": "1514944800000",
        "files": [{"key": "inventory/data/1.csv.gz", "MD5checksum": hashlib.md5(packed).hexdigest()}],
    }
    client.put_object(Bucket=bucket, Key="inventory/manifest.json", Body=json.dumps(manifest).encode())
    inventory = ("--inventory", f"s3://{bucket}/inventory/manifest.json")
    found = summary(
        on_versitygw, "index", f"s3://{bucket}/p/", "-o", tmp_path / "from-inventory.manifest", *inventory
    )
    assert found["records"] == 2
    assert "nothing was listed" in found["notes"][0]
    summary(on_versitygw, "index", f"s3://{bucket}/p/", "-o", tmp_path / "listed.manifest")
    same = summary(
        on_versitygw, "diff", tmp_path / "from-inventory.manifest", tmp_path / "listed.manifest", "--count"
    )
    assert same == {"added": 0, "removed": 0, "changed": 0, "same": 2}
    # Its ETags are those that reads are pinned to.
    on_versitygw.done("get", tmp_path / "from-inventory.manifest", "--to", tmp_path / "out")
    assert (tmp_path / "out" / "b c+d.jpg").read_bytes() == b"p/b c+d.jpg"


def test_synthetic_manifests_are_small_and_open_at_once(bucketline: Command, tmp_path: Path) -> None:
    output = tmp_path / "synthetic.manifest"
    figures = summary(bucketline, "index", "--synthetic", 200_000, "--output", output)
    assert figures["records"] == 200_000
    assert figures["bytes_per_record"] == pytest.approx(output.stat().st_size / 200_000)
    assert figures["bytes_per_record"] <= 48
    assert figures["open_seconds"] < 10
    again = summary(bucketline, "index", "--synthetic", 200_000, "--output", tmp_path / "again.manifest")
    assert again["fingerprint"] == figures["fingerprint"]
    for words in ((), ("--synthetic", 0), ("--synthetic", 5, "s3://bucket/")):
        assert bucketline.run("index", *words, "-o", output).code == 2


def test_what_cannot_be_resumed_says_so(bucketline: Command, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    elsewhere = bucketline.run("index", tmp_path, "-o", "s3://bucket/x.manifest", "--resume")
    assert elsewhere.code == 1
    assert "--state" in elsewhere.err
    shard = bucketline.run("index", tmp_path / "x.tar", "-o", tmp_path / "x.manifest", "--resume")
    assert shard.code == 1
    assert "only the listing of one prefix" in shard.err
