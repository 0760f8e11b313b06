"""The command against a real S3 server: listing, manifests, reading, writing, measuring, stopping."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint, wait_until, waits_for
from images import jpeg, labelled_objects, put_all
from PIL import Image

MANY = 2500


@pytest.fixture(scope="module")
def many(versitygw: Endpoint) -> str:
    """More keys than two pages."""
    bucket = versitygw.new_bucket()
    client = versitygw.client()
    body = jpeg(1)
    with ThreadPoolExecutor(8) as pool:
        for future in [
            pool.submit(client.put_object, Bucket=bucket, Key=f"images/{i:05}.jpg", Body=body)
            for i in range(MANY)
        ]:
            future.result()
    return bucket


@pytest.fixture(scope="module")
def images(versitygw: Endpoint) -> str:
    bucket = versitygw.new_bucket()
    put_all(versitygw, bucket, "images/", labelled_objects(24))
    return bucket


def test_ls_goes_beyond_a_page(on_versitygw: Command, many: str) -> None:
    lines = on_versitygw.done("ls", f"s3://{many}/images/", "--json").out.splitlines()
    keys = [json.loads(line)["key"] for line in lines[:-1]]
    assert keys == [f"images/{i:05}.jpg" for i in range(MANY)]
    assert json.loads(lines[-1])["objects"] == MANY
    assert f"{MANY} objects" in on_versitygw.done("ls", f"s3://{many}/", "--count").out


def test_ls_folders(on_versitygw: Command, images: str) -> None:
    lines = on_versitygw.done("ls", f"s3://{images}/images/", "--folders", "--json").out.splitlines()
    assert [json.loads(line).get("prefix") for line in lines[:-1]] == ["images/bright/", "images/dark/"]


def test_index_saves_what_bench_opens_without_listing(
    on_versitygw: Command, many: str, tmp_path: Path
) -> None:
    for output in (tmp_path / "many.manifest", f"s3://{many}/many.manifest"):
        summary = json.loads(on_versitygw.done("index", f"s3://{many}/images/", "-o", output, "--json").out)
        assert summary["records"] == MANY
        report = json.loads(
            on_versitygw.done("bench", output, "--size", 32, "--batch-size", 100, "--json").out.splitlines()[
                -1
            ]
        )
        assert report["images"] == MANY
        # One for the manifest when it is an object; none for a listing.
        assert report["requests"] <= MANY + 2 * 64 + 1


def test_get_writes_the_same_bytes(
    on_versitygw: Command, versitygw: Endpoint, images: str, tmp_path: Path
) -> None:
    summary = json.loads(
        on_versitygw.done("get", f"s3://{images}/images/", "--to", tmp_path / "out", "--json").out
    )
    expected = labelled_objects(24)
    assert (summary["objects"], summary["failed"]) == (24, 0)
    found = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert found == expected


def test_get_of_one_large_object(on_versitygw: Command, versitygw: Endpoint, tmp_path: Path) -> None:
    bucket = versitygw.new_bucket()
    body = os.urandom(20_000_003)
    versitygw.client().put_object(Bucket=bucket, Key="a/b/large.bin", Body=body)
    on_versitygw.done("get", f"s3://{bucket}/a/b/large.bin", "--to", tmp_path)
    assert hashlib.sha256((tmp_path / "large.bin").read_bytes()).digest() == hashlib.sha256(body).digest()


def test_get_never_leaves_its_folder(bucketline: Command, tmp_path: Path) -> None:
    server = bucketline.start("serve", "--memory", "--bucket", "evil", "--json")
    assert server.stdout
    reach = json.loads(server.stdout.readline())
    endpoint = Endpoint(reach["endpoint_url"], reach["access_key_id"], reach["secret_access_key"])
    try:
        client = endpoint.client()
        for key in ("in/good.txt", "in/../../escaped.txt", "in//absolute.txt", "in/sub/../../../escaped.txt"):
            client.put_object(Bucket="evil", Key=key, Body=b"x")
        outcome = bucketline.with_environment(endpoint.environment()).run(
            "get", "s3://evil/in/", "--to", tmp_path / "deep" / "out"
        )
    finally:
        server.terminate()
        server.communicate(timeout=DEADLINE_SECONDS)
    assert outcome.code == 1
    assert "escaped.txt" in outcome.err
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.txt"))
    assert "deep/out/good.txt" in files
    assert all(name.startswith("deep/out/") for name in files)


def test_get_to_nowhere_reads_everything(on_versitygw: Command, images: str) -> None:
    summary = json.loads(on_versitygw.done("get", f"s3://{images}/images/", "--discard", "--json").out)
    assert summary["bytes"] == sum(map(len, labelled_objects(24).values()))


def test_put_and_synthesize(on_versitygw: Command, versitygw: Endpoint, tmp_path: Path) -> None:
    bucket = versitygw.new_bucket()
    on_versitygw.done("synthesize", tmp_path / "made", "--images", 10, "--size", 32)
    on_versitygw.done("put", tmp_path / "made", f"s3://{bucket}/there/")
    on_versitygw.done("synthesize", f"s3://{bucket}/direct/", "--images", 10, "--size", 32)
    client = versitygw.client()

    def contents(prefix: str) -> dict[str, bytes]:
        listed = client.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        return {
            item["Key"].removeprefix(prefix): client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            for item in listed
        }

    assert contents("there/") == contents("direct/")
    assert sorted({key.split("/")[0] for key in contents("direct/")}) == ["rings", "stripes"]


def test_bench_report(on_versitygw: Command, images: str) -> None:
    outcome = on_versitygw.done(
        "bench", f"s3://{images}/images/", "--crop", "random_resized", "--size", 64, "--batch-size", 8,
        "--epochs", 3, "--labels", "none", "--json",
    )  # fmt: skip
    report = json.loads(outcome.out.splitlines()[-1])
    assert report["images"] == 3 * 24
    assert report["bytes"] >= 3 * sum(map(len, labelled_objects(24).values()))
    assert report["retries"] == 0
    for name in ("seconds", "images_per_second", "cpu_us_per_image", "limit_cpu_us_per_image", "peak_rss_bytes",
                 "crop_decode_cpu_us_per_image", "cpu_over_limit", "requests"):  # fmt: skip
        assert report[name] > 0, name
    assert 0 <= report["wait_share"] <= 1
    assert report["stages"]["decode"]["count"] >= 3 * 24
    assert outcome.err == ""  # no progress in a pipe


def test_bench_takes_every_format_and_image_option(bucketline: Command, tmp_path: Path) -> None:
    picture = Image.fromarray(np.arange(90 * 70 * 3, dtype=np.uint32).reshape(70, 90, 3).astype(np.uint8))
    for number, suffix in enumerate(("jpg", "png", "webp", "gif", "bmp")):
        picture.save(tmp_path / f"{number}.{suffix}")
    whole = (tmp_path / "0.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    outcome = bucketline.done(
        "bench", tmp_path, "--extensions", ".jpg,.png,.webp,.gif,.bmp", "--size", 48, "--batch-size", 2,
        "--crop", "pad", "--resize", "bicubic", "--jitter", "0.2,0.2,0.2", "--orient", "--dct-scaling", "--flip", 0.5,
        "--truncated", "keep", "--dtype", "float16", "--max-side", 100, "--max-memory", "64MiB", "--json",
    )  # fmt: skip
    assert json.loads(outcome.out.splitlines()[-1])["images"] == 6
    (tmp_path / "cut.jpg").unlink()
    limits = {"--max-side": "89", "--max-pixels": "6299", "--max-memory": "1KiB"}
    for name, limit in limits.items():
        outcome = bucketline.run("bench", tmp_path, "--size", 48, name, limit)
        assert outcome.code == 1
        assert name.removeprefix("--").replace("-", "_") in outcome.err


def test_bad_samples_are_skipped_and_named(
    on_versitygw: Command, versitygw: Endpoint, tmp_path: Path
) -> None:
    bucket = versitygw.new_bucket()
    put_all(versitygw, bucket, "", labelled_objects(30) | {"dark/bad.jpg": b"<html>no image</html>"})
    file = tmp_path / "bad.jsonl"
    outcome = on_versitygw.run(
        "bench", f"s3://{bucket}/", "--size", 32, "--batch-size", 31, "--on-error", "skip", "--quarantine", file, "--json"
    )  # fmt: skip
    # 1 of 31 is above the default of 1 %.
    assert outcome.code == 1
    put_all(versitygw, bucket, "", {f"more/{i}.jpg": jpeg(i) for i in range(90)})
    file.unlink()
    outcome = on_versitygw.done(
        "bench", f"s3://{bucket}/", "--size", 32, "--batch-size", 11, "--on-error", "skip", "--quarantine", file, "--json"
    )  # fmt: skip
    assert json.loads(outcome.out.splitlines()[-1])["images"] == 121
    first = json.loads(file.read_text().splitlines()[0])
    assert first["uri"] == f"s3://{bucket}/dark/bad.jpg"
    assert first["replaced_by"].startswith(f"s3://{bucket}/")
    assert "bad.jpg" in outcome.err


def test_progress_on_a_terminal(on_versitygw: Command, many: str) -> None:
    leader, follower = pty.openpty()
    shown = subprocess.Popen(
        [str(on_versitygw.binary), "ls", f"s3://{many}/", "--count"],
        env=on_versitygw.full_environment(),
        stdout=subprocess.DEVNULL,
        stderr=follower,
    )
    assert shown.wait(DEADLINE_SECONDS) == 0
    os.close(follower)
    text = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert "1000 objects" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["bench", "get", "train"])
def test_an_interrupt_ends_it_at_once(
    on_versitygw: Command, images: str, tmp_path: Path, command: str, number: signal.Signals
) -> None:
    log = tmp_path / "batches.jsonl"
    arguments: dict[str, tuple[object, ...]] = {
        "bench": ("--size", 64, "--batch-size", 8, "--epochs", 1_000_000),
        "get": ("--discard", "--endpoint-url", "http://127.0.0.1:9", "--deadline", "600s"),
        "train": ("--image-size", 32, "--batch-size", 8, "--epochs", 10_000, "--log-batches", log),
    }
    usual = on_versitygw.with_environment({**on_versitygw.environment, "BUCKETLINE_GRACE": ""})
    process = usual.start(command, f"s3://{images}/images/", *arguments[command])
    tasks = Path(f"/proc/{process.pid}/task")

    def working() -> bool:
        assert process.poll() is None, process.communicate()[1]
        return (
            log.exists() and log.read_text() != "" if command == "train" else len(list(tasks.iterdir())) > 3
        )

    wait_until(lambda: waits_for(process, number) and working(), "its work")
    sent = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=DEADLINE_SECONDS)
    assert time.monotonic() - sent < 15, "two seconds, and what a busy machine adds"
    assert process.returncode == 130


def test_the_grace_is_that_of_the_environment(on_versitygw: Command, images: str) -> None:
    outcome = on_versitygw.with_environment({"BUCKETLINE_GRACE": "soon"}).run("ls", f"s3://{images}/")
    assert outcome.code == 2
    assert "BUCKETLINE_GRACE" in outcome.err and "soon" in outcome.err
    outcome = on_versitygw.with_environment({"BUCKETLINE_GRACE": "25h"}).run("ls", f"s3://{images}/")
    assert outcome.code == 2
    assert "BUCKETLINE_GRACE: at most 24 hours" in outcome.err


def test_help_of_every_command(bucketline: Command) -> None:
    top = bucketline.done("--help").out
    for command in (
        "ls",
        "index",
        "diff",
        "get",
        "put",
        "pack",
        "cost",
        "plan",
        "train",
        "bench",
        "serve",
        "synthesize",
    ):
        assert command in top
        assert "--" in bucketline.done(command, "--help").out


def libraries(bucketline: Command, *words: str) -> str:
    """What the loader of programs brings in for this command, without running it."""
    return bucketline.with_environment({"LD_TRACE_LOADED_OBJECTS": "1"}).run(*words).out


def test_libtorch_is_loaded_for_train_alone(bucketline: Command, tmp_path: Path) -> None:
    assert "libtorch" not in libraries(bucketline, "ls")
    trainer = bucketline.binary.with_name("bucketline-train")
    assert "libtorch" in libraries(Command(trainer, bucketline.home), "train")
    # Without it beside it, the command says what is missing.
    alone = tmp_path / "bucketline"
    shutil.copy(bucketline.binary, alone)
    outcome = Command(alone, bucketline.home).run("train", tmp_path)
    assert outcome.code == 1 and "this build has no trainer" in outcome.err


def test_the_trainer_waits_passively_unless_told_otherwise(bucketline: Command, tmp_path: Path) -> None:
    probe = tmp_path / "bucketline-train"
    probe.write_text('#!/bin/sh\necho "$OMP_WAIT_POLICY $*"\n')
    probe.chmod(0o755)
    shutil.copy(bucketline.binary, tmp_path / "bucketline")
    command = Command(tmp_path / "bucketline", bucketline.home)
    assert command.done("train", "s3://b/p/").out == "passive train s3://b/p/\n"
    active = command.with_environment({"OMP_WAIT_POLICY": "active"})
    assert active.done("train", "s3://b/p/").out == "active train s3://b/p/\n"


def test_no_secret_in_any_output(on_versitygw: Command, versitygw: Endpoint, images: str) -> None:
    outcome = on_versitygw.run("get", f"s3://{images}/nothing/", "--discard", "--json")
    assert versitygw.secret_access_key not in outcome.out + outcome.err
