"""bl.torch.Loader: memory that the framework gives, and batches on a device."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from conftest import Endpoint
from framework_data import COUNT, SIZE, Store, image, numbers, stored

import bucketline as bl

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


@pytest.fixture(scope="module")
def store(versitygw: Endpoint) -> Iterator[Store]:
    with stored(versitygw) as there:
        yield there


def loader(store: Store, **options: Any) -> bl.torch.Loader:
    return bl.torch.Loader(
        store.open("folder"), 8, **{"image": image(), "shuffle": True, "distributed": False, **options}
    )


class Given(bl.torch.Loader):  # type: ignore[misc]
    """Decodes into memory that `give` makes."""

    give: Callable[[int], Any]

    def _allocator(self) -> Callable[[int], Any]:
        return type(self).give


def given(store: Store, give: Callable[[int], Any], **options: Any) -> bl.torch.Loader:
    kind = type("Given", (Given,), {"give": staticmethod(give)})
    made: bl.torch.Loader = kind(store.open("folder"), 8, image=image(), distributed=False, **options)
    return made


def test_batches_are_made_in_memory_that_is_given(store: Store) -> None:
    memory: list[weakref.ref[torch.Tensor]] = []
    addresses = set()

    def give(size: int) -> torch.Tensor:
        tensor = torch.empty(size, dtype=torch.uint8)
        memory.append(weakref.ref(tensor))
        addresses.add(tensor.data_ptr())
        return tensor

    with loader(store, shuffle=False) as usual, given(store, give) as batches:
        expected = list(usual)
        got = list(batches)
    assert {batch.images.data_ptr() for batch in got} <= addresses
    for batch, other in zip(got, expected, strict=True):  # also after close()
        assert torch.equal(batch.images, other.images) and torch.equal(batch.labels, other.labels)
    alive = [reference() is not None for reference in memory]
    assert sum(alive) == len(got)
    del got, batch, batches
    gc.collect()
    assert not any(reference() is not None for reference in memory)


def test_memory_that_is_not_there_is_one_clear_error(store: Store) -> None:
    def give(size: int) -> torch.Tensor:
        raise RuntimeError(f"no {size // size} thing left")

    with given(store, give) as batches, pytest.raises(bl.ResourceExhaustedError, match="no 1 thing left"):
        next(iter(batches))


@needs_cuda
def test_batches_are_pinned_for_cuda_and_arrive_whole(store: Store) -> None:
    with loader(store) as usual:
        expected = [list(usual) for _ in range(20)]
    with loader(store, device="cuda") as batches:
        for _, epoch in zip(batches.epochs(20), expected, strict=True):
            for (images, labels), other in zip(batches, epoch, strict=True):
                torch.cuda._sleep(1_000_000)  # type: ignore[no-untyped-call]  # the computing is behind the copies
                assert images.is_cuda and labels.is_cuda
                assert batches._core is not None and torch.equal(images.cpu(), other.images)
                assert torch.equal(labels.cpu(), other.labels)


@needs_cuda
def test_what_is_copied_from_is_not_written_to(store: Store) -> None:
    """Copies wait behind others on their stream, while the loader goes on."""
    with loader(store) as usual:
        expected = [images.clone() for _ in range(20) for images, _ in usual]
    with loader(store, device="cuda", memory="64MiB") as batches:
        assert batches._mover is not None and batches._mover._stream is not None
        got = []
        for _ in range(20):
            with torch.cuda.stream(batches._mover._stream):
                torch.cuda._sleep(50_000_000)  # type: ignore[no-untyped-call]
            got += [images for images, _ in batches]
        for images, other in zip(got, expected, strict=True):
            assert torch.equal(images.cpu(), other)
        pinned = batches._mover._copied_from[-1][1]
        assert pinned.images.is_pinned() and len(got) == 20 * (COUNT // 8)
        assert images.shape[-1] == SIZE and numbers(images.cpu())
