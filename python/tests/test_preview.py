"""ds.preview(): a contact sheet."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bucketline.preview import encode_png
from images import jpeg
from PIL import Image

import bucketline as bl


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    with bl.Writer(folder) as writer:
        for i in range(30):
            name = ("bright", "dark")[i // 15]
            writer.put(f"{name}/{i:03}.jpg", jpeg(i, bright=name == "bright"))
    return folder


def levels(preview: bl.preview.Preview, columns: int, size: int) -> list[float]:
    """The mean of the middle of each image on the sheet."""
    found = []
    for place in range(len(preview.keys)):
        top, left = place // columns * (size + 18) + 4, place % columns * (size + 4) + 4
        found.append(
            float(
                preview.pixels[
                    top + size // 4 : top + size * 3 // 4, left + size // 4 : left + size * 3 // 4
                ].mean()
            )
        )
    return found


def test_images_of_the_whole_dataset_stand_in_rows(folder: Path) -> None:
    preview = bl.Dataset(folder, labels="folder").preview(10, columns=4, size=48)
    assert preview.pixels.shape == (3 * 66 + 4, 4 * 52 + 4, 3) and preview.pixels.dtype == np.uint8
    assert [key[-7:] for key in preview.keys] == [f"{i * 3:03}.jpg" for i in range(10)]
    assert [level > 120 for level in levels(preview, 4, 48)] == [True] * 5 + [False] * 5
    assert "10 images" in repr(preview)


def test_a_small_dataset_is_shown_whole(folder: Path) -> None:
    preview = bl.Dataset(folder)[:3].preview(24)
    assert len(preview.keys) == 3


def test_labels_are_written_below_the_images(folder: Path) -> None:
    size = 48
    with_labels = bl.Dataset(folder, labels="folder").preview(2, columns=2, size=size)
    without = bl.Dataset(folder).preview(2, columns=2, size=size)
    caption = slice(4 + size, None)
    assert (without.pixels[caption] == 255).all()
    bright, dark = with_labels.pixels[caption, :52], with_labels.pixels[caption, 52:]
    assert (bright == 0).any() and (dark == 0).any()
    assert not np.array_equal(bright[:, 4:], dark[:, :48])


def test_labels_of_every_kind(folder: Path, tmp_path: Path) -> None:
    keys = bl.Dataset(folder).keys
    for name, label in (("int", "7"), ("float", "0.25"), ("vector", "[1, 0.5]")):
        table = tmp_path / f"{name}.json"
        table.write_text("{" + ", ".join(f'"{key}": {label}' for key in keys) + "}")
        preview = bl.Dataset(folder, labels=str(table)).preview(1, size=48)
        assert (preview.pixels[52:] == 0).any()


def test_what_is_no_image_is_a_red_square(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    (tmp_path / "b.jpg").write_bytes(b"not a JPEG")
    preview = bl.Dataset(tmp_path).preview(columns=2, size=32)
    assert tuple(preview.pixels[10, 4 + 36 + 10]) == (200, 80, 80)
    assert (preview.pixels[36:, 40:] == 0).any()


def test_it_is_shown_and_saved_as_png(folder: Path, tmp_path: Path) -> None:
    preview = bl.Dataset(folder).preview(4)
    preview.save(tmp_path / "sheet.png")
    data = (tmp_path / "sheet.png").read_bytes()
    assert data == preview._repr_png_()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), preview.pixels)


def test_png_of_any_size_is_what_pillow_reads() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 13, 3), np.uint8)
    image = Image.open(io.BytesIO(encode_png(pixels)))
    assert image.mode == "RGB" and np.array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize(
    "options", [{"n": 0}, {"n": "many"}, {"columns": 0}, {"size": 4}, {"size": 1.5}, {"n": True}]
)
def test_options_that_do_not_fit_are_named(folder: Path, options: dict[str, Any]) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=f"{next(iter(options))} must be"):
        bl.Dataset(folder).preview(**options)
