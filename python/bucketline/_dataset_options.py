"""What a Dataset is told: its keywords, and what they become for the engine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import bucketline._core as _core
from bucketline._connection import uri_text
from bucketline.errors import InvalidArgumentError

Where = str | os.PathLike[str]
PINS = {name: getattr(_core.PinMode, name) for name in ("etag", "version", "size")}
SPLITS = {"key": _core.SplitBy.key, "label": _core.SplitBy.label}
MISSING = {"error": False, "drop": True}
DAMAGED = {"error": False, "skip": True}

DATASET_KEYWORDS = (
    "labels",
    "default",
    "attributes",
    "format",
    "parts",
    "damaged",
    "split",
    "extensions",
    "endpoint_url",
    "region",
    "profile",
    "anonymous",
    "requester_pays",
    "pin",
    "join",
    "missing",
    "cache",
    "cache_size",
    "cache_pixels",
    "runtime",
    "progress",
)


def cache_keywords(folder: Where, size: int | str | None, pixels: bool) -> dict[str, Any]:
    return {"cache": folder, "cache_size": size, "cache_pixels": pixels}


def uris_of(given: Any) -> list[str]:
    if not isinstance(given, Sequence) or not given:
        raise InvalidArgumentError(f"uri must be a URI, a list of them, or a dict of parts, not {given!r}")
    return [uri_text(uri) for uri in given]


def formats() -> list[str]:
    return ["auto", "objects", "tfds", *_core.shard_formats().split(" | ")]


def parts_of(given: Sequence[str] | Mapping[str, str | Sequence[str]] | None) -> list[Any]:
    if given is None:
        return []
    try:
        if isinstance(given, Mapping):
            named = {name: of.split(";") if isinstance(of, str) else list(of) for name, of in given.items()}
            return [_core.PartChoice.parse(f"{name}={';'.join(of)}") for name, of in named.items()]
        if isinstance(given, str) or not given:
            raise TypeError
        return [_core.PartChoice.parse(each) for each in given]
    except TypeError:
        raise InvalidArgumentError(
            "parts must be members of the shards' samples, ('jpg;png', 'seg.png') or {'image': 'jpg;png'}, not "
            f"{given!r}"
        ) from None


def extensions_of(given: Sequence[str] | None) -> list[str]:
    if given is None:
        return []
    if isinstance(given, str) or not all(isinstance(each, str) for each in given):
        raise InvalidArgumentError(
            f"extensions must be a sequence of texts such as ('.jpg', '.png'), or None for all keys, not {given!r}"
        )
    return list(given)
