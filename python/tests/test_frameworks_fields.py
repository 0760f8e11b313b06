"""bl.torch.Loader and bl.jax.Loader with fields, transforms and without labels."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import torch
from images import jpeg

import bucketline as bl

COUNT = 10
ARRAYS: dict[str, Any] = {"torch": torch.Tensor, "jax": jax.Array}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    for part in ("image", "mask"):
        (folder / part).mkdir()
        for i in range(COUNT):
            (folder / part / f"{i:02}.jpg").write_bytes(jpeg(i))
    return folder


def pairs(folder: Path, labels: Any = None) -> bl.Dataset:
    return bl.Dataset({name: folder / name for name in ("image", "mask")}, labels)


FIELDS = {"image": bl.Image(16), "mask": bl.Image(8, channels=1, dtype="uint8", layout="NHWC")}


def make(framework: str, *arguments: Any, **options: Any) -> Any:
    return importlib.import_module(f"bucketline.{framework}").Loader(*arguments, **options)


@pytest.mark.parametrize("framework", ARRAYS)
def test_fields_are_one_dict_of_arrays(framework: str, folder: Path) -> None:
    options: dict[str, Any] = {"fields": FIELDS, "distributed": False}
    with (
        make(framework, pairs(folder, list(range(COUNT))), 4, **options) as loader,
        bl.Loader(pairs(folder, list(range(COUNT))), 4, **options) as plain,
    ):
        for batch, same in zip(loader, plain, strict=True):
            assert isinstance(batch, bl.FieldBatch) and list(batch) == ["image", "mask"]
            assert all(isinstance(array, ARRAYS[framework]) for array in [*batch.values(), batch.labels])
            image = np.asarray(batch["image"])
            wanted = same["image"] if framework == "torch" else same["image"].transpose(0, 2, 3, 1)
            assert np.array_equal(image, wanted) and np.array_equal(np.asarray(batch["mask"]), same["mask"])
            assert batch.labels.tolist() == same.labels.tolist() and batch.record_keys == same.record_keys


@pytest.mark.parametrize("framework", ARRAYS)
def test_without_labels_a_dict_stays_one(framework: str, folder: Path) -> None:
    with make(framework, pairs(folder), 4, fields=FIELDS, distributed=False) as loader:
        batch = next(iter(loader))
        assert isinstance(batch, bl.FieldBatch) and batch.labels is None
    with make(framework, folder / "image", 4, image=FIELDS["image"], distributed=False) as loader:
        first = next(iter(loader))
        images = first if framework == "torch" else first[0]
        assert isinstance(images, ARRAYS[framework]) and images.shape[0] == 4
        assert framework == "torch" or first[1] is None


@pytest.mark.parametrize("framework", ARRAYS)
def test_what_a_transform_gives_becomes_arrays(framework: str, folder: Path) -> None:
    def facts(sample: bl.TransformSample) -> Any:
        return {"size": len(sample.data), "key": sample.key, "box": np.zeros((2, 4), np.float32)}

    data = bl.Dataset(folder / "image")
    with make(framework, data, 4, transform=facts, distributed=False) as loader:
        batch = next(iter(loader))
        assert batch["box"].shape == (4, 2, 4) and isinstance(batch["box"], ARRAYS[framework])
        assert batch["size"].tolist() == [len(data[i].data) for i in range(4)]
        assert batch["key"] == data.keys[:4]
    with make(
        framework, data, 4, transform=lambda sample: (sample.index / 2, 3), distributed=False
    ) as loader:
        values, labels = next(iter(loader))
        assert values.tolist() == [0, 0.5, 1, 1.5] and labels.tolist() == [3] * 4
        assert isinstance(values, ARRAYS[framework]) and isinstance(labels, ARRAYS[framework])


@pytest.mark.parametrize("framework", ARRAYS)
def test_arrays_of_the_framework_are_stacked(framework: str, folder: Path) -> None:
    one = torch.ones(3) if framework == "torch" else jax.numpy.ones(3)
    with make(
        framework, folder / "image", 4, transform=lambda sample: (one * sample.index, 0), distributed=False
    ) as loader:
        values, _ = next(iter(loader))
        assert isinstance(values, ARRAYS[framework]) and values[:, 0].tolist() == [0, 1, 2, 3]
    with make(framework, folder / "image", 4, transform=lambda sample: "text", distributed=False) as loader:
        first = next(iter(loader))
        assert (first if framework == "torch" else first[0]) == ["text"] * 4


def test_a_dict_of_tensors_moves_to_a_device(folder: Path) -> None:
    data = pairs(folder, list(range(COUNT)))
    with bl.torch.Loader(
        data, 4, fields={**FIELDS, "mask": None}, device="meta", distributed=False
    ) as loader:
        batch = next(iter(loader))
        assert batch["image"].device.type == batch.labels.device.type == "meta"
        assert isinstance(batch["mask"][0], bytes), "what is no tensor stays"
        assert loader.last_batch is batch and batch.record_keys == data.keys[:4]
        assert batch.indices.dtype == torch.int64 and batch.valid.dtype == torch.bool
        assert batch.state_dict()["position"] == 4 and batch.uris == data.uris[:4]
    with bl.torch.Loader(data, 4, fields=FIELDS, distributed=False) as loader:
        batch = next(iter(loader))
        assert batch["image"].data_ptr() == batch._core.pixels(0).ctypes.data, "no copy is made"
        keys = batch.record_keys
        moved = batch.to("meta")
        assert type(moved) is bl.torch.FieldBatch and moved["mask"].device.type == "meta"
        assert moved.record_keys is keys and batch["mask"].device.type == "cpu"


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize("moved", [False, True])
def test_the_facts_of_rows_are_there_for_dicts_too(framework: str, moved: bool, folder: Path) -> None:
    data = pairs(folder, list(range(COUNT)))
    fields = {"mask": None, "image": FIELDS["image"]}  # the first one has no geometry
    with make(framework, data, 4, fields=fields, last="pad", distributed=False) as loader:
        batches = list(loader)
    assert [index for batch in batches for index in batch.indices.tolist()] == [*range(COUNT), 0, 1]
    assert [valid for batch in batches for valid in batch.valid.tolist()] == [True] * COUNT + [False] * 2
    batch = batches[-1].to("cpu") if framework == "torch" and moved else batches[-1]
    kind = torch.Tensor if framework == "torch" else np.ndarray
    assert all(
        isinstance(fact, kind) for fact in (batch.indices, batch.valid, batch.geometry, batch.source_sizes)
    )
    assert batch.source_sizes.tolist() == [[48, 48]] * 4
    assert batch.geometry[0].tolist() == pytest.approx([1 / 3, 0, 0, 0, 1 / 3, 0])


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_raw_bytes_have_no_geometry(framework: str, folder: Path) -> None:
    with make(framework, folder / "image", 4, distributed=False) as loader:
        next(iter(loader))
        batch = loader.last_batch if framework == "torch" else next(iter(loader))
        assert batch.geometry is None and batch.source_sizes is None


@pytest.mark.parametrize("labels", [None, list(range(COUNT))])
@pytest.mark.parametrize("form", ["images", "fields", "dicts", "values"])
def test_torchs_last_batch_has_the_rest(form: str, labels: Any, folder: Path) -> None:
    forms: dict[str, dict[str, Any]] = {
        "images": {"image": FIELDS["image"]},
        "fields": {"fields": FIELDS},
        "dicts": {"transform": lambda sample: {"size": len(sample.data)}},
        "values": {"transform": lambda sample: sample.index},
    }
    data = pairs(folder, labels) if form == "fields" else bl.Dataset(folder / "image", labels)
    with bl.torch.Loader(data, 4, distributed=False, **forms[form]) as loader:
        assert loader.last_batch is None
        for number, given in enumerate(loader):
            batch = loader.last_batch
            assert batch is not None and batch.position == 4 * number and batch.epoch == 0
            assert batch.indices.tolist() == list(range(4 * number, min(4 * number + 4, COUNT)))
            assert batch.valid.all() and batch.record_keys == [data.keys[i] for i in batch.indices]
            assert batch.state_dict() == loader.state_dict()
            if labels is None and isinstance(batch, bl.torch.Batch):
                assert given is batch.images and batch.labels is None
            else:
                assert given is batch
        assert loader.last_batch is batch, "the end of the epoch takes nothing away"
        state = loader.state_dict()
        loader.load_state_dict(state)
        assert loader.last_batch is None
        next(iter(loader))
        assert loader.last_batch is not None and loader.last_batch.epoch == 1
    assert loader.last_batch is None, "closed, it holds no memory"
