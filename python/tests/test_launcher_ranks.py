"""Where a Loader's rank comes from: the launchers' variables, Ray Train, and what is said of nonsense."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from bucketline.distributed import rank_and_world_size
from conftest import ROOT
from images import labelled_objects

import bucketline as bl

LAUNCHERS = [
    ("RANK", "WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
]


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no launcher had started the tests."""
    for rank, world_size in LAUNCHERS:
        monkeypatch.delenv(rank, raising=False)
        monkeypatch.delenv(world_size, raising=False)
    monkeypatch.delitem(sys.modules, "ray.train", raising=False)


@pytest.mark.parametrize(("rank", "world_size"), LAUNCHERS)
def test_each_launcher_is_understood(rank: str, world_size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rank_and_world_size() == (0, 1)
    monkeypatch.setenv(rank, "5")
    assert rank_and_world_size() == (0, 1), "half of it says nothing"
    monkeypatch.setenv(world_size, "6")
    assert rank_and_world_size() == (5, 6)
    monkeypatch.setenv(world_size, "5")
    with pytest.raises(bl.InvalidArgumentError, match=f"{rank}=5 of {world_size}=5"):
        rank_and_world_size()
    monkeypatch.setenv(world_size, "many")
    with pytest.raises(bl.InvalidArgumentError, match=f"{world_size} should be a number"):
        rank_and_world_size()


class Context:
    """Ray's, of a worker."""

    def __init__(self, rank: int | None, world_size: int | None) -> None:
        self._rank, self._world_size = rank, world_size

    def get_world_rank(self) -> int | None:
        return self._rank

    def get_world_size(self) -> int | None:
        return self._world_size


def ray_train(context: Callable[[], Any]) -> types.ModuleType:
    """A stand-in with the part of Ray's interface that is used: its packages are too large for the tests."""
    train = types.ModuleType("ray.train")
    train.get_context = context  # type: ignore[attr-defined]
    return train


def outside() -> Context:
    raise RuntimeError("`get_context` has been called outside of a Ray Train worker")


def test_a_worker_of_ray_train_asks_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "ray.train", ray_train(lambda: Context(2, 3)))
    assert rank_and_world_size() == (2, 3)
    for context in (
        outside,
        lambda: Context(None, None),
        lambda: Context(0, 1),
    ):  # its versions differ in what they say outside of a worker
        monkeypatch.setitem(sys.modules, "ray.train", ray_train(context))
        assert rank_and_world_size() == (0, 2)


def test_the_example_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's function of examples/ray_train.py with a stand-in for Ray; Ray itself is not part of the tests."""
    with bl.Writer(tmp_path / "images") as writer:
        for key, data in labelled_objects(24).items():
            writer.put(key, data)
    spec = importlib.util.spec_from_file_location("ray_train_example", ROOT / "examples" / "ray_train.py")
    assert spec is not None and spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)

    class Checkpoint:
        def __init__(self, saved: bytes) -> None:
            self.saved = saved

        @classmethod
        def from_directory(cls, folder: str) -> Checkpoint:
            return cls((Path(folder) / "run.pt").read_bytes())

        def as_directory(self) -> Any:
            (tmp_path / "run.pt").write_bytes(self.saved)
            return nullcontext(str(tmp_path))

    reported: list[tuple[int, float]] = []
    kept: list[Checkpoint] = []

    def report(figures: dict[str, Any], checkpoint: Checkpoint | None) -> None:
        reported.append((figures["step"], figures["loss"]))
        assert checkpoint is not None
        kept.append(checkpoint)

    train: Any = ray_train(lambda: Context(0, 1))
    train.Checkpoint, train.report = Checkpoint, report
    train.get_checkpoint = lambda: kept[0] if kept else None
    train.torch = types.ModuleType("ray.train.torch")
    train.torch.prepare_model = lambda net: net
    train.torch.get_device = lambda: torch.device("cpu")
    ray: Any = types.ModuleType("ray")
    ray.train = train
    for name, module in (("ray", ray), ("ray.train", train), ("ray.train.torch", train.torch)):
        monkeypatch.setitem(sys.modules, name, module)
    config = {
        "uri": str(tmp_path / "images"),
        "global_batch_size": 8,
        "size": 24,
        "epochs": 3,
        "save_every": 2,
    }
    example.worker(config)
    assert [step for step, _ in reported] == [2, 4, 6, 8]
    first = reported.copy()
    reported.clear()
    example.worker(config)
    assert reported == first[1:], "from step 2 on, in the middle of the first epoch, as it was"
