"""Shards: images/s with an exact global shuffle and in order, beside the readers that bring their own formats."""

from __future__ import annotations

import secrets
import statistics
from pathlib import Path
from typing import Any

from measuring import MIB, Run
from servers import Endpoint

COPIES = 20
FORMATS = ("tar", "tfrecord", "mds", "litdata")
CONTENDERS: tuple[tuple[str, str, str], ...] = (
    ("WebDataset, tar", "webdataset", "tar"),
    ("MosaicML Streaming, MDS", "streaming", "mds"),
    ("LitData, its chunks", "litdata", "litdata"),
)


def shards(run: Run) -> None:
    """Tar, TFRecord and MDS near (0 ms) and at 50 ms to the first byte; 16 MiB a shard, the images twenty times over."""
    images = COPIES * len(list(run.folder.rglob("*.jpg")))
    for name in FORMATS:
        run.script("shard_contenders.py", "write", name, run.folder, run.work / name, "--copies", COPIES)
        run.command("put", run.work / name, f"s3://bench/{name}/")
    ours, theirs = {}, {}
    # In order, only what comes at a distance is compared.
    for place, delay, orders in (("near", "0ms", ("shuffled",)), ("far", "50ms", ("sequential", "shuffled"))):
        with run.delayed("--delay", delay) as proxied:
            for name in ("tar", "tfrecord", "mds"):
                ours[name, place] = {
                    order: median_of_three(run, proxied.endpoint, name, order) for order in orders
                }
            for label, contender, name in CONTENDERS:
                found = [
                    reading(run, proxied.endpoint, contender, name, images, workers) for workers in (2, 8)
                ]
                theirs[label, place] = found
    for name in ("tar", "tfrecord", "mds"):
        judge_order(run, name, ours[name, "near"], ours[name, "far"])
    judge(run, ours["tar", "near"]["shuffled"], ours["tar", "far"]["shuffled"], theirs)


def median_of_three(run: Run, endpoint: Endpoint, name: str, order: str) -> dict[str, Any]:
    words = ("bucketline", "bench", f"{name}/", "--order", order)
    found = [run.script("shard_contenders.py", *words, endpoint=endpoint) for _ in range(3)]
    return sorted(found, key=lambda figures: figures["images_per_second"])[1]


def reading(
    run: Run, endpoint: Endpoint, contender: str, name: str, images: int, workers: int
) -> dict[str, Any]:
    """One epoch with nothing kept from the one before."""
    local = Path(run.work) / f"local-{secrets.token_hex(4)}"
    words = (contender, "bench", f"{name}/", "--images", images, "--workers", workers, "--local", local)
    return run.script("shard_contenders.py", *words, endpoint=endpoint)


def judge_order(run: Run, name: str, near: dict[str, Any], far: dict[str, Any]) -> None:
    rate = {order: figures["images_per_second"] for order, figures in far.items()}
    run.add(
        f"bucketline, {name}",
        f"{near['shuffled']['cpu_us_per_image']:.0f} us CPU an image; shuffled {rate['shuffled']:.0f} images/s, "
        f"in order {rate['sequential']:.0f} at 50 ms; {far['shuffled']['memory_bytes'] / MIB:.0f} MiB",
    )
    share = rate["shuffled"] / rate["sequential"]
    run.add(f"{name}: shuffled / in order, at 50 ms", f"{share:.2f}", ">= 0.80", share >= 0.8)


def judge(
    run: Run,
    near: dict[str, Any],
    far: dict[str, Any],
    theirs: dict[tuple[str, str], list[dict[str, Any]]],
) -> None:
    cpu, rate = [], []
    for label, _, _ in CONTENDERS:
        cpu.append(min(figures["cpu_us_per_image"] for figures in theirs[label, "near"]))
        rate.append(max(figures["images_per_second"] for figures in theirs[label, "far"]))
        memory = statistics.median(figures["memory_bytes"] for figures in theirs[label, "far"]) / MIB
        run.add(
            f"{label}, 2 or 8 workers",
            f"{cpu[-1]:.0f} us CPU an image; {rate[-1]:.0f} images/s at 50 ms; {memory:.0f} MiB",
        )
    less = min(cpu) / near["cpu_us_per_image"]
    run.add("least CPU of the others / ours from tar", f"{less:.1f}", ">= 3", less >= 3)
    faster = far["images_per_second"] / max(rate)
    run.add("images/s / the best of the others, at 50 ms", f"{faster:.2f}", ">= 1.75", faster >= 1.75)
