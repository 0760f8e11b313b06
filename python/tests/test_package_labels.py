"""bl.Labels: every form of them, in a dataset and in its batches, and what does not fit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Endpoint

import bucketline as bl

KEYS = [f"d/{folder}/{name}.jpg" for folder in ("cat", "dog", "eel") for name in ("1_a", "2_b", "3_a")]
NAMES = [key.split("/")[1] for key in KEYS]
CLASS = [0, 0, 0, 1, 1, 1, 2, 2, 2]


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    """ "s3://bucket/" with an object for each of KEYS below "d/", and tables and sidecars beside them."""
    uri = f"s3://{versitygw.new_bucket()}/"
    rows = [
        {"file": key, "label": f"n{i % 2}", "size": i, "share": i / 4, "box": [i, i / 2]}
        for i, key in enumerate(KEYS)
    ]
    csv = "\n".join(["path,kind", *(f"{key},{name}" for key, name in zip(KEYS, NAMES, strict=True))])
    with versitygw.reached(), bl.Writer(uri) as writer:
        for key, row in zip(KEYS, rows, strict=True):
            writer.put(key, key.encode())
            writer.put(key.replace("d/", "sides/").replace(".jpg", ".json"), json.dumps(row).encode())
        writer.put("t.json", json.dumps(dict(zip(KEYS, NAMES, strict=True))).encode())
        writer.put("t.jsonl", "\n".join(map(json.dumps, rows)).encode())
        writer.put("t.csv", csv.encode())
        writer.put("u/a/same.jpg", b"x")
        writer.put("u/b/same.jpg", b"x")
        writer.put("u/c/other.jpg", b"x")
    return uri


@pytest.fixture
def opened(reached: Endpoint, bucket: str) -> Callable[..., bl.Dataset]:
    return lambda labels, **options: bl.Dataset(bucket + options.pop("prefix", "d/"), labels, **options)


Opened = Callable[..., bl.Dataset]
TABLE = dict(zip(KEYS, NAMES, strict=True))


def batched(dataset: bl.Dataset) -> Any:
    with bl.Loader(dataset, 2, distributed=False) as loader:
        parts = [labels for _, labels in loader]
    assert isinstance(parts[0], np.ndarray)
    return np.concatenate(parts)


def same_in_batches(dataset: bl.Dataset, wanted: Any, dtype: Any) -> None:
    labels = dataset.labels
    assert isinstance(labels, np.ndarray) and labels.dtype == dtype and labels.tolist() == wanted
    in_batches = batched(dataset)
    assert in_batches.dtype == dtype and in_batches.tolist() == wanted
    sample = dataset[1].label
    assert sample.dtype == dtype and sample.tolist() == wanted[1]


CLASS_FORMS: dict[str, Any] = {
    "folder": "folder",
    "parent": "parent",
    "Labels": bl.Labels("folder"),
    "dict": TABLE,
    "dict of relative keys": {key[2:]: name for key, name in TABLE.items()},
    "data frame": pd.DataFrame({"file": KEYS, "label": NAMES}),
    "data frame of categories": pd.DataFrame({"file": KEYS, "label": pd.Categorical(NAMES)}),
    "list of dicts": [{"file": key, "label": name} for key, name in reversed(TABLE.items())],
    "columns of other names": bl.Labels(pd.DataFrame({"k": KEYS, "v": NAMES}), key="k", label="v"),
    "list": NAMES,
    "array of texts": np.array(NAMES),
    "array of objects": np.array(NAMES, dtype=object),
    "series": pd.Series(NAMES),
    "pattern": re.compile(r"(?P<label>[a-z]+)/\d_"),
    "pattern without a name": re.compile(r"/([A-Z]+)/", re.IGNORECASE),
    "function": lambda key: key.split("/")[1],
}


@pytest.mark.parametrize("form", CLASS_FORMS)
def test_names_are_numbered_in_every_form(opened: Opened, form: str) -> None:
    dataset = opened(CLASS_FORMS[form])
    assert dataset.classes == ["cat", "dog", "eel"] and dataset.dropped == 0
    same_in_batches(dataset, CLASS, np.int64)


def test_names_come_from_tables_in_the_bucket(opened: Opened, bucket: str) -> None:
    for source in (bl.Labels(bucket + "t.csv", key="path", label="kind"), bucket + "t.json"):
        dataset = opened(source)
        assert dataset.classes == ["cat", "dog", "eel"] and dataset.labels.tolist() == CLASS  # type: ignore[union-attr]
    assert opened(bucket + "t.jsonl").classes == ["n0", "n1"]


def test_whole_uris_name_samples_too(opened: Opened, bucket: str) -> None:
    assert opened({bucket + key: name for key, name in TABLE.items()}).labels.tolist() == CLASS  # type: ignore[union-attr]


NUMBERS = list(range(9))
NUMBER_FORMS: dict[str, Any] = {
    "dict": dict(zip(KEYS, NUMBERS, strict=True)),
    "dict of numpy's": dict(zip(KEYS, np.arange(9, dtype=np.int16), strict=True)),
    "list": NUMBERS,
    "list of numpy's": list(np.arange(9, dtype=np.uint8)),
    "array": np.arange(9, dtype=np.int32),
    "data frame": pd.DataFrame({"file": KEYS, "label": NUMBERS}),
    "function": lambda key: KEYS.index(key),
}


@pytest.mark.parametrize("form", NUMBER_FORMS)
def test_whole_numbers_are_int64(opened: Opened, form: str) -> None:
    dataset = opened(NUMBER_FORMS[form])
    assert dataset.classes == []
    same_in_batches(dataset, NUMBERS, np.int64)


@pytest.mark.parametrize("form", NUMBER_FORMS)
def test_fractions_are_float32(opened: Opened, form: str) -> None:
    given = NUMBER_FORMS[form]
    if isinstance(given, dict):
        given = {key: value / 4 for key, value in given.items()}
    elif isinstance(given, pd.DataFrame):
        given = given.assign(label=given["label"] / 4)
    elif callable(given):
        given = lambda key: KEYS.index(key) / 4  # noqa: E731
    else:
        given = [value / 4 for value in given] if isinstance(given, list) else given / 4
    same_in_batches(opened(given), [number / 4 for number in NUMBERS], np.float32)


@pytest.mark.parametrize("form", ["dict", "dict of numpy's", "list", "array", "list of dicts", "function"])
def test_lists_of_one_length_are_rows_of_float32(opened: Opened, form: str) -> None:
    rows = [[i, i / 2, -1] for i in range(9)]
    forms: dict[str, Any] = {
        "dict": dict(zip(KEYS, rows, strict=True)),
        "dict of numpy's": {key: np.array(row) for key, row in zip(KEYS, rows, strict=True)},
        "list": rows,
        "array": np.array(rows),
        "list of dicts": [{"file": key, "label": row} for key, row in zip(KEYS, rows, strict=True)],
        "function": lambda key: rows[KEYS.index(key)],
    }
    same_in_batches(opened(forms[form]), rows, np.float32)


def test_truth_values_are_0_and_1(opened: Opened) -> None:
    for given in (
        {key: i % 2 == 1 for i, key in enumerate(KEYS)},
        [i % 2 == 1 for i in NUMBERS],
        np.arange(9) % 2 == 1,
    ):
        assert opened(given).labels.tolist() == [i % 2 for i in NUMBERS]  # type: ignore[union-attr]


def test_a_sidecar_is_read_for_each_sample(opened: Opened, bucket: str) -> None:
    in_place = opened(bl.Sidecar(bucket + "sides/cat/{stem}.json", field="size"), prefix="d/cat/")
    assert in_place.labels.tolist() == [0, 1, 2]  # type: ignore[union-attr]
    dogs = opened(bl.Labels(bl.Sidecar("../../sides/dog/{stem}.json", field="box")), prefix="d/dog/")
    assert dogs.labels.tolist() == [[3, 1.5], [4, 2], [5, 2.5]]  # type: ignore[union-attr]
    with pytest.raises(bl.InvalidArgumentError, match="weight"):
        opened(bl.Sidecar("../../sides/dog/{stem}.json", field="weight"), prefix="d/dog/")


def test_bare_names_match_where_they_are_asked_for(opened: Opened) -> None:
    table = {"1_a.jpg": 7, "2_b.jpg": 8, "3_a.jpg": 9}
    assert opened(bl.Labels(table, match="name"), prefix="d/cat/").labels.tolist() == [7, 8, 9]  # type: ignore[union-attr]
    with pytest.raises(bl.InvalidArgumentError, match="same.jpg"):
        opened(bl.Labels({"same.jpg": 1, "other.jpg": 2}, match="name"), prefix="u/")


SOME = {key: name for key, name in TABLE.items() if "dog" not in key}
NAN = float("nan")
DROPPING: dict[str, Any] = {
    "dict": SOME,
    "dict with None": {**TABLE, **dict.fromkeys(KEYS[3:6])},
    "data frame": pd.DataFrame({"file": list(SOME), "label": list(SOME.values())}),
    "data frame with NaN": pd.DataFrame(
        {"file": KEYS, "label": [name if name != "dog" else NAN for name in NAMES]}
    ),
    "data frame with NA": pd.DataFrame(
        {"file": KEYS, "label": pd.array([name if name != "dog" else None for name in NAMES], dtype="string")}
    ),
    "list of dicts": [{"file": key, "label": SOME.get(key)} for key in KEYS],
    "list": [SOME.get(key) for key in KEYS],
    "array of objects": np.array([SOME.get(key) for key in KEYS], dtype=object),
    "pattern": re.compile("(?P<label>cat|eel)"),
    "function": SOME.get,
}


@pytest.mark.parametrize("form", DROPPING)
def test_samples_without_a_label_are_left_out_or_named(opened: Opened, form: str) -> None:
    source = DROPPING[form]
    dataset = opened(bl.Labels(source, missing="drop"))
    assert list(dataset.keys) == list(SOME) and dataset.dropped == 3
    assert dataset.classes == ["cat", "eel"]
    same_in_batches(dataset, [0, 0, 0, 1, 1, 1], np.int64)
    assert dataset[2:4].dropped == 3, "views know of it"
    with pytest.raises(bl.InvalidArgumentError, match=re.escape(KEYS[3])) as raised:
        opened(source)
    assert "drop" in str(raised.value)


@pytest.mark.parametrize("form", ["dict", "list", "pattern", "function"])
def test_nothing_left_is_an_error(opened: Opened, form: str) -> None:
    sources = {
        "dict": {KEYS[0]: None},
        "list": [None] * 9,
        "pattern": re.compile("(yak)"),
        "function": lambda key: None,
    }
    with pytest.raises(bl.InvalidArgumentError):
        opened(bl.Labels(sources[form], missing="drop"))


@pytest.mark.parametrize("form", CLASS_FORMS)
def test_classes_fix_the_order(opened: Opened, form: str) -> None:
    given = CLASS_FORMS[form]
    options = {"source": given} if not isinstance(given, bl.Labels) else vars(given)
    dataset = opened(bl.Labels(**{**options, "classes": ["eel", "yak", "dog", "cat"]}))
    assert dataset.classes == ["eel", "yak", "dog", "cat"]
    assert dataset.labels.tolist() == [3, 3, 3, 2, 2, 2, 0, 0, 0]  # type: ignore[union-attr]
    with pytest.raises(bl.InvalidArgumentError, match="eel"):
        opened(bl.Labels(**{**options, "classes": ["cat", "dog"]}))


def test_numbers_may_be_classes(opened: Opened) -> None:
    for given in (dict(zip(KEYS, CLASS, strict=True)), CLASS, np.array(CLASS)):
        dataset = opened(bl.Labels(given, classes=["2", "1", "0"]))
        assert dataset.classes == ["2", "1", "0"] and dataset.labels.tolist() == [2, 2, 2, 1, 1, 1, 0, 0, 0]  # type: ignore[union-attr]


@pytest.mark.parametrize("form", ["folder", "dict", "list", "pattern", "function"])
def test_one_hot(opened: Opened, form: str) -> None:
    dataset = opened(bl.Labels(CLASS_FORMS[form], one_hot=True))
    assert dataset.classes == ["cat", "dog", "eel"]
    same_in_batches(dataset, np.eye(3)[CLASS].tolist(), np.float32)
    with pytest.raises(bl.InvalidArgumentError, match="classes"):
        opened(bl.Labels(NUMBERS, one_hot=True))


WRONG: list[tuple[Any, str]] = [
    (
        bl.Labels(dict.fromkeys(KEYS, {1, 2}), classes=["1"]),
        "a label must be a text, a number or a list of numbers",
    ),
    (pd.DataFrame({"path": KEYS, "label": NAMES}), "no column 'file'; it has path, label"),
    (pd.DataFrame({"file": KEYS, "kind": NAMES}), "no column 'label'; it has file, kind"),
    ([{"file": KEYS[0], "label": 1}, {"file": KEYS[1]}], "row 1 of the table of labels has no 'label'"),
    (NAMES[:4], "one label a record, in the order of the keys: there are 9 records, and 4 labels"),
    (dict.fromkeys(["x.jpg", "y.jpg"], 1), "x.jpg"),
    ({key if "cat" in key else key[2:]: name for key, name in TABLE.items()}, "form"),
    (np.full(9, np.inf), "finite"),
    (7, "labels must be None, 'folder'"),
    (b"folder", "labels must be None, 'folder'"),
    ({"cat", "dog"}, "labels must be None, 'folder'"),
    ("folders", "labels must be None, 'folder'"),
    (re.compile("cat"), "with a group that is the label"),
    (re.compile(b"(cat)"), "of a text"),
    (bl.Labels("folder", match="stem"), "match must be"),
    (bl.Labels("folder", missing="keep"), "missing must be"),
]


@pytest.mark.parametrize(("labels", "says"), WRONG, ids=[says for _, says in WRONG])
def test_what_does_not_fit_says_why(opened: Opened, labels: Any, says: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=re.escape(says)):
        opened(labels)


def test_what_a_function_raises_comes_through(opened: Opened) -> None:
    with pytest.raises(ZeroDivisionError):
        opened(lambda key: 1 / 0)


def test_short_forms_are_labels() -> None:
    labels = bl.Labels("folder", classes=["a"])
    assert bl.Labels.of(labels) is labels and bl.Labels.of("folder") == bl.Labels("folder")
