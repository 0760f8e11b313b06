"""preview: what a dataset looks like: some of its images on one sheet, with their labels."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bucketline._font import HEIGHT, draw_text
from bucketline._options import number
from bucketline.errors import CorruptDataError, Error
from bucketline.image import Image

if TYPE_CHECKING:
    from bucketline.dataset import Dataset

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

_GAP = 4
_PAPER = 255
_INK = 0
_BROKEN = (200, 80, 80)


class Preview:
    """A contact sheet: a notebook shows it, `save` writes it. `keys` are those of its images, row by row."""

    def __init__(self, pixels: Pixels, keys: list[str]) -> None:
        self.pixels = pixels  # (H, W, 3)
        self.keys = keys

    def _repr_png_(self) -> bytes:
        return encode_png(self.pixels)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a file as PNG."""
        Path(path).write_bytes(encode_png(self.pixels))

    def __repr__(self) -> str:
        height, width = self.pixels.shape[:2]
        return f"Preview({len(self.keys)} images, {width} x {height} pixels; save(path) writes it as PNG)"


def contact_sheet(dataset: Dataset, n: int, columns: int, size: int) -> Preview:
    """Of `n` records from all over the dataset; see Dataset.preview."""
    count = min(number(n, "n", 1, 10_000, whole=True), len(dataset))
    columns = min(number(columns, "columns", 1, 1000, whole=True), max(count, 1))
    side = number(size, "size", 16, 1024, whole=True)
    chosen = [i * len(dataset) // count for i in range(count)]
    image = Image(side, crop="pad", dtype="uint8", layout="NHWC", orient=True)
    tiles = [_tile(dataset, index, image) for index in chosen]
    rows = -(-count // columns)
    cell_height, cell_width = side + HEIGHT + 2 * _GAP, side + _GAP
    sheet = np.full((rows * cell_height + _GAP, columns * cell_width + _GAP, 3), _PAPER, np.uint8)
    for place, (tile, caption) in enumerate(tiles):
        top = _GAP + place // columns * cell_height
        left = _GAP + place % columns * cell_width
        sheet[top : top + side, left : left + side] = tile
        below = top + side + _GAP // 2
        draw_text(sheet[below : below + HEIGHT, left : left + side], caption, _INK)
    return Preview(sheet, [dataset.keys[index] for index in chosen])


def _tile(dataset: Dataset, index: int, image: Image) -> tuple[Any, str]:
    sample = dataset[index]
    try:
        pixels = image(sample.data)
    except CorruptDataError:
        return _BROKEN, "not an image"
    except Error as error:
        return _BROKEN, error.code
    return pixels, _caption(sample.label, dataset.classes)


def _caption(label: Any, classes: list[str]) -> str:
    if not isinstance(label, (np.generic, np.ndarray)):
        return "" if label is None else str(label)
    values = np.atleast_1d(label)
    if classes and values.size == 1 and values.dtype.kind in "iu":
        return classes[int(values[0])]
    return " ".join(f"{value:g}" for value in values)


def encode_png(pixels: Pixels) -> bytes:
    """(H, W, 3) uint8 as a PNG file."""
    height, width = pixels.shape[:2]
    lines = np.zeros((height, 1 + 3 * width), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = pixels.reshape(height, 3 * width)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
