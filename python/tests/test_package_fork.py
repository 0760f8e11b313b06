"""What a forked process may do: everything new, nothing with what its parent made."""

from __future__ import annotations

from pathlib import Path

from conftest import run_python

FORKED = """
import os, signal, sys, traceback
import bucketline as bl

folder = sys.argv[1]
dataset = bl.Dataset(folder, labels="folder")
loader = bl.Loader(dataset, 4, image=bl.Image(16))
iterator = iter(loader)
batch = next(iterator)
runtime = bl.Runtime()
writer = bl.Writer(folder + "/../out", runtime=runtime)
reader = bl.open(dataset.uris[0], runtime=runtime)
half = bl.open(folder + "/../half", "wb", runtime=runtime)

def refused(call):
    try:
        call()
    except bl.InternalError as error:
        assert "fork" in str(error), error
    else:
        raise AssertionError("it worked")

child = os.fork()
if child == 0:
    signal.alarm(20)  # a hang ends the child
    try:
        for call in (
            lambda: next(iterator),
            lambda: iter(loader),
            lambda: loader.state_dict(),
            lambda: loader.load_state_dict({}),
            lambda: bl.Loader(dataset, 4),
            lambda: dataset[0],
            lambda: bl.get(dataset.uris[0], runtime=runtime),
            lambda: bl.Dataset(folder, runtime=runtime),
            lambda: reader.read(1),
            lambda: writer.put("k", b"x"),
            lambda: bl.open(dataset.uris[0], "wb", runtime=runtime),
        ):
            refused(call)
        assert batch.images.shape == (4, 3, 16, 16) and dataset.keys[0] and len(dataset) == 24
        mine = bl.Dataset(folder, labels="folder")  # by a runtime of this process
        assert mine[0].data == bl.get(mine.uris[0])
        with bl.Loader(mine, 4, image=bl.Image(16)) as again:
            assert len(list(again)) == 6
        loader.close()
        del loader, iterator, dataset, runtime, writer, reader, half, batch
        sys.exit(0)
    except AssertionError:
        traceback.print_exc()
        os._exit(1)
_, status = os.waitpid(child, 0)
assert status == 0, status
assert len(list(iterator)) == 5  # the parent goes on
writer.put("k", b"x")
writer.close()
print("done")
"""


def test_after_a_fork_what_was_made_before_says_so_and_new_things_work(image_folder: Path) -> None:
    assert run_python(FORKED, image_folder) == "done\n"


def test_many_forks_and_threads_at_once(image_folder: Path) -> None:
    """Threads read while the process forks: no child hangs on a lock that a thread of its parent held."""
    code = """
import os, signal, sys, threading
import bucketline as bl

uri = bl.Dataset(sys.argv[1]).uris[0]
stop = threading.Event()

def read():
    while not stop.is_set():
        bl.get(uri)

readers = [threading.Thread(target=read) for _ in range(3)]
for reader in readers:
    reader.start()
for _ in range(10):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(0 if bl.get(uri) else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for reader in readers:
    reader.join()
print("done")
"""
    assert run_python(code, image_folder) == "done\n"


def test_a_dataloader_worker_that_forks_gets_a_clear_error(image_folder: Path) -> None:
    """What torch's DataLoader does with num_workers on Linux, by multiprocessing itself."""
    code = """
import multiprocessing, sys
import bucketline as bl

dataset = bl.Dataset(sys.argv[1])

def work(index):
    try:
        dataset[index]
    except bl.InternalError as error:
        return str(error)

with multiprocessing.get_context("fork").Pool(2) as pool:
    answers = pool.map(work, range(4))
assert all("fork" in answer and "process that uses" in answer for answer in answers), answers
print("done")
"""
    assert run_python(code, image_folder) == "done\n"
