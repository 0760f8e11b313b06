"""bl.jax.Loader: arrays on the engine's memory, ranks of processes, states."""

from __future__ import annotations

import gc
import json
import multiprocessing
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import pytest
from conftest import DEADLINE_SECONDS, Endpoint
from framework_data import COUNT, SIZE, Store, image, numbers, stored
from servers import free_port

import bucketline as bl


@pytest.fixture(scope="module")
def store(versitygw: Endpoint) -> Iterator[Store]:
    with stored(versitygw) as there:
        yield there


def loader(store: Store, **options: Any) -> bl.jax.Loader:
    options = {"image": image(), "shuffle": True, **options}
    return bl.jax.Loader(store.open(options.pop("labels", "folder")), 8, **options)


def test_arrays_are_the_engines_memory(store: Store) -> None:
    with loader(store) as batches:
        batch = next(iter(batches))
        images, labels = batch
    assert isinstance(images, jax.Array) and images.shape == (8, SIZE, SIZE, 3)
    assert images.unsafe_buffer_pointer() == batch._core.pixels(0).ctypes.data
    assert labels.dtype == np.int32 and labels.tolist() == batch._core.labels().tolist()
    assert len(batch.keys) == 8 and batch.valid.all()


def test_arrays_outlive_batches_and_loaders(store: Store) -> None:
    with loader(store, shuffle=False, memory="1MiB") as batches:
        kept = [batch.images for batch in batches]
        copies = [np.array(images) for images in kept]
    del batches
    gc.collect()
    with loader(store, memory="1MiB") as others:
        for _ in others:
            pass
        assert all((images == copy).all() for images, copy in zip(kept, copies, strict=True))


def test_layout_and_raw(store: Store) -> None:
    with loader(store, image=image(layout="NCHW", dtype="uint8")) as batches:
        images = next(iter(batches)).images
        assert images.shape == (8, 3, SIZE, SIZE) and images.dtype == np.uint8
    with loader(store, image=None, labels=None) as batches:
        data, labels = next(iter(batches))
        assert isinstance(data[0], bytes) and labels is None


def test_to_a_device(store: Store) -> None:
    device = jax.devices()[0]
    with loader(store, device=device) as batches:
        assert next(iter(batches)).images.devices() == {device}


def test_resumes(store: Store) -> None:
    with loader(store) as batches:
        whole = [n for _ in batches.epochs(2) for images, _ in batches for n in numbers(images)]
    with loader(store) as first:
        iterator = iter(first)
        next(iterator)
        batch = next(iterator)
        state = json.loads(json.dumps(first.state_dict()))
        assert state == batch.state_dict()
    with loader(store) as second:
        second.load_state_dict(state)
        rest = [n for _ in second.epochs(2) for images, _ in second for n in numbers(images)]
    assert rest == whole[16:]


def test_jit_takes_a_batch(store: Store) -> None:
    total = jax.jit(lambda images: images.sum())
    with loader(store) as batches:
        images, _ = next(iter(batches))
        assert float(total(images)) == pytest.approx(float(np.asarray(images).sum()), rel=1e-4)


def test_unknown_options_name_the_nearest(store: Store) -> None:
    with pytest.raises(TypeError, match="'shufle'; did you mean 'shuffle'"):
        loader(store, shufle=True)


DISAGREED = ("fingerprint", "seed", "sampling", "epoch_size", "last", "batch_size")


def what_it_says(make: Callable[[], object]) -> str:
    try:
        make()
        return "nothing"
    except bl.InvalidArgumentError as raised:
        return str(raised)


def _process(number: int, address: str, uri: str, queue: Any) -> None:
    jax.distributed.initialize(address, num_processes=2, process_id=number)
    with bl.jax.Loader(uri, 4, image=image(), shuffle=True, last="partial") as batches:
        ranks = (batches.rank, batches.world_size)
        seen = [int(index) for batch in batches for index in batch.indices[batch.valid]]
    by_rows = jax.sharding.PartitionSpec("data")  # type: ignore[no-untyped-call]
    sharding = jax.sharding.NamedSharding(jax.sharding.Mesh(np.array(jax.devices()), ("data",)), by_rows)
    with bl.jax.Loader(uri, 4, image=image(), device=sharding) as batches:
        shape = next(iter(batches)).images.shape
    data = bl.Dataset(uri, labels="folder")
    made: tuple[Callable[[], object], ...] = (
        lambda: bl.jax.Loader(data[: 20 if number else 30], 4),
        lambda: bl.jax.Loader(data, 4, seed=2**63 + number),
        lambda: bl.jax.Loader(data, 4, sampling=("balanced", "replacement")[number]),
        lambda: bl.jax.Loader(data, 4, sampling="balanced", epoch_size=20 + number),
        lambda: bl.jax.Loader(data, 4, last=("pad", "drop")[number]),
        lambda: bl.jax.Loader(data, 4 + number),
    )
    queue.put((ranks, seen, shape, [what_it_says(make) for make in made]))
    jax.distributed.shutdown()  # type: ignore[no-untyped-call]


def test_processes_share_the_records(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    address = f"127.0.0.1:{free_port()}"
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [
        context.Process(target=_process, args=(number, address, store.uri, queue)) for number in range(2)
    ]
    for process in processes:
        process.start()
    results = [queue.get(timeout=DEADLINE_SECONDS) for _ in processes]
    for process in processes:
        process.join(DEADLINE_SECONDS)
        assert process.exitcode == 0
    assert sorted(ranks for ranks, *_ in results) == [(0, 2), (1, 2)]
    assert sorted(index for _, seen, *_ in results for index in seen) == list(range(COUNT))
    assert all(shape == (8, SIZE, SIZE, 3) for *_, shape, _ in results)
    for *_, errors in results:
        for option, error in zip(DISAGREED, errors, strict=True):
            assert f"{option} of process 1 is not that of process 0" in error
