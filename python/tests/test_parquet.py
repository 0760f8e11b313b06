"""Parquet files that pyarrow wrote, in many forms, against what pyarrow reads of them."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Command
from images import jpeg

import bucketline as bl

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

COUNT = 24
IMAGE = bl.Image(24, dtype="uint8")
IMAGES = [jpeg(seed, size=32) for seed in range(COUNT)]
LABELS = [seed % 3 for seed in range(COUNT)]
CLASSES = ["ant", "bee", "cat"]


def structs(images: list[bytes | None]) -> Any:
    """As Hugging Face's `datasets` stores a column of images."""
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = [{"bytes": data, "path": None if i % 2 else f"{i}.jpg"} for i, data in enumerate(images)]
    return pa.array(rows, kind)


def hub_table(images: list[bytes], labels: list[int]) -> Any:
    features = {"image": {"_type": "Image"}, "label": {"names": CLASSES, "_type": "ClassLabel"}}
    note = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.table(
        {"image": structs([*images]), "label": pa.array(labels, pa.int64())}
    ).replace_schema_metadata(note)


def written(table: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **{"compression": "NONE", **options})
    return buffer.getvalue()


def epoch_of(given: Any, **options: Any) -> list[tuple[Any, Any]]:
    with bl.Loader(given, 4, image=IMAGE, **options) as loader:
        return [(images.copy(), labels) for images, labels in loader]


def assert_same(given: list[Any], expected: list[Any]) -> None:
    assert len(given) == len(expected) > 0
    for (images, labels), (others, marks) in zip(given, expected, strict=True):
        assert np.array_equal(images, others) and np.array_equal(labels, marks)


FORMS = [
    dict(zip(("data_page_version", "use_dictionary", "data_page_size", "row_group_size"), form, strict=True))
    for form in itertools.product(("1.0", "2.0"), (True, False), (1, 3000, 1 << 20), (5, 1000))
]
OTHER_FORMS: list[dict[str, Any]] = [
    {"write_statistics": False},
    {"write_page_checksum": True},
    {"write_page_index": True},
    {"dictionary_pagesize_limit": 2000},  # some pages by a dictionary, then plain ones
    {"version": "1.0"},
    {"store_schema": False},
    {"use_compliant_nested_type": False, "write_batch_size": 3},
]


@pytest.mark.parametrize("options", [*FORMS, *OTHER_FORMS], ids=str)
def test_what_pyarrow_writes_is_what_it_reads(tmp_path: Path, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(len(str(options)))
    images = [rng.bytes(int(size)) for size in rng.choice([0, 1, 100, 1500], 40)]
    images[10:14] = [images[3]] * 4  # in a dictionary once
    columns = {
        "image": structs([*images]),
        "mask": pa.array(images[::-1], pa.binary()),
        "fixed": pa.array([data[:4].ljust(4, b"-") for data in images], pa.binary(4)),
        "small": pa.array([int(i) - 20 for i in range(40)], pa.int32()),
        "large": pa.array([2**40 + i for i in range(40)], pa.int64()),
        "byte": pa.array([i * 6 for i in range(40)], pa.uint8()),
        "score": pa.array([i / 4 for i in range(40)], pa.float32()),
        "weight": pa.array([i / 8 - 2 for i in range(40)], pa.float64()),
        "flag": pa.array([i % 3 == 0 for i in range(40)]),
        "name": pa.array([CLASSES[i % 3] for i in range(40)]),
        "kind": pa.array([CLASSES[i % 2] for i in range(40)]).dictionary_encode(),
    }
    path = tmp_path / "x.parquet"
    path.write_bytes(written(pa.table(columns), **options))
    read = pq.read_table(path)
    parts = {"image": "image", "mask": "mask", "fixed": "fixed", "path": "image.path"}
    dataset = bl.Dataset(path, parts=parts, missing="drop")
    rows = [row for row in read.to_pylist() if row["image"]["path"] is not None]
    assert len(dataset) == len(rows) == 20 and dataset.dropped == 20
    for i, row in enumerate(rows):
        assert dataset[i].data == {
            "image": row["image"]["bytes"],
            "mask": row["mask"],
            "fixed": row["fixed"],
            "path": row["image"]["path"].encode(),
        }
    for column in ("small", "large", "byte", "score", "weight", "flag"):
        labels = bl.Dataset(path, column).labels
        assert labels is not None and list(labels) == read[column].to_pylist(), column
    for column in ("name", "kind"):
        named = bl.Dataset(path, column)
        assert named.labels is not None and named.classes is not None
        assert [named.classes[label] for label in named.labels] == read[column].to_pylist()


def test_the_batches_are_those_of_the_images(bucket_url: str) -> None:
    for i, data in enumerate(IMAGES):
        bl.put(f"{bucket_url}raw/{i:04}.jpg", data)
    for shard in range(2):
        rows = slice(shard * 12, shard * 12 + 12)
        bl.put(
            f"{bucket_url}hub/{shard}.parquet",
            written(hub_table(IMAGES[rows], LABELS[rows]), row_group_size=5),
        )
    raw = bl.Dataset(bucket_url + "raw/", {f"{i:04}.jpg": CLASSES[label] for i, label in enumerate(LABELS)})
    hub = bl.Dataset(bucket_url + "hub/", "label")
    assert hub.classes == CLASSES and hub.keys[13] == "hub/1.parquet/0000000001"
    assert hub.uris[0].startswith(bucket_url + "hub/0.parquet#bytes=")
    assert_same(epoch_of(hub), epoch_of(raw))
    shuffled = epoch_of(hub, shuffle=True, seed=5)
    assert_same(shuffled, epoch_of(raw, shuffle=True, seed=5))
    with bl.Loader(hub, 4, image=IMAGE, shuffle=True, seed=5) as loader:
        batches = iter(loader)
        next(batches), next(batches)
        state = loader.state_dict()
    with bl.Loader(hub, 4, image=IMAGE, shuffle=True, seed=5) as resumed:
        resumed.load_state_dict(state)
        assert_same([(images.copy(), labels) for images, labels in resumed], shuffled[2:])


def test_a_saved_index_reads_no_file_and_knows_its_state(bucket_url: str) -> None:
    uri = bucket_url + "x.parquet"
    bl.put(uri, written(hub_table(IMAGES, LABELS)))
    bl.Dataset(uri, "label").save(bucket_url + "x.manifest")
    again = bl.Dataset(bucket_url + "x.manifest")
    assert again.classes == CLASSES and again[7].data == IMAGES[7]
    assert_same(epoch_of(again), epoch_of(bl.Dataset(uri, "label")))
    bl.put(uri, written(hub_table(IMAGES[::-1], LABELS)))
    with pytest.raises(bl.ObjectChangedError, match="x.parquet"):
        epoch_of(bl.Dataset(bucket_url + "x.manifest"))


@pytest.mark.parametrize("codec", ["SNAPPY", "ZSTD", "GZIP", "BROTLI", "LZ4"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_what_is_compressed_says_so_and_converts(bucket_url: str, codec: str, version: str) -> None:
    table = hub_table(IMAGES, LABELS)
    uri = f"{bucket_url}packed/deep/x.parquet"
    bl.put(uri, written(table, compression=codec, data_page_version=version, row_group_size=7))
    named = r'x\.parquet: the column "image.bytes" of row group 0 is compressed with ' + codec
    with pytest.raises(bl.UnsupportedError, match=named + r".*parquet\.convert.*compression=\"NONE\""):
        bl.Dataset(uri)
    told: list[int] = []
    done = bl.parquet.convert(f"{bucket_url}packed/", f"{bucket_url}rows/", rows=10, progress=told.append)
    assert done == [f"{bucket_url}rows/deep/x.parquet"] and told == [10, 20, 24]
    dataset = bl.Dataset(bucket_url + "rows/", "label")
    assert dataset.classes == CLASSES and [dataset[i].data for i in range(COUNT)] == IMAGES
    rewritten = pq.read_table(io.BytesIO(bl.get(done[0])))
    assert rewritten.equals(table) and rewritten.schema.metadata == table.schema.metadata


def test_columns_that_nobody_wants_may_be_as_they_like(tmp_path: Path) -> None:
    columns = {"image": pa.array(IMAGES, pa.binary()), "label": pa.array(LABELS), "other": pa.array(LABELS)}
    path = tmp_path / "x.parquet"
    compression = {"image": "NONE", "label": "NONE", "other": "ZSTD"}
    path.write_bytes(written(pa.table(columns), compression=compression))
    assert len(bl.Dataset(path, "label")) == COUNT
    with pytest.raises(bl.UnsupportedError, match='"other" of row group 0 is compressed with ZSTD'):
        bl.Dataset(path, "other")
    encoding = {"image": "DELTA_LENGTH_BYTE_ARRAY", "label": "DELTA_BINARY_PACKED"}
    table = pa.table({name: columns[name] for name in encoding})
    path.write_bytes(written(table, use_dictionary=False, column_encoding=encoding))
    with pytest.raises(bl.UnsupportedError, match='"image" .* is encoded as DELTA_LENGTH_BYTE_ARRAY'):
        bl.Dataset(path)
    (tmp_path / "out").mkdir()
    bl.parquet.convert(path, f"{tmp_path}/out/")
    assert [bl.Dataset(tmp_path / "out", "label")[i].data for i in range(COUNT)] == IMAGES


def test_what_does_not_fit_says_why(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    nulls = [None if i == 5 else data for i, data in enumerate(IMAGES)]
    lists = pa.array([[1.0, 2.0]] * COUNT, pa.list_(pa.float32()))
    table = pa.table({"image": structs([*nulls]), "boxes": lists, "label": pa.array(LABELS)})
    path.write_bytes(written(table))
    wrong: list[tuple[dict[str, Any], type[bl.Error], str]] = [
        ({}, bl.InvalidArgumentError, r'member "image" of the sample "0000000005" at byte \d+ is null'),
        ({"parts": ["boxes.list.element"]}, bl.InvalidArgumentError, "is a list, and a part needs bytes"),
        ({"parts": ["label"]}, bl.InvalidArgumentError, "is an integer, and a part needs bytes"),
        (
            {"parts": ["photo"]},
            bl.InvalidArgumentError,
            'no column "photo"; its columns are "image", "image.bytes", ',
        ),
        (
            {"labels": "class"},
            bl.InvalidArgumentError,
            'no column of labels "class"; its columns are "image"',
        ),
        (
            {"labels": "boxes.list.element", "missing": "drop"},
            bl.UnsupportedError,
            "is a list, and a label is",
        ),
    ]
    for options, kind, says in wrong:
        with pytest.raises(kind, match=says):
            bl.Dataset(path, **options)
    dataset = bl.Dataset(path, "label", missing="drop")
    assert dataset.dropped == 1 and [dataset[i].data for i in range(COUNT - 1)] == [*filter(None, nulls)]


def test_a_null_is_no_label(tmp_path: Path) -> None:
    labels = pa.array([None if i == 5 else label for i, label in enumerate(LABELS)], pa.int64())
    path = tmp_path / "x.parquet"
    path.write_bytes(written(pa.table({"image": pa.array(IMAGES, pa.binary()), "label": labels})))
    with pytest.raises(bl.InvalidArgumentError, match=r'x\.parquet, sample "0000000005" has no "label"'):
        bl.Dataset(path, "label")
    dataset = bl.Dataset(path, bl.Labels("label", missing="drop"))
    assert dataset.dropped == 1 and dataset.labels is not None
    assert list(dataset.labels) == [*LABELS[:5], *LABELS[6:]] and dataset[5].data == IMAGES[6]


def test_damaged_files_are_named(tmp_path: Path) -> None:
    whole = written(
        hub_table(IMAGES, LABELS), row_group_size=12, use_dictionary=False, write_statistics=False
    )
    path = tmp_path / "x.parquet"
    path.write_bytes(whole[:-1])
    with pytest.raises(
        bl.CorruptDataError, match=r'x\.parquet.*at byte \d+: a Parquet file ends with "PAR1"'
    ):
        bl.Dataset(path)
    path.write_bytes(whole[:-8] + b"\xff\xff\xff\x7fPAR1")
    with pytest.raises(bl.CorruptDataError, match="footer is said to have 2147483647 bytes"):
        bl.Dataset(path)
    path.write_bytes(whole[:-4] + b"PARE")
    with pytest.raises(bl.UnsupportedError, match="encrypted"):
        bl.Dataset(path)
    at = whole.index(IMAGES[3]) - 4
    path.write_bytes(whole[:at] + b"\xff\xff\xff\x7f" + whole[at + 4 :])
    with pytest.raises(bl.CorruptDataError, match=r'"image\.bytes" of row group 0 has \d+ bytes for value 3'):
        bl.Dataset(path)
    dataset = bl.Dataset(path, "label", damaged="skip")  # the other row group
    assert [dataset[i].data for i in range(len(dataset))] == IMAGES[12:] and dataset.labels is not None
    assert list(dataset.labels) == LABELS[12:]
    path.write_bytes(b"")
    with pytest.raises(bl.CorruptDataError, match="0 bytes are no Parquet file"):
        bl.Dataset(path, format="parquet")


def test_convert_refuses_what_would_lose_something(tmp_path: Path) -> None:
    table = written(hub_table(IMAGES, LABELS), compression="SNAPPY")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.parquet").write_bytes(table)
    both = [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(bl.InvalidArgumentError, match="x.parquet would be written over"):
        bl.parquet.convert(both, f"{tmp_path}/out/")
    with pytest.raises(bl.InvalidArgumentError, match="x.parquet would be written over"):
        bl.parquet.convert(tmp_path / "a", f"{tmp_path}/a/")
    with pytest.raises(bl.InvalidArgumentError, match="ends with a '/'"):
        bl.parquet.convert(tmp_path / "a", tmp_path / "out")
    with pytest.raises(bl.NotFoundError, match="there is no .parquet file here"):
        bl.parquet.convert(f"{tmp_path}/nothing/", f"{tmp_path}/out/")
    with pytest.raises(bl.InvalidArgumentError, match="rows must be at least 1"):
        bl.parquet.convert(tmp_path / "a", f"{tmp_path}/out/", rows=0)
    (tmp_path / "a" / "x.parquet").write_bytes(table[: len(table) // 2])
    with pytest.raises(bl.CorruptDataError, match="x.parquet: pyarrow cannot read it"):
        bl.parquet.convert(tmp_path / "a", f"{tmp_path}/out/")
    broken = bytearray(table)
    broken[len(table) // 3 : len(table) // 3 + 400] = bytes(400)
    (tmp_path / "a" / "x.parquet").write_bytes(broken)
    with pytest.raises(bl.CorruptDataError, match="x.parquet: pyarrow cannot read it"):
        bl.parquet.convert(tmp_path / "a", f"{tmp_path}/out/")
    assert not (tmp_path / "out" / "x.parquet").exists()


def test_the_command_indexes_and_packs_parquet(
    bucket_url: str, on_versitygw: Command, tmp_path: Path
) -> None:
    bl.put(bucket_url + "p/x.parquet", written(hub_table(IMAGES, LABELS), row_group_size=5))
    saved = f"{tmp_path}/x.manifest"
    told = on_versitygw.done(
        "index", bucket_url + "p/x.parquet", "--labels", "label", "-o", saved, "--json"
    ).out
    assert json.loads(told)["records"] == COUNT and json.loads(told)["classes"] == CLASSES
    assert bl.Dataset(saved)[9].data == IMAGES[9]
    on_versitygw.done("pack", bucket_url + "p/", bucket_url + "t/", "--format", "tar", "--labels", "label")
    packed = bl.Dataset(bucket_url + "t/", labels="cls", format="tar")
    assert [packed[i].data for i in range(COUNT)] == IMAGES
    on_versitygw.done("get", bucket_url + "p/", "--to", tmp_path / "got", "--format", "parquet")
    assert (tmp_path / "got" / "x.parquet" / "0000000009").read_bytes() == IMAGES[9]
