"""A decoded image has the pixels of Pillow and TensorFlow.

Needs the image_tool program ($BUCKETLINE_BUILD_DIR/bin, default build/release/bin). The table at the end of
the run shows the largest and the mean difference of each operation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reference.image_libraries import mirrored, pil_resize, pil_rgb, tf_decode
from reference.image_tool import ImageTool, ImageToolError
from reference.plugin import Differences


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


@pytest.mark.parametrize("source", ["jpegs", "pngs", "photos"])
def test_decode_equals_tensorflow(
    source: str, tool: ImageTool, differences: Differences, request: pytest.FixtureRequest
) -> None:
    for path in request.getfixturevalue(source):
        ours, _ = tool.decode(path, family="tensorflow")
        differences.check(f"decode {source}, TensorFlow", ours, tf_decode(path), 0, path.name)
