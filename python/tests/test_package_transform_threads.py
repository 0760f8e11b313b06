"""Transforms run on the engine's threads: nothing waits for ever, whatever they do and whenever they are stopped."""

from __future__ import annotations

import gc
import hashlib
import random
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, run_python, wait_until
from transforming import DEADLINE, make, within

import bucketline as bl

COUNT = 60


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> bl.Dataset:
    folder = tmp_path_factory.mktemp("numbers")
    for i in range(COUNT):
        (folder / f"{i:02}.txt").write_bytes(b"%d" % i)
    return bl.Dataset(folder, extensions=[".txt"])


def test_a_transform_may_read_other_samples(dataset: bl.Dataset) -> None:
    def mixed(sample: bl.TransformSample) -> int:
        return int(sample.data) + int(dataset[(sample.index + 1) % COUNT].data)

    def work() -> None:
        with make(dataset, mixed, threads=4) as loader:
            values = [int(value) for batch in loader for value in batch.images]
        assert values == [i + (i + 1) % COUNT for i in range(COUNT)]

    within(DEADLINE, work)


def test_a_transform_may_use_another_loader(dataset: bl.Dataset) -> None:
    def inner(sample: bl.TransformSample) -> int:
        with make(dataset[:4], lambda other: int(other.data), threads=1) as loader:
            return sum(int(value) for batch in loader for value in batch.images)

    def work() -> None:
        with make(dataset[:8], inner, threads=2) as loader:
            assert [batch.images.tolist() for batch in loader] == [[6] * 4] * 2

    within(DEADLINE, work)


def test_a_transform_may_print(dataset: bl.Dataset, capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with make(
            dataset, lambda sample: print(f"sample {sample.index}\n", end="") or 0, threads=4, epochs=1
        ) as loader:
            list(loader)

    within(DEADLINE, work)
    assert sorted(capfd.readouterr().out.split("\n"))[1:] == sorted(f"sample {i}" for i in range(COUNT))


def test_a_transform_may_wait_for_a_lock_of_the_loop(dataset: bl.Dataset) -> None:
    lock = threading.Lock()

    def locked(sample: bl.TransformSample) -> int:
        with lock:
            return sample.index

    def work() -> None:
        with make(dataset, locked, threads=3) as loader:
            iterator, seen = iter(loader), []
            for _ in range(len(loader)):
                seen += next(iterator).images.tolist()
                with lock:  # transforms of later batches wait for it meanwhile
                    assert loader.stats()["batches"] == len(seen) // 4
                    loader.state_dict(), loader.explain(), loader.bad_samples, loader.remaining
            assert seen == list(range(COUNT))

    within(DEADLINE, work)


def test_a_transform_cannot_use_the_loader_that_waits_for_it(dataset: bl.Dataset) -> None:
    state = make(dataset, None).state_dict()
    for use, says in (
        (lambda loader: loader.close(), "cannot close"),
        (lambda loader: next(iter(loader)), "cannot iterate"),
        (lambda loader: loader.load_state_dict(state), "cannot restore"),
    ):
        loaders: list[bl.Loader] = []

        def transform(sample: bl.TransformSample, use: Any = use, loaders: Any = loaders) -> None:
            use(loaders[0])

        def work(transform: Any = transform, loaders: Any = loaders, says: str = says) -> None:
            with make(dataset, transform) as loader:
                loaders.append(loader)
                with pytest.raises(bl.InvalidArgumentError, match=says):
                    next(iter(loader))

        within(DEADLINE, work)


def work(size: int) -> None:
    """About a millisecond a million, most of it without the GIL."""
    hashlib.sha256(bytes(size)).digest()


def slow(sample: bl.TransformSample) -> Any:
    work(300_000)
    return {"value": bytes(100), "index": sample.index}


@pytest.mark.parametrize("way", ["close", "forget", "restore", "another thread"])
def test_fifty_random_stops(dataset: bl.Dataset, way: str) -> None:
    chance = random.Random(way)

    def stop_once() -> None:
        loader = make(dataset, slow, threads=chance.randint(1, 4), shuffle=True)
        iterator = iter(loader)
        for _ in range(chance.randint(0, 5)):
            next(iterator)
        work(chance.randint(0, 4_000_000))
        if way == "close":
            loader.close()
        elif way == "restore":
            loader.load_state_dict({**loader.state_dict(), "position": 4 * chance.randint(0, 10)})
            next(iter(loader))
            loader.close()
        elif way == "another thread":
            closing = threading.Thread(target=loader.close)
            closing.start()
            with pytest.raises(bl.CancelledError):
                while True:
                    next(iterator, None)
                    iterator = iter(loader)
            closing.join(DEADLINE)
            assert not closing.is_alive()

    def stop_again_and_again() -> None:
        for _ in range(50):
            stop_once()

    within(DEADLINE, stop_again_and_again)
    gc.collect()


@pytest.fixture
def small_heap() -> Iterator[None]:
    """Collections look at what comes from here on, and not at all that other tests have loaded."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("small_heap")
def test_garbage_is_collected_on_any_thread(dataset: bl.Dataset) -> None:
    """A loader in a cycle of references may be found to be garbage while its own transform runs."""
    ends: list[weakref.ref[bl.Loader]] = []

    def one() -> None:
        def collecting(sample: bl.TransformSample) -> int:
            gc.collect()
            return 0

        loader = make(dataset, collecting, threads=2)
        cycle: dict[str, Any] = {"loader": loader}
        cycle["self"] = cycle
        ends.append(weakref.ref(loader))
        next(iter(loader))

    def work() -> None:
        for _ in range(20):
            one()

    def all_gone() -> bool:
        gc.collect()  # again and again: it does nothing while another thread collects
        return all(end() is None for end in ends)

    within(DEADLINE, work)
    wait_until(all_gone, "the end of all loaders", DEADLINE)


def test_what_a_transform_made_is_freed(dataset: bl.Dataset) -> None:
    class Value:
        pass

    made: list[weakref.ref[Value]] = []

    def transform(sample: bl.TransformSample) -> Value:
        value = Value()
        made.append(weakref.ref(value))
        return value

    with make(dataset, transform, epochs=1) as loader:
        for batch in loader:
            assert all(isinstance(value, Value) for value in batch.images)
        del batch
        assert len(made) == COUNT
    del loader
    gc.collect()
    assert not any(value() for value in made)
    with make(dataset, transform) as loader:
        next(iter(loader))
    gc.collect()
    assert not any(value() for value in made), "of batches that were not asked for too"


INTERRUPTED = """
import sys, threading
import bucketline as bl

def slow(sample):
    threading.Event().wait(0.2 if sample.index > 8 else 0)  # a long step, of endless ones
    return sample.index

loader = bl.Loader(bl.Dataset(sys.argv[1], extensions=None), 4, transform=slow, threads=2)
try:
    for epoch in range(1000):
        for batch in loader:
            if batch.position == 4:
                print("running", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_while_transforms_run(dataset: bl.Dataset) -> None:
    folder = Path(dataset.uris[0]).parent
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout and process.stdout.readline() == "running\n"
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert process.wait(DEADLINE_SECONDS) == 0
        assert time.monotonic() - begin < 30  # the 1000 epochs take minutes
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("end", ["pass", "del loader", "raise SystemExit(0)", "sys.exit()"])
def test_the_interpreter_ends_while_transforms_run(dataset: bl.Dataset, end: str) -> None:
    code = INTERRUPTED.split("try:")[0] + "\nbatch = next(iter(loader))\n" + end
    run_python(code, Path(dataset.uris[0]).parent)
