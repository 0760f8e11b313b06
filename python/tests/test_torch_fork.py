"""After a fork: a Loader says that it cannot go on, what is made for workers opens itself anew, and nothing hangs."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, Endpoint
from framework_data import COUNT, Store, image, numbers, stored

import bucketline as bl


@pytest.fixture(scope="module")
def store(versitygw: Endpoint) -> Iterator[Store]:
    with stored(versitygw) as there:
        yield there


def in_child(work: Callable[[], Any]) -> Any:
    """What `work` gives in a forked child; a hang ends the child, and is a failure."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(DEADLINE_SECONDS)
        code = 1
        try:
            os.write(write, json.dumps(work()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    assert os.waitpid(child, 0)[1] == 0, "the child failed"
    return json.loads(said)


def errors_of(*uses: Callable[[], Any]) -> list[str]:
    said = []
    for use in uses:
        try:
            use()
            said.append("nothing")
        except bl.InternalError as error:
            said.append(str(error))
    return said


def test_a_loader_carried_over_says_so(store: Store) -> None:
    with bl.torch.Loader(store.open(), 8, image=image()) as loader:
        running = iter(loader)
        next(running)
        said = in_child(
            lambda: errors_of(
                lambda: next(running),
                lambda: next(iter(loader)),
                loader.state_dict,
                lambda: loader.set_epoch(1),
                lambda: loader.load_state_dict({}),
            )
        )
        assert len(said) == 5 and all("used after a fork" in text for text in said)
        assert sum(len(images) for images, _ in running) == COUNT - 8  # the parent's is as it was


def test_samples_and_batches_open_themselves_anew_while_the_parent_reads(store: Store) -> None:
    samples = bl.torch.MapDataset(store.open()[5:35], bl.Image(8))
    batches = bl.torch.IterableDataset(store.open()[5:35], 10, image=bl.Image(8), distributed=False)
    expected = numbers([picture for picture, _ in samples.__getitems__(range(30))])
    over = threading.Event()

    def read_on() -> None:
        while not over.is_set():
            samples.__getitems__(range(30))

    readers = [threading.Thread(target=read_on) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(5):
            pictures, of_batches = in_child(
                lambda: (
                    numbers([picture for picture, _ in samples.__getitems__(range(30))]),
                    [n for images, _ in batches for n in numbers(images)],
                )
            )
            assert pictures == expected and of_batches == expected
    finally:
        over.set()
        for reader in readers:
            reader.join(DEADLINE_SECONDS)
    assert numbers([picture for picture, _ in samples.__getitems__(range(30))]) == expected


def test_a_child_of_a_child(store: Store) -> None:
    samples = bl.torch.MapDataset(store.open(), bl.Image(8))
    expected = numbers([samples[3][0]])

    def grandchild() -> Any:
        assert numbers([samples[3][0]]) == expected
        return in_child(lambda: numbers([samples[3][0]]))

    assert in_child(grandchild) == expected
