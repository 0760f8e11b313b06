"""Pytest plugin of the parity tests: the engine's tool, images, and a table of differences at the end."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

with contextlib.suppress(ImportError):
    import torchvision  # noqa: F401  # in this order: after TensorFlow its import ends the process

import numpy as np
import pytest

from reference.image_samples import sample_jpegs, write_jpegs, write_others, write_pngs
from reference.image_tool import ImageTool, tool_path


class Differences:
    """Largest and mean absolute difference by operation, in levels of 0..255."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[float, float, int]] = {}

    def check(self, name: str, ours: np.ndarray, theirs: np.ndarray, limit: float, what: object) -> None:
        assert ours.shape == theirs.shape, f"{name}: {what}: {ours.shape} against {theirs.shape}"
        apart = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
        self.add(name, float(apart.max()), float(apart.sum()), apart.size)
        assert apart.max() <= limit, f"{name}: {what}: max {apart.max()} > {limit}, mean {apart.mean()}"

    def add(self, name: str, largest: float, total: float, count: int) -> None:
        before = self.rows.get(name, (0.0, 0.0, 0))
        self.rows[name] = (max(before[0], largest), before[1] + total, before[2] + count)


_DIFFERENCES = pytest.StashKey[Differences]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_DIFFERENCES] = Differences()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker process of pytest-xdist hands its rows over."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["differences"] = session.config.stash[_DIFFERENCES].rows


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for name, row in getattr(node, "workeroutput", {}).get("differences", {}).items():
        node.config.stash[_DIFFERENCES].add(name, *row)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = terminalreporter.config.stash[_DIFFERENCES].rows
    if rows:
        terminalreporter.section("difference by operation, levels of 0..255")
    for name, (largest, total, count) in sorted(rows.items()):
        terminalreporter.write_line(
            f"{name:58} max {largest:8.5f}  mean {total / count:.6f}  ({count} values)"
        )


@pytest.fixture(scope="session")
def differences(request: pytest.FixtureRequest) -> Differences:
    return request.config.stash[_DIFFERENCES]


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageTool]:
    if not tool_path().exists():
        pytest.skip(f"{tool_path()} is not built; set BUCKETLINE_BUILD_DIR")
    tool = ImageTool(tmp_path_factory.mktemp("rows"))
    yield tool
    tool.close()


@pytest.fixture(scope="session")
def jpegs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return list(write_jpegs(tmp_path_factory.mktemp("jpegs")))


@pytest.fixture(scope="session")
def pngs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return list(write_pngs(tmp_path_factory.mktemp("pngs")))


@pytest.fixture(scope="session")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return write_others(tmp_path_factory.mktemp("others"))


@pytest.fixture(scope="session")
def odd_jpegs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What Pillow's encoder does not make: jpeg_tool's."""
    folder = tmp_path_factory.mktemp("odd-jpegs")
    subprocess.run([tool_path().with_name("jpeg_tool"), folder], check=True, timeout=300)
    return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def mixed(jpegs: list[Path], pngs: list[Path]) -> list[Path]:
    """A few of each kind and size, and real photographs where there are some."""
    return [*jpegs[1::7], *pngs[2::9], *sample_jpegs(limit=10)]


@pytest.fixture(scope="session")
def photos() -> list[Path]:
    paths = sample_jpegs(limit=120)
    if not paths:
        pytest.skip("no real images: set BUCKETLINE_SAMPLE_DATA to a folder of JPEGs")
    return paths
