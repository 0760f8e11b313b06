"""Transform: the user's own step, between decoding and normalising, on the engine's threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bucketline.errors import InvalidArgumentError
from bucketline.image import Image

if TYPE_CHECKING:
    import numpy as np

    from bucketline.dataset import Dataset

NOTHING: Any = object()


class TransformSample:
    """What a transform is called with.

    data: bytes where the loader has no image=; else the image as uint8 (H, W, C): cropped, resized, flipped, not yet
        normalised. It is yours to write. A dict of them, by name, where the loader has fields=.
    label: as in `ds.labels`, None without. key, index: of the record that is really there. epoch, position: where in
        the run. rng: a numpy Generator keyed by (seed, epoch, position), so that a resumed run draws the same.
    """

    def __init__(self, hook: Hook, index: int, epoch: int, position: int, key: str, data: Any) -> None:
        self._hook = hook
        self.data = data
        self.key = key
        self.index = index
        self.epoch = epoch
        self.position = position

    @property
    def label(self) -> Any:
        labels = self._hook.labels
        return None if labels is None else labels[self.index]

    @cached_property
    def rng(self) -> np.random.Generator:
        import numpy as np

        bits = np.random.Philox(key=[self._hook.seed, self.epoch], counter=[0, self.position, 0, 0])
        return np.random.Generator(bits)


@dataclass(frozen=True)
class Made:
    """What a transform made of one sample, in the row of a batch."""

    key: str
    value: Any
    label: Any


class Hook:
    """What the engine calls, with the GIL. Gives None (skip), a list of pixel arrays to go on with, or (Made,)."""

    def __init__(
        self,
        transform: Callable[[TransformSample], Any],
        dataset: Dataset,
        seed: int,
        image: Image | None,
        layout: str,
        fields: Sequence[str] | None,
    ) -> None:
        if not callable(transform):
            raise InvalidArgumentError(f"transform must be a function of a sample, not {transform!r}")
        self._transform = transform
        self._image = image
        self._layout = layout
        self._fields = fields
        self.labels = dataset.labels
        self.seed = seed

    def __call__(self, index: int, epoch: int, position: int, key: str, parts: list[Any]) -> Any:
        data = parts[0] if self._fields is None else dict(zip(self._fields, parts, strict=True))
        value = self._transform(TransformSample(self, index, epoch, position, key, data))
        if value is None:
            return None
        pixels = self._pixels(value, parts)
        if pixels is not None:
            return pixels
        label = NOTHING
        if isinstance(value, tuple) and len(value) == 2:
            value, label = value
        if self._image is not None and self._fields is None and _same(value, parts[0]):
            value = normalise(value, self._image, self._layout)
        return (Made(key, value, label),)

    def _pixels(self, value: Any, parts: list[Any]) -> list[Any] | None:
        """For the engine to normalise: levels of the same shape, in place of those that it gave."""
        if self._fields is None:
            return [_contiguous(value)] if self._image is not None and _same(value, parts[0]) else None
        if not isinstance(value, Mapping) or set(value) != set(self._fields):
            return None
        pixels: list[Any] = []
        for name, part in zip(self._fields, parts, strict=True):
            if isinstance(part, bytes):
                if value[name] is not part:
                    return None
                pixels.append(None)
            elif _same(value[name], part):
                pixels.append(_contiguous(value[name]))
            else:
                return None
        return pixels


def normalise(levels: Any, image: Image, layout: str) -> Any:
    """uint8 (H, W, C) as the engine would write it into a row: scale, mean, std, dtype and layout of `image`."""
    import numpy as np

    spec = image.to_core(layout)
    if image.dtype != "uint8":
        channels = levels.shape[2]
        mean = np.asarray(spec.mean[:channels], np.float32)
        std = np.asarray(spec.std[:channels], np.float32)
        levels = ((levels * np.float32(spec.scale) - mean) / std).astype(image.dtype)
    return levels.transpose(2, 0, 1) if (image.layout or layout) == "NCHW" else levels


def _same(value: Any, part: Any) -> bool:
    return (
        getattr(value, "dtype", None) == "uint8"
        and not isinstance(part, bytes)
        and getattr(value, "shape", None) == part.shape
    )


def _contiguous(array: Any) -> Any:
    import numpy as np

    return np.ascontiguousarray(array)
