"""Training channels: one script for files, FastFile, Pipe and a plain bucket."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from images import labelled_objects
from pipe_channels import Job, pipe_of

import bucketline as bl

IMAGE = bl.Image(16, crop="random_resized", flip=0.5)
OBJECTS = labelled_objects(10)
CLASSES = ["bright", "dark"]
PAIRS = [part for key in sorted(OBJECTS) for part in (OBJECTS[key], key.split("/")[0].encode())]
LABELS = bl.Labels("folder", classes=CLASSES)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    job = Job(tmp_path / "ml")
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(job.base))
    return job


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for key, data in OBJECTS.items():
        path = tmp_path / "data" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "data"


def load(data: Any, **options: Any) -> bl.Loader:
    return bl.Loader(data, 4, image=IMAGE, seed=5, distributed=False, **options)


def rows_of(loader: Any, epochs: int = 2) -> list[tuple[Any, Any, list[int]]]:
    return [
        (np.asarray(batch.images), np.asarray(batch.labels), batch.indices.tolist())
        for _ in range(epochs)
        for batch in loader
    ]


def require_same(rows: Any, others: Any) -> None:
    assert len(rows) == len(others)
    for (images, labels, indices), (other_images, other_labels, other_indices) in zip(
        rows, others, strict=True
    ):
        np.testing.assert_array_equal(images, other_images)
        np.testing.assert_array_equal(labels, other_labels)
        assert indices == other_indices


def test_outside_a_job_a_channel_is_its_default(job: Job, folder: Path) -> None:
    dataset = bl.Dataset("channel:train", labels="folder", default=folder)
    assert len(dataset) == 10
    with pytest.raises(bl.NotFoundError, match="SM_CHANNEL_TRAIN.*inputdataconfig.json"):
        bl.Dataset("channel:train")
    with pytest.raises(bl.InvalidArgumentError, match="default= stands in for a channel"):
        bl.Dataset(folder, default=folder)


def test_in_a_job_an_unknown_channel_is_an_error_and_not_the_default(job: Job, folder: Path) -> None:
    job.describe(train=pipe_of(), validation=pipe_of())
    with pytest.raises(bl.NotFoundError, match='no channel "test".*train, validation'):
        bl.Dataset("channel:test", default=folder)


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_a_channel_of_files_is_its_folder(job: Job, folder: Path, mode: str) -> None:
    job.describe(train={"TrainingInputMode": mode, "S3DistributionType": "FullyReplicated"})
    folder.rename(job.data / "train")
    plain = bl.Dataset(job.data / "train", labels="folder")
    channel = bl.Dataset(
        "channel:train", labels="folder", default="s3://elsewhere/", attributes=("image", "label")
    )
    assert list(channel.keys) == list(plain.keys)
    require_same(rows_of(load(channel, shuffle=True)), rows_of(load(plain, shuffle=True)))


def test_a_pipe_gives_what_the_files_give(job: Job, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One script: the same batches, whichever mode the channel has."""
    job.describe(train=pipe_of())
    monkeypatch.setenv("SM_CHANNEL_TRAIN", str(job.data / "train"))
    wanted = rows_of(load(bl.Dataset(folder, labels=LABELS)))
    for number, uri in enumerate(["channel:train", str(job.data / "train")]):
        (job.base / "pipe_state/.train-pipe_mode-state").unlink(missing_ok=True)
        for fifo in job.data.glob("train_*"):
            fifo.unlink()
        with job.pipe("train", [PAIRS, PAIRS]) as opened:
            dataset = bl.Dataset(uri, labels=LABELS, default=folder)
            assert dataset.classes == CLASSES
            with load(dataset) as loader:
                require_same(rows_of(loader), wanted)
        assert opened == [0, 1], number


def test_a_pipes_batches_say_where_they_come_from(job: Job) -> None:
    job.describe(train=pipe_of())
    with job.pipe("train", [[b"a", b"1", b"b", b"2"]], first=3):
        (job.base / "pipe_state").mkdir()
        (job.base / "pipe_state/.train-pipe_mode-state").write_text("3")
        with bl.Loader("channel:train", 4, labels="folder") as loader:
            (batch,) = loader
        assert batch.images == [b"a", b"b"]
        assert batch.labels.tolist() == [1, 2]
        assert batch.keys == ["train_3#0", "train_3#1"]
        assert batch.state_dict()["position"] == 2
        with pytest.raises(bl.InvalidArgumentError, match="without keys"):
            _ = batch.uris


def test_a_loop_that_was_left_goes_on_with_the_next_epoch(job: Job) -> None:
    job.describe(train=pipe_of())
    with (
        job.pipe("train", [[b"x" * 1000] * 2000, [b"y"] * 3, [b"z"]]) as opened,
        bl.Loader("channel:train", 2) as loader,
    ):
        left = iter(loader)
        assert next(left).images == [b"x" * 1000] * 2
        assert opened == [0]
        assert [batch.images for batch in loader] == [[b"y", b"y"], [b"y"]]
        with pytest.raises(bl.InvalidArgumentError, match="this iterator is over"):
            next(left)
        assert opened == [0, 1]
        assert [loader.epoch for _ in loader.epochs(3) for _ in loader] == [2]


def test_a_run_resumes_by_reading_again_and_says_so(
    job: Job, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job.describe(train=pipe_of())
    wanted = rows_of(load(bl.Dataset(folder, labels=LABELS)))[4:]
    with job.pipe("train", [PAIRS, PAIRS]) as opened, load("channel:train", labels=LABELS) as loader:
        state = {**loader.state_dict(), "epoch": 1, "position": 4}
        loader.load_state_dict(state)
        assert loader.state_dict() == state
        require_same(rows_of(loader, 1), wanted)
        assert opened == [0, 1]
    assert "4 samples are read again and discarded" in caplog.text


@pytest.mark.parametrize(
    ("use", "remedy"),
    [
        (lambda ds: len(ds), "FastFile"),
        (lambda ds: ds[0], "iterate a bl.Loader"),
        (lambda ds: ds[2:5], "iterate a bl.Loader"),
        (lambda ds: ds.keys, "FastFile has keys"),
        (lambda ds: ds.labels, "each batch"),
        (lambda ds: ds.split(0.8), "second channel"),
        (lambda ds: ds.filter(bool), "second channel"),
        (lambda ds: ds.select([0]), "second channel"),
        (lambda ds: ds.without(["a"]), "second channel"),
        (lambda ds: ds.preview(), "preview the prefix"),
        (lambda ds: ds.save("x.manifest"), "save that of the prefix"),
        (lambda ds: bl.concat([ds, ds]), "FastFile"),
        (lambda ds: bl.Dataset({"image": "channel:train", "mask": "channel:train"}), "FastFile"),
        (lambda ds: len(bl.Loader(ds)), "FastFile"),
        (lambda ds: bl.Loader(ds).remaining, "FastFile"),
        (lambda ds: bl.Loader(ds, shuffle=True), "ShuffleConfig"),
        (lambda ds: bl.Loader(ds, sampling="balanced"), "FastFile"),
        (lambda ds: bl.Loader(ds, rank=0, world_size=2), "ShardedByS3Key"),
        (lambda ds: bl.Loader(ds, last="pad"), "partial or drop"),
        (lambda ds: bl.Loader(ds, transform=print), "transform the batches"),
        (lambda ds: bl.Dataset("channel:train", labels={"a": 1}), "AugmentedManifestFile"),
        (lambda ds: bl.Dataset("channel:train", attributes="image"), "sequence of names"),
        (lambda ds: bl.torch.MapDataset(ds), "FastFile"),
        (lambda ds: bl.tf.dataset(ds, image=IMAGE), "from_generator"),
        (lambda ds: bl.keras.Loader(ds, image=IMAGE), "FastFile"),
    ],
)
def test_what_a_stream_cannot_do_says_what_can(job: Job, use: Callable[[Any], Any], remedy: str) -> None:
    job.describe(train=pipe_of())
    with pytest.raises((bl.InvalidArgumentError, bl.UnsupportedError), match=remedy):
        use(bl.Dataset("channel:train"))


def test_an_unknown_keyword_names_the_nearest(job: Job) -> None:
    job.describe(train=pipe_of())
    with pytest.raises(TypeError, match="did you mean 'labels'"):
        bl.Dataset("channel:train", label="folder")


def test_bad_samples_are_named(job: Job) -> None:
    job.describe(train=pipe_of())
    images = [OBJECTS[key] for key in sorted(OBJECTS)]
    with (
        job.pipe("train", [[*images, b"<html>this is no image, and no label</html>"]]),
        load("channel:train", on_error="skip", max_skipped=0.1) as loader,
    ):
        assert [len(batch.indices) for batch in loader] == [4, 4, 2]
        (bad,) = loader.bad_samples
        assert bad.position == 10
        assert bad.uri.endswith("train_0#10")
        assert loader.stats()["skipped"] == 1


def test_tensors_of_a_pipe(job: Job, folder: Path) -> None:
    job.describe(train=pipe_of())
    wanted = rows_of(bl.torch.Loader(folder, 4, labels=LABELS, image=IMAGE, seed=5))
    with (
        job.pipe("train", [PAIRS, PAIRS]),
        bl.torch.Loader("channel:train", 4, labels=LABELS, image=IMAGE, seed=5) as loader,
    ):
        loader.set_epoch(0)
        require_same(rows_of(loader), wanted)
        assert loader.last_batch is not None
        assert loader.last_batch.keys == ["train_1#8", "train_1#9"]


@pytest.mark.parametrize("mode", ["File", "Pipe"])
def test_ranks_of_a_sharded_channel_are_those_within_the_host(
    job: Job, folder: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.describe(train={**pipe_of("ShardedByS3Key"), "TrainingInputMode": mode})
    job.hosts(2)
    folder.rename(job.data / "train")
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(bl.InvalidArgumentError, match="no launcher says which of the 4 ranks"):
        bl.Loader("channel:train", 4)
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    if mode == "Pipe":
        with pytest.raises(bl.InvalidArgumentError, match="run one process on each host"):
            bl.Loader("channel:train", 4)
    else:
        assert (bl.Loader("channel:train", 4).rank, bl.Loader("channel:train", 4).world_size) == (1, 2)
        assert bl.Loader(bl.Dataset("channel:train")[:6], 4).world_size == 2
        assert bl.Loader(str(job.data / "train"), 4).world_size == 2
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    assert bl.Loader("channel:train", 4).world_size == 1
    monkeypatch.delenv("LOCAL_RANK")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert bl.Loader("channel:train", 4).world_size == 1  # one process on each of two hosts


def test_closing_ends_a_wait_for_a_writer(job: Job) -> None:
    job.describe(train=pipe_of())
    loader = bl.Loader("channel:train")
    closer = threading.Timer(0.2, loader.close)
    closer.start()
    with pytest.raises(bl.CancelledError):
        next(iter(loader))
    closer.join()


def test_the_script_on_the_page_runs_in_every_mode(
    job: Job, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "channel-scripts.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    code = code.replace("s3://bucket/train/", str(folder)).replace('"cat", "dog"', '"bright", "dark"')
    code += "assert images.shape == (10, 3, 224, 224) and labels.tolist() == [0] * 5 + [1] * 5\n"
    exec(code, {})  # outside a job
    job.describe(train=pipe_of())
    with job.pipe("train", [PAIRS, PAIRS]) as opened:
        exec(code, {})
    assert opened == [0, 1]
