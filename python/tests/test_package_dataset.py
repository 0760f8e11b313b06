"""bl.Dataset on a real S3 server."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Endpoint
from images import jpeg, labelled_objects

import bucketline as bl

COUNT = 2500  # three pages


@pytest.fixture(scope="module")
def large(versitygw: Endpoint) -> str:
    """s3://bucket/ with COUNT small objects in ten folders below "data/", and others beside it."""
    bucket = versitygw.new_bucket()
    with versitygw.reached(), bl.Writer(f"s3://{bucket}/") as writer:
        for i in range(COUNT):
            writer.put(f"data/{i % 10}/{i:05}.jpg", str(i).encode())
        for key in ("data/notes.txt", "database/x.jpg", "data/0/UPPER.JPG", "data/empty.jpg"):
            writer.put(key, b"" if "empty" in key else b"x")
    return f"s3://{bucket}/"


@pytest.fixture
def images(bucket_url: str) -> str:
    with bl.Writer(bucket_url + "images/") as writer:
        for key, data in labelled_objects(12).items():
            writer.put(key, data)
    return bucket_url


def expected_keys() -> list[str]:
    keys = [f"data/{i % 10}/{i:05}.jpg" for i in range(COUNT)] + ["data/0/UPPER.JPG"]
    return sorted(keys, key=str.encode)


def test_all_pages_are_listed_in_bytewise_order(reached: Endpoint, large: str) -> None:
    dataset = bl.Dataset(large + "data/")
    assert len(dataset) == COUNT + 1 and list(dataset.keys) == expected_keys()
    assert list(dataset.uris) == [large + key for key in expected_keys()]


def test_keys_are_a_sequence(reached: Endpoint, large: str) -> None:
    keys, wanted = bl.Dataset(large + "data/").keys, expected_keys()
    assert (keys[0], keys[-1], keys[1500]) == (wanted[0], wanted[-1], wanted[1500])
    assert keys[3:7] == wanted[3:7] and keys[::500] == wanted[::500] and keys[5:1:-2] == wanted[5:1:-2]
    assert wanted[77] in keys and keys.index(wanted[77]) == 77
    with pytest.raises(IndexError, match="2501 is out of range: there are 2501 records"):
        keys[2501]
    with pytest.raises(TypeError, match="integers or slices"):
        keys["a"]  # type: ignore[call-overload]
    assert repr(keys).endswith("... 2501 in all]")


def test_extensions_say_which_keys_count(reached: Endpoint, large: str) -> None:
    assert list(bl.Dataset(large + "data/", extensions=[".txt"]).keys) == ["data/notes.txt"]
    everything = bl.Dataset(large + "data/", extensions=None)
    assert len(everything) == COUNT + 3, "the text and the empty object too"
    with pytest.raises(bl.InvalidArgumentError, match="none"):
        bl.Dataset(large + "data/", extensions=[".webp"])


def test_labels_of_folders_are_true(reached: Endpoint, large: str) -> None:
    dataset = bl.Dataset(large + "data/", labels="folder")
    assert dataset.classes == [str(i) for i in range(10)]
    labels = dataset.labels
    assert isinstance(labels, np.ndarray) and labels.dtype == np.int64 and labels.shape == (COUNT + 1,)
    assert all(
        dataset.classes[label] == key.split("/")[1] for key, label in zip(dataset.keys, labels, strict=True)
    )


def test_a_sample_is_read_with_its_label(images: str) -> None:
    dataset = bl.Dataset(images + "images/", labels="folder")
    sample = dataset[7]
    assert sample.key == "images/dark/0002.jpg" and sample.uri == images + sample.key
    assert sample.data == jpeg(2) and sample.size == len(jpeg(2)) and sample.etag
    assert dataset.classes[sample.label] == "dark"
    assert dataset[-1].key == dataset.keys[-1] and dataset[np.int64(0)].key == dataset.keys[0]
    assert bl.Dataset(images + "images/")[0].label is None
    with pytest.raises(IndexError):
        dataset[12]
    with pytest.raises(TypeError):
        dataset["0"]  # type: ignore[call-overload]


def test_labels_of_tables(images: str) -> None:
    keys = [f"images/{key}" for key in labelled_objects(12)]
    rows = [{"file": key, "label": i, "name": f"c{i % 3}", "box": [i, i / 2]} for i, key in enumerate(keys)]
    bl.put(images + "t.jsonl", "\n".join(map(json.dumps, rows)).encode())
    bl.put(
        images + "t.csv", "\n".join(["file,label", *(f"{k},{i / 4}" for i, k in enumerate(keys))]).encode()
    )
    bl.put(images + "t.json", json.dumps({key: f"c{i % 3}" for i, key in enumerate(keys)}).encode())
    number = {key: i for i, key in enumerate(keys)}

    def labels(rule: Any) -> tuple[Any, list[int]]:
        dataset = bl.Dataset(images + "images/", labels=rule)
        assert dataset.labels is not None
        return dataset, [number[key] for key in dataset.keys]

    dataset, order = labels(images + "t.jsonl")
    assert dataset.labels.dtype == np.int64 and dataset.labels.tolist() == order
    dataset, order = labels(images + "t.csv")
    assert dataset.labels.dtype == np.float32 and dataset.labels.tolist() == [i / 4 for i in order]
    dataset, order = labels(images + "t.json")
    assert dataset.classes == ["c0", "c1", "c2"] and dataset.labels.tolist() == [i % 3 for i in order]
    dataset, order = labels(bl.Labels(images + "t.jsonl", label="box"))
    assert dataset.labels.shape == (12, 2) and dataset.labels.tolist() == [[i, i / 2] for i in order]
    dataset, order = labels(bl.Labels(images + "t.json", classes=["c2", "c1", "c0"]))
    assert dataset.classes == ["c2", "c1", "c0"] and dataset.labels.tolist() == [2 - i % 3 for i in order]


def test_labels_that_do_not_fit_are_named(images: str) -> None:
    bl.put(images + "t.json", json.dumps({"images/dark/0000.jpg": 1}).encode())
    with pytest.raises(bl.InvalidArgumentError, match="bright/0001.jpg"):
        bl.Dataset(images + "images/", labels=images + "t.json")
    with pytest.raises(bl.NotFoundError):
        bl.Dataset(images + "images/", labels=images + "nothing.csv")
    with pytest.raises(bl.InvalidArgumentError, match="labels must be"):
        bl.Dataset(images + "images/", labels="folders")
    with pytest.raises(bl.InvalidArgumentError, match="bright"):
        bl.Dataset(images + "images/", labels=bl.Labels("folder", classes=["dark"]))


def test_views_are_of_the_same_records(images: str) -> None:
    dataset = bl.Dataset(images + "images/", labels="folder")
    assert list(dataset[2:5].keys) == dataset.keys[2:5] and len(dataset[5:2]) == 0
    with pytest.raises(bl.InvalidArgumentError, match="no step"):
        dataset[::2]
    dark = dataset.filter(lambda key: "dark" in key)
    assert len(dark) == 6 and dark.classes == dataset.classes and set(dark.labels) == {1}  # type: ignore[arg-type]
    assert dark[0].key == "images/dark/0000.jpg"
    with pytest.raises(ZeroDivisionError):
        dataset.filter(lambda key: 1 / 0 > 0)


def test_split_is_stable_and_whole(reached: Endpoint, large: str) -> None:
    dataset = bl.Dataset(large + "data/")
    train, val = dataset.split(0.8)
    assert sorted([*train.keys, *val.keys], key=str.encode) == list(dataset.keys)
    assert 0.75 < len(train) / len(dataset) < 0.85
    assert list(dataset.split(0.8)[0].keys) == list(train.keys)
    assert list(dataset.split(0.8, seed=1)[0].keys) != list(train.keys)
    fewer = dataset.filter(lambda key: not key.endswith("7.jpg"))
    assert set(fewer.split(0.8)[0].keys) <= set(train.keys), "no object moves when others go"
    for fraction in (-0.1, 1.5):
        with pytest.raises(bl.InvalidArgumentError):
            dataset.split(fraction)


def test_a_saved_manifest_needs_no_listing(images: str, tmp_path: Path) -> None:
    dataset = bl.Dataset(images + "images/", labels="folder")
    for uri in (images + "saved.manifest", str(tmp_path / "saved.manifest")):
        dataset.save(uri)
        runtime = bl.Runtime()
        again = bl.Dataset(uri, runtime=runtime)
        assert list(again.uris) == list(dataset.uris) and again.fingerprint == dataset.fingerprint
        assert again.classes == dataset.classes and np.array_equal(again.labels, dataset.labels)  # type: ignore[arg-type]
        assert runtime.stats()["requests"] <= 2  # how large it is, and its bytes
        assert again[3].data == dataset[3].data
    with pytest.raises(bl.InvalidArgumentError, match=r"\.manifest"):
        dataset.save(images + "saved.txt")


def test_a_manifest_is_saved_where_the_dataset_is(
    versitygw: Endpoint, images: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint that was given for reading is the one that is written to."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    dataset = bl.Dataset(images + "images/", endpoint_url=versitygw.url)
    for saved, name in ((dataset, "a.manifest"), (dataset[2:5], "b.manifest")):
        saved.save(images + name)
        assert bl.exists(images + name, endpoint_url=versitygw.url)


def test_the_fingerprint_is_of_the_state(images: str) -> None:
    before = bl.Dataset(images + "images/").fingerprint
    assert bl.Dataset(images + "images/").fingerprint == before
    bl.put(images + "images/dark/0000.jpg", jpeg(99))
    assert bl.Dataset(images + "images/").fingerprint != before


def test_an_object_that_changed_since_the_listing_is_an_error(images: str) -> None:
    pinned, loose = bl.Dataset(images + "images/"), bl.Dataset(images + "images/", pin="size")
    data = bytearray(jpeg(1, bright=True))
    data[-3] ^= 1
    bl.put(images + "images/bright/0001.jpg", data)
    with pytest.raises(bl.ObjectChangedError, match="0001.jpg"):
        pinned[0]
    assert loose[0].data == data


def test_a_folder_is_a_dataset_too(tmp_path: Path) -> None:
    for key, data in labelled_objects(4).items():
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(data)
    dataset = bl.Dataset(tmp_path, labels="folder")
    assert dataset.classes == ["bright", "dark"] and dataset[0].data == jpeg(1, bright=True)


def test_an_empty_prefix_and_a_missing_bucket_are_errors(bucket_url: str) -> None:
    with pytest.raises(bl.NotFoundError):
        bl.Dataset(bucket_url + "nothing/")
    with pytest.raises(bl.NotFoundError):
        bl.Dataset("s3://no-such-bucket-here/")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"pin": "version2"}, "pin must be"),
        ({"pin": None}, "pin must be"),
        ({"labels": 7}, "labels must be"),
        ({"extensions": ".jpg"}, "extensions must be"),
        ({"extensions": [3]}, "extensions must be"),
        ({"endpoint_url": 3}, "endpoint_url must be"),
        ({"region": 3}, "region must be"),
        ({"profile": 3}, "profile must be"),
        ({"anonymous": 1}, "anonymous must be"),
        ({"requester_pays": "yes"}, "requester_pays must be"),
        ({"runtime": 3}, "runtime must be"),
        ({"progress": "yes"}, "progress must be"),
    ],
)
def test_options_of_the_wrong_kind_are_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        bl.Dataset("s3://bucket/", **options)


@pytest.mark.parametrize("uri", [3, None, b"s3://bucket/"])
def test_a_uri_of_the_wrong_kind_is_named(uri: Any) -> None:
    with pytest.raises(bl.InvalidArgumentError, match="URI"):
        bl.Dataset(uri)


def test_it_shows_what_it_is_and_is_not_pickled(images: str) -> None:
    dataset = bl.Dataset(images + "images/", labels="folder")
    assert repr(dataset).startswith(f"Dataset('{images}images/', 12 records, ") and "2 classes" in repr(
        dataset
    )
    with pytest.raises(bl.UnsupportedError, match="open it in the process that uses it"):
        pickle.dumps(dataset)
