"""Labels that are neither names nor numbers nor rows of one length: lists of boxes, dicts, mixtures."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from images import jpeg

import bucketline as bl

COUNT = 10
SMALL = bl.Image(8, dtype="uint8")
KEYS = [f"{'ab'[i % 2]}/{i}.jpg" for i in range(COUNT)]
BOXES = [[[i, i, i + 1, i + 2]] * (i % 3) for i in range(COUNT)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """COUNT images; KEYS in the order of a dataset."""
    made = tmp_path_factory.mktemp("objects")
    for number, key in enumerate(KEYS):
        (made / key).parent.mkdir(exist_ok=True)
        (made / key).write_bytes(jpeg(number, size=16))
    KEYS.sort()
    return made


@pytest.fixture
def boxes(folder: Path) -> bl.Dataset:
    return bl.Dataset(folder, BOXES)


def relative(key: str) -> str:
    return "/".join(key.split("/")[-2:])


def expected(dataset: bl.Dataset) -> list[Any]:
    return [BOXES[KEYS.index(relative(key))] for key in dataset.keys]


FORMS: dict[str, Callable[[list[Any]], Any]] = {
    "list": lambda labels: labels,
    "dict": lambda labels: dict(zip(KEYS, labels, strict=True)),
    "data frame": lambda labels: pd.DataFrame({"file": reversed(KEYS), "label": labels[::-1]}),
    "list of dicts": lambda labels: [
        {"file": key, "label": label} for key, label in zip(KEYS, labels, strict=True)
    ],
    "function": lambda labels: lambda key: labels[KEYS.index(relative(key))],
}
KINDS: dict[str, list[Any]] = {
    "lists of several lengths": BOXES,
    "dicts": [{"name": key, "size": len(key)} for key in KEYS],
    "names beside numbers": ["cat", 1] * 5,
    "sets": [{i} for i in range(COUNT)],
    "lists of names": [["red", "round"]] * COUNT,
    "matrices": list(np.zeros((COUNT, 2, 2))),
    "beyond 64 bits": [2**63 + i for i in range(COUNT)],
    "one that differs": [[1.0, 2.0]] * (COUNT - 1) + [[1.0]],
}


# A list of dicts is a table.
PAIRS = [(kind, form) for kind in KINDS for form in FORMS if (kind, form) != ("dicts", "list")]


@pytest.mark.parametrize(("kind", "form"), PAIRS)
def test_they_stay_what_they_are(folder: Path, kind: str, form: str) -> None:
    labels = KINDS[kind]
    dataset = bl.Dataset(folder, FORMS[form](labels))
    assert isinstance(dataset.labels, list) and dataset.classes == [] and dataset.dropped == 0
    assert list(map(repr, dataset.labels)) == list(map(repr, labels))
    assert repr(dataset[3].label) == repr(labels[3])


def test_an_array_of_more_dimensions_is_a_list_of_arrays(folder: Path) -> None:
    cubes = np.arange(COUNT * 8).reshape(COUNT, 2, 2, 2)
    labels = bl.Dataset(folder, cubes).labels
    assert isinstance(labels, list) and np.array_equal(labels, cubes)


def test_batches_have_them_as_a_list(boxes: bl.Dataset) -> None:
    with bl.Loader(boxes, 4, image=SMALL, shuffle=True, last="pad", distributed=False) as loader:
        for images, labels in loader:
            assert isinstance(labels, list) and len(labels) == len(images) == 4
        batch = next(iter(loader))
        assert batch.labels == [BOXES[index] for index in batch.indices]
    with bl.Loader(boxes, 4, distributed=False) as raw:
        assert next(iter(raw)).labels == BOXES[:4]


def test_a_transform_sees_them(boxes: bl.Dataset) -> None:
    def count(sample: bl.TransformSample) -> Any:
        return sample.data, len(sample.label)

    with bl.Loader(boxes, COUNT, image=SMALL, transform=count, distributed=False) as loader:
        _, labels = next(iter(loader))
    assert labels.tolist() == [len(label) for label in BOXES]


def test_views_keep_them_at_their_records(boxes: bl.Dataset) -> None:
    train, rest = boxes.split(0.6, seed=1)
    assert 0 < len(train) < COUNT
    by_group = boxes.split((0.5, 0.5), by=lambda key: key.split("/")[-2])
    for view in (
        train,
        rest,
        *by_group,
        boxes[3:7],
        boxes[2:9].without([boxes.keys[4]]),
        boxes.select([1, 8]),
    ):
        assert view.labels == expected(view)
    filtered = boxes.filter(lambda key: "/a/" in key)
    assert filtered.labels == expected(filtered) and len(filtered) == 5
    with bl.Loader(filtered[1:4], 2, distributed=False) as loader:
        assert [label for _, labels in loader for label in labels] == expected(filtered[1:4])


def test_datasets_are_put_together(folder: Path, boxes: bl.Dataset) -> None:
    first, second = boxes[6:9], boxes[1:4]
    both = bl.concat([first, second])
    assert both.labels == expected(first) + expected(second)
    assert both[2:4].labels == [expected(first)[2], expected(second)[0]]
    assert first.labels == expected(first) and second.labels == expected(second), "theirs stay"
    for other in (bl.Dataset(folder, range(COUNT)), bl.Dataset(folder)):
        for order in ([first, other[:1]], [other[:1], first]):
            with pytest.raises(bl.InvalidArgumentError, match="when their labels are of one kind"):
                bl.concat(order)
    with pytest.raises(bl.InvalidArgumentError, match="twice|repeat|more than once"):
        bl.concat([first, first])


def test_records_of_parts_have_them(folder: Path) -> None:
    pairs = bl.Dataset({"image": folder, "again": folder}, BOXES)
    assert pairs.labels == BOXES
    with bl.Loader(pairs, 5, fields={"image": SMALL, "again": None}, distributed=False) as loader:
        assert next(iter(loader)).labels == BOXES[:5]


def test_what_has_none_is_left_out_or_named(folder: Path) -> None:
    some = [None, *BOXES[1:-1], float("nan")]
    for form in ("list", "dict", "function"):
        dataset = bl.Dataset(folder, bl.Labels(FORMS[form](some), missing="drop"))
        assert dataset.labels == BOXES[1:-1] and dataset.dropped == 2
        with pytest.raises(bl.InvalidArgumentError, match=re.escape(KEYS[0])):
            bl.Dataset(folder, FORMS[form](some))


def test_what_needs_names_says_so(folder: Path, boxes: bl.Dataset, tmp_path: Path) -> None:
    for form in ("list", "dict"):
        with pytest.raises(
            bl.InvalidArgumentError, match="one_hot=True needs labels that are names; these are list"
        ):
            bl.Dataset(folder, bl.Labels(FORMS[form](BOXES), one_hot=True))
    with pytest.raises(
        bl.InvalidArgumentError, match="by='label' needs labels that are names or whole numbers"
    ):
        boxes.split(0.5, by="label")
    with pytest.raises(bl.InvalidArgumentError, match="sampling='balanced' needs labels that are names"):
        bl.Loader(boxes, 2, sampling="balanced")
    with pytest.raises(bl.UnsupportedError, match="a manifest holds no labels such as these"):
        boxes.save(tmp_path / "boxes.manifest")


def test_a_preview_shows_them(folder: Path, boxes: bl.Dataset) -> None:
    with_labels, without = (dataset.preview(4).pixels for dataset in (boxes, bl.Dataset(folder)))
    assert (with_labels != without).any()


def test_torch_has_them_as_a_list(boxes: bl.Dataset) -> None:
    torch = pytest.importorskip("torch")
    with bl.torch.Loader(boxes, 5, image=SMALL, device="cpu") as loader:
        images, labels = next(iter(loader))
        assert isinstance(images, torch.Tensor) and labels == BOXES[:5]
    samples = bl.torch.MapDataset(boxes[2:], SMALL)
    assert samples[1][1] == BOXES[3] and samples.labels == BOXES[2:]
    again = pickle.loads(pickle.dumps(samples))
    assert again[-1][1] == BOXES[-1] and again.dataset.labels == BOXES[2:]
    batches = bl.torch.IterableDataset(boxes, 4, image=SMALL, distributed=False)
    assert [label for _, labels in batches for label in labels] == BOXES


def test_jax_has_them_as_a_list(boxes: bl.Dataset) -> None:
    pytest.importorskip("jax")
    with bl.jax.Loader(boxes, 5, image=SMALL) as loader:
        assert next(iter(loader)).labels == BOXES[:5]


def test_keras_names_the_option(boxes: bl.Dataset) -> None:
    pytest.importorskip("keras")
    with (
        bl.keras.Loader(boxes, 5, image=SMALL) as loader,
        pytest.raises(bl.UnsupportedError, match="transform= can make arrays of them"),
    ):
        loader[0]

    def count(sample: bl.TransformSample) -> Any:
        return sample.data, len(sample.label)

    with bl.keras.Loader(boxes, 5, image=SMALL, transform=count) as loader:
        assert loader[0][1].tolist() == [len(label) for label in BOXES[:5]]


def test_tensorflow_names_the_option(boxes: bl.Dataset) -> None:
    pytest.importorskip("tensorflow")
    with pytest.raises(bl.UnsupportedError, match="labels of one type and shape"):
        bl.tf.dataset(boxes, 5, image=SMALL)
