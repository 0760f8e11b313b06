"""Bytes alone: what a GET costs, and how fast a large object comes."""

from __future__ import annotations

import os
import statistics
import subprocess
import time

import servers
from measuring import DEADLINE_SECONDS, Run, median


def fetch(run: Run) -> None:
    """Bytes alone: many small objects over kept connections, and one large object."""
    small = run.work / "small"
    small.mkdir()
    for index in range(200):
        (small / f"{index:03}.bin").write_bytes(os.urandom(100_000))
    run.command("put", small, "s3://bench/small/")
    urls = run.work / "urls"
    urls.write_text("\n".join(presigned(run.endpoint, [f"small/{index:03}.bin" for index in range(200)])))
    ours, floors = [], []
    raw = (
        "bench",
        "s3://bench/small/",
        "--raw",
        "--extensions",
        "",
        "--labels",
        "none",
        "--requests",
        64,
        "--epochs",
        40,
    )
    for _ in range(3):
        ours.append(run.command(*raw))
        floors.append(run.json(run.build / "bin" / "fetch_floor", urls, 8000, 64))
    cpu, floor = median(ours, "cpu_us_per_image"), median(floors, "cpu_us_per_request")
    run.add("GETs of 100 KB, 64 connections", f"{median(ours, 'images_per_second'):.0f}/s")
    run.add("client CPU per GET of 100 KB", f"{cpu:.0f} us", "<= 45 us", cpu <= 45)
    run.add("bare libcurl per GET of 100 KB", f"{floor:.0f} us")
    run.add("client CPU / bare libcurl", f"{cpu / floor:.2f}")

    size = 1 << 30
    large = run.work / "large"
    large.mkdir()
    with (large / "one.bin").open("wb") as file:
        for _ in range(size >> 24):
            file.write(os.urandom(1 << 24))
    run.command("put", large, "s3://bench/large/")
    url = presigned(run.endpoint, ["large/one.bin"])[0]
    rates: dict[str, list[float]] = {"ours": [], "curl": []}
    for _ in range(3):
        start = time.monotonic()
        run.command("get", "s3://bench/large/", "--extensions", "", "--discard")
        rates["ours"].append(size / (time.monotonic() - start))
        rates["curl"].append(size / curl_in_parts(url, size, 8))
    mine, theirs = statistics.median(rates["ours"]), statistics.median(rates["curl"])
    run.add("one object of 1 GiB", f"{mine / 1e6:.0f} MB/s; curl in 8 ranges {theirs / 1e6:.0f} MB/s")
    run.add("one object / parallel curl", f"{mine / theirs:.2f}", ">= 0.90", mine / theirs >= 0.9)


def presigned(endpoint: servers.Endpoint, keys: list[str]) -> list[str]:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    return [
        client.generate_presigned_url("get_object", Params={"Bucket": "bench", "Key": key}, ExpiresIn=86400)
        for key in keys
    ]


def curl_in_parts(url: str, size: int, parts: int) -> float:
    """Seconds of `parts` curl commands at once, a range each, to nowhere."""
    step = -(-size // parts)
    start = time.monotonic()
    running = [
        subprocess.Popen(
            ["curl", "-sS", "--fail", "-o", os.devnull, "-r", f"{begin}-{min(begin + step, size) - 1}", url],
        )
        for begin in range(0, size, step)
    ]
    if any(process.wait(DEADLINE_SECONDS) for process in running):
        raise RuntimeError("curl could not read the object")
    return time.monotonic() - start
