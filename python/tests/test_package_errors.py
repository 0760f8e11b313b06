"""The package's exceptions, its import, and how it meets wrong keywords."""

from __future__ import annotations

import builtins
import copy
import pickle
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, Endpoint

import bucketline as bl
from bucketline import errors

CLASSES = list(errors._BY_CODE.values())


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_is_an_error_of_the_package(kind: type[bl.Error]) -> None:
    assert issubclass(kind, bl.Error) and getattr(bl, kind.__name__) is kind and kind.__doc__
    made = errors.from_core(kind.code, "it is so; do that", "s3://b/k", 503, "REQ1")
    assert type(made) is kind
    assert str(made) == "s3://b/k: it is so; do that (HTTP 503, request id REQ1)"


@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        (bl.InvalidArgumentError, ValueError),
        (bl.NotFoundError, FileNotFoundError),
        (bl.PermissionDeniedError, PermissionError),
        (bl.UnauthenticatedError, PermissionError),
        (bl.AlreadyExistsError, FileExistsError),
        (bl.ConnectionError, builtins.ConnectionError),
        (bl.TimeoutError, builtins.TimeoutError),
        (bl.CorruptDataError, ValueError),
        (bl.IoError, OSError),
    ],
)
def test_classes_are_what_python_calls_them(kind: type[bl.Error], parent: type[Exception]) -> None:
    assert issubclass(kind, parent)


@pytest.mark.parametrize("kind", [bl.Error, *CLASSES])
@pytest.mark.parametrize("travel", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy])
def test_errors_travel_between_processes(kind: type[bl.Error], travel: Callable[[Any], Any]) -> None:
    error = kind("what; remedy", "s3://b/k", 404, "REQ")
    again = travel(error)
    assert type(again) is kind and str(again) == str(error)
    assert (again.message, again.uri, again.http_status, again.request_id) == (
        "what; remedy",
        "s3://b/k",
        404,
        "REQ",
    )


def test_an_error_without_details_is_its_message() -> None:
    assert str(bl.NotFoundError("nothing here")) == "nothing here"


def test_errors_from_a_store_have_their_class(reached: Endpoint, bucket_url: str) -> None:
    with pytest.raises(bl.NotFoundError) as missing:
        bl.get(bucket_url + "nothing")
    assert missing.value.http_status == 404 and missing.value.uri == bucket_url + "nothing"
    with pytest.raises((bl.PermissionDeniedError, bl.UnauthenticatedError)):
        bl.get(bucket_url + "nothing", anonymous=True)


def test_wrong_keys_are_refused_and_not_shown(
    reached: Endpoint, bucket_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong" * 8)
    with pytest.raises((bl.PermissionDeniedError, bl.UnauthenticatedError)) as refused:
        bl.get(bucket_url + "k", runtime=bl.Runtime())
    assert "wrongwrong" not in str(refused.value)


def test_no_credentials_says_where_they_were_looked_for(
    bucket_url: str, reached: Endpoint, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(bl.UnauthenticatedError, match="AWS_ACCESS_KEY_ID"):
        bl.get(bucket_url + "k", runtime=bl.Runtime())


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: bl.Dataset("s3://b/", lables="folder"), "Dataset .*'lables'; did you mean 'labels'"),
        (lambda: bl.Loader("s3://b/", bacth_size=3), "Loader .*'bacth_size'; did you mean 'batch_size'"),
        (lambda: bl.Loader("s3://b/", lables="folder"), "Loader .*'lables'; did you mean 'labels'"),
        (lambda: bl.Loader("s3://b/", entirely_else=1), "Loader .*'entirely_else'$"),
    ],
)
def test_an_unknown_keyword_names_the_nearest(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        call()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"memory": "lots"}, "memory must be"),
        ({"network_threads": 0}, "network_threads must be"),
        ({"connections": 1.5}, "connections must be"),
        ({"hedge": 1}, "hedge must be"),
        ({"ca_bundle": 3}, "ca_bundle must be a file"),
        ({"ca_bundle": "/no/such/file.pem"}, "ca_bundle must be a file"),
    ],
)
def test_options_of_a_runtime_that_do_not_fit_are_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        bl.Runtime(**options)


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Datset'"):
        bl.Datset  # noqa: B018
    assert set(bl.__all__) <= set(dir(bl)) and all(hasattr(bl, name) for name in bl.__all__)


FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "lightning", "pandas", "fsspec", "tqdm", "PIL", "boto3")


def test_import_brings_no_framework() -> None:
    code = f"import sys, bucketline; print([name for name in {FRAMEWORKS} if name in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=DEADLINE_SECONDS
    )
    assert out.stdout == "[]\n"


def test_import_is_quick(figure: Callable[[str], None]) -> None:
    """CPU time of the process, which other processes on the machine do not lengthen: what the package costs, with
    numpy and without."""

    def cpu_milliseconds(module: str) -> float:
        code = (
            "import time; begin = time.process_time(); "
            f"import {module}; print((time.process_time() - begin) * 1000)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, timeout=DEADLINE_SECONDS
        )
        return float(done.stdout)

    runs = [(cpu_milliseconds("bucketline"), cpu_milliseconds("numpy")) for _ in range(7)]
    whole, numpy = (statistics.median(column) for column in zip(*runs, strict=True))
    figure(f"import bucketline: {whole:.0f} ms of CPU; import numpy: {numpy:.0f} ms")
    assert whole < max(150, 2 * numpy), "on a slow machine, against what takes 70 ms on a usual one"
