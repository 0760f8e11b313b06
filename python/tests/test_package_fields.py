"""fields=: images with their masks, and what else belongs to a record."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

import bucketline as bl

COUNT, SIDE, CELL = 12, 64, 16
IMAGE = bl.Image(
    48, crop="random_resized", area=(0.3, 0.8), flip=0.5, resize="nearest", dtype="uint8", layout="NHWC"
)
MASK = bl.Image(
    48, channels=1, palette="index", resize="nearest", dtype="uint8", layout="NHWC", same_geometry_as="image"
)
FIELDS = {
    "image": IMAGE,
    "mask": bl.Image(
        channels=1, palette="index", resize="nearest", dtype="uint8", layout="NHWC", same_geometry_as="image"
    ),
}


def coordinates(width: int = SIDE, height: int = SIDE) -> np.ndarray[Any, Any]:
    """Each pixel says where it is: (4 x, 4 y, 128)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([4 * x, 4 * y, np.full_like(x, 128)], axis=2).astype(np.uint8)


def cell_of(pixels: np.ndarray[Any, Any]) -> Any:
    """The number of the cell that a pixel of `coordinates` lies in: what the mask says there."""
    across = SIDE // CELL
    return (pixels[..., 1] // 4 // CELL) * across + pixels[..., 0] // 4 // CELL


def png(array: np.ndarray[Any, Any], palette: bool = False) -> bytes:
    image = Pillow.fromarray(array)
    if palette:
        image = image.convert("P")
        image.putpalette([level for i in range(256) for level in (255 - i, i // 2, 7)])
        image.putdata(array.ravel().tolist())
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def write(folder: Path, bad: dict[str, bytes] | None = None) -> bl.Dataset:
    image = png(coordinates())
    mask = png(cell_of(coordinates()).astype(np.uint8), palette=True)
    for i in range(COUNT):
        for part, data in (("images", image), ("masks", mask), ("texts", b"caption %d" % i)):
            path = folder / part / f"{i:02}.{'txt' if part == 'texts' else 'png'}"
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_bytes((bad or {}).get(f"{part}/{i}", data))
    return opened(folder)


def opened(folder: Path, labels: Any = None) -> bl.Dataset:
    parts = {"image": folder / "images", "mask": folder / "masks", "text": folder / "texts"}
    return bl.Dataset(parts, labels, extensions=None)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> bl.Dataset:
    folder = tmp_path_factory.mktemp("pairs")
    write(folder)
    return opened(folder, list(range(COUNT)))


def make(dataset: bl.Dataset, fields: Any = None, **options: Any) -> bl.Loader:
    return bl.Loader(dataset, 4, fields=fields or FIELDS, distributed=False, **options)


def test_a_mask_gets_the_box_and_the_flip_of_its_image(pairs: bl.Dataset) -> None:
    with make(pairs) as loader:
        flips = set()
        for batch in loader:
            assert batch["image"].shape == (4, 48, 48, 3) and batch["mask"].shape == (4, 48, 48, 1)
            assert np.array_equal(batch["mask"][..., 0], cell_of(batch["image"]))
            flips |= {bool(row[0, 0, 0] > row[0, -1, 0]) for row in batch["image"]}
        assert flips == {True, False}, "some are flipped and some are not"


def test_a_batch_is_one_dict_with_the_facts_as_attributes(pairs: bl.Dataset) -> None:
    with make(pairs) as loader:
        batch = next(iter(loader))
        assert isinstance(batch, bl.FieldBatch) and list(batch) == ["image", "mask"] == list(batch.keys())
        assert batch.record_keys == pairs.keys[:4] and batch.uris == pairs.uris[:4]
        assert batch.labels.tolist() == [0, 1, 2, 3] and batch.indices.tolist() == [0, 1, 2, 3]
        assert batch.valid.all() and (batch.epoch, batch.position) == (0, 0)
        assert batch.state_dict() == loader.state_dict() and batch.state_dict()["position"] == 4
        assert repr(batch) == "FieldBatch(image, mask, epoch 0, position 0)"
        assert not batch["image"].flags.owndata and batch["image"].flags.writeable


def test_geometry_says_where_a_point_of_the_source_is(pairs: bl.Dataset) -> None:
    with make(pairs) as loader:
        for batch in loader:
            assert batch.source_sizes.tolist() == [[SIDE, SIDE]] * 4 and batch.geometry.dtype == np.float32
            for pixels, (a, b, c, d, e, f) in zip(batch["image"], batch.geometry, strict=True):
                assert b == d == 0 and (a < 0) == bool(pixels[0, 0, 0] > pixels[0, -1, 0])
                found = 0
                for x, y in ((20, 20), (32, 32), (40, 30)):
                    column, row = int(a * (x + 0.5) + c), int(e * (y + 0.5) + f)
                    if 0 <= column < 48 and 0 <= row < 48:
                        found += 1
                        assert abs(int(pixels[row, column, 0]) - 4 * x) <= 4
                        assert abs(int(pixels[row, column, 1]) - 4 * y) <= 4
                assert found, "none of the points is in the box"


def test_raw_fields_are_bytes(pairs: bl.Dataset) -> None:
    fields = {"text": None, "image": bl.Image(16, dtype="uint8")}
    with make(pairs, fields) as loader:
        for batch in loader:
            assert batch["text"] == [b"caption %d" % index for index in batch.indices]
            assert batch["image"].shape == (4, 3, 16, 16)
    with make(pairs, {"text": None}) as loader:
        batch = next(iter(loader))
        assert isinstance(batch, dict) and batch["text"][1] == b"caption 1"


def test_palettes_are_numbers_or_colours(pairs: bl.Dataset) -> None:
    plain: dict[str, Any] = {
        "channels": 1,
        "resize": "nearest",
        "dtype": "uint8",
        "layout": "NHWC",
        "size": SIDE,
    }
    for palette, wanted in (
        ("index", cell_of(coordinates())),
        ("colours", np.asarray(Pillow.open(io.BytesIO(pairs[0].data["mask"])).convert("RGB").convert("L"))),
    ):
        with make(pairs, {"mask": bl.Image(palette=palette, **plain)}) as loader:
            assert np.array_equal(next(iter(loader))["mask"][0, ..., 0], wanted)


def test_without_fields_the_first_part_is_read(pairs: bl.Dataset) -> None:
    with bl.Loader(pairs, 4, image=IMAGE, distributed=False) as loader:
        images, labels = next(iter(loader))
        assert images.shape == (4, 48, 48, 3) and labels.tolist() == [0, 1, 2, 3]


def test_epochs_and_resuming_are_those_of_any_loader(pairs: bl.Dataset) -> None:
    with make(pairs, shuffle=True) as loader, make(pairs, shuffle=True, threads=3) as again:
        batches = [batch for _ in range(2) for batch in loader]
        again.load_state_dict(batches[3].state_dict())
        rest = list(again)
    assert len(rest) == 2
    for mine, theirs in zip(rest, batches[4:], strict=True):
        assert np.array_equal(mine["image"], theirs["image"]) and np.array_equal(mine["mask"], theirs["mask"])
        assert mine.record_keys == theirs.record_keys


@pytest.mark.parametrize(
    "bad",
    [{"images/5": b"no image"}, {"masks/5": b"no image"}, {"masks/5": png(np.zeros((SIDE, 32), np.uint8))}],
    ids=["image", "mask", "another size"],
)
def test_a_bad_part_makes_a_bad_sample(tmp_path: Path, bad: dict[str, bytes]) -> None:
    damaged = write(tmp_path, bad)
    part = next(iter(bad)).split("/")[0]
    with make(damaged) as loader, pytest.raises(bl.CorruptDataError, match=f"{part}/05.png"):
        list(loader)
    with make(damaged, on_error="mask", max_skipped=0.2) as loader:
        batch = list(loader)[1]
        assert batch.valid.tolist() == [True, False, True, True]
        assert not batch["image"][1].any() and not batch["mask"][1].any() and not batch.geometry[1].any()
        assert batch["mask"][2].any() and loader.bad_samples[0].uri.endswith(f"{part}/05.png")
    with make(damaged, on_error="skip", max_skipped=0.2) as loader:
        batch = list(loader)[1]
        assert batch.valid.all() and not any("05.png" in key for key in batch.record_keys)
        assert np.array_equal(batch["mask"][..., 0], cell_of(batch["image"]))


@pytest.mark.parametrize(
    ("fields", "options", "says"),
    [
        ({}, {}, "fields must be"),
        (["image"], {}, "fields must be"),
        ({"image": 224}, {}, r"fields\['image'\] must be a bucketline.Image or None"),
        ({"images": IMAGE}, {}, "images"),
        ({"image": IMAGE}, {"image": IMAGE}, "not both"),
        ({"mask": MASK}, {}, "image"),
        ({"image": IMAGE, "mask": MASK}, {}, "size"),
    ],
)
def test_fields_that_do_not_fit_are_named(
    pairs: bl.Dataset, fields: Any, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        bl.Loader(pairs, 4, fields=fields, distributed=False, **options)
