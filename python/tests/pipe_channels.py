"""A training job's folders, and a writer of its Pipe channels."""

from __future__ import annotations

import json
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import Endpoint
from images import put_all

MAGIC = 0xCED7230A


def framed(record: bytes) -> bytes:
    """As RecordIO has it."""
    return struct.pack("<II", MAGIC, len(record)) + record + bytes(-len(record) % 4)


class Job:
    """The folders of a training container below `base`."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.data = base / "input/data"
        self.data.mkdir(parents=True)
        (base / "input/config").mkdir()

    def describe(self, **channels: dict[str, str]) -> None:
        """What inputdataconfig.json says of each channel."""
        (self.base / "input/config/inputdataconfig.json").write_text(json.dumps(channels))

    def hosts(self, count: int) -> None:
        hosts = [f"algo-{number + 1}" for number in range(count)]
        (self.base / "input/config/resourceconfig.json").write_text(
            json.dumps({"current_host": "algo-1", "hosts": hosts})
        )

    @contextmanager
    def pipe(self, name: str, epochs: Sequence[Sequence[bytes]], first: int = 0) -> Iterator[list[int]]:
        """Serves a channel, an epoch a FIFO, each a list of records. Gives the list of epochs that were opened."""
        opened: list[int] = []
        ended = threading.Event()
        paths = [self.data / f"{name}_{first + number}" for number in range(len(epochs))]
        os.mkfifo(paths[0])

        def serve() -> None:
            for number, records in enumerate(epochs):
                with open(paths[number], "wb", buffering=0) as fifo:
                    if ended.is_set():
                        return
                    opened.append(number)
                    try:
                        for record in records:
                            _write(fifo, framed(record))
                    except BrokenPipeError:
                        pass  # the reader has had enough
                    if number + 1 < len(epochs):
                        os.mkfifo(paths[number + 1])

        writer = threading.Thread(target=serve)
        writer.start()
        try:
            yield opened
        finally:
            ended.set()
            while writer.is_alive():  # an open that waits for a reader is given one
                for path in paths:
                    if path.exists():
                        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
                writer.join(0.01)


def _write(fifo: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[fifo.write(view) :]


def described_bucket(endpoint: Endpoint, objects: dict[str, bytes]) -> str:
    """A bucket with the objects below images/, and train.jsonl, an augmented manifest of them in the order of their keys."""
    name = endpoint.new_bucket()
    put_all(endpoint, name, "images/", objects)
    lines = [
        json.dumps({"image-ref": f"s3://{name}/images/{key}", "class": key.split("/")[0]})
        for key in sorted(objects)
    ]
    endpoint.client().put_object(Bucket=name, Key="train.jsonl", Body="\n".join(lines).encode())
    return name


def pipe_of(distribution: str = "FullyReplicated") -> dict[str, str]:
    """What inputdataconfig.json says of a Pipe."""
    return {
        "TrainingInputMode": "Pipe",
        "S3DistributionType": distribution,
        "RecordWrapperType": "RecordIO",
    }
