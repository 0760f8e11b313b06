"""What datasets become: views, splits, several as one, records of parts, saved and opened again."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Endpoint, serve_versitygw, versitygw_binary

import bucketline as bl


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    """ "s3://bucket/": sixty objects of three classes of twenty, and images with masks of most of them."""
    uri = f"s3://{versitygw.new_bucket()}/"
    with versitygw.reached(), bl.Writer(uri) as writer:
        for i in range(60):
            writer.put(f"all/{'abc'[i // 20]}/p{i % 5}-{i:02}.jpg", str(i).encode())
        for i in range(4):
            writer.put(f"images/{i}.jpg", b"image %d" % i)
            if i != 2:
                writer.put(f"masks/{i}.png", b"mask %d." % i)
        for shard in range(3):
            writer.put(f"shard-{shard:03}/x/{shard}.jpg", b"x")
    return uri


@pytest.fixture
def dataset(reached: Endpoint, bucket: str) -> bl.Dataset:
    return bl.Dataset(bucket + "all/", labels="folder")


def keys_of(datasets: Any) -> list[str]:
    return sorted(key for dataset in datasets for key in dataset.keys)


def labels_of(dataset: bl.Dataset) -> list[Any]:
    assert isinstance(dataset.labels, np.ndarray)
    labels: list[Any] = dataset.labels.tolist()
    return labels


def test_slices_keep_labels_and_classes(dataset: bl.Dataset) -> None:
    view = dataset[18:42]
    assert list(view.keys) == dataset.keys[18:42] and view.classes == ["a", "b", "c"]
    assert labels_of(view) == labels_of(dataset)[18:42]
    assert list(view[-3:].keys) == dataset.keys[39:42] and view[0].label == 0 and view[2].label == 1
    assert view.fingerprint != dataset.fingerprint and dataset[:].fingerprint == dataset.fingerprint
    assert len(dataset[50:1000]) == 10 and len(dataset[30:10]) == 0


def test_three_splits_share_the_records(dataset: bl.Dataset) -> None:
    parts = dataset.split((0.6, 0.2, 0.2), seed=3)
    assert keys_of(parts) == list(dataset.keys) and all(len(part) for part in parts)
    assert [list(part.keys) for part in dataset.split([0.6, 0.2, 0.2], seed=3)] == [
        list(part.keys) for part in parts
    ]
    two, three = dataset.split(0.5), dataset.split((0.5, 0.25, 0.25))
    assert list(two[0].keys) == list(three[0].keys), "a finer cut of the rest moves nothing"


def test_a_split_by_label_has_each_share_of_each_label(dataset: bl.Dataset) -> None:
    train, val, test = dataset.split((0.5, 0.3, 0.2), by="label")
    for part, wanted in ((train, 10), (val, 6), (test, 4)):
        assert np.bincount(labels_of(part)).tolist() == [wanted] * 3
    with pytest.raises(bl.InvalidArgumentError, match="label"):
        bl.concat([dataset]).split(0.5, by="labels")


def test_a_split_by_label_needs_labels(reached: Endpoint, bucket: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match="label"):
        bl.Dataset(bucket + "all/").split(0.5, by="label")


def test_a_split_by_group_keeps_groups_together(dataset: bl.Dataset) -> None:
    def patient(key: str) -> str:
        return key.split("/")[-1][:2]

    parts = dataset.split((0.4, 0.4, 0.2), by=patient)
    groups = [{patient(key) for key in part.keys} for part in parts]
    assert keys_of(parts) == list(dataset.keys) and sum(map(len, groups)) == 5
    numbered = dataset.split((0.4, 0.4, 0.2), by=lambda key: int(patient(key)[1:]) + 10)
    assert sum(len({patient(key) for key in part.keys}) for part in numbered) == 5, "groups may be numbers"
    with pytest.raises(ZeroDivisionError):
        dataset.split(0.5, by=lambda key: 1 / 0)


@pytest.mark.parametrize(
    ("fractions", "says"),
    [
        (1, "fraction"),
        (0.0, "fraction"),
        ((0.5, 0.6), "fraction"),
        ((), "fraction"),
        ((0.5, "half"), "a split's fraction must be a number"),
    ],
)
def test_fractions_that_do_not_fit(dataset: bl.Dataset, fractions: Any, says: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        dataset.split(fractions)


def test_select_filter_and_without(dataset: bl.Dataset) -> None:
    picked = dataset.select(np.array([3, 30, 59]))
    assert list(picked.keys) == [dataset.keys[i] for i in (3, 30, 59)] and labels_of(picked) == [0, 1, 2]
    assert list(picked.select([0, 2]).keys) == [dataset.keys[i] for i in (3, 59)]
    for wrong in ([3, 2], [1, 1], [60], [-1], [1.5]):
        with pytest.raises(bl.InvalidArgumentError, match=str(wrong[-1])):
            dataset.select(wrong)  # type: ignore[arg-type]
    gone = list(dataset.keys[10:50])
    assert list(dataset.without(gone).keys) == dataset.keys[:10] + dataset.keys[50:]
    with pytest.raises(bl.InvalidArgumentError, match="nothing.jpg"):
        dataset.without(["nothing.jpg"])
    with pytest.raises(bl.InvalidArgumentError, match="keys must be"):
        dataset.without(dataset.keys[0])
    assert labels_of(dataset.filter(lambda key: "p1" in key)) == [0] * 4 + [1] * 4 + [2] * 4


def test_concat_merges_classes_over_buckets(reached: Endpoint, dataset: bl.Dataset) -> None:
    other = f"s3://{reached.new_bucket()}/"
    for key in ("z/1.jpg", "a/2.jpg"):
        bl.put(other + key, b"there")
    both = bl.concat([dataset[35:45], bl.Dataset(other, labels="folder")])
    assert both.classes == ["a", "b", "c", "z"] and labels_of(both) == [1] * 5 + [2] * 5 + [0, 3]
    assert both.uris[10:] == [other + "a/2.jpg", other + "z/1.jpg"] and both[11].data == b"there"
    with bl.Loader(both, 12, distributed=False) as loader:
        batch = next(iter(loader))
        assert batch.images[0] == dataset[35].data and batch.labels.tolist() == labels_of(both)
    with pytest.raises(bl.InvalidArgumentError, match="repeats"):
        bl.concat([dataset, dataset])
    assert len(bl.concat([dataset, dataset], repeats=True)) == 120
    with pytest.raises(bl.InvalidArgumentError, match="labels"):
        bl.concat([dataset, bl.Dataset(other)])
    for wrong in ([], [other], dataset.keys):
        with pytest.raises(bl.InvalidArgumentError, match="list of Datasets"):
            bl.concat(wrong)  # type: ignore[arg-type]


def test_lists_and_braces_are_several_sources(reached: Endpoint, bucket: str) -> None:
    wanted = [bucket + f"shard-{i:03}/x/{i}.jpg" for i in range(3)]
    assert list(bl.Dataset(bucket + "shard-{000..002}/").uris) == wanted
    listed = bl.Dataset([bucket + "shard-002/", bucket + "shard-{000,001}/"], labels="folder")
    assert list(listed.uris) == [wanted[2], wanted[0], wanted[1]] and listed.classes == ["x"]
    assert list(bl.Dataset((bucket + "shard-001/",)).uris) == [wanted[1]]
    with pytest.raises(bl.NotFoundError, match="shard-003"):
        bl.Dataset(bucket + "shard-{002..003}/")
    for wrong in ([], {3: 4}.values(), [3]):
        with pytest.raises(bl.InvalidArgumentError, match="URI"):
            bl.Dataset(wrong)  # type: ignore[arg-type]


def test_paths_are_sources_too(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jpg").write_bytes(name.encode())
    dataset = bl.Dataset([tmp_path / "two", tmp_path / "one"])
    assert [dataset[i].data for i in range(2)] == [b"two", b"one"]


def test_a_view_is_saved_with_all_its_records_and_opened(dataset: bl.Dataset, tmp_path: Path) -> None:
    dataset[5:9].save(tmp_path / "all.manifest")
    again = bl.Dataset(tmp_path / "all.manifest")
    assert again.fingerprint == dataset.fingerprint and labels_of(again) == labels_of(dataset)
    assert again.classes == dataset.classes and again[7].data == dataset[7].data
    with pytest.raises(bl.UnsupportedError, match="one source"):
        bl.concat(
            [dataset[:2], bl.Dataset(dataset.uris[0].rsplit("/", 3)[0] + "/shard-000/", labels="folder")]
        ).save(tmp_path / "two.manifest")


def parts(bucket: str, **options: Any) -> bl.Dataset:
    return bl.Dataset({"image": bucket + "images/", "mask": bucket + "masks/"}, **options)


def test_parts_are_joined_by_their_stem(reached: Endpoint, bucket: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=r"images/2\.jpg"):
        parts(bucket)
    pairs = parts(bucket, missing="drop", labels={"0.jpg": 5, "1.jpg": 6, "2.jpg": 7, "3.jpg": 8})
    assert pairs.part_names == ["image", "mask"] and len(pairs) == 3 and pairs.dropped == 1
    sample = pairs[2]
    assert sample.data == {"image": b"image 3", "mask": b"mask 3."} and sample.label == 8
    assert sample.key == "images/3.jpg" and sample.uri == bucket + sample.key and sample.size == 14
    assert pairs.uris[0] == bucket + "images/0.jpg"
    assert bl.Dataset(bucket + "images/").part_names == ["data"]
    view = pairs[1:]
    assert view.part_names == ["image", "mask"] and view[0].data["mask"] == b"mask 1."
    with pytest.raises(bl.InvalidArgumentError, match="part"):
        bl.concat([pairs, bl.Dataset(bucket + "all/", labels="folder")])


def test_labels_of_parts_count_what_was_left_out(reached: Endpoint, bucket: str) -> None:
    def label(key: str) -> int | None:
        return None if "/0." in key else 1

    pairs = parts(bucket, missing="drop", labels=bl.Labels(label, missing="drop"))
    assert len(pairs) == 2 and pairs.dropped == 3, (
        "0 has no label, nor its mask a partner then; 2 has no mask"
    )


@pytest.mark.parametrize(
    ("uri", "options", "says"),
    [
        ({}, {}, "needs at least one"),
        ({"image": "images/", "mask": "masks/"}, {"join": "name"}, "join must be"),
        ({"image": "images/", "mask": "masks/"}, {"missing": "keep"}, "missing must be"),
        ({"image": "images/", "mask": "all/"}, {}, re.escape("images/0.jpg")),
    ],
)
def test_parts_that_do_not_fit(
    reached: Endpoint, bucket: str, uri: dict[str, str], options: dict[str, str], says: str
) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        bl.Dataset({name: bucket + prefix for name, prefix in uri.items()}, **options)  # type: ignore[arg-type]


def test_datasets_of_two_runtimes_do_not_go_together(reached: Endpoint, bucket: str) -> None:
    one, other = (bl.Dataset(bucket + f"shard-00{i}/", runtime=bl.Runtime()) for i in range(2))
    with pytest.raises(bl.InvalidArgumentError, match="one runtime"):
        bl.concat([one, other])


@pytest.fixture(scope="module")
def versioned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Endpoint, str]]:
    """A bucket that keeps versions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VGW_VERSIONING_DIR", str(tmp_path_factory.mktemp("versions")))
        server = serve_versitygw(versitygw_binary(), tmp_path_factory.mktemp("data"), [])
        endpoint = server.__enter__()
    with contextlib.ExitStack() as stack:
        stack.push(server)
        bucket = endpoint.new_bucket()
        endpoint.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        yield endpoint, f"s3://{bucket}/"


def test_a_pinned_version_is_read_after_it_was_overwritten(versioned: tuple[Endpoint, str]) -> None:
    endpoint, uri = versioned
    with endpoint.reached():
        bl.put(uri + "a.jpg", b"first")
        pinned, by_etag = bl.Dataset(uri, pin="version"), bl.Dataset(uri)
        bl.put(uri + "a.jpg", b"other")
        assert pinned[0].data == b"first"
        with pytest.raises(bl.ObjectChangedError):
            by_etag[0]
        assert bl.Dataset(uri, pin="version")[0].data == b"other"


def test_versions_need_a_bucket_that_keeps_them(reached: Endpoint, bucket: str) -> None:
    with pytest.raises(bl.UnsupportedError, match="version"):
        bl.Dataset(bucket + "all/", pin="version")


def test_runtimes_are_looked_at_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    ours = bl.Dataset(tmp_path, runtime=bl.Runtime())
    theirs = bl.Dataset(tmp_path, runtime=bl.Runtime())
    with pytest.raises(bl.InvalidArgumentError, match="datasets of different runtimes"):
        bl.concat([ours, theirs])  # whose objects are the same, too
