"""The engine: what it costs, how far stores slow it down, what it holds in memory, and the trainer on it."""

from __future__ import annotations

import os
import statistics
from typing import Any

import servers
from measuring import MIB, Run, median

# Of 200 images: long enough that the first batches, which nothing can have fetched ahead, and the first use of the
# memory weigh little.
EPOCHS = 60


def decode(run: Run) -> None:
    """CPU of the client beside the same work from memory."""
    runs = [run.stream("--epochs", EPOCHS) for _ in range(3)]
    best = min(runs, key=lambda figures: figures["cpu_over_limit"])
    limit, floor = median(runs, "limit_cpu_us_per_image"), median(runs, "crop_decode_cpu_us_per_image")
    run.add("images/s", f"{median(runs, 'images_per_second'):.0f}")
    run.add("client CPU per image", f"{median(runs, 'cpu_us_per_image'):.0f} us")
    run.add("the same work from memory, one thread (the limit)", f"{limit:.0f} us")
    run.add("libjpeg-turbo's crop decode alone", f"{floor:.0f} us")
    over = median(runs, "cpu_over_limit")
    run.add("client CPU / limit", f"{over:.2f} (best {best['cpu_over_limit']:.2f})", "<= 1.15", over <= 1.15)
    run.add("limit / crop decode alone", f"{limit / floor:.2f}", "<= 1.25", limit / floor <= 1.25)
    pillow = run.contender("pillow", run.folder)["cpu_us_per_image"]
    run.add("Pillow and torchvision, the same work from memory", f"{pillow:.0f} us")
    run.add("Pillow and torchvision / limit", f"{pillow / limit:.2f}", ">= 2.5", pillow / limit >= 2.5)
    first = min(figures["first_batch_seconds"] for figures in runs)
    run.add("first batch after", f"{first:.2f} s", "<= 0.30 s", first <= 0.3)
    generator = run.loop("generator")
    run.add("boto3 and Pillow, one generator", f"{generator['images_per_second']:.0f} images/s")
    run.add(
        "images/s / boto3's",
        f"{median(runs, 'images_per_second') / generator['images_per_second']:.1f}",
    )


def latency(run: Run) -> None:
    """Far stores: 50 ms to the first byte, and a lognormal tail, against the same proxy without a delay."""
    rounds: dict[str, list[dict[str, Any]]] = {"near": [], "far": [], "tail": [], "tail without hedges": []}
    delays = {
        "near": ("--delay", "0ms"),
        "far": ("--delay", "50ms"),
        "tail": ("--median", "30ms", "--p99", "600ms"),
        "tail without hedges": ("--median", "30ms", "--p99", "600ms"),
    }
    proxy_cpu = []
    for _ in range(5):  # in turns, as machines are noisy
        for name, delay in delays.items():
            hedge = ("--hedge", "off") if name == "tail without hedges" else ()
            with run.delayed(*delay) as proxied:
                rounds[name].append(run.stream("--epochs", EPOCHS, *hedge, endpoint=proxied.endpoint))
            proxy_cpu.append(proxied.cost["cpu_seconds"] / proxied.cost["turns"] * 1e6)
    near, far = median(rounds["near"], "images_per_second"), median(rounds["far"], "images_per_second")
    tail = median(rounds["tail"], "images_per_second")
    run.add(
        "through the proxy at 0 ms",
        f"{near:.0f} images/s; the proxy's CPU {statistics.median(proxy_cpu):.0f} us a GET",
    )
    run.add("at 50 ms / at 0 ms", f"{far / near:.2f} ({far:.0f} images/s)", ">= 0.95", far / near >= 0.95)
    run.add("lognormal tail (30 ms, p99 600 ms) / 0 ms", f"{tail / near:.2f}", ">= 0.90", tail / near >= 0.9)
    for name, label in (("tail", "on"), ("tail without hedges", "off")):
        run.add(
            f"a batch at p99, tail, hedging {label}",
            f"{median(rounds[name], 'batch_p99_seconds') * 1e3:.0f} ms",
        )
    peak = max(figures["peak_rss_bytes"] for figures in rounds["far"])
    run.add("peak RSS at 50 ms", f"{peak / MIB:.0f} MiB", "< 400 MB", peak < 400e6)
    with run.delayed("--delay", "50ms") as proxied:
        other = run.loop("s3torchconnector", "--workers", 32, endpoint=proxied.endpoint)
    run.add(
        "s3torchconnector, 32 workers, at 50 ms",
        f"{other['images_per_second']:.0f} images/s, {other['memory_bytes'] / MIB:.0f} MiB",
    )
    run.add(
        "images/s / s3torchconnector's",
        f"{far / other['images_per_second']:.1f}",
        ">= 3",
        far / other["images_per_second"] >= 3,
    )


def memory(run: Run) -> None:
    """Bounds: resident memory against the budget, growth over epochs."""
    for budget in (128, 512):
        figures = run.stream("--epochs", 5, "--memory", f"{budget}MiB")
        over = figures["peak_rss_bytes"] / MIB - budget
        run.add(f"peak RSS - budget, 200 keys, {budget} MiB", f"{over:.0f} MiB", "<= 120 MiB", over <= 120)

    buckets = run.work / "many"
    (buckets / "bench" / "images").mkdir(parents=True)
    # Copies, not links of one file: a hundred thousand links are more than file systems give one inode.
    sources = sorted(run.folder.rglob("*.jpg"))[:10]
    for number in range(100_000):
        if number < len(sources):
            originals = buckets / "bench" / "images" / f"{number:06}.jpg"
            originals.write_bytes(sources[number].read_bytes())
        else:
            os.link(
                buckets / "bench" / "images" / f"{number % len(sources):06}.jpg",
                originals.with_name(f"{number:06}.jpg"),
            )
    with servers.serve(run.bucketline, buckets) as endpoint:
        figures = run.stream("--batches", 60, "--memory", "128MiB", endpoint=endpoint)
    over = figures["peak_rss_bytes"] / MIB - 128
    run.add("peak RSS - budget, 100,000 keys, 128 MiB", f"{over:.0f} MiB", "<= 120 MiB", over <= 120)

    bounded = ("--memory", "128MiB", "--epochs")
    early, late = (run.stream(*bounded, epochs)["last_epoch_rss_bytes"] for epochs in (5, 50))
    grown = (late - early) / MIB
    run.add("RSS after epoch 50 - after epoch 5, 128 MiB", f"{grown:.1f} MiB", "<= 8 MiB", grown <= 8)


def training(run: Run) -> None:
    """The trainer beside a PyTorch script whose tensors are in memory."""
    ours, theirs, waits = [], [], []
    run.command("synthesize", "s3://bench/train/", "--images", 320, "--size", 96)
    for _ in range(3):
        figures = run.command(
            "train",
            "s3://bench/train/",
            "--image-size",
            96,
            "--batch-size",
            16,
            "--epochs",
            3,
            "--validation-split",
            0,
        )
        ours.append(figures["images_per_second"])
        waits.append(figures["wait_share"])
        theirs.append(
            run.contender("torch-train", "--size", 96, "--batch-size", 16, "--steps", 40)["images_per_second"]
        )
    mine, other = statistics.median(ours), statistics.median(theirs)
    run.add("trainer, MobileNetV2 at 96 px, batches of 16", f"{mine:.1f} images/s")
    run.add("PyTorch script on tensors in memory", f"{other:.1f} images/s")
    run.add("trainer / PyTorch script", f"{mine / other:.2f}", ">= 1", mine / other >= 1)
    waiting = statistics.median(waits)
    run.add("share of waiting for data", f"{waiting * 100:.1f} %", "<= 2 %", waiting <= 0.02)
    data_parallel(run)


def data_parallel(run: Run) -> None:
    """Two ranks of one thread beside one of two threads: the same rows a step, the same steps."""
    common = ("train", "s3://bench/train/", "--image-size", 96, "--epochs", 3, "--validation-split", 0)
    alone, together = [], []
    for _ in range(3):
        alone.append(run.command(*common, "--batch-size", 32, "--threads", 2)["images_per_second"])
        together.append(run.ranks(2, *common, "--batch-size", 16, "--threads", 1)["images_per_second"])
    one, two = statistics.median(alone), statistics.median(together)
    run.add("one rank of two threads", f"{one:.1f} images/s")
    run.add("two ranks of one thread", f"{two:.1f} images/s")
    run.add("two ranks / one, the same threads", f"{two / one:.2f}", ">= 0.85", two / one >= 0.85)
