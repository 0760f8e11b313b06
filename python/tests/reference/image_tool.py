"""Drives the `image_tool` program: one process for many images, rows come back as numpy arrays."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[3]


class ImageToolError(Exception):
    """The engine refused an image; `code` is the name of its ErrorCode."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Geometry:
    source_width: int
    source_height: int
    left: float
    top: float
    width: float
    height: float
    flipped: bool
    channels: int
    buffered: bool
    orientation: int
    truncated: bool
    jitter_order: tuple[str, str, str]
    brightness: float
    contrast: float
    saturation: float

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of an integer box, as PIL's crop takes it."""
        assert all(float(v).is_integer() for v in (self.left, self.top, self.width, self.height))
        return (int(self.left), int(self.top), int(self.left + self.width), int(self.top + self.height))


def tool_path() -> Path:
    build = Path(os.environ.get("BUCKETLINE_BUILD_DIR", ROOT / "build" / "release"))
    return build / "bin" / "image_tool"


class ImageTool:
    def __init__(self, scratch: Path) -> None:
        self._out = scratch / "row.bin"
        self._process = subprocess.Popen(
            [tool_path(), "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(timeout=300) == 0

    def decode(self, path: Path, **flags: object) -> tuple[np.ndarray, Geometry]:
        """The row as (H, W, C) or (C, H, W), and what was cut. Flags are those of image_tool.cc."""
        flags = {"dtype": "uint8", "layout": "nhwc", "channels": 3} | flags
        words = [str(path), str(self._out), *(f"{k}={_text(v)}" for k, v in flags.items())]
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\t".join(words) + "\n")
        self._process.stdin.flush()
        status, _, rest = self._process.stdout.readline().strip().partition(" ")
        if status != "ok":
            code, _, message = rest.partition(" ")
            raise ImageToolError(code, message)
        numbers = [float(word) for word in rest.split()]
        jitters = [("brightness", "contrast", "saturation")[int(number)] for number in numbers[11:14]]
        geometry = Geometry(
            int(numbers[0]), int(numbers[1]), numbers[2], numbers[3], numbers[4], numbers[5],
            bool(numbers[6]), int(numbers[7]), bool(numbers[8]), int(numbers[9]), bool(numbers[10]),
            (jitters[0], jitters[1], jitters[2]), *numbers[14:17],
        )  # fmt: skip
        height = int(str(flags.get("height", geometry.source_height)))
        width = int(str(flags.get("width", geometry.source_width)))
        channels = int(str(flags["channels"]))
        shape = (height, width, channels) if flags["layout"] == "nhwc" else (channels, height, width)
        return np.fromfile(self._out, dtype=str(flags["dtype"])).reshape(shape), geometry


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple | list):
        return ",".join(repr(float(v)) for v in value)
    return str(value)
