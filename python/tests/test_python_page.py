"""docs/python.md: its code runs as it stands, in order, and its tables name every option."""

from __future__ import annotations

import inspect
import io
import re
import wave
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Endpoint
from images import jpeg, put_all
from PIL import Image as Pillow

import bucketline as bl

PAGE = (ROOT / "docs" / "python.md").read_text()


def clip(seed: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(np.random.default_rng(seed).integers(-9999, 9999, 5000).astype("<i2").tobytes())
    return buffer.getvalue()


def mask() -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(np.eye(48, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_its_code_runs(reached: Endpoint) -> None:
    bucket = reached.new_bucket()
    keys = [f"{folder}/{i}.jpg" for folder in ("cat", "dog") for i in range(4)]
    ages = "\n".join(["path,age", *(f"images/{key},{i / 2}" for i, key in enumerate(keys))])
    objects = {f"images/{key}": jpeg(i) for i, key in enumerate(keys)}
    objects |= {"more/dog/9.jpg": jpeg(9), "more/yak/9.jpg": jpeg(8), "ages.csv": ages.encode()}
    objects |= {f"photos/{i}.jpg": jpeg(i) for i in range(5)} | {f"masks/{i}.png": mask() for i in range(4)}
    objects |= {f"clips/{i}.wav": clip(i) for i in range(4)}
    put_all(reached, bucket, "", objects)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    names: dict[str, Any] = {}
    for number, block in enumerate(blocks):
        code = block.replace("s3://bucket/", f"s3://{bucket}/")
        exec(compile(code, f"docs/python.md, block {number}", "exec"), names)


@pytest.mark.parametrize("kind", [bl.Dataset, bl.Labels, bl.Image, bl.Loader])
def test_a_table_names_every_option(kind: Any) -> None:
    table = re.search(rf"^\| `(?:bl\.)?{kind.__name__}\(.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert table
    named = set(re.findall(r"`([a-z_]+)`", table[0]))
    options = {
        name
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    assert options - named - {"dataset"} == set()


@pytest.mark.parametrize("kind", [bl.Dataset, bl.Loader, bl.Batch, bl.TransformSample])
def test_every_public_member_is_on_it(kind: Any) -> None:
    members = {name for name in vars(kind) if not name.startswith("_")}
    assert {name for name in members if not re.search(rf"\b{name}\b", PAGE)} == set()
