"""What Pillow and TensorFlow make of an image: what the parity tests compare with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TF_TOLERANCE = 1e-3 * 255  # levels of 255

PIL_FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
    "nearest": Image.Resampling.NEAREST,
}


def pil_rgb(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


def pil_resize(image: Image.Image, height: int, width: int) -> np.ndarray:
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def mirrored(image: np.ndarray, flipped: bool) -> np.ndarray:
    return image[:, ::-1] if flipped else image


def tf_decode(path: Path) -> np.ndarray:
    tf = pytest.importorskip("tensorflow")
    return tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False).numpy()


def tf_resize(image: np.ndarray, height: int, width: int, antialias: bool) -> np.ndarray:
    tf = pytest.importorskip("tensorflow")
    return tf.image.resize(image, (height, width), antialias=antialias).numpy()
