"""transform= and collate=: what they are given, and what becomes of what they give."""

from __future__ import annotations

import io
import traceback
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from images import jpeg
from PIL import Image as Pillow
from transforming import make

import bucketline as bl

COUNT = 14
SMALL = bl.Image(16, crop="random_resized", flip=0.5, mean="imagenet", std="imagenet")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> bl.Dataset:
    folder = tmp_path_factory.mktemp("images")
    for i in range(COUNT):
        (folder / f"{i:02}.jpg").write_bytes(jpeg(i))
    return bl.Dataset(folder, list(range(COUNT)))


def files(folder: Path, suffix: str, contents: list[bytes]) -> bl.Dataset:
    for i, data in enumerate(contents):
        (folder / f"{i:02}{suffix}").write_bytes(data)
    return bl.Dataset(folder, extensions=[suffix])


def test_audio(tmp_path: Path) -> None:
    def wav(level: int) -> bytes:
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(np.full(100 + level, level, "<i2").tobytes())
        return buffer.getvalue()

    def decode(sample: bl.TransformSample) -> Any:
        with wave.open(io.BytesIO(sample.data)) as sound:
            frames = np.frombuffer(sound.readframes(64), "<i2")
            return frames.astype(np.float32) / 32768, sound.getframerate()

    with make(files(tmp_path, ".wav", [wav(i) for i in range(6)]), decode) as loader:
        sounds, rates = next(iter(loader))
        assert sounds.shape == (4, 64) and sounds.dtype == np.float32 and rates.tolist() == [8000] * 4
        assert np.array_equal(sounds[:, 0] * 32768, [0, 1, 2, 3]) and rates.dtype == np.int64


def test_text(tmp_path: Path) -> None:
    texts = [f"line {i}" * (i + 1) for i in range(6)]
    data = files(tmp_path, ".txt", [text.encode() for text in texts])
    with make(data, lambda sample: sample.data.decode()) as loader:
        values, labels = next(iter(loader))
        assert values == texts[:4] and labels is None
    with make(data, lambda sample: sample.data.decode(), collate="|".join) as loader:
        assert next(iter(loader)).images == "|".join(texts[:4])


def test_arrays_of_numpy(tmp_path: Path) -> None:
    arrays = [np.full((3, 5), i, np.float64) for i in range(6)]

    def npy(array: Any) -> bytes:
        buffer = io.BytesIO()
        np.save(buffer, array)
        return buffer.getvalue()

    data = files(tmp_path, ".npy", [npy(array) for array in arrays])
    with make(data, lambda sample: np.load(io.BytesIO(sample.data))) as loader:
        values, _ = next(iter(loader))
        assert values.dtype == np.float64 and np.array_equal(values, np.stack(arrays[:4]))


def test_images_of_more_bands_than_three(tmp_path: Path) -> None:
    bands = [np.random.default_rng(i).integers(0, 256, (8, 9, 4), dtype=np.uint8) for i in range(5)]

    def tiff(array: Any) -> bytes:
        buffer = io.BytesIO()
        Pillow.fromarray(array, "RGBA").save(buffer, "TIFF")
        return buffer.getvalue()

    data = files(tmp_path, ".tif", [tiff(array) for array in bands])
    with make(data, lambda sample: np.asarray(Pillow.open(io.BytesIO(sample.data)))) as loader:
        assert np.array_equal(next(iter(loader)).images, np.stack(bands[:4]))


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_that_are_kept_are_those_of_no_transform(
    dataset: bl.Dataset, dtype: str, layout: str, channels: int
) -> None:
    means: dict[str, Any] = {} if dtype == "uint8" else {"mean": (0.4, 0.5, 0.6), "std": (0.2, 0.3, 0.25)}
    image = bl.Image(
        16, crop="random_resized", flip=0.5, dtype=dtype, layout=layout, channels=channels, **means
    )
    options: dict[str, Any] = {"image": image, "shuffle": True, "threads": 3}
    with (
        bl.Loader(dataset, 4, distributed=False, **options) as plain,
        make(dataset, lambda sample: sample.data, **options) as kept,
        make(dataset, lambda sample: (sample.data, 7), **options) as labelled,
    ):
        for one, two, three in zip(plain, kept, labelled, strict=True):
            assert one.images.tobytes() == two.images.tobytes() and two.images.dtype == dtype
            assert one.images.tobytes() == three.images.tobytes() and three.images.shape == one.images.shape
            assert two.labels.tolist() == one.labels.tolist() and three.labels.tolist() == [7] * 4
            assert np.array_equal(one.geometry, two.geometry)


def test_changed_pixels_are_normalised(dataset: bl.Dataset) -> None:
    def darken(sample: bl.TransformSample) -> Any:
        assert sample.data.shape == (16, 16, 3) and sample.data.dtype == np.uint8
        sample.data[:, :8] = 0  # it is the transform's to write
        return sample.data[:, ::-1]  # and need not be in one piece

    with make(dataset, darken, image=SMALL, threads=2) as loader:
        images, labels = next(iter(loader))
        mean, std = (np.array(each, np.float32) for each in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        assert np.allclose(images[..., 8:], (-mean / std)[:, None, None]) and labels.tolist() == [0, 1, 2, 3]
        assert not np.allclose(images[..., :8], (-mean / std)[:, None, None])


def test_a_sample_says_what_it_is(dataset: bl.Dataset) -> None:
    def facts(sample: bl.TransformSample) -> Any:
        return {
            "index": sample.index,
            "epoch": sample.epoch,
            "position": sample.position,
            "label": sample.label,
            "key": sample.key,
            "size": len(sample.data),
        }

    with make(dataset, facts, shuffle=True) as loader:
        list(loader)
        for batch in loader:
            assert isinstance(batch, bl.FieldBatch) and batch["index"].tolist() == batch.indices.tolist()
            assert batch["label"].tolist() == batch.labels.tolist() == batch.indices.tolist()
            assert batch["epoch"].tolist() == [1] * 4 and batch["key"] == batch.record_keys
            assert batch["position"].tolist() == list(range(batch.position, batch.position + 4))
            assert batch["size"].tolist() == [len(dataset[int(i)].data) for i in batch.indices]
    unlabelled = bl.Dataset(Path(dataset.uris[0]).parent)
    with make(unlabelled, lambda sample: sample.label) as loader, pytest.raises(bl.Error, match="skip"):
        list(loader)  # None: there is no label


VALUES: list[tuple[Any, Any, Any]] = [
    (lambda i: i, np.int64, list(range(4))),
    (lambda i: i / 4, np.float32, [0, 0.25, 0.5, 0.75]),
    (lambda i: i > 1, np.bool_, [False, False, True, True]),
    (lambda i: np.int16(i), np.int16, list(range(4))),
    (lambda i: np.float64(i), np.float64, list(range(4))),
    (lambda i: np.array([i, 1], np.int32), np.int32, [[i, 1] for i in range(4)]),
    (lambda i: i if i % 2 else i / 2, np.float32, [0, 1, 1, 3]),
    (lambda i: np.zeros((0, 4), np.float32), np.float32, [[]] * 4),
]


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_numbers_and_arrays_are_stacked(dataset: bl.Dataset, number: int) -> None:
    value, dtype, wanted = VALUES[number]
    with (
        make(dataset, lambda sample: value(sample.index)) as plain,
        make(dataset, lambda sample: ("x", value(sample.index))) as labels,
        make(dataset, lambda sample: {"a": value(sample.index), "b": sample.key}) as dicts,
    ):
        for array in (next(iter(plain)).images, next(iter(labels)).labels, next(iter(dicts))["a"]):
            assert array.dtype == dtype and array.tolist() == wanted


def test_what_is_no_array_stays_a_list(dataset: bl.Dataset) -> None:
    for value in ("text", ["a", 1], np.str_("text"), np.array(["a"]), Pillow.new("L", (2, 2))):
        with make(dataset, lambda sample, value=value: value) as loader:
            values, _ = next(iter(loader))
            assert isinstance(values, list) and len(values) == 4 and values[0] is value


@pytest.mark.parametrize("as_dict", [False, True])
def test_ragged_arrays_name_samples_and_the_remedy(dataset: bl.Dataset, as_dict: bool) -> None:
    def ragged(sample: bl.TransformSample) -> Any:
        array = np.zeros(3 + (sample.index == 2), np.float32)
        return {"boxes": array} if as_dict else array

    with make(dataset, ragged) as loader, pytest.raises(bl.InvalidArgumentError) as raised:
        next(iter(loader))
    for part in (
        "boxes" if as_dict else "values",
        dataset.keys[0],
        dataset.keys[2],
        "(3,)",
        "(4,)",
        "collate=",
    ):
        assert part in str(raised.value)
    with make(dataset, ragged, collate=lambda values: values) as loader:
        assert len(next(iter(loader)).images) == 4


def test_dicts_of_other_names_are_an_error(dataset: bl.Dataset) -> None:
    def odd(sample: bl.TransformSample) -> Any:
        return {"a": 1, "b": 2} if sample.index != 2 else {"a": 1}

    for transform in (
        odd,
        lambda sample: {"a": 1} if sample.index != 2 else 5,
        lambda sample: {"a": 1} if sample.index else 5,
    ):
        with (
            make(dataset, transform) as loader,
            pytest.raises(bl.InvalidArgumentError, match="something else"),
        ):
            next(iter(loader))


def test_labels_for_some_and_none_for_others_are_an_error(dataset: bl.Dataset) -> None:
    def mixed(sample: bl.TransformSample) -> Any:
        return ("x", 1) if sample.index != 2 else "x"

    with make(dataset, mixed) as loader, pytest.raises(bl.InvalidArgumentError, match="none for.*02.jpg"):
        next(iter(loader))

    def kept_or_not(sample: bl.TransformSample) -> Any:
        return (sample.data, 1) if sample.index != 2 else sample.data

    with (
        make(dataset, kept_or_not, image=SMALL) as loader,
        pytest.raises(bl.InvalidArgumentError, match="one of both"),
    ):
        next(iter(loader))


def test_collate_gets_the_batchs_values(dataset: bl.Dataset) -> None:
    with make(dataset, lambda sample: (sample.index, sample.index * 2), collate=sum) as loader:
        total, labels = next(iter(loader))
        assert total == 6 and labels.tolist() == [0, 2, 4, 6]
    with bl.Loader(dataset, 4, collate=lambda values: [len(each) for each in values]) as loader:
        assert next(iter(loader)).images == [len(dataset[i].data) for i in range(4)], "of raw bytes too"
    with pytest.raises(bl.InvalidArgumentError, match="collate must be"):
        make(dataset, None, collate="stack")
    with pytest.raises(bl.InvalidArgumentError, match="images are one array already"):
        make(dataset, None, image=SMALL, collate=list)


def skipping(sample: bl.TransformSample) -> Any:
    return None if sample.index in (1, 3) else np.full(2, sample.index, np.float32)


def test_none_is_a_bad_sample(dataset: bl.Dataset) -> None:
    with make(dataset, skipping) as loader, pytest.raises(bl.CorruptDataError, match="01.jpg.*gave None"):
        list(loader)
    with make(dataset, skipping, on_error="mask", max_skipped=0.3, epochs=1) as loader:
        batch = next(iter(loader))
        assert batch.valid.tolist() == [True, False, True, False]
        assert batch.images.tolist() == [[0, 0], [0, 0], [2, 2], [0, 0]]
        assert "gave None" in loader.bad_samples[0].reason and loader.stats()["masked"] == 2
    with make(dataset, skipping, on_error="skip", max_skipped=0.3) as loader:
        batch = next(iter(loader))
        assert batch.valid.all() and 1 not in batch.indices and 3 not in batch.indices
        assert batch.images[:, 0].tolist() == batch.indices.tolist(), "values of what is really there"


@pytest.mark.parametrize("form", ["array", "label", "dict"])
def test_a_batch_of_masked_rows_has_the_form_of_the_others(dataset: bl.Dataset, form: str) -> None:
    def all_but_a_batch(sample: bl.TransformSample) -> Any:
        if 4 <= sample.index < 8:
            return None
        array = np.ones((2, 3), np.float32)
        return {"array": array, "label": (array, 5), "dict": {"a": array}}[form]

    with make(dataset, all_but_a_batch, on_error="mask", max_skipped=0.5) as loader:
        batches = list(loader)
    assert type(batches[1]) is type(batches[0]) and not batches[1].valid.any()
    array = batches[1]["a"] if form == "dict" else batches[1].images
    assert array.shape == (4, 2, 3) and not array.any()
    if form == "label":
        assert batches[1].labels.tolist() == [0] * 4


def test_random_numbers_are_of_the_seed_the_epoch_and_the_position(dataset: bl.Dataset) -> None:
    def draw(sample: bl.TransformSample) -> Any:
        return sample.rng.integers(2**40)

    def drawn(**options: Any) -> list[int]:
        with make(dataset, draw, shuffle=True, last="partial", **options) as loader:
            return [int(value) for _ in range(2) for batch in loader for value in batch.images]

    whole = drawn(threads=1)
    assert drawn(threads=4) == whole == drawn(threads=2, batch_size=3)
    assert len(set(whole)) == 2 * COUNT and not set(drawn(seed=1)) & set(whole)
    with (
        make(dataset, draw, shuffle=True, last="partial") as loader,
        make(dataset, draw, shuffle=True, last="partial", batch_size=5) as again,
    ):
        again.load_state_dict(next(iter(loader)).state_dict())
        assert [int(value) for batch in again for value in batch.images] == whole[4:COUNT]


class Custom(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")
        self.two = two


@pytest.mark.parametrize("on_error", ["raise", "skip", "mask"])
def test_exceptions_are_the_users_own(dataset: bl.Dataset, on_error: str) -> None:
    def fails(sample: bl.TransformSample) -> Any:
        if sample.index == 5:
            raise Custom(1, 2)
        return 0

    with make(dataset, fails, on_error=on_error, max_skipped=1) as loader:
        iterator = iter(loader)
        next(iterator)
        for _ in range(2):
            with pytest.raises(Custom, match="1 and 2") as raised:
                next(iterator)
            assert raised.value.two == 2
            assert raised.value.__notes__ == [f"raised by the transform for {dataset.uris[5]}"]  # type: ignore[attr-defined]
            assert "raise Custom(1, 2)" in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("transform", "kind"),
    [
        (lambda sample: 1 / 0, ZeroDivisionError),
        (lambda sample: sample.data["x"], TypeError),
        (lambda sample: dict[str, int]()["x"], KeyError),
        (lambda sample: bl.get(Path("/nonexistent/x")), bl.NotFoundError),
        (lambda sample: np.zeros(3).reshape(4), ValueError),
        (lambda: 0, TypeError),
    ],
)
def test_every_kind_of_exception_arrives(dataset: bl.Dataset, transform: Any, kind: type[Exception]) -> None:
    with make(dataset, transform) as loader, pytest.raises(kind) as raised:
        next(iter(loader))
    assert dataset.uris[0] in raised.value.__notes__[0]  # type: ignore[attr-defined]


def test_wrong_transforms_are_named(dataset: bl.Dataset) -> None:
    with pytest.raises(bl.InvalidArgumentError, match="transform must be"):
        make(dataset, "flip")


def test_its_time_is_counted(dataset: bl.Dataset) -> None:
    with make(dataset, lambda sample: sum(range(20_000)), epochs=1) as loader:
        list(loader)
        stats = loader.stats()
        assert stats["transform_cpu_seconds"] > 0 and 0 < stats["transform_seconds"] < 60
        assert "transform_seconds" in str(stats)


def test_with_fields_it_gets_and_gives_a_dict(tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / "image").mkdir(exist_ok=True)
        (tmp_path / "text").mkdir(exist_ok=True)
        (tmp_path / "image" / f"{i}.jpg").write_bytes(jpeg(i))
        (tmp_path / "text" / f"{i}.txt").write_bytes(b"%d" % i)
    pairs = bl.Dataset({name: tmp_path / name for name in ("image", "text")}, extensions=None)
    fields = {"image": bl.Image(16), "text": None}

    def invert(sample: bl.TransformSample) -> Any:
        return {**sample.data, "image": 255 - sample.data["image"]}

    with (
        bl.Loader(pairs, 4, fields=fields) as plain,
        make(pairs, lambda sample: sample.data, fields=fields) as same,
        make(pairs, invert, fields=fields) as inverted,
        make(pairs, lambda sample: {"n": int(sample.data["text"])}, fields=fields) as other,
    ):
        first = next(iter(plain))
        kept, changed = next(iter(same)), next(iter(inverted))
        assert kept["image"].tobytes() == first["image"].tobytes() and kept["text"] == first["text"]
        assert np.allclose(changed["image"], 1 - first["image"]) and changed["text"] == first["text"]
        assert next(iter(other))["n"].tolist() == [0, 1, 2, 3]
