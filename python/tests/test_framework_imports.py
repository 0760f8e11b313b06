"""Frameworks are imported when they are first used, and say how to install them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import DEADLINE_SECONDS


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE_SECONDS
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(("name", "package"), [("torch", "torch"), ("jax", "jax"), ("parquet", "pyarrow")])
def test_a_framework_that_is_not_installed(name: str, package: str) -> None:
    out = run(f"import sys; sys.modules[{package!r}] = None\nimport bucketline\nbucketline.{name}")
    assert f"pip install bucketline[{name}]" in out


def test_nothing_is_imported_before_it_is_used() -> None:
    out = run("import sys, bucketline; print([n for n in ('torch', 'jax', 'pyarrow') if n in sys.modules])")
    assert out == "[]\n"
