"""The cache: what a hit costs, how fast the epochs after the first are, and how often it hits when it is too small."""

from __future__ import annotations

import os

from measuring import MIB, STREAM, Run, median

OBJECTS, BYTES = 5000, 100_000


def cache(run: Run) -> None:
    """Reads from the cache of a machine."""
    hits = [run.json(run.build / "bin" / "cache_bench", run.work / f"hits{turn}") for turn in range(3)]
    overhead = median(hits, "overhead_us")
    run.add(
        "CPU of a hit of 110 KB; a plain open, pread and close",
        f"{median(hits, 'hit_us'):.1f} us; {median(hits, 'plain_us'):.1f} us",
    )
    run.add("CPU of a hit beyond the plain read", f"{overhead:.1f} us", "<= 15 us", overhead <= 15)

    folder = run.work / "cache"
    place = ("--cache", folder, "--cache-size", 4 << 30)
    run.stream("--epochs", 1, *place)
    warm, near, far = [], [], []
    for _ in range(3):
        warm.append(run.stream("--epochs", 5, *place))
        near.append(run.command("bench", run.folder, *STREAM, "--epochs", 5))
        far.append(run.stream("--epochs", 5))
    requests = sum(figures["requests"] for figures in warm)
    run.add("requests for epochs from the cache", str(requests), "0", requests == 0)
    cpus = len(os.sched_getaffinity(0))
    limit = cpus * 1e6 / median(warm, "limit_cpu_us_per_image")
    speed = median(warm, "images_per_second")
    run.add(
        "images/s from the cache; of the server on this machine",
        f"{speed:.0f}; {median(far, 'images_per_second'):.0f}",
    )
    run.add(
        f"images/s from the cache / decoding from memory on {cpus} CPUs",
        f"{speed / limit:.2f}",
        ">= 0.95",
        speed / limit >= 0.95,
    )
    over = median(warm, "cpu_over_limit")
    run.add("CPU an image from the cache / the same from memory", f"{over:.2f}")
    files = median(near, "cpu_us_per_image")
    run.add(
        "CPU an image from the cache / a loader of the files in a folder",
        f"{median(warm, 'cpu_us_per_image') / files:.2f}",
    )

    _pixels(run, cpus)

    raw = ("bench", run.fill("cached", OBJECTS, BYTES), "--raw", "--extensions", "", "--labels", "none")
    whole = run.work / "whole"
    run.command(*raw, "--cache", whole, "--cache-size", 2 << 30)
    on_disk = run.command("cache", "status", whole)["used_bytes"]
    share = 0.5
    little = ("--cache", run.work / "little", "--cache-size", int(on_disk * share))
    run.command(*raw, *little)
    counts = run.command(*raw, "--epochs", 2, *little)["cache"]
    rate = counts["hits"] / (counts["hits"] + counts["misses"])
    run.add(
        f"hit rate of {OBJECTS} objects of 100 KB in a cache of half of what they take on the disk",
        f"{rate:.4f}",
        f"{share} within 1 %",
        abs(rate - share) <= 0.01,
    )
    run.add("disk for a byte of theirs", f"{on_disk / (OBJECTS * BYTES):.3f} ({on_disk / MIB:.0f} MiB)")


def _pixels(run: Run, cpus: int) -> None:
    """Pixels that are kept, beside decoding the same images from memory."""
    place = ("--cache", run.work / "pixels", "--cache-size", 4 << 30, "--cache-pixels")
    words = ("bench", "s3://bench/images/", "--crop", "center", *STREAM[2:], *place)
    run.command(*words, "--epochs", 1)
    warm = [run.command(*words, "--epochs", 5) for _ in range(3)]
    requests = sum(figures["requests"] for figures in warm)
    decoded = sum(figures["cache"]["pixel_misses"] for figures in warm)
    run.add(
        "requests and decodes for epochs from kept pixels",
        f"{requests}; {decoded}",
        "0; 0",
        requests + decoded == 0,
    )
    limit = median(warm, "limit_cpu_us_per_image")
    run.add(
        f"images/s from kept pixels; decoding the same from memory on {cpus} CPUs",
        f"{median(warm, 'images_per_second'):.0f}; {cpus * 1e6 / limit:.0f}",
    )
    run.add(
        "CPU an image from kept pixels; decoding the same from memory",
        f"{median(warm, 'cpu_us_per_image'):.0f} us; {limit:.0f} us",
    )
