"""The script that everybody has, a Dataset with boto3 and Pillow in a DataLoader, against bucketline: the same images, in
the same order, train the same network to the same losses."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import PIL.Image
import pytest
import torch
from conftest import DEADLINE_SECONDS, Endpoint
from images import labelled_objects
from torch.utils.data import DataLoader, Dataset, default_collate

import bucketline as bl

COUNT = 400
BATCH = 32
SIZE = 48
STEPS = 10
EPOCHS = 2
RUNS = 5  # of the original, for its spread
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def some_images() -> dict[str, bytes]:
    """Real photographs where they are, else made ones."""
    folder = Path(os.environ.get("BUCKETLINE_SAMPLE_DATA", "")) / "cifar2" / "train"
    if not os.environ.get("BUCKETLINE_SAMPLE_DATA") or not folder.is_dir():
        return labelled_objects(COUNT)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    chosen = files[:: len(files) // COUNT][:COUNT]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in chosen}


@pytest.fixture(scope="module")
def place(versitygw: Endpoint) -> Iterator[tuple[str, str]]:
    """(bucket, prefix)"""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in versitygw.environment().items():
            patch.setenv(name, value)
        bucket, client = versitygw.new_bucket(), versitygw.client()
        with ThreadPoolExecutor(8) as pool:
            for put in [
                pool.submit(client.put_object, Bucket=bucket, Key=f"train/{key}", Body=data)
                for key, data in some_images().items()
            ]:
                put.result()
        yield bucket, "train/"


class ClassicDataset(Dataset[Any]):
    """One GET and one decode for each sample."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket = bucket
        self.client: Any = None  # one for each worker
        pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        self.keys = sorted(item["Key"] for page in pages for item in page["Contents"])
        self.classes = sorted({key.split("/")[1] for key in self.keys})

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> Any:
        if self.client is None:
            self.client = boto3.client("s3")
        body = self.client.get_object(Bucket=self.bucket, Key=self.keys[index])["Body"].read()
        picture = PIL.Image.open(io.BytesIO(body)).convert("RGB")
        picture = picture.resize((SIZE, SIZE), PIL.Image.Resampling.BILINEAR)
        pixels = (np.asarray(picture, dtype=np.float32) / 255 - MEAN) / STD
        label = self.classes.index(self.keys[index].split("/")[1])
        return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1), label


def losses(batches: Iterable[Any], seed: int = 0) -> Iterator[float]:
    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 5, stride=2),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, stride=2),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(128, 2),
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for images, labels in batches:
        loss = torch.nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        yield loss.item()


def first_losses(batches: Iterable[Any]) -> list[float]:
    return list(islice(losses(batches), STEPS))


def last_loss(batches: Iterable[Any], seed: int) -> float:
    """The mean of the last epoch's."""
    return float(np.mean(list(losses(batches, seed))[-(COUNT // BATCH) :]))


def test_the_first_losses_are_those_of_the_classic_script(
    place: tuple[str, str], figure: Callable[[str], None]
) -> None:
    bucket, prefix = place
    image = bl.Image(SIZE, mean="imagenet", std="imagenet")
    samples = bl.torch.MapDataset(f"s3://{bucket}/{prefix}", image, labels="folder")
    order = bl.torch.BatchSampler(samples, BATCH, shuffle=True)
    workers: dict[str, Any] = {
        "num_workers": 2,
        "multiprocessing_context": "fork",
        "timeout": DEADLINE_SECONDS,
    }
    classic = ClassicDataset(bucket, prefix)
    assert len(classic) == COUNT and classic.classes == samples.classes

    expected = first_losses(DataLoader(classic, batch_sampler=[list(map(int, b)) for b in order], **workers))
    order.set_epoch(0)
    with_workers = first_losses(DataLoader(samples, batch_sampler=order, **workers))
    order.set_epoch(0)
    without = first_losses(DataLoader(samples, batch_sampler=order))
    with bl.torch.Loader(samples.dataset, BATCH, image=image, shuffle=True) as loader:
        direct = first_losses(loader)

    assert len(expected) == STEPS and expected[0] != expected[-1]
    for losses in (with_workers, without, direct):
        assert losses == pytest.approx(expected, rel=0.01)
    apart = max(abs(a - b) / b for a, b in zip(direct, expected, strict=True))
    figure(f"losses of the first {STEPS} steps against boto3 and Pillow: at most {apart:.1e} apart")


def test_the_last_epoch_is_one_of_the_classic_scripts(
    place: tuple[str, str], figure: Callable[[str], None]
) -> None:
    # From the same weights and in the same order the original repeats itself almost to the bit, so that its spread is
    # that over seeds of weights; ours starts from the seed whose original ended in the middle.
    bucket, prefix = place
    dataset = bl.Dataset(f"s3://{bucket}/{prefix}", labels="folder")
    classic = ClassicDataset(bucket, prefix)
    order = bl.torch.BatchSampler(bl.torch.MapDataset(dataset), BATCH, shuffle=True)
    samples = [classic[i] for i in range(COUNT)]  # read once: what a script reads again is the same
    batches = [default_collate([samples[i] for i in batch]) for _ in range(EPOCHS) for batch in order]
    originals = [last_loss(batches, seed) for seed in range(RUNS)]
    middle = int(np.argsort(originals)[RUNS // 2])
    image = bl.Image(SIZE, mean="imagenet", std="imagenet")
    with bl.torch.Loader(dataset, BATCH, image=image, shuffle=True) as loader:
        ours = last_loss((batch for _ in range(EPOCHS) for batch in loader), middle)
    low, high = min(originals), max(originals)
    figure(f"torch: the last epoch's loss is {ours:.4f}, originals' are {low:.4f} to {high:.4f}")
    assert low < high and low <= ours <= high
