"""Padded, cut, turned, jittered and normalised images have the values of Pillow, torchvision, TensorFlow and numpy.

Needs the image_tool program ($BUCKETLINE_BUILD_DIR/bin, default build/release/bin). The table at the end of
the run shows the largest and the mean difference of each operation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from reference.image_libraries import PIL_FILTERS, TF_TOLERANCE, mirrored, pil_resize, pil_rgb, tf_decode
from reference.image_samples import photo_like
from reference.image_tool import ImageTool
from reference.plugin import Differences

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


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
