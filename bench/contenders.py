"""What people use today, on the same work: each sub-command prints its figures as one line of JSON.

contenders.py pillow FOLDER              decode, crop, resize, to-tensor, normalise from memory, one thread
contenders.py boto3 BUCKET PREFIX        a generator that fetches and decodes one object after the other
contenders.py s3torchconnector BUCKET PREFIX --workers 32
contenders.py torch-train ...            MobileNetV2, Adam and binary cross-entropy on tensors in memory
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE = 224
BATCH = 32


def cpu_seconds() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def resident_bytes(pid: int) -> int:
    """Proportional share: pages that processes share count once over all of them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def tree_bytes() -> int:
    """Memory of this process and of its workers."""
    total = resident_bytes(os.getpid())
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                total += resident_bytes(int(child))
            except OSError:  # it has ended meanwhile
                continue
    return total


def report(**figures: Any) -> None:
    print(json.dumps(figures))


def pipeline() -> Callable[[bytes], Any]:
    from PIL import Image
    from torchvision import transforms

    steps = transforms.Compose(
        [
            transforms.RandomResizedCrop(SIZE),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    return lambda data: steps(Image.open(io.BytesIO(data)).convert("RGB"))


def pillow(args: argparse.Namespace) -> None:
    import torch

    torch.set_num_threads(1)
    files = [path.read_bytes() for path in sorted(Path(args.folder).rglob("*.jpg"))]
    work = pipeline()
    best = float("inf")
    for _ in range(args.rounds):
        start = time.thread_time()
        for data in files:
            work(data)
        best = min(best, time.thread_time() - start)
    report(cpu_us_per_image=best * 1e6 / len(files), images=len(files))


def client() -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3}))


def keys(bucket: str, prefix: str) -> list[str]:
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def boto3_generator(args: argparse.Namespace) -> None:
    import torch

    torch.set_num_threads(1)  # idle threads of it would only spin
    s3, names, work = client(), keys(args.bucket, args.prefix)[: args.images], pipeline()
    work(s3.get_object(Bucket=args.bucket, Key=names[0])["Body"].read())
    wall, cpu, batch, done = time.monotonic(), cpu_seconds(), [], 0
    for name in names:
        batch.append(work(s3.get_object(Bucket=args.bucket, Key=name)["Body"].read()))
        if len(batch) == BATCH:
            done += len(torch.stack(batch))
            batch = []
    done += len(batch)
    wall, cpu = time.monotonic() - wall, cpu_seconds() - cpu
    report(images_per_second=done / wall, cpu_us_per_image=cpu * 1e6 / done, images=done)


def s3torchconnector(args: argparse.Namespace) -> None:
    import torch
    from s3torchconnector import S3ClientConfig, S3MapDataset

    work = pipeline()
    dataset = S3MapDataset.from_prefix(
        f"s3://{args.bucket}/{args.prefix}",
        region=os.environ["AWS_REGION"],
        endpoint=os.environ["AWS_ENDPOINT_URL_S3"],
        transform=lambda item: work(item.read()),
        s3client_config=S3ClientConfig(force_path_style=True),
    )
    names = len(dataset)
    sampler = torch.utils.data.RandomSampler(dataset, num_samples=names * args.epochs, replacement=True)
    loader = torch.utils.data.DataLoader(dataset, batch_size=BATCH, sampler=sampler, num_workers=args.workers)
    memory, first, images = 0, 0.0, 0
    for number, batch in enumerate(loader):
        # What the workers had prefetched when the first batch came is not their speed.
        if number == 2 * args.workers:
            first, images = time.monotonic(), 0
        images += len(batch)
        if number % 8 == 0:
            memory = max(memory, tree_bytes())
    wall = time.monotonic() - first
    report(images_per_second=images / wall, images=images, workers=args.workers, memory_bytes=memory)


def torch_train(args: argparse.Namespace) -> None:
    import torch
    from torchvision.models import mobilenet_v2

    torch.manual_seed(0)
    model = mobilenet_v2(num_classes=1).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = torch.nn.BCEWithLogitsLoss()
    images = torch.rand(args.batch_size, 3, args.size, args.size).to(memory_format=torch.channels_last)
    labels = (torch.arange(args.batch_size) % 2).float().unsqueeze(1)
    start = 0.0
    for step in range(args.steps + 2):
        if step == 2:
            start = time.monotonic()
        optimizer.zero_grad()
        loss = loss_of(model(images), labels)
        loss.backward()
        optimizer.step()
    report(images_per_second=args.steps * args.batch_size / (time.monotonic() - start))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        sub = commands.add_parser(name)
        sub.set_defaults(run=run)
        return sub

    sub = command("pillow", pillow)
    sub.add_argument("folder")
    sub.add_argument("--rounds", type=int, default=2)
    for name, run in (("boto3", boto3_generator), ("s3torchconnector", s3torchconnector)):
        sub = command(name, run)
        sub.add_argument("bucket")
        sub.add_argument("prefix")
        sub.add_argument("--images", type=int, default=200)
        sub.add_argument("--workers", type=int, default=32)
        sub.add_argument("--epochs", type=int, default=30)
    sub = command("torch-train", torch_train)
    sub.add_argument("--size", type=int, default=96)
    sub.add_argument("--batch-size", type=int, default=16)
    sub.add_argument("--steps", type=int, default=40)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
