"""bl.tf.fetch and bl.tf.fetch_ahead: objects of keys, in the user's own pipelines."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from conftest import Endpoint, wait_until
from tf_data import IMAGE, SIZE, body_of, their_pixels

import bucketline as bl

pytest_plugins = ["tf_bucket"]
tf = pytest.importorskip("tensorflow")


@pytest.fixture
def keys(bucket: str) -> list[str]:
    return list(bl.Dataset(f"s3://{bucket}/train/").keys)


def pairs(keys: list[str]) -> Any:
    return tf.data.Dataset.from_tensor_slices((keys, list(range(len(keys)))))


def ways(bucket: str, image: bl.Image | None = IMAGE, **options: Any) -> dict[str, Any]:
    """The same pipeline both ways: a function of a dataset of (key, number)."""
    fetch = bl.tf.fetch(f"s3://{bucket}/", image, **options)
    return {
        "fetch": lambda ds: ds.map(lambda key, *rest: (fetch(key), *rest), num_parallel_calls=4),
        "fetch_ahead": bl.tf.fetch_ahead(f"s3://{bucket}/", image, window=8, **options),
    }


@pytest.fixture(params=["fetch", "fetch_ahead"])
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_pixels_are_those_of_tensorflow_in_order(
    bucket: str, versitygw: Endpoint, keys: list[str], way: str
) -> None:
    ds = ways(bucket)[way](pairs(keys))
    assert ds.element_spec == (tf.TensorSpec((*SIZE, 3), tf.float32), tf.TensorSpec((), tf.int32))
    assert len(ds) == len(keys)
    elements = list(ds.as_numpy_iterator())
    assert [number for _, number in elements] == list(range(len(keys)))
    for pixels, number in elements:
        assert np.abs(pixels - their_pixels(body_of(versitygw, bucket, keys[number]))).max() < 0.01


def test_without_image_it_is_the_bytes(bucket: str, versitygw: Endpoint, keys: list[str], way: str) -> None:
    ds = ways(bucket, image=None)[way](pairs(keys[:3]))
    assert [data for data, _ in ds.as_numpy_iterator()] == [
        body_of(versitygw, bucket, key) for key in keys[:3]
    ]


def test_a_key_that_is_a_uri_needs_no_base(bucket: str, keys: list[str]) -> None:
    fetch = bl.tf.fetch(image=bl.Image(dtype="uint8"))
    assert fetch(tf.constant(f"s3://{bucket}/{keys[0]}")).dtype == tf.uint8


def test_sides_of_their_own_stay_open(bucket: str, keys: list[str], way: str) -> None:
    ds = ways(bucket, image=bl.Image())[way](pairs(keys[:1]))
    assert ds.element_spec[0].shape.as_list() == [None, None, 3]
    next(iter(ds))


def test_an_object_that_cannot_be_used_is_named_in_its_turn(
    bucket: str, versitygw: Endpoint, keys: list[str], way: str
) -> None:
    versitygw.client().put_object(Bucket=bucket, Key="torn.jpg", Body=b"no image")
    for bad, error in (("torn.jpg", "CorruptDataError"), ("missing.jpg", "NotFoundError")):
        iterator = iter(ways(bucket)[way](pairs([keys[0], bad, keys[1]])))
        next(iterator)
        with pytest.raises(tf.errors.OpError, match=f"{error}.*{bad}"):
            next(iterator)


def test_keys_alone_give_images_alone(bucket: str, keys: list[str]) -> None:
    ds = tf.data.Dataset.from_tensor_slices(keys).apply(bl.tf.fetch_ahead(f"s3://{bucket}/", IMAGE))
    assert ds.element_spec == tf.TensorSpec((*SIZE, 3), tf.float32)
    assert len(ds) == len(keys) == len(list(ds))


def test_every_iterator_reads_again(bucket: str, keys: list[str]) -> None:
    ds = pairs(keys).apply(bl.tf.fetch_ahead(f"s3://{bucket}/", IMAGE, window=3))
    first, second = iter(ds), iter(ds)  # at the same time
    for _ in range(len(keys)):
        (a, number), (b, same) = next(first), next(second)
        assert number == same and np.array_equal(a, b)


def test_a_dataset_of_unknown_number_stays_so(bucket: str, keys: list[str]) -> None:
    some = pairs(keys).filter(lambda key, number: number % 2 == 0)
    ds = some.apply(bl.tf.fetch_ahead(f"s3://{bucket}/", IMAGE))
    assert ds.cardinality() == tf.data.UNKNOWN_CARDINALITY
    assert len(list(ds)) == len(keys) // 2


@pytest.mark.parametrize("window", [1, 5])
def test_no_more_than_the_window_is_read_ahead(bucket: str, keys: list[str], window: int) -> None:
    runtime = bl.Runtime(hedge=False)
    ds = pairs(keys).apply(bl.tf.fetch_ahead(f"s3://{bucket}/", IMAGE, window=window, runtime=runtime))
    iterator = iter(ds)
    next(iterator)
    wait_until(lambda: runtime.stats()["requests"] >= 1 + window, "the window is read")
    most = 2 + window  # one given, the window, and one on its way into it
    assert runtime.stats()["requests"] <= most


def test_an_iterator_that_is_given_up_holds_nothing(bucket: str, keys: list[str]) -> None:
    from bucketline.tf import _fetch_ahead

    iterator = iter(pairs(keys).apply(bl.tf.fetch_ahead(f"s3://{bucket}/", IMAGE, window=4)))
    next(iterator)
    aheads = [thing for thing in gc.get_objects() if isinstance(thing, _fetch_ahead._Ahead)]
    assert any(ahead._scopes for ahead in aheads)
    del iterator
    gc.collect()
    wait_until(lambda: not any(ahead._scopes for ahead in aheads), "its reads are dropped")


@pytest.mark.parametrize("make", [bl.tf.fetch, bl.tf.fetch_ahead])
def test_wrong_options_are_told(bucket: str, make: Any) -> None:
    with pytest.raises(bl.InvalidArgumentError, match="image must be"):
        make(f"s3://{bucket}/", 224)
    with pytest.raises(TypeError, match="did you mean 'endpoint_url'"):
        make(f"s3://{bucket}/", endpoint="http://x")


def test_wrong_elements_are_told(bucket: str, keys: list[str]) -> None:
    ahead = bl.tf.fetch_ahead(f"s3://{bucket}/", IMAGE)
    for wrong in (pairs(keys).batch(2), tf.data.Dataset.range(3)):
        with pytest.raises(bl.InvalidArgumentError, match="a scalar tf.string"):
            wrong.apply(ahead)
    with pytest.raises(bl.InvalidArgumentError, match="window must be"):
        bl.tf.fetch_ahead(window=0)
    with pytest.raises(bl.InvalidArgumentError, match="max_requests must be"):
        bl.tf.fetch_ahead(max_requests=0)
