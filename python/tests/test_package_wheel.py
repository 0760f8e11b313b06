"""The wheel: complete by itself, and true to its stub."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import bucketline._core
import numpy as np
import pytest
from conftest import ROOT, missing
from images import jpeg
from nanobind.stubgen import StubGen

SECONDS = 300


@pytest.fixture(scope="module")
def wheel() -> Path:
    wheels = sorted((ROOT / "dist").glob("bucketline-*.whl"))
    if not wheels:
        missing("there is no wheel in dist/; ./run wheel makes it")
    return wheels[-1]


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and numpy, and nothing else: no build tree, no framework."""
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=SECONDS)
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        folder / "bin" / "python",
        "install",
        "-q",
    ]
    subprocess.run([*pip, "--no-index", "--no-deps", wheel], check=True, timeout=SECONDS)
    site = next((folder / "lib").glob("python*")) / "site-packages"
    numpy = Path(np.__file__).parent
    for name in (numpy, numpy.with_name("numpy.libs")):
        if name.exists():
            (site / name.name).symlink_to(name)
    return folder


def run_clean(clean: Path, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "HOME": str(cwd), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [clean / "bin" / words[0], *words[1:]],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


LOOP = """
import sys
import bucketline as bl
loader = bl.Loader("data", labels="folder", image=bl.Image(32), batch_size=4)
seen = [(images.shape, labels.tolist()) for images, labels in loader]
print(seen)
assert "/site-packages/" in bl.__file__, bl.__file__
"""


def test_it_trains_where_nothing_else_is_installed(clean: Path, tmp_path: Path) -> None:
    for name in ("cat/0", "cat/1", "dog/0", "dog/1"):
        path = tmp_path / "data" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(seed=len(name)))
    done = run_clean(clean, "python", "-c", LOOP, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[((4, 3, 32, 32), [0, 0, 1, 1])]"


def test_the_command_comes_with_it(clean: Path, tmp_path: Path) -> None:
    done = run_clean(clean, "bucketline", "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, bucketline.__version__)
    done = run_clean(clean, "bucketline", "train", "data", cwd=tmp_path)
    assert done.returncode == 1
    assert "LibTorch" in done.stderr and "./run build" in done.stderr


def test_it_names_the_systems_that_it_runs_on(wheel: Path) -> None:
    assert "manylinux" in wheel.name
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
    assert any(name.endswith("py.typed") for name in names)
    assert any("libcurl" in name for name in names)
    assert "bucketline/bucketline_tf_filesystem.so" in names
    assert not any("torch" in Path(name).name and name.endswith(".so") for name in names)


def test_the_stub_is_the_modules(tmp_path: Path) -> None:
    stub = StubGen(bucketline._core)
    stub.put(bucketline._core)
    made = tmp_path / "_core.pyi"
    made.write_text(stub.get())
    kept = ROOT / "python" / "bucketline" / "_core.pyi"
    assert made.read_text() == kept.read_text(), (
        "python/bucketline/_core.pyi is not what python/src makes; "
        "copy build/*/python/_core.pyi of the target _core_stub over it"
    )


SIGNED = """
import bucketline as bl
try:
    bl.get("s3://bucket/key", endpoint_url="http://127.0.0.1:9")
except bl.Error as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize("frameworks", ["tensorflow", "jax, tensorflow", "torch._dynamo, tensorflow"])
def test_its_libraries_meet_no_others(frameworks: str) -> None:
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_MAX_ATTEMPTS": "1",
    }
    code = f"import {frameworks}\n{SIGNED}"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    assert (done.returncode, done.stdout) == (0, "ConnectionError\n"), done.stderr


def test_importing_it_imports_no_framework() -> None:
    code = "import sys, bucketline; print([n for n in ('torch', 'tensorflow', 'keras', 'jax') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS)
    assert done.stdout.strip() == "[]", done.stderr
