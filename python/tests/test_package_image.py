"""bl.Image: the engine's decoder in Python, beside Pillow and torchvision."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from images import jpeg
from PIL import Image

import bucketline as bl
from bucketline.image import IMAGENET_MEAN, IMAGENET_STD


def photo(seed: int, width: int = 160, height: int = 120, kind: str = "JPEG") -> bytes:
    """Smooth colours with some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 255 / width, y * 255 / height, (x + y) * 255 / (width + height)], axis=-1)
    pixels = np.clip(pixels + rng.normal(0, 12, pixels.shape), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def pillow(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


AS_IT_IS = bl.Image(dtype="uint8", layout="NHWC")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("seed", range(3))
def test_decoding_is_pillows(kind: str, seed: int) -> None:
    data = photo(seed, 160 + seed, 121 - seed, kind)
    pixels = AS_IT_IS(data)
    assert pixels.dtype == np.uint8 and pixels.flags.writeable
    assert np.array_equal(pixels, np.asarray(pillow(data)))


@pytest.mark.parametrize("name", ["bilinear", "bicubic", "lanczos", "nearest"])
@pytest.mark.parametrize("size", [(64, 96), (300, 200)])
def test_resizing_is_pillows(name: str, size: tuple[int, int]) -> None:
    data = photo(1)
    pixels = bl.Image(size, resize=name, dtype="uint8", layout="NHWC")(data)
    wanted = pillow(data).resize(size[::-1], getattr(Image.Resampling, name.upper()))
    assert np.abs(pixels.astype(int) - np.asarray(wanted).astype(int)).max() <= 1


def test_evaluation_is_torchvisions() -> None:
    torch = pytest.importorskip("torch")
    transforms = pytest.importorskip("torchvision.transforms")
    data = photo(2, 300, 200)
    theirs = transforms.Compose(
        [
            transforms.Resize(72),
            transforms.CenterCrop(64),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )(pillow(data))
    ours = bl.Image(64, mean="imagenet", std="imagenet").eval(short=72)(data)
    assert ours.shape == (3, 64, 64) and ours.dtype == np.float32
    assert torch.abs(torch.from_numpy(ours) - theirs).max() <= 1.01 / 255 / min(IMAGENET_STD)


def test_values_are_levels_scaled_and_normalised() -> None:
    data = photo(3)
    levels = AS_IT_IS(data).astype(np.float32)
    as_float = bl.Image(layout="NHWC")(data)
    assert np.allclose(as_float, levels / 255, atol=1e-6)
    assert np.allclose(bl.Image(layout="NHWC", scale=2, mean=1, std=4)(data), (levels * 2 - 1) / 4, atol=1e-4)
    by_channel = bl.Image(layout="NHWC", mean=(0.1, 0.2, 0.3), std=[1, 2, 3])(data)
    assert np.allclose(by_channel, (levels / 255 - [0.1, 0.2, 0.3]) / [1, 2, 3], atol=1e-6)
    half = bl.Image(layout="NHWC", dtype="float16")(data)
    assert half.dtype == np.float16 and np.allclose(half, as_float, atol=1e-3)


def test_layout_and_channels_say_the_shape() -> None:
    data = photo(4, 40, 30)
    assert bl.Image()(data).shape == (3, 30, 40)
    assert bl.Image(layout="NCHW")(data).shape == (3, 30, 40)
    assert bl.Image(layout="NHWC")(data).shape == (30, 40, 3)
    assert bl.Image(8, channels=1)(data).shape == (1, 8, 8)
    assert bl.Image((6, 8))(data).shape == (3, 6, 8)
    grey = bl.Image(channels=1, dtype="uint8", layout="NHWC")(photo(4, kind="PNG"))
    luma = np.asarray(pillow(photo(4, kind="PNG")).convert("L"))
    assert np.abs(grey[..., 0].astype(int) - luma).max() <= 1


def test_crops() -> None:
    data = photo(5, kind="PNG")  # 160 x 120
    whole = np.asarray(pillow(data))
    centre = bl.Image(64, crop="center", short=120, dtype="uint8", layout="NHWC")(data)
    assert np.array_equal(centre, whole[28:92, 48:112])
    box = bl.Image((30, 20), crop="box", box=(10, 5, 20, 30), dtype="uint8", layout="NHWC")(data)
    assert np.array_equal(box, whole[5:35, 10:30])
    padded = bl.Image(160, crop="pad", dtype="uint8", layout="NHWC")(data)
    assert np.array_equal(padded[20:140], whole) and not padded[:20].any() and not padded[140:].any()
    flipped = bl.Image(flip=1.0, dtype="uint8", layout="NHWC")(data)
    assert np.array_equal(flipped, whole[:, ::-1])


def test_what_is_random_depends_on_seed_epoch_and_position_alone() -> None:
    data = photo(6)
    image = bl.Image(32, crop="random_resized", flip=0.5, jitter=(0.4, 0.4, 0.4))
    first = image(data, seed=1, epoch=2, position=3)
    assert np.array_equal(first, image(data, seed=1, epoch=2, position=3))
    for other in ({"seed": 2}, {"epoch": 3}, {"position": 4}):
        assert not np.array_equal(first, image(data, **{"seed": 1, "epoch": 2, "position": 3, **other}))
    assert np.array_equal(image.eval(40)(data), image.eval(40)(data, seed=9))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orient_obeys_exif(orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[274] = orientation
    buffer = io.BytesIO()
    pillow(photo(7, 64, 48)).save(buffer, "JPEG", quality=95, exif=exif)
    wanted = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(buffer.getvalue()))))
    assert np.array_equal(bl.Image(orient=True, dtype="uint8", layout="NHWC")(buffer.getvalue()), wanted)


def test_bytes_that_are_no_image_are_corrupt_data() -> None:
    data = photo(8)
    for bad in (b"", b"not an image", data[:100]):
        with pytest.raises(bl.CorruptDataError):
            AS_IT_IS(bad)
    with pytest.raises(bl.CorruptDataError):
        AS_IT_IS(data[: len(data) // 2])
    kept = bl.Image(dtype="uint8", layout="NHWC", truncated="keep")(data[: len(data) // 2])
    assert np.array_equal(kept[:32], np.asarray(pillow(data))[:32])
    assert AS_IT_IS(bytearray(data)).shape == AS_IT_IS(memoryview(data)).shape == (120, 160, 3)  # type: ignore[arg-type]


def test_an_image_above_the_limits_is_an_error() -> None:
    with pytest.raises(bl.Error, match="120"):
        bl.Image(max_pixels=1000)(photo(9))


def test_pixels_outlive_everything() -> None:
    pixels = [bl.Image(16)(jpeg(i)) for i in range(50)]
    again = [bl.Image(16)(jpeg(i)) for i in range(50)]
    assert all(np.array_equal(a, b) for a, b in zip(pixels, again, strict=True))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"size": "224"}, "size must be"),
        ({"size": 0}, "size must be"),
        ({"size": 1.5}, "size must be"),
        ({"size": (1, 2, 3)}, "size must be"),
        ({"size": True}, "size must be"),
        ({"size": 224, "crop": "centre"}, "crop must be .*did you mean 'center'"),
        ({"size": 224, "crop": "center", "short": 0}, "short must be"),
        ({"size": 224, "crop": "random_resized", "area": 0.5}, "area must be 2 numbers"),
        ({"size": 224, "crop": "random_resized", "area": (0.9, 0.1)}, "area"),
        ({"size": 224, "crop": "random_resized", "ratio": (1,)}, "ratio must be 2 numbers"),
        ({"size": 8, "crop": "box", "box": (1, 2, 3)}, "box must be 4 numbers"),
        ({"flip": 1.5}, "flip must be"),
        ({"flip": "yes"}, "flip must be"),
        ({"jitter": 0.4}, "jitter must be 3 numbers"),
        ({"jitter": (0.1, "a", 0.1)}, "jitter must be"),
        ({"orient": "yes"}, "orient must be"),
        ({"resize": "cubic"}, "resize must be .*did you mean 'bicubic'"),
        ({"antialias": "no"}, "antialias must be"),
        ({"parity": "torch"}, "parity must be"),
        ({"scale": "x"}, "scale must be"),
        ({"mean": "cifar"}, "mean must be"),
        ({"std": (1, 2)}, "std must be 3 numbers"),
        ({"std": 0}, "std"),
        ({"dtype": "float64"}, "dtype must be"),
        ({"dtype": np.float32}, "dtype must be"),
        ({"dtype": "uint8", "mean": "imagenet"}, "mean makes no sense with dtype 'uint8'"),
        ({"dtype": "uint8", "scale": 2}, "scale makes no sense"),
        ({"layout": "HWC"}, "layout must be"),
        ({"channels": 4}, "channels must be"),
        ({"channels": 2}, "channels"),
        ({"truncated": "skip"}, "truncated must be"),
        ({"dct_scaling": 1}, "dct_scaling must be"),
        ({"max_pixels": 0}, "max_pixels must be"),
        ({"max_memory": "lots"}, "max_memory must be"),
        ({"crop": "center"}, "crop 'center' needs a size"),
    ],
)
def test_options_that_do_not_fit_are_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        bl.Image(**options)


def test_numpy_numbers_are_numbers() -> None:
    image = bl.Image((np.int64(8), np.int32(9)), flip=np.float32(0.5), mean=list(np.array([0.1, 0.2, 0.3])))
    assert image(photo(1)).shape == (3, 8, 9)


def test_an_image_is_a_value() -> None:
    image = bl.Image(224, crop="center", mean="imagenet", std="imagenet")
    assert image == bl.Image(224, crop="center", mean="imagenet", std="imagenet") != bl.Image(224)
    assert hash(image) == hash(bl.Image(224, crop="center", mean="imagenet", std="imagenet"))
    assert repr(image).startswith("Image(size=224, crop='center'") and "_spec" not in repr(image)
    with pytest.raises(AttributeError):
        image.size = 3  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(image))
    assert again == image and np.array_equal(again(photo(1)), image(photo(1)))
    with pytest.raises(bl.InvalidArgumentError, match="give the Image a size"):
        bl.Image().eval()
