"""What data sets of a thousand to ten million objects cost: listing, the manifest, opening, going on."""

from __future__ import annotations

import time
from pathlib import Path

import servers
from measuring import Run
from scale_picture import Curve, picture

PAGE_DELAY = ("--delay", "50ms")
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
LARGEST_LISTED = 1_000_000
BOTO3_KEYS = 200_000


def scale(run: Run) -> None:
    """Cost against size: listing with pages that take 50 ms, beside boto3's paginator; the manifest; going on."""
    curves = {
        name: Curve(name) for name in ("listing and saving", "opening", "going on at 0", "going on at 90 %")
    }
    listing(run, curves["listing and saving"])
    manifests(run, curves)
    path = run.build.parent / "scale.svg"
    path.write_text(picture(list(curves.values())))
    print(f"  the curve is in {path}", flush=True)


def listing(run: Run, curve: Curve) -> None:
    rate = 0.0
    for count in (size for size in SIZES if size <= LARGEST_LISTED):
        with servers.listed(run.build / "bin" / "listing_server", count) as endpoint:
            delay_proxy = run.build / "bin" / "delay_proxy"
            with servers.delayed(delay_proxy, endpoint, *PAGE_DELAY) as proxied:
                start = time.monotonic()
                found = run.command(
                    "index", "s3://synthetic/", "-o", run.work / "listed.manifest", endpoint=proxied.endpoint
                )
                seconds = time.monotonic() - start
                if found["records"] != count:
                    raise RuntimeError(f"{found['records']} of {count} keys were listed")
                curve.add(count, seconds)
                if count == LARGEST_LISTED:
                    rate = count / seconds
                    run.endpoint, kept = proxied.endpoint, run.endpoint
                    try:
                        other = run.contender("boto3-list", "synthetic", BOTO3_KEYS)
                    finally:
                        run.endpoint = kept
    theirs = other["keys"] / other["seconds"]
    run.add(f"{LARGEST_LISTED:,} keys listed and saved, pages take 50 ms", f"{rate:.0f} keys/s")
    run.add(f"boto3's paginator, {other['keys']:,} of them", f"{theirs:.0f} keys/s")
    run.add("keys/s / boto3's", f"{rate / theirs:.1f}", ">= 4", rate >= 4 * theirs)


def manifests(run: Run, curves: dict[str, Curve]) -> None:
    image = smallest_image(run.folder)
    steps = []
    window_steps = []
    for count in SIZES:
        manifest = run.work / "scale.manifest"
        run.command("index", "--synthetic", count, "-o", manifest)
        held = run.json(run.build / "bin" / "manifest_bench", "open", manifest)
        cost = run.json(run.build / "bin" / "scale_bench", manifest, image)
        manifest.unlink()
        curves["opening"].add(count, cost["open_seconds"])
        at_start, later = cost["resume_seconds_at_0"], cost["resume_seconds_at_90"]
        curves["going on at 0"].add(count, at_start)
        curves["going on at 90 %"].add(count, later)
        steps.append(cost["at_nanoseconds"])
        window_steps.append(cost["window_at_nanoseconds"])
        if count < 1_000_000:
            continue
        for what in ("file", "memory"):
            value = held[f"{what}_bytes_per_record"]
            run.add(f"{what} a record, {count:,} records", f"{value:.1f} bytes", "<= 48 bytes", value <= 48)
        run.add(
            f"opened, {count:,} records",
            f"{cost['open_seconds'] * 1e3:.2f} ms",
            "<= 1 s",
            cost["open_seconds"] <= 1,
        )
        run.add(
            f"first batch after going on at 0 and at 90 %, {count:,} records",
            f"{at_start * 1e3:.1f} and {later * 1e3:.1f} ms",
            "the same (to 25 %)",
            later <= 1.25 * at_start,
        )
    worst = max(steps)
    run.add("a step of the epoch's permutation, at worst", f"{worst:.0f} ns", "<= 50 ns", worst <= 50)
    worst = max(window_steps)
    run.add("a step of a window of 16 shards, at worst", f"{worst:.0f} ns", "<= 50 ns", worst <= 50)
    run.add(
        f"a window's tables, {SIZES[-1]:,} records: bytes each; made once; for each epoch",
        f"{cost['window_bytes_per_record']:.2f} bytes; {cost['window_seconds']:.1f} s; "
        f"{cost['window_epoch_seconds'] * 1e3:.0f} ms",
        "<= 4 bytes",
        cost["window_bytes_per_record"] <= 4,
    )


def smallest_image(folder: Path) -> Path:
    return min(folder.rglob("*.jpg"), key=lambda path: path.stat().st_size)
