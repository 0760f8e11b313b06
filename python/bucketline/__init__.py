"""Train deep-learning models on data that stays in S3, as fast as if it were local.

    import bucketline as bl

    loader = bl.Loader("s3://bucket/images/", labels="folder", image=bl.Image(224), batch_size=32, shuffle=True)
    for images, labels in loader:
        ...

`bl.torch`, `bl.keras`, `bl.tf` and `bl.jax` give the same batches in each framework, and `bl.sagemaker` runs SageMaker's
training jobs on this machine; they are imported when they are first used.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from bucketline._extension import version as __version__  # first: see there
from bucketline._progress import ListingProgress
from bucketline.batch import Batch, FieldBatch
from bucketline.combine import concat, mix
from bucketline.dataset import Dataset, Sample
from bucketline.errors import (
    AlreadyExistsError,
    CancelledError,
    ConnectionError,
    CorruptDataError,
    Error,
    InternalError,
    InvalidArgumentError,
    IoError,
    NotFoundError,
    ObjectChangedError,
    PermissionDeniedError,
    ResourceExhaustedError,
    ThrottledError,
    TimeoutError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
)
from bucketline.files import open
from bucketline.image import Image
from bucketline.indexing import Diff, IndexReport, diff, index
from bucketline.labels import Labels, Member, Sidecar
from bucketline.loader import Loader
from bucketline.objects import Object, delete, exists, get, list, put
from bucketline.packing import PackReport, pack
from bucketline.runtime import Runtime
from bucketline.transform import TransformSample
from bucketline.writer import Writer

__all__ = [
    "AlreadyExistsError",
    "Batch",
    "CancelledError",
    "ConnectionError",
    "CorruptDataError",
    "Dataset",
    "Diff",
    "Error",
    "FieldBatch",
    "Image",
    "IndexReport",
    "InternalError",
    "InvalidArgumentError",
    "IoError",
    "Labels",
    "ListingProgress",
    "Loader",
    "Member",
    "NotFoundError",
    "Object",
    "ObjectChangedError",
    "PackReport",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "Runtime",
    "Sample",
    "Sidecar",
    "ThrottledError",
    "TimeoutError",
    "TransformSample",
    "UnauthenticatedError",
    "UnavailableError",
    "UnsupportedError",
    "Writer",
    "__version__",
    "concat",
    "delete",
    "diff",
    "exists",
    "get",
    "index",
    "list",
    "mix",
    "open",
    "pack",
    "put",
]

_WHEN_USED: tuple[str, ...] = ("jax", "keras", "parquet", "sagemaker", "tf", "torch")


def __getattr__(name: str) -> Any:
    if name in _WHEN_USED:
        return importlib.import_module(f"bucketline.{name}")
    raise AttributeError(f"module 'bucketline' has no attribute {name!r}")


def __dir__() -> Iterable[str]:
    return [*__all__, *_WHEN_USED]
