"""The image module gives the pixels of Pillow, torchvision and TensorFlow.

Needs the image_tool program ($BUCKETLINE_BUILD_DIR/bin, default build/release/bin). The table at the end of
the run shows the largest and the mean difference of each operation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from reference.image_samples import photo_like
from reference.image_tool import ImageTool, ImageToolError
from reference.plugin import Differences

OUT_SIZES = [(224, 224), (64, 96), (300, 7)]  # (height, width)
TF_TOLERANCE = 1e-3 * 255
CUBIC = {"bilinear": 1, "area": 1, "nearest": 0, "bicubic": 2, "lanczos": 2}  # levels
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


def test_every_kind_of_jpeg_equals_pillow_and_tensorflow(
    tool: ImageTool, differences: Differences, odd_jpegs: list[Path]
) -> None:
    tf = pytest.importorskip("tensorflow")
    assert len([path for path in odd_jpegs if path.name.startswith("sampling")]) == 24
    for path in odd_jpegs:
        image = pil_rgb(path)
        ours, _ = tool.decode(path)
        differences.check("decode odd JPEGs, Pillow", ours, np.asarray(image), 0, path.name)
        for position in range(6):
            ours, geometry = tool.decode(path, height=30, width=40, crop="random_resized", position=position)
            theirs = pil_resize(image.crop(geometry.box), 30, 40)
            differences.check("random_resized odd JPEGs, Pillow", ours, theirs, 0, path.name)
        try:
            decoded = tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False).numpy()
        except tf.errors.InvalidArgumentError:
            assert path.name == "arithmetic.jpg"  # its libjpeg is built without
            continue
        ours, _ = tool.decode(path, family="tensorflow")
        differences.check("decode odd JPEGs, TensorFlow", ours, decoded, 0, path.name)


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


# --- the other formats


@pytest.mark.parametrize("kind", ["webp", "gif", "bmp"])
def test_other_formats_equal_pillow(
    kind: str, tool: ImageTool, differences: Differences, others: dict[str, list[Path]]
) -> None:
    for path in others[kind]:
        image = pil_rgb(path)
        ours, geometry = tool.decode(path)
        differences.check(f"decode {kind}, Pillow", ours, np.asarray(image), 0, path.name)
        assert (geometry.source_height, geometry.source_width) == ours.shape[:2]
        grey, _ = tool.decode(path, channels=1)
        differences.check(
            f"decode {kind} to grey", grey[:, :, 0], np.asarray(image.convert("L")), 0, path.name
        )
        for position in range(4):  # only a window of it is decoded
            flags = {"crop": "random_resized", "flip": 0.5, "position": position}
            ours, geometry = tool.decode(path, height=40, width=50, **flags)
            theirs = mirrored(pil_resize(image.crop(geometry.box), 40, 50), geometry.flipped)
            differences.check(f"random_resized {kind}, Pillow", ours, theirs, 1, (path.name, position))


@pytest.mark.parametrize("kind", ["gif", "bmp"])
def test_other_formats_equal_tensorflow(
    kind: str, tool: ImageTool, differences: Differences, others: dict[str, list[Path]]
) -> None:
    tf = pytest.importorskip("tensorflow")
    for path in others[kind]:
        if kind == "bmp" and "rgb-" not in path.name:
            continue  # TensorFlow gives these one or four channels, never three
        theirs = tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False).numpy()
        ours, _ = tool.decode(path, family="tensorflow")
        differences.check(f"decode {kind}, TensorFlow", ours, theirs, 0, path.name)


def test_truncated_images_keep_what_is_there(
    tool: ImageTool, jpegs: list[Path], pngs: list[Path], others: dict[str, list[Path]], tmp_path: Path
) -> None:
    kept = 0
    for whole in [*jpegs, *pngs, *others["gif"], *others["bmp"]]:
        data = whole.read_bytes()
        full, geometry = tool.decode(whole)
        if full.shape[0] < 60 or geometry.buffered or len(data) < 4000 or "animated" in whole.name:
            continue
        path = tmp_path / f"cut{whole.suffix}"
        path.write_bytes(data[: len(data) * 2 // 3])
        with pytest.raises(ImageToolError, match="truncated"):
            tool.decode(path)
        ours, geometry = tool.decode(path, truncated="keep")
        assert geometry.truncated
        rows = slice(-full.shape[0] // 4, None) if whole.suffix == ".bmp" else slice(0, full.shape[0] // 4)
        assert np.array_equal(ours[rows], full[rows]), whole.name
        assert not np.array_equal(ours, full), whole.name
        kept += 1
    assert kept > 40


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


# --- every filter


PIL_FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
    "nearest": Image.Resampling.NEAREST,
}


@pytest.mark.parametrize("resize", PIL_FILTERS)
def test_filters_are_pillows(
    resize: str, tool: ImageTool, differences: Differences, mixed: list[Path]
) -> None:
    for path in mixed:
        image = pil_rgb(path)
        for height, width in OUT_SIZES:
            ours, _ = tool.decode(path, height=height, width=width, resize=resize)
            theirs = np.asarray(image.resize((width, height), PIL_FILTERS[resize]))
            differences.check(f"{resize}, Pillow", ours, theirs, CUBIC[resize], path.name)
        for position in range(2):
            flags = {"crop": "random_resized", "flip": 0.5, "position": position, "resize": resize}
            ours, geometry = tool.decode(path, height=160, width=192, **flags)
            cut = image.crop(geometry.box).resize((192, 160), PIL_FILTERS[resize])
            theirs = mirrored(np.asarray(cut), geometry.flipped)
            differences.check(f"{resize} of a box, Pillow", ours, theirs, CUBIC[resize], path.name)


def test_bicubic_without_antialias_is_torchvision(
    tool: ImageTool, differences: Differences, mixed: list[Path]
) -> None:
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    mode = pytest.importorskip("torchvision.transforms").InterpolationMode.BICUBIC
    for path in mixed:
        ours, _ = tool.decode(path, height=100, width=80, resize="bicubic", antialias=False)
        levels = torch.from_numpy(np.asarray(pil_rgb(path)).copy()).permute(2, 0, 1).float()
        # A pass at a time, because torch's floats keep what overshoots where bytes cut it off.
        height, width = levels.shape[1:]
        vertical_first = height > 100 and 2 * (width - 80) < height - 100
        for size in ([100, width] if vertical_first else [height, 80], [100, 80]):
            levels = functional.resize(levels, size, interpolation=mode, antialias=False)
            levels = (levels + 0.5).floor().clamp(0, 255)
        theirs = levels.permute(1, 2, 0).numpy()
        differences.check("bicubic, torchvision antialias=False", ours, theirs, 1, path.name)


TF_METHODS = {"bicubic": "bicubic", "lanczos": "lanczos3", "area": "area", "nearest": "nearest"}


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("resize", TF_METHODS)
def test_filters_are_tensorflows(
    resize: str, antialias: bool, tool: ImageTool, differences: Differences, mixed: list[Path]
) -> None:
    tf = pytest.importorskip("tensorflow")
    levels = {
        "family": "tensorflow",
        "dtype": "float32",
        "scale": 1,
        "resize": resize,
        "antialias": antialias,
    }
    for path in mixed:
        image = tf_decode(path)
        for height, width in OUT_SIZES:
            ours, _ = tool.decode(path, height=height, width=width, **levels)
            theirs = tf.image.resize(image, (height, width), method=TF_METHODS[resize], antialias=antialias)
            differences.check(
                f"{resize}, TensorFlow antialias={antialias}", ours, theirs.numpy(), TF_TOLERANCE, path.name
            )


# --- pad, boxes, orientation, jitter


def test_pad_is_pillows_pad(tool: ImageTool, differences: Differences, mixed: list[Path]) -> None:
    for path in mixed:
        image = pil_rgb(path)
        for height, width in ((224, 224), (50, 91), (91, 50)):
            if max(image.size) > 40 * min(image.size):
                continue
            ours, geometry = tool.decode(path, height=height, width=width, crop="pad", flip=1)
            theirs = ImageOps.pad(image, (width, height), Image.Resampling.BILINEAR)
            differences.check("pad, Pillow", ours, np.asarray(theirs)[:, ::-1], 1, path.name)


def test_pad_is_tensorflows(tool: ImageTool, differences: Differences, mixed: list[Path]) -> None:
    tf = pytest.importorskip("tensorflow")
    levels = {"family": "tensorflow", "dtype": "float32", "scale": 1, "antialias": False, "crop": "pad"}
    for path in mixed:
        for height, width in ((224, 224), (50, 91)):
            ours, _ = tool.decode(path, height=height, width=width, **levels)
            theirs = tf.image.resize_with_pad(tf_decode(path), height, width).numpy()
            differences.check("pad, TensorFlow", ours, theirs, TF_TOLERANCE, path.name)


def test_a_box_is_pillows_crop(tool: ImageTool, differences: Differences, mixed: list[Path]) -> None:
    for path in mixed:
        image = pil_rgb(path)
        left, top = image.width // 5, image.height // 4
        width, height = max(image.width // 2, 1), max(image.height // 3, 1)
        ours, geometry = tool.decode(
            path, height=64, width=80, crop="box", box=(left, top, width, height), resize="bicubic"
        )
        cut = image.crop((left, top, left + width, top + height))
        theirs = np.asarray(cut.resize((80, 64), Image.Resampling.BICUBIC))
        differences.check("box, Pillow", ours, theirs, 2, path.name)
        assert geometry.box == (left, top, left + width, top + height)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_pillows_exif_transpose(
    orientation: int, suffix: str, tool: ImageTool, differences: Differences, tmp_path: Path
) -> None:
    path = tmp_path / f"turned.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"jpg": {"quality": 90, "subsampling": 2}, "png": {}, "webp": {"quality": 90}}[
        suffix
    ]
    Image.fromarray(photo_like(203, 119, 7)).save(path, exif=exif, **options)
    shown = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    unturned = np.asarray(pil_rgb(path))
    assert np.array_equal(tool.decode(path)[0], unturned)
    ours, geometry = tool.decode(path, orient=True)
    assert geometry.orientation == orientation
    differences.check(f"orientation of {suffix}, Pillow", ours, np.asarray(shown), 0, orientation)
    for resize, method in PIL_FILTERS.items():
        for layout in ("nhwc", "nchw"):
            flags = {"height": 90, "width": 61, "orient": True, "resize": resize, "layout": layout}
            ours, _ = tool.decode(path, **flags)
            theirs = np.asarray(shown.resize((61, 90), method))
            if layout == "nchw":
                theirs = theirs.transpose(2, 0, 1)
            differences.check(f"orientation and {resize}, Pillow", ours, theirs, 0, orientation)
    for position in range(4):
        flags = {"crop": "random_resized", "flip": 0.5, "position": position, "orient": True}
        ours, geometry = tool.decode(path, height=64, width=48, **flags)
        theirs = mirrored(pil_resize(shown.crop(geometry.box), 64, 48), geometry.flipped)
        differences.check("orientation and random_resized, Pillow", ours, theirs, 0, orientation)
    ours, _ = tool.decode(path, height=100, width=100, crop="pad", flip=1, orient=True)
    theirs = np.asarray(ImageOps.pad(shown, (100, 100), Image.Resampling.BILINEAR))[:, ::-1]
    differences.check("orientation and pad, Pillow", ours, theirs, 0, orientation)


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_jitter_is_torchvisions(
    layout: str, tool: ImageTool, differences: Differences, mixed: list[Path]
) -> None:
    functional = pytest.importorskip("torchvision.transforms.functional")
    change = {
        "brightness": functional.adjust_brightness,
        "contrast": functional.adjust_contrast,
        "saturation": functional.adjust_saturation,
    }
    orders = set()
    for position, path in enumerate(mixed):
        flags = {"height": 70, "width": 90, "jitter": (0.6, 0.7, 1.5), "position": position}
        ours, geometry = tool.decode(path, **flags, layout=layout)
        image = pil_rgb(path).resize((90, 70), Image.Resampling.BILINEAR)
        for name in geometry.jitter_order:
            image = change[name](image, getattr(geometry, name))
        theirs = np.asarray(image)
        expected = theirs if layout == "nhwc" else theirs.transpose(2, 0, 1)
        differences.check("jitter, torchvision on PIL", ours, expected, 0, path.name)
        orders.add(geometry.jitter_order)
        assert 0.4 <= geometry.brightness <= 1.6 and 0.3 <= geometry.contrast <= 1.7
        assert 0 <= geometry.saturation <= 2.5
        # On floats the same formulae, without truncation after each step.
        floats, _ = tool.decode(path, **flags, layout="nhwc", family="tensorflow", dtype="float32", scale=1)
        apart = np.abs(floats - theirs)
        assert apart.mean() < 3 and np.percentile(apart, 90) < 8, path.name
    assert len(orders) == 6


def test_half_floats_are_numpys(tool: ImageTool, mixed: list[Path]) -> None:
    flags = {"height": 40, "width": 33, "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
    for path in mixed:
        for layout in ("nhwc", "nchw"):
            half = tool.decode(path, **flags, layout=layout, dtype="float16")[0]
            single = tool.decode(path, **flags, layout=layout, dtype="float32")[0]
            assert np.array_equal(half, single.astype(np.float16)), path.name


def test_dct_scaling_is_close_to_the_full_decode(
    tool: ImageTool, differences: Differences, tmp_path: Path
) -> None:
    for subsampling in (0, 1, 2):
        path = tmp_path / f"large-{subsampling}.jpg"
        Image.fromarray(photo_like(1601, 1203, 3)).save(path, quality=92, subsampling=subsampling)
        for flags in (
            {"height": 150, "width": 200},
            {"height": 64, "width": 64, "crop": "center"},
            {"height": 100, "width": 100, "crop": "random_resized", "area": (0.5, 1), "flip": 0.5},
            {"height": 90, "width": 90, "crop": "pad"},
        ):
            full, whole = tool.decode(path, **flags)
            scaled, geometry = tool.decode(path, **flags, dct_scaling=True)
            assert geometry == whole  # in pixels of the full image
            apart = np.abs(full.astype(int) - scaled)
            differences.check("dct_scaling, full decode", full, scaled, 60, flags)
            assert 0 < apart.mean() < 2.5, flags


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
