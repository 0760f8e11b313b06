"""A bucket of small images, and how tests of frameworks look at batches."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from conftest import Endpoint
from images import labelled_objects, put_all

import bucketline as bl

COUNT = 40
SIZE = 24


@dataclass
class Store:
    """A bucket with COUNT labelled images."""

    bucket: str
    uri: str

    def open(self, labels: Any = "folder") -> bl.Dataset:
        return bl.Dataset(self.uri, labels=labels)


@contextmanager
def stored(versitygw: Endpoint, count: int = COUNT) -> Iterator[Store]:
    """The images, and the environment that reaches them, for child processes too."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in versitygw.environment().items():
            patch.setenv(name, value)
        bucket = versitygw.new_bucket()
        put_all(versitygw, bucket, "images/", labelled_objects(count))
        yield Store(bucket, f"s3://{bucket}/images/")


def image(**options: Any) -> bl.Image:
    return bl.Image(SIZE, **{"crop": "random_resized", "flip": 0.5, **options})


def numbers(images: Any) -> list[int]:
    """Something that tells images apart, whatever holds them."""
    return [zlib.crc32(np.ascontiguousarray(row).tobytes()) for row in np.asarray(images)]
