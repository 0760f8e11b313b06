"""Static shapes of images."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bucketline.image import Image


def image_spec(image: Image) -> tuple[tuple[int | None, ...], Any]:
    """Shape and dtype of one image; NHWC where it names no layout, None for sides that each image has of its own."""
    sides = image.size if isinstance(image.size, (tuple, list)) else (image.size, image.size)
    shape = (image.channels, *sides) if image.layout == "NCHW" else (*sides, image.channels)
    return shape, tf.dtypes.as_dtype(image.dtype)
