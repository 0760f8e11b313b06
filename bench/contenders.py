"""What people use today: each sub-command prints its figures as one line of JSON.

contenders.py pillow FOLDER              decode, crop, resize, to-tensor, normalise, one thread
contenders.py torch-train ...            MobileNetV2, Adam and binary cross-entropy on tensors
contenders.py boto3-list BUCKET COUNT    so many keys, by the paginator
contenders.py boto3-download BUCKET PREFIX TARGET    every object, by the transfer manager, ten at a time
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE = 224


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


def boto3_list(args: argparse.Namespace) -> None:
    import boto3
    from botocore.config import Config

    client = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    start = time.monotonic()
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=args.bucket, PaginationConfig={"MaxItems": args.count}
    )
    keys = [entry["Key"] for page in pages for entry in page["Contents"]]
    report(seconds=time.monotonic() - start, keys=len(keys))


def boto3_download(args: argparse.Namespace) -> None:
    import boto3
    from boto3.s3.transfer import TransferConfig, create_transfer_manager
    from botocore.config import Config

    config = Config(s3={"addressing_style": "path"}, max_pool_connections=10)
    client = boto3.client("s3", config=config)
    target = Path(args.target)
    target.mkdir()
    start, used = time.monotonic(), time.process_time()
    with create_transfer_manager(client, TransferConfig(max_concurrency=10)) as manager:
        transfers = []
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=args.bucket, Prefix=args.prefix):
            for entry in page["Contents"]:
                path = target / Path(entry["Key"]).name
                transfers.append(manager.download(args.bucket, entry["Key"], str(path)))
        for transfer in transfers:
            transfer.result()
    report(seconds=time.monotonic() - start, cpu_seconds=time.process_time() - used)


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
    sub = command("torch-train", torch_train)
    sub.add_argument("--size", type=int, default=96)
    sub.add_argument("--batch-size", type=int, default=16)
    sub.add_argument("--steps", type=int, default=40)
    sub = command("boto3-list", boto3_list)
    sub.add_argument("bucket")
    sub.add_argument("count", type=int)
    sub = command("boto3-download", boto3_download)
    sub.add_argument("bucket")
    sub.add_argument("prefix")
    sub.add_argument("target")
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
