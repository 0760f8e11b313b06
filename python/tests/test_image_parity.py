"""The image module gives the pixels of Pillow, torchvision and TensorFlow.

Needs the image_tool program ($BUCKETLINE_BUILD_DIR/bin, default build/release/bin). The table at the end of
the run shows the largest and the mean difference of each operation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reference.image_samples import photo_like
from reference.image_tool import ImageTool, ImageToolError
from reference.plugin import Differences

pytest_plugins = ["reference.plugin"]

OUT_SIZES = [(224, 224), (64, 96), (300, 7)]  # (height, width)
TF_TOLERANCE = 1e-3 * 255
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def pil_rgb(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


def pil_resize(image: Image.Image, height: int, width: int) -> np.ndarray:
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def mirrored(image: np.ndarray, flipped: bool) -> np.ndarray:
    return image[:, ::-1] if flipped else image


# --- decoding


@pytest.mark.parametrize("source", ["jpegs", "pngs", "photos"])
def test_decode_equals_pillow(
    source: str, tool: ImageTool, differences: Differences, request: pytest.FixtureRequest
) -> None:
    for path in request.getfixturevalue(source):
        ours, geometry = tool.decode(path)
        differences.check(f"decode {source}, Pillow", ours, np.asarray(pil_rgb(path)), 0, path.name)
        assert (geometry.source_height, geometry.source_width) == ours.shape[:2]


@pytest.mark.parametrize("source", ["jpegs", "pngs"])
def test_grey_equals_pillow(
    source: str, tool: ImageTool, differences: Differences, request: pytest.FixtureRequest
) -> None:
    for path in request.getfixturevalue(source):
        ours, geometry = tool.decode(path, channels=1)
        image = Image.open(path)
        # A grey image stays what it is; anything else goes through RGB.
        theirs = (image if geometry.channels <= 2 else image.convert("RGB")).convert("L")
        differences.check(f"decode {source} to grey, Pillow", ours[:, :, 0], np.asarray(theirs), 0, path.name)


def test_sixteen_bit_png_keeps_the_high_byte(tool: ImageTool, tmp_path: Path) -> None:
    levels = np.random.default_rng(1).integers(0, 65536, (40, 50), dtype=np.uint16)
    path = tmp_path / "deep.png"
    Image.fromarray(levels).save(path)
    assert np.array_equal(tool.decode(path, channels=1)[0][:, :, 0], levels >> 8)


def test_cmyk_equals_pillow(tool: ImageTool, differences: Differences, tmp_path: Path) -> None:
    for name, image in {
        "noise": np.random.default_rng(2).integers(0, 256, (90, 70, 4), dtype=np.uint8)
    }.items():
        path = tmp_path / f"{name}.jpg"
        Image.fromarray(image, "CMYK").save(path, quality=95)
        differences.check(
            "decode CMYK JPEG, Pillow", tool.decode(path)[0], np.asarray(pil_rgb(path)), 0, name
        )


def test_truncated_jpeg_is_an_error_as_in_pillow(tool: ImageTool, jpegs: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    for whole in jpegs[20:40]:
        data = whole.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])
        with pytest.raises(OSError):
            pil_rgb(path)
        with pytest.raises(ImageToolError, match="truncated") as caught:
            tool.decode(path)
        assert caught.value.code == "CorruptData"


# --- Pillow's resize


@pytest.mark.parametrize("source", ["jpegs", "pngs", "photos"])
@pytest.mark.parametrize(("height", "width"), OUT_SIZES)
def test_stretch_is_pillow_resize(
    source: str,
    height: int,
    width: int,
    tool: ImageTool,
    differences: Differences,
    request: pytest.FixtureRequest,
) -> None:
    for path in request.getfixturevalue(source):
        ours, _ = tool.decode(path, height=height, width=width)
        theirs = pil_resize(pil_rgb(path), height, width)
        differences.check(f"stretch {source}, Pillow antialias", ours, theirs, 1, path.name)


@pytest.mark.parametrize("source", ["jpegs", "pngs", "photos"])
def test_random_resized_is_pillow_crop_and_resize(
    source: str, tool: ImageTool, differences: Differences, request: pytest.FixtureRequest
) -> None:
    for path in request.getfixturevalue(source):
        for position in range(4):
            ours, geometry = tool.decode(
                path, height=224, width=224, crop="random_resized", flip=0.5, position=position
            )
            theirs = mirrored(pil_resize(pil_rgb(path).crop(geometry.box), 224, 224), geometry.flipped)
            differences.check(
                f"random_resized {source}, Pillow antialias", ours, theirs, 1, (path.name, position)
            )


@pytest.mark.parametrize("source", ["jpegs", "pngs", "photos"])
def test_center_is_torchvision(
    source: str, tool: ImageTool, differences: Differences, request: pytest.FixtureRequest
) -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    for path in request.getfixturevalue(source):
        image = pil_rgb(path)
        if max(image.size) > 50 * min(image.size):
            continue
        for short, height, width in ((256, 224, 224), (97, 64, 97), (100, 33, 20)):
            pipeline = transforms.Compose([transforms.Resize(short), transforms.CenterCrop((height, width))])
            ours, _ = tool.decode(path, height=height, width=width, crop="center", short=short)
            differences.check(
                f"center {source}, torchvision on PIL", ours, np.asarray(pipeline(image)), 1, path.name
            )


def test_pillow_family_without_antialias_is_torchvision_without(
    tool: ImageTool, differences: Differences, jpegs: list[Path]
) -> None:
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    for path in jpegs:
        ours, _ = tool.decode(path, height=100, width=80, antialias=False)
        tensor = torch.from_numpy(np.asarray(pil_rgb(path)).copy()).permute(2, 0, 1).float()
        theirs = functional.resize(tensor, [100, 80], antialias=False).permute(1, 2, 0).numpy()
        differences.check("stretch jpegs, torchvision antialias=False", ours, theirs, 1.01, path.name)


# --- TensorFlow


def tf_decode(path: Path) -> np.ndarray:
    tf = pytest.importorskip("tensorflow")
    return tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False).numpy()


def tf_resize(image: np.ndarray, height: int, width: int, antialias: bool) -> np.ndarray:
    tf = pytest.importorskip("tensorflow")
    return tf.image.resize(image, (height, width), antialias=antialias).numpy()


@pytest.mark.parametrize("source", ["jpegs", "pngs", "photos"])
def test_decode_equals_tensorflow(
    source: str, tool: ImageTool, differences: Differences, request: pytest.FixtureRequest
) -> None:
    for path in request.getfixturevalue(source):
        ours, _ = tool.decode(path, family="tensorflow")
        differences.check(f"decode {source}, TensorFlow", ours, tf_decode(path), 0, path.name)


@pytest.mark.parametrize("source", ["jpegs", "pngs", "photos"])
@pytest.mark.parametrize("antialias", [False, True])
def test_tensorflow_resize(
    source: str, antialias: bool, tool: ImageTool, differences: Differences, request: pytest.FixtureRequest
) -> None:
    name = f"{source}, TensorFlow antialias={antialias}"
    levels = {"family": "tensorflow", "antialias": antialias, "dtype": "float32", "scale": 1}
    for path in request.getfixturevalue(source):
        image = tf_decode(path)
        for height, width in OUT_SIZES:
            ours, _ = tool.decode(path, height=height, width=width, **levels)
            theirs = tf_resize(image, height, width, antialias)
            differences.check(f"stretch {name}", ours, theirs, TF_TOLERANCE, path.name)
        for position in range(2):
            ours, geometry = tool.decode(
                path, height=160, width=192, crop="random_resized", flip=0.5, position=position, **levels
            )
            left, top, right, bottom = geometry.box
            theirs = mirrored(tf_resize(image[top:bottom, left:right], 160, 192, antialias), geometry.flipped)
            differences.check(f"random_resized {name}", ours, theirs, TF_TOLERANCE, path.name)


# --- values and layout


@pytest.mark.parametrize("family", ["pillow", "tensorflow"])
def test_normalise_and_layout_are_numpy(
    family: str, tool: ImageTool, differences: Differences, jpegs: list[Path]
) -> None:
    mean, std = np.array(IMAGENET_MEAN, np.float32), np.array(IMAGENET_STD, np.float32)
    for path in jpegs:
        flags = {"height": 50, "width": 61, "family": family}
        levels = tool.decode(path, **flags, dtype="float32", scale=1)[0]
        expected = (levels * np.float32(1 / 255) - mean) / std
        normalised = {"dtype": "float32", "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
        nhwc = tool.decode(path, **flags, **normalised)[0]
        nchw = tool.decode(path, **flags, **normalised, layout="nchw")[0]
        assert np.array_equal(nhwc, expected), path.name
        assert np.array_equal(nchw, expected.transpose(2, 0, 1)), path.name
        rounded = tool.decode(path, **flags)[0]
        assert np.array_equal(rounded, np.floor(levels + 0.5).astype(np.uint8)), path.name
        planar = tool.decode(path, **flags, layout="nchw")[0]
        assert np.array_equal(planar, rounded.transpose(2, 0, 1)), path.name


def test_a_row_of_the_same_file_is_the_same_every_time(tool: ImageTool, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.fromarray(photo_like(300, 200, 5)).save(path)
    flags = {"height": 64, "width": 64, "crop": "random_resized", "flip": 0.5}
    first = [tool.decode(path, **flags, position=p)[0] for p in range(6)]
    again = [tool.decode(path, **flags, position=p)[0] for p in reversed(range(6))]
    for ours, theirs in zip(first, reversed(again), strict=True):
        assert np.array_equal(ours, theirs)
    assert len({row.tobytes() for row in first}) == 6
