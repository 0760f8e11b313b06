"""Packs against what they were made from, and against the libraries that define their formats."""

from __future__ import annotations

import io
import json
import re
import signal
from pathlib import Path
from typing import Any

import mosaic
import numpy as np
import pytest
from conftest import DEADLINE_SECONDS, ROOT, Command, Endpoint, run_python
from gate import gated
from images import jpeg, put_folder
from PIL import Image as Pillow

import bucketline as bl

PAGE = (ROOT / "docs" / "packing.md").read_text()
# Options of every command that opens a dataset.
SHARED = {
    "help",
    "default",
    "labels",
    "label-key",
    "label-field",
    "missing",
    "extensions",
    "classes",
    "split",
    "parts",
}
SHARED |= {"skip-damaged", "pin", "json"}
COUNT = 24
NAMES = ["cat", "dog"]
FORMATS = ("tar", "tfrecord", "mds")
IMAGE = bl.Image(24, dtype="uint8")
KEYS = [f"{NAMES[i % 2]}/{i:03}.jpg" for i in range(COUNT)]
DATA = {key: jpeg(i, size=32) for i, key in enumerate(KEYS)}
IN_ORDER = sorted(KEYS)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw") / "images"
    for key, data in DATA.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)
    return folder


def batches(given: Any, **options: Any) -> list[tuple[Any, Any, list[str]]]:
    with bl.Loader(given, 5, image=IMAGE, **options) as loader:
        return [(batch.images.copy(), batch.labels.copy(), batch.keys) for batch in loader]


def assert_same(given: list[Any], expected: list[Any], keys: bool = True) -> None:
    assert len(given) == len(expected) > 0
    for (images, labels, names), (other, same, theirs) in zip(given, expected, strict=True):
        assert np.array_equal(images, other) and np.array_equal(labels, same)
        assert not keys or names == theirs


@pytest.mark.parametrize("form", FORMATS)
def test_a_pack_gives_the_batches_of_the_raw_objects(bucket_url: str, raw: Path, form: str) -> None:
    for key, data in DATA.items():
        bl.put(f"{bucket_url}raw/{key}", data)
    dataset = bl.Dataset(bucket_url + "raw/", labels="folder")
    report = bl.pack(dataset, bucket_url + "packed", format=form, shard_size="9KB")
    assert report.records == COUNT and report.shards > 2 and report.bad == []
    packed = bl.Dataset(report.index)
    assert packed.classes == NAMES and list(packed.keys) == list(dataset.keys)
    assert_same(batches(packed, shuffle=True, seed=3), batches(dataset, shuffle=True, seed=3))
    for ours, theirs in zip(packed.split(0.5), dataset.split(0.5), strict=True):
        assert list(ours.keys) == list(theirs.keys)
    # The shards alone, without the index: keys are theirs.
    label = "cls" if form == "tar" else "label"
    shards = bl.Dataset(bucket_url + "packed/", labels=label)
    assert_same(batches(shards, shuffle=True, seed=3), batches(dataset, shuffle=True, seed=3), keys=False)
    again = bl.pack(dataset, bucket_url + "packed/", format=form, shard_size="9KB")
    assert (again.kept_shards, again.bytes_read) == (report.shards, 0)


def test_webdataset_reads_the_tars(raw: Path, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    report = bl.pack(raw, tmp_path / "out", labels="folder", shard_size="20KB", parallel=2)
    urls = f"file:{tmp_path}/out/shard-{{000000..{report.shards - 1:06}}}.tar"
    samples = list(webdataset.WebDataset(urls, shardshuffle=False).decode())
    assert [sample["__key__"] for sample in samples] == [f"{i:010}" for i in range(COUNT)]
    for sample, key in zip(samples, IN_ORDER, strict=True):
        name = key.split("/")[0]
        assert sample["jpg"] == DATA[key] and sample["cls"] == NAMES.index(name)
        assert sample["json"] == {"class": name, "key": sample["json"]["key"], "label": sample["cls"]}
        assert sample["json"]["key"].endswith(f"images/{key}")


def test_tensorflow_reads_the_tfrecords(raw: Path, tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    bl.pack(raw, tmp_path / "out", format="tfrecord", labels="folder", shard_size="20KB")
    files = sorted(map(str, (tmp_path / "out").glob("*.tfrecord")))
    assert len(files) > 1
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image", "key", "class")}
    features["label"] = tf.io.FixedLenFeature([], tf.int64)
    records = [tf.io.parse_single_example(each, features) for each in tf.data.TFRecordDataset(files)]
    assert len(records) == COUNT
    for record, key in zip(records, IN_ORDER, strict=True):
        name = key.split("/")[0]
        assert record["image"].numpy() == DATA[key] and record["class"].numpy().decode() == name
        assert record["label"].numpy() == NAMES.index(name)
        assert record["key"].numpy().decode().endswith(f"images/{key}")


def test_mosaicml_streaming_reads_the_mds(raw: Path, tmp_path: Path) -> None:
    report = bl.pack(raw, tmp_path / "out", labels="folder", format="mds", shard_size="9KB")
    samples = mosaic.read(tmp_path / "out")
    assert report.shards > 2 and len(samples) == COUNT
    for sample, key in zip(samples, IN_ORDER, strict=True):
        assert sample["image"] == ((32, 32), "RGB")
        assert sample["label"] == NAMES.index(key.split("/")[0])
        assert sample["class"] == key.split("/")[0] and sample["key"].endswith(f"images/{key}")
    rows = np.arange(2 * COUNT, dtype=np.float32).reshape(COUNT, 2) / 3
    bl.pack(raw, tmp_path / "vectors", labels=rows, format="mds")
    for sample, expected in zip(mosaic.read(tmp_path / "vectors"), rows, strict=True):
        assert np.array_equal(sample["label"], expected)


def test_images_become_smaller_as_pillow_would_make_them(tmp_path: Path) -> None:
    few = np.random.default_rng(1).integers(0, 255, (4, 6, 3)).astype(np.uint8)
    photo = Pillow.fromarray(few).resize((300, 200), Pillow.Resampling.BICUBIC)
    folder = tmp_path / "in"
    folder.mkdir()
    photo.save(folder / "a.jpg", quality=95)
    photo.save(folder / "b.png")
    photo.convert("L").save(folder / "c.png")
    turned = Pillow.Exif()
    turned[0x0112] = 6
    photo.save(folder / "d.jpg", quality=95, exif=turned)
    report = bl.pack(folder, tmp_path / "out", resize=50, quality=95)
    packed = bl.Dataset(report.index)
    for i, (size, mode) in enumerate(
        [((75, 50), "RGB"), ((75, 50), "RGB"), ((75, 50), "L"), ((50, 75), "RGB")]
    ):
        made = Pillow.open(io.BytesIO(packed[i].data))
        assert (made.format, made.size, made.mode) == ("JPEG", size, mode)
    source = np.asarray(photo.resize((75, 50), Pillow.Resampling.BILINEAR), dtype=int)
    pixels = np.asarray(Pillow.open(io.BytesIO(packed[1].data)), dtype=int)
    assert np.abs(pixels - source).mean() < 3


def test_bad_images_are_named(raw: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(9):
        (folder / f"{i}.jpg").write_bytes(jpeg(i))
    (folder / "x.jpg").write_bytes(b"<html>404</html>")
    with pytest.raises(bl.CorruptDataError, match=r"x\.jpg"):
        bl.pack(folder, tmp_path / "out", resize=24)
    report = bl.pack(folder, tmp_path / "out", resize=24, on_error="skip", max_skipped=0.1)
    assert (report.records, report.skipped) == (9, 1)
    assert [Path(uri).name for uri, _ in report.bad] == ["x.jpg"] and "HTML" in report.bad[0][1]


def test_what_does_not_fit_says_why(raw: Path, tmp_path: Path) -> None:
    wrong: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"format": "zip"}, bl.InvalidArgumentError, "'tfrecord'"),
        ({"shard_size": "1KB"}, bl.InvalidArgumentError, "make shards larger"),
        ({"resize": 0}, bl.InvalidArgumentError, "resize must be"),
        ({"memory": "1MB"}, bl.ResourceExhaustedError, "are the least"),
        ({"on_error": "mask"}, bl.InvalidArgumentError, "on_error"),
        ({"shardsize": 1}, TypeError, "shardsize"),
    ]
    for options, kind, says in wrong:
        with pytest.raises(kind, match=says):
            bl.pack(raw, tmp_path / "out", **options)
    with pytest.raises(bl.InvalidArgumentError, match="lies in the dataset itself"):
        bl.pack(raw, raw / "packed")
    with pytest.raises(bl.InvalidArgumentError, match="opened already"):
        bl.pack(bl.Dataset(raw), tmp_path / "out", labels="folder")
    with pytest.raises(bl.UnsupportedError, match="mix"):
        bl.pack(bl.mix([bl.Dataset(raw), bl.Dataset(raw)], [1, 1]), tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(bl.AlreadyExistsError, match=r"notes\.txt"):
        bl.pack(raw, tmp_path / "full")
    assert not (tmp_path / "out").exists()


def test_the_command_packs(on_versitygw: Command, versitygw: Endpoint, raw: Path, tmp_path: Path) -> None:
    bucket = versitygw.new_bucket()
    words = ("pack", raw, f"s3://{bucket}/p/", "--labels", "folder", "--shard-size", "20KB", "--json")
    report = json.loads(on_versitygw.done(*words).out)
    assert report["records"] == COUNT and report["index"] == f"s3://{bucket}/p/index.manifest"
    bench = on_versitygw.done("bench", report["index"], "--size", "24", "--json").out.splitlines()[-1]
    assert json.loads(bench)["images"] == COUNT
    refused = on_versitygw.run(*words, "--format", "mds")
    assert refused.code == 1 and 'format is \\"tar\\" there' in refused.out
    assert on_versitygw.run(*words, "--resize", "256").code == 2


def test_ctrl_c_ends_it_and_it_goes_on(on_versitygw: Command, versitygw: Endpoint, raw: Path) -> None:
    bucket = versitygw.new_bucket()
    put_folder(versitygw, bucket, "in/", raw)
    words = ("pack", f"s3://{bucket}/in/", f"s3://{bucket}/out/", "--shard-size", "9KB", "--json")
    with gated(versitygw, lambda method, path: method == "PUT" and "/out/shard-" in path, 2) as gate:
        held = on_versitygw.with_environment(gate.endpoint.environment()).start(*words, "--parallel", "1")
        gate.closed()
        held.send_signal(signal.SIGINT)
        held.communicate(timeout=DEADLINE_SECONDS)  # the shard at the gate does not get through
    assert held.returncode == 130
    report = json.loads(on_versitygw.done(*words).out)
    assert report["records"] == COUNT and 0 < report["kept_shards"] < report["shards"]


def test_memory_is_bounded(bucketline: Command, tmp_path: Path) -> None:
    """240 MB of records through 64 MiB, and what a process takes without them."""
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(60):
        (folder / f"{i}.bin").write_bytes(bytes([i]) * 4_000_000)
    for form in ("tar", "tfrecord"):
        words = ("pack", folder, tmp_path / form, "--extensions", "", "--memory", "64MiB", "--format", form)
        # A process counts what its parent had: a small one stands between.
        code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)"
        code += "; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        peak = int(run_python(code, bucketline.binary, *words))
        assert peak < (64 + 48) * 1024, f"{form}: {peak} KiB"


def test_the_page_runs(bucket_url: str) -> None:
    for key, data in DATA.items():
        bl.put(f"{bucket_url}images/{key}", data)
        bl.put(f"{bucket_url}images/{key.replace('/', '/copy-')}", data)
    code = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(code) == 1
    names: dict[str, Any] = {}
    exec(compile(code[0].replace("s3://bucket/", bucket_url), "docs/packing.md", "exec"), names)
    assert names["report"].records == 2 * COUNT and len(names["loader"]) == 1
    names["loader"].close()


def test_the_page_names_every_option(bucketline: Command) -> None:
    shown = bucketline.done("pack", "--help").out
    own = set(re.findall(r"--([a-z-]+)", shown.split("Connection:")[0])) - SHARED
    assert own and not [option for option in own if f"--{option}" not in PAGE]


def test_cost_is_arithmetic_on_the_listing(bucketline: Command, raw: Path, tmp_path: Path) -> None:
    page = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "mine.json").write_text(page[0])
    words = ("cost", raw, "--epochs", "10", "--prices", tmp_path / "mine.json")
    told = json.loads(bucketline.done(*words, "--json").out)
    ways = {way["way"]: way for way in told["ways"]}
    assert list(ways) == ["raw", "packed", "packed-in-order", "cached"]
    assert told["prices"] == {"name": "our store", "date": "2026-11-01", "currency": "EUR"}
    assert told["bytes"] == sum(map(len, DATA.values()))
    assert ways["raw"]["requests"] == {"list": 1, "get": 10 * COUNT, "put": 0}
    assert ways["raw"]["money"]["requests"] == pytest.approx((10 * COUNT * 0.0004 + 0.005) / 1000)
    assert ways["cached"]["requests"]["get"] == COUNT
    assert "our store, 2026-11-01" in bucketline.done(*words).out
    (tmp_path / "mine.json").write_text("{}")
    failed = bucketline.run(*words)
    assert failed.code == 1 and "mine.json" in failed.err and 'needs the text "name"' in failed.err


def test_plan_says_how_to_load(on_versitygw: Command, versitygw: Endpoint, raw: Path) -> None:
    bucket = versitygw.new_bucket()
    put_folder(versitygw, bucket, "images/", raw)
    words = ("plan", f"s3://{bucket}/images/", "--size", "16", "--batch-size", "4", "--probe", "5s")
    told = json.loads(on_versitygw.done(*words, "--json").out)
    assert told["images"] == COUNT and told["short_side"] == 32
    assert list(told["advice"]) == ["threads", "memory", "requests", "pack", "index"]
    assert all(advice["value"] and advice["reason"] for advice in told["advice"].values())
    assert "short=19" in told["advice"]["pack"]["value"]
    assert on_versitygw.run(*words[:2], "--probe", "soon").code == 2


def test_shares_are_together_one_pack(raw: Path, tmp_path: Path, bucketline: Command) -> None:
    whole = bl.pack(raw, tmp_path / "whole", labels="folder", shard_size="9KB")
    place = tmp_path / "shares"
    first = bl.pack(raw, place, labels="folder", shard_size="9KB", shards="0/2")
    assert first.index == "" and 0 < first.shards < whole.shards
    words = ("pack", raw, place, "--labels", "folder", "--shard-size", "9KB")
    told = bucketline.done(*words, "--shards", "1/2").out
    assert "pack the other shards, then all without --shards" in told
    assert not (place / "index.manifest").exists()
    last = json.loads(bucketline.done(*words, "--json").out)
    assert (last["kept_shards"], last["bytes_read"]) == (whole.shards, 0)
    for path in (tmp_path / "whole").glob("shard-*.tar"):
        assert (place / path.name).read_bytes() == path.read_bytes()
    assert_same(batches(last["index"]), batches(whole.index))
    with pytest.raises(bl.InvalidArgumentError, match="there is no shard 999"):
        bl.pack(raw, tmp_path / "more", shards="999")
    with pytest.raises(bl.InvalidArgumentError, match="0/16 to 15/16"):
        bl.pack(raw, tmp_path / "more", shards="2/2")
    assert bucketline.run(*words, "--shards", "2/2").code == 2
