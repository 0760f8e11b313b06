"""Image: how the bytes of an image become pixels."""

from __future__ import annotations

import copy
import numbers
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from bucketline import _core
from bucketline._options import byte_size, choice, flag, number
from bucketline.errors import InvalidArgumentError

if TYPE_CHECKING:
    import numpy as np

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_CROPS = {name: getattr(_core.Crop, name) for name in ("none", "center", "random_resized", "pad", "box")}
_FILTERS = {
    name: getattr(_core.Resize, name) for name in ("bilinear", "bicubic", "lanczos", "area", "nearest")
}
_PARITIES = {"pillow": _core.Parity.pillow, "tensorflow": _core.Parity.tensorflow}
_DTYPES = {name: getattr(_core.PixelType, name) for name in ("uint8", "float16", "float32")}
_LAYOUTS = {"NCHW": _core.PixelLayout.NCHW, "NHWC": _core.PixelLayout.NHWC}
_PALETTES = {"colours": _core.Palette.colours, "index": _core.Palette.index}
_TRUNCATED = {"raise": _core.Truncated.error, "keep": _core.Truncated.keep}


@dataclass(frozen=True)
class Image:
    """How an image is cropped, resized, flipped, and turned into numbers. A value; checked when it is made.

    size: None (as it is), a side, or (height, width), in pixels.
    crop: "none" stretches to size, as tf.image.resize does; "center" brings the short side to `short` and cuts size
        from the middle; "random_resized" cuts a random box of `area` (share of the image) and `ratio` (width / height)
        and stretches it to size; "pad" fits the image inside size, centred, and fills with 0; "box" cuts `box`
        (left, top, width, height).
    flip: probability of a left-right flip. jitter: (brightness, contrast, saturation), each a factor's largest
        distance from 1. orient: obey the EXIF orientation.
    resize: "bilinear" | "bicubic" | "lanczos" | "area" | "nearest". antialias: weight all source pixels when shrinking.
    parity: whose pixels: "pillow" (and torchvision) | "tensorflow" (tf.image.resize, the decoder's fast DCT).
    scale, mean, std: value = (level * scale - mean) / std with level in 0..255. "auto" is 1/255 for floats and nothing
        for uint8; mean="imagenet" and std="imagenet" are known; with uint8 any of them is an error.
    dtype: "float32" | "float16" | "uint8". layout: "NCHW" | "NHWC"; None: what the framework likes (NCHW for numpy and
        torch, NHWC for TensorFlow and JAX).
    channels: 3, or 1 (luma).
    palette: "colours", or "index" for masks: the numbers that a PNG stores, of its palette or as grey levels.
    same_geometry_as: another field of the loader, whose box, flip and size this one gets: masks of images.
    truncated: "raise" | "keep" what is there of an image whose data ends early.
    dct_scaling: decode large JPEGs at a fraction of their size: faster, close to the full decode but not equal.
    max_pixels, max_memory: an image above them is an error before any large allocation.
    """

    size: int | tuple[int, int] | None = None
    crop: str = "none"
    short: int | None = None
    area: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    box: tuple[int, int, int, int] | None = None
    flip: float = 0.0
    jitter: tuple[float, float, float] | None = None
    orient: bool = False
    resize: str = "bilinear"
    antialias: bool = True
    parity: str = "pillow"
    scale: float | str = "auto"
    mean: float | Sequence[float] | str | None = None
    std: float | Sequence[float] | str | None = None
    dtype: str = "float32"
    layout: str | None = None
    channels: int = 3
    palette: str = "colours"
    same_geometry_as: str | None = None
    truncated: str = "raise"
    dct_scaling: bool = False
    max_pixels: int = 178_956_970
    max_memory: int | str = "2GiB"
    _spec: Any = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_spec", self._make_spec())

    def eval(self, short: int | None = None) -> Image:
        """The same image for validation: a centre crop, no flip, no jitter.

        short: what the short side becomes before size is cut; None: size * 256 / 224.
        """
        if self.size is None:
            raise InvalidArgumentError("Image.eval cuts the centre of a size: give the Image a size")
        return replace(self, crop="center", short=short, flip=0.0, jitter=None, box=None)

    def __call__(
        self, data: bytes, *, seed: int = 0, epoch: int = 0, position: int = 0
    ) -> np.ndarray[Any, Any]:
        """The pixels of one image, (H, W, C) or (C, H, W) by layout, decoded as a loader would.

        seed, epoch, position: what a random crop, flip and jitter are drawn from. Raises CorruptDataError.
        """
        return cast("np.ndarray[Any, Any]", _core.decode(self._spec, bytes(data), seed, epoch, position))

    def to_core(self, default_layout: str = "NCHW") -> Any:
        """The engine's ImageSpec."""
        spec = copy.copy(self._spec)
        if self.layout is None:
            spec.layout = _LAYOUTS[default_layout]
        return spec

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_spec"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _spec=None)
        self.__post_init__()

    def _make_spec(self) -> Any:
        spec = _core.ImageSpec()
        spec.height, spec.width = _size(self.size)
        spec.crop = choice(self.crop, "crop", _CROPS)
        if self.size is None and self.crop != "none":
            raise InvalidArgumentError(f"crop {self.crop!r} needs a size")
        spec.short_side = 0 if self.short is None else number(self.short, "short", 1, whole=True)
        spec.area = _numbers(self.area, "area", 2)
        spec.ratio = _numbers(self.ratio, "ratio", 2)
        if self.box is not None:
            spec.box = [int(side) for side in _numbers(self.box, "box", 4)]
        spec.flip = number(self.flip, "flip", 0, 1)
        spec.jitter = _numbers(self.jitter, "jitter", 3) if self.jitter is not None else [0, 0, 0]
        spec.orient = flag(self.orient, "orient")
        spec.resize = choice(self.resize, "resize", _FILTERS)
        spec.antialias = flag(self.antialias, "antialias")
        spec.parity = choice(self.parity, "parity", _PARITIES)
        spec.channels = number(self.channels, "channels", 1, 3, whole=True)
        spec.palette = choice(self.palette, "palette", _PALETTES)
        spec.dtype = choice(self.dtype, "dtype", _DTYPES)
        spec.layout = _LAYOUTS["NCHW"] if self.layout is None else choice(self.layout, "layout", _LAYOUTS)
        self._set_values(spec)
        spec.truncated = choice(self.truncated, "truncated", _TRUNCATED)
        spec.dct_scaling = flag(self.dct_scaling, "dct_scaling")
        spec.max_pixels = number(self.max_pixels, "max_pixels", 1, whole=True)
        spec.max_memory = byte_size(self.max_memory, "max_memory")
        spec.validate()
        return spec

    def _set_values(self, spec: Any) -> None:
        if self.dtype == "uint8":
            given = [name for name in ("scale", "mean", "std") if getattr(self, name) not in ("auto", None)]
            if given:
                raise InvalidArgumentError(
                    f"{given[0]} makes no sense with dtype 'uint8', which keeps the levels 0..255"
                )
            return
        if self.scale != "auto":
            if isinstance(self.scale, str):
                raise InvalidArgumentError(f"scale must be a number or 'auto', not {self.scale!r}")
            spec.scale = number(self.scale, "scale", float("-inf"))
        spec.mean = _per_channel(self.mean, "mean", IMAGENET_MEAN, 0.0)
        spec.std = _per_channel(self.std, "std", IMAGENET_STD, 1.0)


def _size(size: Any) -> tuple[int, int]:
    if size is None:
        return 0, 0
    if isinstance(size, (tuple, list)):
        if len(size) != 2:
            raise InvalidArgumentError(f"size must be a side or (height, width), not {size!r}")
        height, width = size
    else:
        height = width = size
    return (
        number(height, "size", 1, 65535, whole=True),
        number(width, "size", 1, 65535, whole=True),
    )


def _numbers(values: Any, option: str, count: int) -> list[float]:
    if not isinstance(values, (tuple, list)) or len(values) != count:
        raise InvalidArgumentError(f"{option} must be {count} numbers, not {values!r}")
    return [number(value, option, float("-inf")) for value in values]


def _per_channel(values: Any, option: str, imagenet: tuple[float, ...], default: float) -> list[float]:
    if values is None:
        return [default] * 3
    if isinstance(values, str):
        if values != "imagenet":
            raise InvalidArgumentError(
                f"{option} must be a number, three numbers or 'imagenet', not {values!r}"
            )
        return list(imagenet)
    if isinstance(values, numbers.Real):
        return [number(values, option, float("-inf"))] * 3
    return _numbers(list(values), option, 3)
