"""Datasets of shards against the libraries that write them."""

from __future__ import annotations

import gzip
import json
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shards
from conftest import Command
from images import jpeg

import bucketline as bl

COUNT = 12
IMAGE = bl.Image(24, dtype="uint8")
IMAGES = [jpeg(seed, size=32) for seed in range(COUNT)]


def put_raw(url: str) -> str:
    for i, data in enumerate(IMAGES):
        bl.put(f"{url}raw/{i:04}.jpg", data)
    return url + "raw/"


def put_tars(url: str, layout: int = tarfile.PAX_FORMAT) -> str:
    for shard in range(2):
        members = {}
        for i in range(shard * 6, shard * 6 + 6):
            members[f"{i:04}.cls"] = str(i % 3).encode()
            members[f"{i:04}.jpg"] = IMAGES[i]
            members[f"{i:04}.json"] = json.dumps({"kind": "ab"[i % 2]}).encode()
        bl.put(f"{url}t/train-{shard:03}.tar", shards.tar(members, layout))
    return url + "t/train-{000..001}.tar"


def epoch_of(given: Any, **options: Any) -> list[Any]:
    with bl.Loader(given, 4, image=IMAGE, **options) as loader:
        return [images.copy() for images, _ in loader]


def assert_same(given: list[Any], expected: list[Any]) -> None:
    assert len(given) == len(expected) > 0
    assert all(np.array_equal(a, b) for a, b in zip(given, expected, strict=True))


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_tars_give_the_batches_of_their_images(bucket_url: str, layout: int) -> None:
    raw = put_raw(bucket_url)
    uri = put_tars(bucket_url, layout)
    assert_same(epoch_of(uri), epoch_of(raw))
    assert_same(epoch_of(uri, shuffle=True, seed=3), epoch_of(raw, shuffle=True, seed=3))


def test_a_tar_is_its_samples(bucket_url: str) -> None:
    dataset = bl.Dataset(put_tars(bucket_url), labels="cls")
    assert len(dataset) == COUNT and dataset.part_names == ["data"]
    assert dataset.keys[7] == "t/train-001.tar/0007"
    assert dataset[7].data == IMAGES[7]
    assert dataset.uris[7].startswith(bucket_url + "t/train-001.tar#bytes=")
    assert isinstance(dataset.labels, np.ndarray) and dataset.labels.tolist() == [i % 3 for i in range(COUNT)]
    with bl.Loader(dataset, 4, image=IMAGE) as loader:
        batch = next(iter(loader))
        assert batch.keys == dataset.keys[:4] and batch.labels.tolist() == [0, 1, 2, 0]


def test_labels_of_json_and_parts_by_name(bucket_url: str) -> None:
    uri = put_tars(bucket_url)
    dataset = bl.Dataset(uri, labels=bl.Member("json", field="kind"))
    assert dataset.classes == ["a", "b"]
    dataset = bl.Dataset(uri, parts={"image": "jpg;png", "about": ["json"]})
    assert dataset.part_names == ["image", "about"]
    assert json.loads(dataset[1].data["about"]) == {"kind": "b"}
    with bl.Loader(dataset, 4, fields={"image": IMAGE, "about": None}) as loader:
        batch = next(iter(loader))
        assert batch["image"].shape[0] == 4 and json.loads(batch["about"][1]) == {"kind": "b"}


def test_a_saved_index_reads_no_shard(bucket_url: str) -> None:
    uri = put_tars(bucket_url)
    dataset = bl.Dataset(uri, labels="cls")
    dataset.save(bucket_url + "t.manifest")
    again = bl.Dataset(bucket_url + "t.manifest")
    assert list(again.keys) == list(dataset.keys) and again.fingerprint == dataset.fingerprint
    assert_same(epoch_of(again), epoch_of(dataset))
    bl.put(f"{bucket_url}t/train-001.tar", shards.tar({"0006.jpg": IMAGES[0]}))
    with pytest.raises(bl.ObjectChangedError, match="train-001.tar"):
        epoch_of(bl.Dataset(bucket_url + "t.manifest"))


def test_local_shards(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(shards.tar({"1.jpg": IMAGES[0]}))
    (tmp_path / "b.tar").write_bytes(shards.tar({"1.jpg": IMAGES[1]}))
    for uri in (tmp_path, f"{tmp_path}/{{a,b}}.tar", [tmp_path / "a.tar", tmp_path / "b.tar"]):
        dataset = bl.Dataset(uri)
        assert [sample.data for sample in map(dataset.__getitem__, range(2))] == IMAGES[:2]
    assert len(bl.Dataset(tmp_path, format="tar")) == 2


def test_damaged_and_compressed_tars(bucket_url: str) -> None:
    whole = shards.tar({f"{i}.jpg": IMAGES[i] for i in range(3)})
    bl.put(bucket_url + "cut.tar", whole[: len(IMAGES[0]) + 2000])
    with pytest.raises(bl.CorruptDataError, match="cut off.*damaged"):
        bl.Dataset(bucket_url + "cut.tar")
    dataset = bl.Dataset(bucket_url + "cut.tar", damaged="skip")
    assert len(dataset) == 1 and dataset.dropped == 1
    bl.put(bucket_url + "zip.tar", gzip.compress(whole))
    with pytest.raises(bl.UnsupportedError, match="compressed with gzip"):
        bl.Dataset(bucket_url + "zip.tar", damaged="skip")


def test_tfrecords_that_tensorflow_wrote(bucket_url: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    messages = [
        shards.example(
            {"image/encoded": data, "image/class/label": i % 3, "name": f"n{i % 2}".encode(), "score": i / 4}
        )
        for i, data in enumerate(IMAGES)
    ]
    bl.put(bucket_url + "r/x.tfrecord", shards.tfrecord(tmp_path / "x", messages))
    for labels, expected in (
        ("image/class/label", [i % 3 for i in range(COUNT)]),
        ("name", [i % 2 for i in range(COUNT)]),
        ("score", [i / 4 for i in range(COUNT)]),
    ):
        dataset = bl.Dataset(bucket_url + "r/", labels=labels)
        assert isinstance(dataset.labels, np.ndarray) and dataset.labels.tolist() == expected
    assert dataset.keys[3] == "r/x.tfrecord/0000000003" and dataset[3].data == IMAGES[3]
    assert_same(epoch_of(dataset), epoch_of(put_raw(bucket_url)))
    with pytest.raises(bl.InvalidArgumentError, match="list of 1 integers"):
        bl.Dataset(bucket_url + "r/", parts=["image/class/label"])


def test_a_tfrecord_with_a_wrong_crc_or_in_gzip(bucket_url: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    messages = [shards.example({"image": data}) for data in IMAGES]
    shard = bytearray(shards.tfrecord(tmp_path / "x", messages))
    shard[len(messages[0]) + 16 + 100] ^= 1
    bl.put(bucket_url + "x.tfrecord", bytes(shard))
    with pytest.raises(bl.CorruptDataError, match="record 1 has a wrong CRC"):
        bl.Dataset(bucket_url + "x.tfrecord")
    assert len(bl.Dataset(bucket_url + "x.tfrecord", damaged="skip")) == COUNT - 1
    bl.put(bucket_url + "z.tfrecord", shards.tfrecord(tmp_path / "z", messages, "GZIP"))
    with pytest.raises(bl.UnsupportedError, match="gzip"):
        bl.Dataset(bucket_url + "z.tfrecord")


def test_recordio(bucket_url: str) -> None:
    bl.put(bucket_url + "x.rec", shards.recordio([(data, i % 3) for i, data in enumerate(IMAGES)]))
    dataset = bl.Dataset(bucket_url + "x.rec", labels="label")
    assert isinstance(dataset.labels, np.ndarray) and dataset.labels.dtype == np.int64
    assert dataset.labels.tolist() == [i % 3 for i in range(COUNT)]
    assert_same(epoch_of(dataset), epoch_of(put_raw(bucket_url)))


def test_mds(bucket_url: str) -> None:
    samples = [
        {"image": data, "label": struct.pack("<q", i % 3), "name": f"n{i % 2}".encode()}
        for i, data in enumerate(IMAGES)
    ]
    columns = {"image": "jpeg", "label": "int", "name": "str"}
    bl.put(bucket_url + "m/shard.00000.mds", shards.mds(columns, {"label": 8}, samples[:7]))
    bl.put(bucket_url + "m/shard.00001.mds", shards.mds(columns, {"label": 8}, samples[7:]))
    bl.put(bucket_url + "m/index.json", b"{}")
    dataset = bl.Dataset(bucket_url + "m/", labels="label")
    assert isinstance(dataset.labels, np.ndarray) and dataset.labels.tolist() == [i % 3 for i in range(COUNT)]
    assert bl.Dataset(bucket_url + "m/", labels="name").classes == ["n0", "n1"]
    assert_same(epoch_of(dataset), epoch_of(put_raw(bucket_url)))


def test_a_folder_of_tensorflow_datasets(bucket_url: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    folder = bucket_url + "digits/1.0.0/"
    splits = [{"name": name, "shardLengths": ["6"]} for name in ("train", "test")]
    bl.put(folder + "dataset_info.json", json.dumps({"fileFormat": "tfrecord", "splits": splits}).encode())
    features = {"image": {"image": {"encodingFormat": "jpeg"}}, "label": {"classLabel": {"numClasses": "3"}}}
    bl.put(folder + "features.json", json.dumps({"featuresDict": {"features": features}}).encode())
    bl.put(folder + "label.labels.txt", b"zero\none\ntwo\n")
    for split, first in (("train", 0), ("test", 6)):
        messages = [shards.example({"image": IMAGES[i], "label": i % 3}) for i in range(first, first + 6)]
        bl.put(f"{folder}digits-{split}.tfrecord-00000-of-00001", shards.tfrecord(tmp_path / split, messages))
    test = bl.Dataset(folder, format="tfds", split="test", labels="label")
    assert len(test) == 6 and test[0].data == IMAGES[6]
    assert test.classes == ["zero", "one", "two"]
    assert isinstance(test.labels, np.ndarray) and test.labels.tolist() == [i % 3 for i in range(6, 12)]
    with pytest.raises(bl.InvalidArgumentError, match="has train, test"):
        bl.Dataset(folder, format="tfds", labels="label")


def test_the_command_indexes_shards(bucket_url: str, on_versitygw: Command, tmp_path: Path) -> None:
    uri = put_tars(bucket_url)
    saved = f"{tmp_path}/t.manifest"
    told = on_versitygw.done("index", uri, "--labels", "json:kind", "-o", saved, "--json").out
    assert json.loads(told)["records"] == COUNT and json.loads(told)["classes"] == ["a", "b"]
    dataset = bl.Dataset(saved)
    assert dataset[5].data == IMAGES[5] and dataset.labels is not None and dataset.labels[5] == 1
    parts = ("--parts", "image=jpg;png,cls", "--missing", "drop", "--skip-damaged", "--format", "tar")
    on_versitygw.done("index", bucket_url + "t/", *parts, "-o", saved)
    assert bl.Dataset(saved).part_names == ["image", "cls"]


def test_an_index_is_small(bucket_url: str, tmp_path: Path) -> None:
    bl.put(bucket_url + "many.tar", shards.tar({f"{i:06}.jpg": b"x" * (i % 512) for i in range(2000)}))
    dataset = bl.Dataset(bucket_url + "many.tar")
    dataset.save(tmp_path / "many.manifest")
    assert (tmp_path / "many.manifest").stat().st_size < 16 * len(dataset)


def test_what_does_not_fit_says_why(bucket_url: str) -> None:
    put_raw(bucket_url)
    wrong: list[tuple[dict[str, Any], type[bl.Error], str]] = [
        ({"format": "zip"}, bl.InvalidArgumentError, "'tfrecord'"),
        ({"format": "parquet"}, bl.NotFoundError, "no parquet shard"),
        ({"damaged": "ignore"}, bl.InvalidArgumentError, "damaged must be"),
        ({"parts": "jpg"}, bl.InvalidArgumentError, "parts must be"),
        ({"parts": [""]}, bl.InvalidArgumentError, "names no part"),
        ({"labels": "cls"}, bl.InvalidArgumentError, "names a member of shards"),
        ({"labels": "folders"}, bl.InvalidArgumentError, "labels must be"),
        ({"format": "tar"}, bl.NotFoundError, "no tar shard"),
    ]
    for options, kind, says in wrong:
        with pytest.raises(kind, match=says):
            bl.Dataset(bucket_url + "raw/", **options)
