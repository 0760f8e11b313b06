"""Small images for tests, made here."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from conftest import Endpoint
from PIL import Image

SIZE = 48


def jpeg(seed: int, bright: bool = False, size: int = SIZE) -> bytes:
    """Noise over a flat level: bright or dark, so that a label can be learnt at once."""
    rng = np.random.default_rng(seed)
    level = 170 if bright else 60
    pixels = np.clip(level + rng.normal(0, 20, (size, size, 3)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def labelled_objects(count: int) -> dict[str, bytes]:
    """Keys relative to a prefix; the folders `bright` and `dark` take turns."""
    return {f"{('dark', 'bright')[i % 2]}/{i:04}.jpg": jpeg(i, bright=i % 2 == 1) for i in range(count)}


def put_all(endpoint: Endpoint, bucket: str, prefix: str, objects: dict[str, bytes]) -> None:
    client = endpoint.client()
    for key, body in objects.items():
        client.put_object(Bucket=bucket, Key=prefix + key, Body=body)


def put_folder(endpoint: Endpoint, bucket: str, prefix: str, folder: Path) -> int:
    client: Any = endpoint.client()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        client.upload_file(str(path), bucket, prefix + path.relative_to(folder).as_posix())
    return len(files)
