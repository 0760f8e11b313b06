"""bl.torch.Loader: tensors on the engine's memory, epochs, states, devices."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from conftest import Endpoint
from framework_data import COUNT, SIZE, Store, image, numbers, stored

import bucketline as bl


@pytest.fixture(scope="module")
def store(versitygw: Endpoint) -> Iterator[Store]:
    with stored(versitygw) as there:
        yield there


def loader(store: Store, batch_size: int = 8, **options: Any) -> bl.torch.Loader:
    options = {"image": image(), "shuffle": True, "distributed": False, **options}
    return bl.torch.Loader(store.open(options.pop("labels", "folder")), batch_size, **options)


def epoch_of(batches: Any) -> list[int]:
    return [number for images, _ in batches for number in numbers(images)]


def test_tensors_are_the_engines_memory(store: Store) -> None:
    with loader(store) as batches:
        batch = next(iter(batches))
        images, labels = batch
        assert images.shape == (8, 3, SIZE, SIZE) and images.dtype == torch.float32
        assert labels.shape == (8,) and labels.dtype == torch.int64
        assert images.data_ptr() == batch._core.pixels(0).ctypes.data
        assert labels.data_ptr() == batch._core.labels().ctypes.data
        images += 1  # writable: it is the user's


def test_a_batch_keeps_its_attributes_on_another_device(store: Store) -> None:
    with loader(store, device="meta") as batches:
        batch = next(iter(batches))
    assert batch.images.device.type == batch.labels.device.type == "meta"
    assert batch.indices.dtype == torch.int64 and batch.valid.dtype == torch.bool
    dataset = batches.dataset
    assert batch.keys == [dataset.keys[int(index)] for index in batch.indices]
    assert batch.uris[0] == dataset.uris[int(batch.indices[0])]
    assert batch.valid.all() and (batch.epoch, batch.position) == (0, 0)


def test_fields_go_to_another_device_too(store: Store) -> None:
    with loader(store, image=None, fields={"data": image()}, device="meta") as batches:
        batch = next(iter(batches))
    assert batch["data"].device.type == batch.labels.device.type == "meta"
    assert len(batch.record_keys) == len(batch["data"]) == 8


def test_cpu_as_device_copies_nothing(store: Store) -> None:
    with loader(store, device="cpu") as batches:
        batch = next(iter(batches))
        assert batch.images.data_ptr() == batch._core.pixels(0).ctypes.data


def test_without_labels_the_image_alone(store: Store) -> None:
    with loader(store, labels=None, shuffle=False) as batches:
        assert batches.last_batch is None
        for step, images in enumerate(batches):
            assert isinstance(images, torch.Tensor) and images.shape[1:] == (3, SIZE, SIZE)
            assert batches.last_batch is not None and batches.last_batch.images is images
            assert batches.last_batch.keys == batches.dataset.keys[step * 8 : step * 8 + 8]


def test_raw_bytes_stay_bytes(store: Store) -> None:
    with loader(store, image=None) as batches:
        data, labels = next(iter(batches))
    assert isinstance(data[0], bytes) and isinstance(labels, torch.Tensor)


def test_resumes_at_every_step(store: Store) -> None:
    with loader(store) as batches:
        whole = epoch_of(batches) + epoch_of(batches)
    for used in range(11):
        with loader(store) as first:
            seen: list[int] = []
            states = [first.state_dict()]
            for _ in first.epochs(2):
                for images, _ in first:
                    if len(seen) < used * 8:
                        seen += numbers(images)
                        states.append(json.loads(json.dumps(first.state_dict())))
        with loader(store) as second:
            second.load_state_dict(states[used])
            for _ in second.epochs(2):
                seen += epoch_of(second)
        assert seen == whole, f"after {used} batches"


def test_a_state_restores_at_another_batch_size_and_world(store: Store) -> None:
    with loader(store, last="partial") as batches:
        whole = epoch_of(batches)
    with loader(store, 4, rank=0, world_size=2) as first:
        iterator = iter(first)
        next(iterator), next(iterator)
        state = first.state_dict()
    rest = []
    for rank in range(3):
        with loader(store, 2, last="partial", rank=rank, world_size=3) as second:
            second.load_state_dict(state)
            rest += [
                n for batch in second for n, v in zip(numbers(batch.images), batch.valid, strict=True) if v
            ]
    assert sorted(rest) == sorted(whole[16:])


def test_a_state_after_the_last_batch_begins_the_next_epoch(store: Store) -> None:
    with loader(store) as first:
        iterator = iter(first)
        for _ in range(len(first)):
            next(iterator)
        state = first.state_dict()
        following = epoch_of(first)
    with loader(store) as second:
        second.load_state_dict(state)
        assert second.epoch == 1 and epoch_of(second) == following


def test_set_epoch(store: Store) -> None:
    with loader(store) as batches:
        epochs = [epoch_of(batches) for _ in range(3)]
        assert epochs[0] != epochs[1]
        batches.set_epoch(1)
        assert epoch_of(batches) == epochs[1]
        batches.set_epoch(2)  # where it stands
        iterator = iter(batches)
        assert numbers(next(iterator)[0]) == epochs[2][:8]
        batches.set_epoch(2)  # again, after a break
        assert epoch_of(batches) == epochs[2]
        for wrong in (-1, 1.5, True):
            with pytest.raises(bl.InvalidArgumentError, match="epoch must be"):
                batches.set_epoch(wrong)


def test_set_epoch_keeps_a_restored_position(store: Store) -> None:
    with loader(store) as batches:
        whole = epoch_of(batches)
        iterator = iter(batches)
        next(iterator)
        state = batches.state_dict()
        batches.load_state_dict(state)
        batches.set_epoch(1)
        rest = epoch_of(batches)
        assert len(rest) == 32
        batches.load_state_dict({**state, "epoch": 0})
        batches.set_epoch(0)
        assert epoch_of(batches) == whole[8:]


def test_frameworks_that_never_ask_beyond_the_end_keep_what_was_read_ahead(store: Store) -> None:
    with loader(store) as batches:
        for epoch in range(3):
            iterator = iter(batches)
            for _ in range(len(batches)):
                batch = next(iterator)
                assert batch.epoch == epoch
        assert batches.stats()["images"] == 3 * COUNT


def test_unknown_options_name_the_nearest(store: Store) -> None:
    with pytest.raises(TypeError, match="'shufle'; did you mean 'shuffle'"):
        bl.torch.Loader(store.open(), shufle=True)


def test_it_is_not_pickled(store: Store) -> None:
    with loader(store) as batches, pytest.raises(bl.UnsupportedError, match="IterableDataset"):
        pickle.dumps(batches)
