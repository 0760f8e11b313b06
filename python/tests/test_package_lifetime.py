"""What ends, and how: close, garbage collection, the interpreter's end."""

from __future__ import annotations

import contextlib
import gc
import os
from pathlib import Path

import pytest
from conftest import run_python, wait_until
from images import jpeg

import bucketline as bl

SMALL = bl.Image(16, dtype="uint8")


def engine_threads() -> int:
    names = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # it ended meanwhile
            names.append((task / "comm").read_text())
    return sum(name.startswith("bl-") for name in names)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("end", ["close", "with", "forget"])
def test_two_hundred_loaders_leave_nothing(image_folder: Path, end: str) -> None:
    dataset = bl.Dataset(image_folder, labels="folder")

    def one() -> None:
        loader = bl.Loader(dataset, 4, image=SMALL, threads=2, memory="8MiB")
        next(iter(loader))
        if end == "close":
            loader.close()
        elif end == "with":
            with loader:
                pass

    for _ in range(20):
        one()
    gc.collect()
    threads, memory = engine_threads(), resident_bytes()
    for _ in range(200):
        one()
    gc.collect()
    wait_until(lambda: engine_threads() <= threads, "the end of the loaders' threads")
    assert resident_bytes() - memory < (16 << 20)


def test_a_loader_that_was_never_iterated_ends_too(image_folder: Path) -> None:
    dataset = bl.Dataset(image_folder)
    before = engine_threads()
    for _ in range(20):
        bl.Loader(dataset, 4, image=SMALL)
    gc.collect()
    wait_until(lambda: engine_threads() <= before, "the end of the loaders' threads")


def test_the_interpreter_ends_whatever_is_open(image_folder: Path) -> None:
    code = """
import sys, bucketline as bl
dataset = bl.Dataset(sys.argv[1], labels="folder")
loaders = [bl.Loader(dataset, 4, image=bl.Image(16)) for _ in range(5)]
iterators = [iter(loader) for loader in loaders]
batches = [next(iterator) for iterator in iterators]
file, half = bl.open(dataset.uris[0]), bl.open(sys.argv[1] + "/half", "wb")
half.write(b"x")
writer = bl.Writer(sys.argv[1])
print("done")
"""
    assert run_python(code, image_folder) == "done\n"
    assert not (image_folder / "half").exists()


def test_an_exception_ends_the_interpreter_too(image_folder: Path) -> None:
    code = """
import sys, bucketline as bl
loader = bl.Loader(sys.argv[1], 4, image=bl.Image(16))
for batch in loader:
    raise SystemExit(0)
"""
    run_python(code, image_folder)


def test_a_closed_loader_says_so(image_folder: Path) -> None:
    loader = bl.Loader(image_folder, 4, image=SMALL)
    iterator = iter(loader)
    batch = next(iterator)
    pixels = batch.images.copy()
    loader.close()
    loader.close()
    with pytest.raises(bl.Error, match="closed"):
        next(iterator)
    with pytest.raises(bl.Error, match="closed"):
        next(iter(loader))
    assert (batch.images == pixels).all() and batch.keys and batch.state_dict()
    assert "Loader(" in repr(loader) and loader.stats()["batches"] == 1 and loader.explain()
    assert len(loader.dataset) == 24 and loader.dataset[0].data


def test_images_decode_on_many_threads_at_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    data = [jpeg(i) for i in range(64)]
    alone = [SMALL(each) for each in data]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(SMALL, data))
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))
