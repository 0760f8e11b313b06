"""docs/pytorch.md: the code of bucketline on it runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import DEADLINE_SECONDS, ROOT, Endpoint
from framework_data import Store, stored

BLOCKS = [
    code
    for code in re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "docs" / "pytorch.md").read_text(), re.MULTILINE | re.DOTALL
    )
    if code.startswith("# bucketline\n")
]


@pytest.fixture(scope="module")
def store(versitygw: Endpoint) -> Iterator[Store]:
    with stored(versitygw) as there:
        yield there


@pytest.mark.parametrize("number", range(5))
def test_a_block_runs(store: Store, number: int) -> None:
    assert len(BLOCKS) == 5
    code = BLOCKS[number].replace("s3://bucket/images/", store.uri).replace("num_workers=8", "num_workers=2")
    code += "assert images.shape[1:] == (3, 224, 224)\n"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE_SECONDS
    )
    assert done.returncode == 0, done.stderr
