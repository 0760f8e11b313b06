"""The Python package beside what Python users feed a training loop with today."""

from __future__ import annotations

from functools import partial
from typing import Any

from measuring import MIB, Run

CONTENDERS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("boto3 and Pillow, one thread", ("generator",)),
    ("boto3 in a DataLoader, 2 workers", ("dataloader", "--workers", 2)),
    ("boto3 in a DataLoader, 8 workers", ("dataloader", "--workers", 8)),
    ("s3torchconnector, 2 workers", ("s3torchconnector", "--workers", 2)),
    ("s3torchconnector, 8 workers", ("s3torchconnector", "--workers", 8)),
    ("s3torchconnector, 32 workers", ("s3torchconnector", "--workers", 32)),
    ("tf.data, py_function and boto3", ("tfdata",)),
    ("DALI, CPU", ("dali",)),
)


def python(run: Run) -> None:
    """CPU and images/s of a Python loop, near (0 ms) and far (50 ms to the first byte), beside the contenders."""
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    for place, delay in (("near", "0ms"), ("far", "50ms")):
        with run.delayed("--delay", delay) as proxied:
            measure = partial(run.loop, endpoint=proxied.endpoint)
            ours = [measure("bucketline", "--epochs", 60) for _ in range(3)]
            best = sorted(ours, key=lambda figure: figure["images_per_second"])[1]
            others = {name: measure(*words) for name, words in CONTENDERS}
        figures[place] = {"bucketline": best, **others}
    for name, near in figures["near"].items():
        far = figures["far"][name]
        run.add(
            name,
            f"{near['cpu_us_per_image']:.0f} us CPU an image; {near['images_per_second']:.0f} images/s, "
            f"{far['images_per_second']:.0f} at 50 ms; {far['memory_bytes'] / MIB:.0f} MiB",
        )
    judge(run, figures)


def judge(run: Run, figures: dict[str, dict[str, dict[str, Any]]]) -> None:
    near, far = figures["near"], figures["far"]
    others = [name for name, _ in CONTENDERS]
    cpu = min(near[name]["cpu_us_per_image"] for name in others) / near["bucketline"]["cpu_us_per_image"]
    run.add("least CPU of the others / ours", f"{cpu:.1f}", ">= 3", cpu >= 3)
    rate = far["bucketline"]["images_per_second"]
    best = rate / max(far[name]["images_per_second"] for name in others)
    run.add("images/s / the best of the others, at 50 ms", f"{best:.1f}", ">= 3", best >= 3)
    one = rate / far[others[0]]["images_per_second"]
    run.add("images/s / the generator's, at 50 ms", f"{one:.0f}", ">= 35", one >= 35)
    loop = near["bucketline"]["loop_us_per_batch"]
    run.add("the Python loop's own CPU a batch", f"{loop:.0f} us", "<= 60 us", loop <= 60)
    first = near["bucketline"]["first_batch_seconds"]
    run.add("first batch after the import began", f"{first:.2f} s", "<= 1 s", first <= 1)
    over = far["bucketline"]["memory_bytes"] / MIB - 256
    run.add("memory - budget (256 MiB)", f"{over:.0f} MiB", "<= 200 MiB", over <= 200)
