"""A pytest plugin: a bucket with COUNT small images below "train/", in the folders "bright" and "dark"."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Endpoint
from images import labelled_objects, put_all
from tf_data import COUNT


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> Iterator[str]:
    """Its name; the environment leads to it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in versitygw.environment().items():
            patch.setenv(name, value)
        name = versitygw.new_bucket()
        put_all(versitygw, name, "train/", labelled_objects(COUNT))
        yield name
