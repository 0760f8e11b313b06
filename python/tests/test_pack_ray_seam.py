"""bl.pack(ray=True) with a stand-in for the calls of Ray that it makes: what is asked of Ray, and what becomes of its answers.
tests/test_pack_ray.py has a real cluster, which `./run soak ray` starts."""

from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from images import jpeg

import bucketline as bl

SHARD = 12_000


class RayError(Exception):
    """Ray's own errors."""


class RayTaskError(RayError):
    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Ray(types.ModuleType):
    """Runs a task when it is waited for, on pickled copies of what it is given, as another process would."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.exceptions = types.SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)
        self.calls: list[str] = []
        self.options: dict[str, Any] = {}
        self.connected = False
        self.lost: set[str] = set()  # shares whose worker is lost for good

    def is_initialized(self) -> bool:
        return self.connected

    def init(self, address: str | None) -> None:
        self.calls.append(f"init {address}")
        self.connected = True

    def shutdown(self) -> None:
        self.calls.append("shutdown")
        self.connected = False

    def put(self, value: Any) -> bytes:
        return pickle.dumps(value)

    def remote(self, **options: Any) -> Any:
        self.options = options
        return lambda function: types.SimpleNamespace(
            remote=lambda data, *words: (pickle.dumps(function), data, pickle.dumps(words))
        )

    def wait(self, waiting: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        assert timeout < 2, "Ctrl-C waits so long"
        return waiting[-1:], waiting[:-1]

    def get(self, ready: list[Any]) -> list[Any]:
        results = []
        for function, data, words in ready:
            arguments = pickle.loads(words)
            if arguments[-1] in self.lost:
                raise RayError("the worker died")
            try:
                results.append(
                    pickle.loads(pickle.dumps(pickle.loads(function)(pickle.loads(data), *arguments)))
                )
            except Exception as error:
                raise RayTaskError(pickle.loads(pickle.dumps(error))) from None
        return results

    def cancel(self, task: Any) -> None:
        self.calls.append(f"cancel {pickle.loads(task[2])[-1]}")


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    module = Ray()
    monkeypatch.setitem(sys.modules, "ray", module)
    return module


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    for i in range(20):
        path = tmp_path / "raw" / ("cat", "dog")[i % 2] / f"{i:03}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(i, size=64))
    return tmp_path / "raw"


def shards(place: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in place.glob("shard-*.tar")}
    assert len(found) > 4
    return found


def test_tasks_are_shares_of_the_pack_of_one_process(ray: Ray, raw: Path, tmp_path: Path) -> None:
    dataset = bl.Dataset(raw, labels="folder").filter(lambda key: not key.endswith("007.jpg"))
    told: list[tuple[int, int]] = []
    report = bl.pack(
        dataset,
        tmp_path / "ray",
        shard_size=SHARD,
        parallel=2,
        ray=True,
        ray_address="there",
        ray_cpus=3,
        memory="200MiB",
        progress=lambda records, size: told.append((records, size)),
    )
    alone = bl.pack(dataset, tmp_path / "alone", shard_size=SHARD)
    assert shards(tmp_path / "ray") == shards(tmp_path / "alone")
    assert ray.calls == ["init there", "shutdown"]
    assert ray.options["num_cpus"] == 3 and ray.options["memory"] == 200 * 2**20
    assert ray.options["max_retries"] == 3 and bl.UnavailableError in ray.options["retry_exceptions"]
    assert (report.records, report.shards, report.kept_shards) == (19, alone.shards, 0)
    assert (report.bytes_read, report.bytes_written) == (alone.bytes_read, alone.bytes_written)
    assert told[-1] == (19, alone.bytes_read) and len(told) == -(-alone.shards // 2)
    assert list(bl.Dataset(report.index).keys) == list(dataset.keys)


def test_a_connection_that_was_there_stays(ray: Ray, raw: Path, tmp_path: Path) -> None:
    ray.connected = True
    bl.pack(raw, tmp_path / "ray", shard_size=SHARD, ray=True)
    assert ray.connected and ray.calls == []
    with pytest.raises(bl.InvalidArgumentError, match="give no ray_address"):
        bl.pack(raw, tmp_path / "ray", shard_size=SHARD, ray=True, ray_address="there")


def test_what_a_task_raises_is_raised_here_and_the_others_are_ended(
    ray: Ray, raw: Path, tmp_path: Path
) -> None:
    (raw / "dog" / "019.jpg").write_bytes(b"this is no image")
    with pytest.raises(bl.CorruptDataError) as raised:
        bl.pack(raw, tmp_path / "ray", shard_size=SHARD, resize=16, parallel=1, ray=True)
    assert raised.value.uri.endswith("dog/019.jpg")
    assert ray.calls[1].startswith("cancel ") and ray.calls[-1] == "shutdown"
    assert not (tmp_path / "ray" / "index.manifest").exists()


def test_a_task_that_is_lost_again_and_again_ends_the_pack(ray: Ray, raw: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"shard_size": SHARD, "parallel": 1}
    ray.lost = {"0/" + str(bl.pack(raw, tmp_path / "alone", shard_size=SHARD).shards)}
    with pytest.raises(bl.UnavailableError, match="what is done stays, so pack again"):
        bl.pack(raw, tmp_path / "ray", ray=True, **options)
    ray.lost = set()
    report = bl.pack(raw, tmp_path / "ray", ray=True, **options)
    assert report.kept_shards == report.shards - 1, "all but the lost one"
    assert shards(tmp_path / "ray") == shards(tmp_path / "alone")


def test_without_ray_it_names_the_package(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(bl.UnsupportedError, match=r"pip install 'bucketline\[ray\]'"):
        bl.pack(raw, tmp_path / "out", ray=True)
    assert not (tmp_path / "out").exists()
