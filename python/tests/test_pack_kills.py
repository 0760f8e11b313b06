"""`bucketline pack` killed at random moments, again and again: what comes out is what the undisturbed run writes."""

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

KILLS = int(os.environ.get("BUCKETLINE_SOAK_PACKS", "10"))  # ./run soak packs asks for more
FORMATS = ("tar", "tfrecord", "mds")
COUNT = 160


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of every size that matters: nothing, less than a block, several; 4 MB in all."""
    folder = tmp_path_factory.mktemp("pack") / "images"
    sizes = random.Random(0)
    for i in range(COUNT):
        path = folder / "abc"[i % 3] / f"{i:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sizes.randbytes(sizes.choice((1, 500, 512, 5_000, 30_000, 120_000))))
    return folder


def objects_of(endpoint: Endpoint, bucket: str) -> dict[str, bytes]:
    client = endpoint.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="p/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return {key[2:]: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def without_indexes(objects: dict[str, bytes]) -> dict[str, bytes]:
    """All but what names the bucket."""
    return {name: data for name, data in objects.items() if not name.endswith((".manifest", "pack.json"))}


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def pack_arguments(images: Path, bucket: str, form: str) -> list[str]:
    words = ["pack", str(images), f"s3://{bucket}/p/", "--labels", "folder", "--format", form, "--json"]
    return [*words, "--shard-size", "400KB", "--parallel", "2", "--memory", "80MiB", "--shuffle", "3"]


def test_killed_at_random_it_goes_on_byte_for_byte(
    on_versitygw: Command,
    versitygw: Endpoint,
    images: Path,
    tmp_path: Path,
    figure: Callable[[str], None],
) -> None:
    moments = random.Random(1)
    kills = finished = kept = 0
    whole: dict[str, tuple[dict[str, bytes], float]] = {}
    for form in FORMATS:
        bucket = versitygw.new_bucket()
        outcome = on_versitygw.done(*pack_arguments(images, bucket, form))
        whole[form] = without_indexes(objects_of(versitygw, bucket)), outcome.seconds
        assert json.loads(outcome.out)["records"] == COUNT
    while kills < KILLS or finished < len(FORMATS):
        form = FORMATS[finished % len(FORMATS)]
        objects, seconds = whole[form]
        bucket = versitygw.new_bucket()
        rounds = 0
        while True:
            process = on_versitygw.start(*pack_arguments(images, bucket, form))
            try:
                more = rounds < 4 and kills < KILLS
                out, err = process.communicate(
                    timeout=moments.uniform(0, seconds) if more else DEADLINE_SECONDS
                )
            except subprocess.TimeoutExpired:
                assert more, "it hangs"
                process.kill()
                process.communicate(timeout=DEADLINE_SECONDS)
                kills, rounds = kills + 1, rounds + 1
                for name, data in without_indexes(objects_of(versitygw, bucket)).items():
                    assert data == objects[name], f"{name} after kill {kills}: visible, and not whole"
                continue
            break
        assert process.returncode == 0, err
        report: dict[str, Any] = json.loads(out)
        kept += report["kept_shards"]
        assert report["records"] == COUNT
        assert without_indexes(objects_of(versitygw, bucket)) == objects
        folder = tmp_path / f"{finished}"
        on_versitygw.done("get", f"s3://{bucket}/p/index.manifest", "--to", folder, "--extensions", "")
        assert files_below(folder) == files_below(images)
        finished += 1
    figure(f"{kills} kills, {finished} packs to the end, {kept} shards kept; all bytes the same")
