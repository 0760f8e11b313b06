"""bl.torch.MapDataset and BatchSampler in a DataLoader: the same batches with any workers, crops, pickling, ranks."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from conftest import DEADLINE_SECONDS, Endpoint
from framework_data import COUNT, SIZE, Store, image, numbers, stored
from images import jpeg, put_all
from torch.utils.data import DataLoader, RandomSampler, Subset, random_split

import bucketline as bl

METHODS = (None, "fork", "spawn", "forkserver")


@pytest.fixture(scope="module")
def store(versitygw: Endpoint) -> Iterator[Store]:
    with stored(versitygw) as there:
        yield there


@pytest.fixture(scope="module")
def data(store: Store) -> bl.torch.MapDataset:
    return bl.torch.MapDataset(store.open(), image())


def workers(method: str | None) -> dict[str, Any]:
    if method is None:
        return {"num_workers": 0}
    return {"num_workers": 2, "multiprocessing_context": method, "timeout": DEADLINE_SECONDS}


def epoch_of(loader: Any) -> list[int]:
    return [number for images, _ in loader for number in numbers(images)]


def test_samples(data: bl.torch.MapDataset, store: Store) -> None:
    assert len(data) == COUNT and data.classes == ["bright", "dark"]
    picture, label = data[-1]
    assert picture.shape == (3, SIZE, SIZE) and picture.dtype == torch.float32
    assert type(label) is int and label == 1  # as torchvision's ImageFolder gives it
    plain = bl.Image(SIZE)
    samples = bl.torch.MapDataset(store.open(labels=None), plain)
    expected = plain(store.open()[3].data)
    assert (samples[3].numpy() == expected).all()
    assert (torch.stack(samples.__getitems__([5, 3]))[1].numpy() == expected).all()
    assert bl.torch.MapDataset(store.open(labels=None))[3] == store.open()[3].data


def test_a_batch_is_one_block_of_memory(data: bl.torch.MapDataset) -> None:
    first, second = (picture for picture, _ in data.__getitems__([7, 2]))
    assert second.data_ptr() - first.data_ptr() == first.numel() * 4
    assert first.data_ptr() % 64 == 0


def test_images_of_their_own_size(versitygw: Endpoint, store: Store) -> None:
    put_all(versitygw, store.bucket, "sizes/", {f"{size}.jpg": jpeg(size, size=size) for size in (16, 24)})
    samples = bl.torch.MapDataset(f"s3://{store.bucket}/sizes/", bl.Image(layout="NHWC", dtype="uint8"))
    assert [tuple(picture.shape) for picture in samples.__getitems__([1, 0])] == [(24, 24, 3), (16, 16, 3)]
    limited = bl.torch.MapDataset(samples.dataset, bl.Image(max_pixels=300))
    with pytest.raises(bl.ResourceExhaustedError, match=r"24\.jpg.*more than max_pixels = 300"):
        limited.__getitems__([0, 1])


@pytest.mark.parametrize("method", METHODS)
def test_the_batches_of_a_loader_with_any_workers(
    data: bl.torch.MapDataset, store: Store, method: str | None
) -> None:
    data[0]  # the parent's threads run when it forks
    sampler = bl.torch.BatchSampler(data, 8, shuffle=True, seed=3)
    batches = DataLoader(
        data, batch_sampler=sampler, persistent_workers=method is not None, **workers(method)
    )
    with bl.torch.Loader(store.open(), 8, image=image(), shuffle=True, seed=3) as loader:
        for _ in range(2):  # crops are new in the second epoch, with persistent workers too
            for (images, labels), (more_images, more_labels) in zip(loader, batches, strict=True):
                assert (images == more_images).all() and (labels == more_labels).all()


def test_crops_through_subsets(data: bl.torch.MapDataset) -> None:
    inner = Subset(data, range(0, COUNT, 2))
    train = Subset(inner, [9, 3, 5, 0, 1, 2])
    sampler = bl.torch.BatchSampler(train, 3, shuffle=True)
    loader = DataLoader(train, batch_sampler=sampler, **workers("fork"))
    first, second = epoch_of(loader), epoch_of(loader)
    assert len(set(first + second)) == 12  # every crop is new
    sampler.set_epoch(0)
    assert epoch_of(loader) == first
    labels = [label for _, batch in loader for label in batch.tolist()]
    assert sorted(labels) == sorted(data[2 * i][1] for i in (9, 3, 5, 0, 1, 2))


def test_torch_samplers_and_splits(data: bl.torch.MapDataset) -> None:
    torch.manual_seed(1)
    train, rest = random_split(data, [30, 10])
    labels = [label for _, batch in DataLoader(train, 7, shuffle=True) for label in batch.tolist()]
    labels += [
        label for _, batch in DataLoader(rest, sampler=RandomSampler(rest)) for label in batch.tolist()
    ]
    assert sorted(labels) == [0] * 20 + [1] * 20


def test_plain_indices_draw_from_torchs_generator(data: bl.torch.MapDataset) -> None:
    torch.manual_seed(5)
    first, second = data[4][0], data[4][0]
    torch.manual_seed(5)
    assert (data[4][0] == first).all() and not (first == second).all()


def test_pickled_it_opens_the_same_view_without_listing(store: Store, versitygw: Endpoint) -> None:
    view = store.open().filter(lambda key: "bright" in key)[3:17]
    samples = bl.torch.MapDataset(view, bl.Image(SIZE))
    packed = pickle.dumps(samples)
    put_all(versitygw, store.bucket, "images/", {"aaa/new.jpg": jpeg(99)})  # listed, it would be the first
    try:
        again = pickle.loads(packed)
        assert len(again) == 14 and list(again.dataset.keys) == list(view.keys)
        assert (again[5][0] == samples[5][0]).all() and again[5][1] == samples[5][1]
        assert (pickle.loads(pickle.dumps(again))[5][0] == samples[5][0]).all()
    finally:
        versitygw.client().delete_object(Bucket=store.bucket, Key="images/aaa/new.jpg")


@pytest.mark.parametrize("last", ["drop", "partial", "pad"])
@pytest.mark.parametrize("world", [1, 3])
def test_ranks_are_dealt_as_a_loader_deals(store: Store, last: str, world: int) -> None:
    dataset = store.open(labels=None)
    for count in (1, 2, 7, 12, 13, COUNT):
        for rank in range(world):
            options: dict[str, Any] = {"last": last, "rank": rank, "world_size": world, "shuffle": True}
            view = dataset[:count]
            if last == "drop" and count < 2 * world:
                with pytest.raises(bl.InvalidArgumentError, match="do not fill one step"):
                    bl.torch.BatchSampler(range(count), 2, **options)
                continue
            sampler = bl.torch.BatchSampler(bl.torch.MapDataset(view), 2, **options)
            with bl.Loader(view, 2, **options) as loader:
                expected = [batch.indices.tolist() for batch in loader]
            assert [list(map(int, batch)) for batch in sampler] == expected, (count, rank)
            assert len(sampler) == len(expected)


def test_an_undecodable_image_is_named(versitygw: Endpoint, store: Store) -> None:
    put_all(versitygw, store.bucket, "bad/", {"a.jpg": jpeg(1), "b.jpg": b"<html>", "c.jpg": b""})
    samples = bl.torch.MapDataset(f"s3://{store.bucket}/bad/", bl.Image(SIZE))
    assert len(samples) == 2  # an empty object is no image
    with pytest.raises(bl.CorruptDataError, match=r"bad/b\.jpg.*HTML"):
        samples.__getitems__([0, 1])
    assert samples[0].shape == (3, SIZE, SIZE)


def test_wrong_input(data: bl.torch.MapDataset, store: Store) -> None:
    with pytest.raises(IndexError, match="index 40 is out of range: there are 40 records"):
        data[COUNT]
    with pytest.raises(TypeError, match="'imge'; did you mean 'image'"):
        bl.torch.MapDataset(store.uri, imge=None)
    with pytest.raises(bl.UnsupportedError, match=r"no shuffle=; bucketline\.torch\.BatchSampler has"):
        bl.torch.MapDataset(store.uri, shuffle=True)
    with pytest.raises(bl.UnsupportedError, match=r"no transform=; bucketline\.torch\.Loader has"):
        bl.torch.MapDataset(store.uri, transform=len)
    with pytest.raises(TypeError, match="labels belongs to the Dataset"):
        bl.torch.MapDataset(store.open(), labels="folder")
    with pytest.raises(bl.InvalidArgumentError, match="image must be a bucketline.Image"):
        bl.torch.MapDataset(store.uri, image=224)
    with pytest.raises(bl.InvalidArgumentError, match="dataset must be a bucketline.Dataset or a URI"):
        bl.torch.MapDataset([1, 2])
    with pytest.raises(bl.InvalidArgumentError, match="the dataset is empty"):
        bl.torch.BatchSampler([])
    with pytest.raises(bl.ResourceExhaustedError, match="memory=10 is less than this record; give at least"):
        bl.torch.MapDataset(store.uri, memory=10)


def test_the_memory_bound_of_one_record_is_enough(store: Store) -> None:
    dataset = store.open()
    largest = max(dataset[i].size for i in range(COUNT))
    samples = bl.torch.MapDataset(dataset, memory=largest, max_requests=8)
    assert [data for data, _ in samples.__getitems__(range(COUNT))] == [dataset[i].data for i in range(COUNT)]
