"""What Python users feed a training loop with today, and bucketline's own Python loop, on the same work: fetch from S3,
random-resized-crop 224, flip, normalise, batches of 32. Each sub-command prints its figures as one line of JSON.

python_contenders.py bucketline BUCKET PREFIX
python_contenders.py generator BUCKET PREFIX                   boto3 and Pillow, one object after the other
python_contenders.py dataloader BUCKET PREFIX --workers 8      the same in a DataLoader's workers
python_contenders.py s3torchconnector BUCKET PREFIX --workers 8
python_contenders.py tfdata BUCKET PREFIX                      tf.data with py_function and boto3
python_contenders.py dali BUCKET PREFIX                        DALI's file reader and CPU decoder
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from contenders import SIZE, pipeline, report

BATCH = 32
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def client() -> Any:
    import boto3
    from botocore.config import Config

    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3}, signature_version="s3v4")
    return boto3.client("s3", config=config)


def keys(bucket: str, prefix: str) -> list[str]:
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def resident_bytes(pid: int) -> int:
    """Proportional share: pages that processes share count once over all of them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


class Memory:
    """The most memory that this process and its workers were seen with, and the CPU of looking, which is not theirs."""

    PAUSE_SECONDS = 0.5

    def __init__(self) -> None:
        self.peak = 0
        self.cpu = 0.0
        self._next = time.monotonic() + self.PAUSE_SECONDS

    def look(self) -> None:
        """Not more often than each PAUSE_SECONDS."""
        if time.monotonic() < self._next:
            return
        cpu = time.thread_time()
        self.peak = max(self.peak, tree_bytes())
        self.cpu += time.thread_time() - cpu
        self._next = time.monotonic() + self.PAUSE_SECONDS


def tree_bytes() -> int:
    total = resident_bytes(os.getpid())
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                total += resident_bytes(int(child))
            except OSError:  # it has ended meanwhile
                continue
    return total


def own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def workers_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(batches: Iterable[Any], count: int, ahead: int = 1) -> None:
    """Times `count` batches but for the first and last `ahead` of them: what had been begun before the clock started,
    and what is only fetched from a queue while nothing new is begun."""
    images = timed = 0
    start = wall = cpu = used = 0.0
    memory = Memory()
    for number, batch in enumerate(batches, 1):
        size = len(batch)
        images += size
        if number == ahead:
            start, cpu = time.monotonic(), own_cpu() - memory.cpu
        elif number <= count - ahead:
            timed += size
            wall, used = time.monotonic() - start, own_cpu() - memory.cpu - cpu
        memory.look()
    # Workers count once they have ended, with all that they did.
    report(
        images_per_second=timed / wall,
        cpu_us_per_image=(used / timed + workers_cpu() / images) * 1e6,
        images=timed,
        memory_bytes=memory.peak,
    )


def bucketline(args: argparse.Namespace) -> None:
    start = time.monotonic()
    import bucketline as bl

    imported = time.monotonic() - start
    image = bl.Image(SIZE, crop="random_resized", flip=0.5, mean=MEAN, std=STD)
    loader = bl.Loader(
        f"s3://{args.bucket}/{args.prefix}",
        BATCH,
        image=image,
        shuffle=True,
        memory=args.memory,
        epochs=args.epochs,
        last="partial",
    )
    first, images, loops = 0.0, 0, []
    memory = Memory()
    cpu, begin = own_cpu(), time.monotonic()
    for _ in loader.epochs(args.epochs):
        thread = time.thread_time()
        for batch, _labels in loader:
            first = first or time.monotonic() - start
            images += len(batch)
        loops.append((time.thread_time() - thread) / len(loader))
        memory.look()
    wall = time.monotonic() - begin
    report(
        images_per_second=images / wall,
        cpu_us_per_image=(own_cpu() - memory.cpu - cpu) * 1e6 / images,
        images=images,
        memory_bytes=memory.peak,
        import_seconds=imported,
        first_batch_seconds=first,
        loop_us_per_batch=statistics.median(loops) * 1e6,  # the first epoch opens the dataset too
        processes=1,
    )


class Boto3Images:
    """The map-style dataset that blogs show: a client for each worker, made where it is used."""

    def __init__(self, bucket: str, names: list[str]) -> None:
        self.bucket, self.names = bucket, names
        self.s3: Any = None
        self.work: Any = None

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Any:
        if self.s3 is None:
            self.s3, self.work = client(), pipeline()
        return self.work(self.s3.get_object(Bucket=self.bucket, Key=self.names[index])["Body"].read())


def generator(args: argparse.Namespace) -> None:
    import torch

    torch.set_num_threads(1)  # idle threads of it would only spin
    images = Boto3Images(args.bucket, keys(args.bucket, args.prefix))

    starts = range(0, len(images), BATCH)
    run(
        (torch.stack([images[i] for i in range(first, min(first + BATCH, len(images)))]) for first in starts),
        len(starts),
    )


def over_workers(dataset: Any, args: argparse.Namespace) -> None:
    """One long epoch, so that starting the workers is not what is measured."""
    import torch

    torch.set_num_threads(1)
    ahead = 2 * args.workers  # DataLoader's prefetch
    samples = BATCH * max(4 * ahead, args.epochs * len(dataset) // BATCH)
    sampler = torch.utils.data.RandomSampler(dataset, replacement=True, num_samples=samples)
    loader = torch.utils.data.DataLoader(dataset, BATCH, sampler=sampler, num_workers=args.workers)
    run(loader, len(loader), ahead)


def dataloader(args: argparse.Namespace) -> None:
    over_workers(Boto3Images(args.bucket, keys(args.bucket, args.prefix)), args)


def s3torchconnector(args: argparse.Namespace) -> None:
    from s3torchconnector import S3ClientConfig, S3MapDataset

    work = pipeline()
    dataset = S3MapDataset.from_prefix(
        f"s3://{args.bucket}/{args.prefix}",
        region=os.environ["AWS_REGION"],
        endpoint=os.environ["AWS_ENDPOINT_URL_S3"],
        transform=lambda item: work(item.read()),
        s3client_config=S3ClientConfig(force_path_style=True),
    )
    over_workers(dataset, args)


def tfdata(args: argparse.Namespace) -> None:
    import tensorflow as tf

    s3, names = client(), keys(args.bucket, args.prefix)

    def read(key: Any) -> bytes:
        body: bytes = s3.get_object(Bucket=args.bucket, Key=key.numpy().decode())["Body"].read()
        return body

    def load(key: Any) -> Any:
        data = tf.ensure_shape(tf.py_function(read, [key], tf.string), [])
        image = tf.io.decode_jpeg(data, channels=3)
        begin, size, _ = tf.image.sample_distorted_bounding_box(
            tf.shape(image), tf.zeros([0, 0, 4]), area_range=(0.08, 1.0), use_image_if_no_bounding_boxes=True
        )
        image = tf.image.resize(tf.slice(image, begin, size), (SIZE, SIZE)) / 255.0
        return (tf.image.random_flip_left_right(image) - MEAN) / STD

    dataset = tf.data.Dataset.from_tensor_slices(names).shuffle(len(names)).repeat(args.epochs)
    batches = dataset.map(load, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    run(batches, -(-args.epochs * len(names) // BATCH), ahead=4)


def dali(args: argparse.Namespace) -> None:
    os.environ["AWS_ENDPOINT_URL"] = os.environ["AWS_ENDPOINT_URL_S3"]
    from nvidia.dali import fn, pipeline_def, types

    files = [f"s3://{args.bucket}/{key}" for key in keys(args.bucket, args.prefix)]

    @pipeline_def(  # type: ignore[untyped-decorator, unused-ignore]
        batch_size=BATCH, num_threads=2, device_id=None, prefetch_queue_depth=2
    )
    def work() -> Any:
        data, _ = fn.readers.file(files=files, random_shuffle=True)
        image = fn.resize(fn.decoders.image_random_crop(data, device="cpu"), size=(SIZE, SIZE))
        return fn.crop_mirror_normalize(
            image,
            mean=[255 * mean for mean in MEAN],
            std=[255 * std for std in STD],
            mirror=fn.random.coin_flip(),
            dtype=types.FLOAT,
        )

    built = work()
    built.build()

    count = args.epochs * len(files) // BATCH
    run((built.run()[0] for _ in range(count)), count, ahead=4)


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "bucketline": bucketline,
    "generator": generator,
    "dataloader": dataloader,
    "s3torchconnector": s3torchconnector,
    "tfdata": tfdata,
    "dali": dali,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("contender", choices=COMMANDS)
    parser.add_argument("bucket")
    parser.add_argument("prefix")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--memory", default="256MiB")
    args = parser.parse_args()
    COMMANDS[args.contender](args)


if __name__ == "__main__":
    main()
