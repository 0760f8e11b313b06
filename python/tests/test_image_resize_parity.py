"""A resized image has the pixels of Pillow, torchvision and TensorFlow.

Needs the image_tool program ($BUCKETLINE_BUILD_DIR/bin, default build/release/bin). The table at the end of
the run shows the largest and the mean difference of each operation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reference.image_libraries import (
    PIL_FILTERS,
    TF_TOLERANCE,
    mirrored,
    pil_resize,
    pil_rgb,
    tf_decode,
    tf_resize,
)
from reference.image_tool import ImageTool
from reference.plugin import Differences

OUT_SIZES = [(224, 224), (64, 96), (300, 7)]  # (height, width)
CUBIC = {"bilinear": 1, "area": 1, "nearest": 0, "bicubic": 2, "lanczos": 2}  # levels


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
