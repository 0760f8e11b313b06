"""README.md: its Python runs as it stands."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT, Endpoint
from images import labelled_objects, put_all

import bucketline as bl

BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def test_the_example_runs(versitygw: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = BLOCKS
    bucket = versitygw.new_bucket()
    put_all(versitygw, bucket, "images/", labelled_objects(60))
    for name, value in versitygw.environment().items():
        monkeypatch.setenv(name, value)
    names: dict[str, object] = {}
    exec(code.replace("s3://bucket/", f"s3://{bucket}/"), names)
    loader, images, labels = names["loader"], names["images"], names["labels"]
    assert isinstance(loader, bl.Loader)
    assert (images.shape, images.dtype, labels.shape, labels.dtype) == (  # type: ignore[attr-defined]
        (32, 3, 224, 224),
        "float32",
        (32,),
        "int64",
    )
    assert names["state"] == loader.state_dict()
