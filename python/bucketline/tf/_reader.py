"""Reader: the object of a key, as bytes or decoded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import tensorflow as tf

from bucketline import _core
from bucketline._connection import CONNECTION_KEYWORDS, runtime_of, s3_options
from bucketline._options import reject_unknown
from bucketline.errors import CorruptDataError, InvalidArgumentError
from bucketline.image import Image
from bucketline.tf._specs import image_spec

_LARGEST = 1 << 30  # bytes of an object that is taken whole


class Reader:
    """Reads `base` + key whole; a key that is a URI itself is taken as it is. Thread-safe.

    image: how the bytes become pixels, NHWC unless it names a layout; None: a scalar tf.string of the bytes.
    """

    def __init__(self, base: str, image: Image | None, where: str, connection: dict[str, Any]) -> None:
        reject_unknown(connection, CONNECTION_KEYWORDS, where)
        if not (image is None or isinstance(image, Image)):
            raise InvalidArgumentError(f"image must be a bucketline.Image or None, not {image!r}")
        self._runtime = runtime_of(connection.get("runtime"))
        self._s3 = s3_options(**connection)
        self._base = base
        self._image = image
        if image is not None:
            self._image = replace(image, layout=image.layout or "NHWC")
            self.shape, self.dtype = image_spec(self._image)
        else:
            self.shape, self.dtype = (), tf.string

    def __call__(self, key: Any) -> Any:
        """Bytes, or an array (H, W, C). Raises what the store says, CorruptDataError with the object's URI."""
        raw: bytes = key if isinstance(key, bytes) else key.item()  # called eagerly, it is an array
        text = raw.decode(errors="surrogateescape")
        uri = text if "://" in text else self._base + text
        data = _core.Place(self._runtime._core, uri, self._s3).get(
            offset=0, length=None, limit=_LARGEST, etag=""
        )
        if self._image is None:
            return data
        try:
            return self._image(data)
        except CorruptDataError as bad:
            raise CorruptDataError(bad.message, uri) from None
