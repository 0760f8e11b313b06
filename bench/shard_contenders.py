"""Readers of shards in a Python training loop, each on its own format, on the work of python_contenders.py.

shard_contenders.py write tar|tfrecord|mds|litdata FOLDER TARGET --copies 10
shard_contenders.py bucketline BUCKET PREFIX --order shuffled              tar or TFRecord, by the prefix's ending
shard_contenders.py webdataset BUCKET PREFIX --workers 2                   tar through curl, as its documentation has it
shard_contenders.py streaming BUCKET PREFIX --workers 2 --local FOLDER     MosaicML Streaming's MDS
shard_contenders.py litdata BUCKET PREFIX --workers 2 --local FOLDER       LitData's chunks
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from contenders import SIZE, pipeline, report
from python_contenders import BATCH, MEAN, STD, Memory, client, keys, own_cpu, run

SHARD_BYTES = 16 << 20
# Of bucketline's, whose beginning counts: the first requests, fresh memory. Of the others the first batches do not.
EPOCHS = 3


def images(folder: Path, copies: int) -> Iterator[tuple[str, bytes]]:
    for copy in range(copies):
        for number, path in enumerate(sorted(folder.rglob("*.jpg"))):
            yield f"{copy:03}-{number:06}", path.read_bytes()


def write(args: argparse.Namespace) -> None:
    """One format a process: TensorFlow and torch do not go together in one."""
    target = Path(args.target)
    WRITERS[args.format](images(Path(args.folder), args.copies), target)
    report(shards=len(list(target.iterdir())))


def write_tar(samples: Iterator[tuple[str, bytes]], target: Path) -> None:
    from webdataset import ShardWriter

    target.mkdir()
    with ShardWriter(f"{target}/%06d.tar", maxsize=SHARD_BYTES, verbose=0) as writer:
        for name, data in samples:
            writer.write({"__key__": name, "jpg": data})


def write_tfrecord(samples: Iterator[tuple[str, bytes]], target: Path) -> None:
    """As tf.io.TFRecordWriter does: a tf.train.Example with one feature, image/encoded."""
    import tensorflow as tf

    target.mkdir()
    writer, size, shard = None, SHARD_BYTES, 0
    for _, data in samples:
        if size >= SHARD_BYTES:
            if writer is not None:
                writer.close()
            writer, size = tf.io.TFRecordWriter(f"{target}/{shard:06}.tfrecord"), 0
            shard += 1
        assert writer is not None
        feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[data]))
        example = tf.train.Example(features=tf.train.Features(feature={"image/encoded": feature}))
        writer.write(example.SerializeToString())
        size += len(data)
    if writer is not None:
        writer.close()


def write_mds(samples: Iterator[tuple[str, bytes]], target: Path) -> None:
    from streaming import MDSWriter

    with MDSWriter(out=str(target), columns={"image": "bytes"}, size_limit=SHARD_BYTES) as writer:
        for _, data in samples:
            writer.write({"image": data})


def write_litdata(samples: Iterator[tuple[str, bytes]], target: Path) -> None:
    from litdata.streaming.cache import Cache

    target.mkdir()
    cache = Cache(str(target), chunk_bytes=SHARD_BYTES)
    for index, (_, data) in enumerate(samples):
        cache[index] = data
    cache.done()
    cache.merge()


def bucketline(args: argparse.Namespace) -> None:
    import bucketline as bl

    image = bl.Image(SIZE, crop="random_resized", flip=0.5, mean=MEAN, std=STD)
    data = bl.Dataset(f"s3://{args.bucket}/{args.prefix}")  # the index is made once for all epochs
    shuffle = args.order == "shuffled"
    with bl.Loader(data, BATCH, image=image, shuffle=shuffle, last="partial", epochs=EPOCHS) as loader:
        cpu, begin, count, memory = own_cpu(), time.monotonic(), 0, Memory()
        for _ in loader.epochs(EPOCHS):
            for batch in loader:
                count += len(batch.images)
                memory.look()
        report(
            images_per_second=count / (time.monotonic() - begin),
            cpu_us_per_image=(own_cpu() - memory.cpu - cpu) * 1e6 / count,
            images=count,
            memory_bytes=memory.peak,
        )


def over_workers(dataset: Any, workers: int, count: int, batch: int | None) -> None:
    import torch

    torch.set_num_threads(1)
    loader = torch.utils.data.DataLoader(dataset, batch, num_workers=workers)
    run(loader, count, ahead=2 * workers)


def webdataset(args: argparse.Namespace) -> None:
    import torch
    import webdataset as wds

    s3, work = client(), pipeline()
    urls = [
        "pipe:curl -sf '" + s3.generate_presigned_url("get_object", {"Bucket": args.bucket, "Key": key}) + "'"
        for key in keys(args.bucket, args.prefix)
    ]
    samples = wds.WebDataset(urls, shardshuffle=len(urls), nodesplitter=wds.split_by_node).shuffle(1000)
    samples = samples.to_tuple("jpg").map_tuple(work).batched(BATCH, collation_fn=first_of(torch.stack))
    over_workers(samples, args.workers, args.images // BATCH, None)


def first_of(stack: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    return lambda rows: stack([row[0] for row in rows])


def streaming(args: argparse.Namespace) -> None:
    from streaming import StreamingDataset

    os.environ["S3_ENDPOINT_URL"] = os.environ["AWS_ENDPOINT_URL_S3"]
    work = pipeline()

    class Images(StreamingDataset):  # type: ignore[misc, unused-ignore]
        def __getitem__(self, index: Any) -> Any:
            return work(super().__getitem__(index)["image"])

    remote = f"s3://{args.bucket}/{args.prefix}"
    dataset = Images(remote=remote, local=args.local, shuffle=True, batch_size=BATCH)
    over_workers(dataset, args.workers, args.images // BATCH, BATCH)


def litdata(args: argparse.Namespace) -> None:
    from litdata import StreamingDataLoader, StreamingDataset
    from litdata.streaming import downloader

    downloader._OBSTORE_CLIENT_OPTIONS["allow_http"] = True  # the server here has no TLS
    work = pipeline()

    class Images(StreamingDataset):  # type: ignore[misc, unused-ignore]
        def __getitem__(self, index: Any) -> Any:
            return work(super().__getitem__(index))

    dataset = Images(
        f"s3://{args.bucket}/{args.prefix}",
        cache_dir=args.local,
        shuffle=True,
        storage_options={"endpoint_url": os.environ["AWS_ENDPOINT_URL_S3"]},
    )
    loader = StreamingDataLoader(dataset, batch_size=BATCH, num_workers=args.workers)
    run(loader, args.images // BATCH, ahead=2 * args.workers)


WRITERS = {"tar": write_tar, "tfrecord": write_tfrecord, "mds": write_mds, "litdata": write_litdata}
COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "bucketline": bucketline,
    "webdataset": webdataset,
    "streaming": streaming,
    "litdata": litdata,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="contender", required=True)
    writing = commands.add_parser("write")
    writing.add_argument("format", choices=WRITERS)
    writing.add_argument("folder")
    writing.add_argument("target")
    writing.add_argument("--copies", type=int, default=10)
    for name in COMMANDS:
        reading = commands.add_parser(name)
        reading.add_argument("bucket")
        reading.add_argument("prefix")
        reading.add_argument("--workers", type=int, default=2)
        reading.add_argument("--images", type=int, default=0)
        reading.add_argument("--local")
        reading.add_argument("--order", choices=("shuffled", "sequential"), default="shuffled")
    args = parser.parse_args()
    (write if args.contender == "write" else COMMANDS[args.contender])(args)


if __name__ == "__main__":
    main()
