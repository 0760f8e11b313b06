"""bl.keras: batches by their number, in any order, from any thread; the pixels are TensorFlow's."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from conftest import DEADLINE_SECONDS, Endpoint
from images import labelled_objects, put_all
from tf_data import COUNT, SIZE, body_of, their_pixels

import bucketline as bl

pytest_plugins = ["tf_bucket"]
pytest.importorskip("keras")

BATCH = 4  # eleven batches, and two images that fill none


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Order hints are for one test."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="batches are asked for out of order")
        yield


def generator(bucket: str, **options: Any) -> bl.keras.S3DataGenerator:
    return bl.keras.S3DataGenerator(bucket, "train/", BATCH, SIZE, **options)


def reference(bucket: str, epochs: int, **options: Any) -> list[list[Any]]:
    """The same batches as a plain Loader gives them."""
    image = bl.Image(SIZE, scale=1, parity="tensorflow", antialias=False, layout="NHWC", flip=0.5)
    options = {"last": "drop", "image": image, **options}
    with bl.Loader(f"s3://{bucket}/train/", BATCH, labels="folder", **options) as loader:
        return [[(images.copy(), labels.copy()) for images, labels in loader] for _ in range(epochs)]


def flipping(bucket: str, **options: Any) -> bl.keras.S3DataGenerator:
    image = bl.Image(SIZE, scale=1, parity="tensorflow", antialias=False, layout="NHWC", flip=0.5)
    return generator(bucket, image=image, **options)


def assert_same(batch: Any, expected: Any) -> None:
    assert np.array_equal(batch[0], expected[0])
    assert np.array_equal(batch[1], expected[1])


def test_batches_look_as_those_of_the_class_that_it_replaces(bucket: str) -> None:
    with generator(bucket) as data:
        assert len(data) == COUNT // BATCH
        images, labels = data[0]
        assert images.shape == (BATCH, *SIZE, 3) and images.dtype == np.float32
        assert 1 < images.max() <= 255
        assert labels.tolist() == [data.dataset.classes.index("bright")] * BATCH
        with pytest.raises(IndexError, match="11"):
            data[11]
        with pytest.raises(IndexError):
            data[-1]


def test_without_labels_there_are_images_alone(bucket: str) -> None:
    with generator(bucket, labels=None) as data:
        assert len(data[0]) == 1


@pytest.mark.parametrize("shuffle", [False, True])
def test_any_order_gives_the_batches_of_the_engine(bucket: str, shuffle: bool) -> None:
    expected = reference(bucket, 3, shuffle=shuffle, seed=7)
    with flipping(bucket, shuffle=shuffle, seed=7) as data:
        for epoch in expected:
            order = [random.Random(1).randrange(len(data)) for _ in range(25)] + list(range(len(data)))
            for index in order:
                assert_same(data[index], epoch[index])
            data.on_epoch_end()


def test_any_order_of_an_epoch_with_a_length_of_its_own(bucket: str) -> None:
    options: dict[str, Any] = {"sampling": "replacement", "epoch_size": 2 * COUNT - 1, "last": "partial"}
    expected = reference(bucket, 1, **options)[0]
    with flipping(bucket, **options) as data:
        assert len(data) == len(expected)
        for index in reversed(range(len(data))):
            assert_same(data[index], expected[index])


def test_dicts_of_a_transform_are_a_model_with_several_inputs(bucket: str) -> None:
    with generator(bucket, transform=lambda sample: {"pixels": sample.data, "number": sample.index}) as data:
        inputs, labels = data[1]
        assert inputs["number"].tolist() == [4, 5, 6, 7] and inputs["pixels"].shape == (BATCH, *SIZE, 3)
        assert labels.shape == (BATCH,)


@pytest.mark.parametrize("workers", [1, 4])
def test_parallel_callers_get_what_they_ask_for(bucket: str, workers: int) -> None:
    expected = reference(bucket, 2, shuffle=True)
    with flipping(bucket, shuffle=True, workers=workers) as data, ThreadPoolExecutor(4) as threads:
        for epoch in expected:
            for order in (list(range(len(data))), random.Random(2).sample(range(len(data)), len(data))):
                for index, batch in zip(order, threads.map(data.__getitem__, order), strict=True):
                    assert_same(batch, epoch[index])
            data.on_epoch_end()


def test_what_nobody_fetched_goes_with_its_epoch(bucket: str) -> None:
    expected = reference(bucket, 2, shuffle=True)
    with flipping(bucket, shuffle=True, workers=4) as data:
        assert_same(data[3], expected[0][3])
        data.on_epoch_end()
        for index in range(4):
            assert_same(data[index], expected[1][index])


def test_what_nobody_fetches_is_not_kept(bucket: str) -> None:
    with generator(bucket, workers=3) as data:
        for index in (2, 5, 8):
            data[index]
        assert len(data._batches._passed) <= 3


@pytest.mark.parametrize("last", ["partial", "pad", "drop"])
@pytest.mark.parametrize("rank", [0, 1])
def test_ranks_and_tails_are_those_of_the_engine(bucket: str, last: str, rank: int) -> None:
    options: dict[str, Any] = {"last": last, "rank": rank, "world_size": 2, "shuffle": True}
    expected = reference(bucket, 1, **options)[0]
    with flipping(bucket, **options) as data:
        assert len(data) == len(expected)
        for index in reversed(range(len(data))):
            assert_same(data[index], expected[index])


def requests_of(read: Any) -> int:
    """Requests of a runtime of its own, while `read(runtime)` runs."""
    runtime = bl.Runtime(hedge=False)
    read(runtime)
    return runtime.stats()["requests"]


def test_in_order_nothing_is_read_twice(bucket: str) -> None:
    def read(runtime: bl.Runtime) -> None:
        with generator(bucket, runtime=runtime, epochs=2) as data:
            for _ in range(2):
                for index in range(len(data)):
                    data[index]
                data.on_epoch_end()

    listing = 1
    assert requests_of(read) == listing + 2 * len(range(COUNT // BATCH)) * BATCH


def test_a_batch_out_of_order_reads_its_own_records_only(bucket: str) -> None:
    def read(runtime: bl.Runtime) -> None:
        with generator(bucket, runtime=runtime) as data:
            data[9]
            data[2]
            data[5]

    assert requests_of(read) == 1 + 3 * BATCH


def test_epochs_end_what_is_read_and_what_is_given(bucket: str) -> None:
    with generator(bucket, epochs=1) as data:
        data[5]
        data[0]
        data.on_epoch_end()
        for index in (0, 5):
            with pytest.raises(bl.InvalidArgumentError, match="epochs=1 were asked for"):
                data[index]


def test_a_run_from_the_middle_is_read_ahead(bucket: str) -> None:
    with generator(bucket) as data:
        for index in range(6, len(data)):
            data[index]
        assert data.stats()["batches"] == len(data) - 7  # all but the first of the run


def test_the_probe_of_keras_costs_two_batches_not_the_stream(bucket: str) -> None:
    with generator(bucket) as data:
        for index in [0, 1, *range(len(data))]:
            data[index]
        assert data.stats()["batches"] == len(data)


def test_out_of_order_is_told_once(bucket: str) -> None:
    with generator(bucket) as data, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        data[0], data[1], data[0]
        assert not told
        data[8], data[3], data[10]
        assert len(told) == 1 and "fit(..., shuffle=False)" in str(told[0].message)


def test_a_runtime_whose_memory_is_all_in_use_still_serves_any_order(bucket: str) -> None:
    expected = reference(bucket, 1)[0]
    with flipping(bucket, runtime=bl.Runtime(memory="1MiB"), memory="1MiB") as data:
        for index in (0, 7, 3, 4, 5):
            assert_same(data[index], expected[index])


def means_of(images: Any) -> Any:
    return np.asarray(images).mean((1, 2))


@pytest.mark.parametrize("workers", [1, 3])
def test_keras_predicts_epoch_after_epoch(bucket: str, workers: int) -> None:
    import keras

    expected = reference(bucket, 2, shuffle=True)
    model = keras.Sequential([keras.layers.Input((*SIZE, 3)), keras.layers.GlobalAveragePooling2D()])
    with flipping(bucket, shuffle=True, workers=workers) as data:
        for epoch in expected:
            means = np.concatenate([means_of(images) for images, _ in epoch])
            assert np.allclose(model.predict(data, verbose=0), means, rtol=1e-4)


def test_keras_own_shuffling_gives_every_batch_once(bucket: str) -> None:
    import keras

    seen: list[Any] = []

    class Note(keras.layers.Layer):  # type: ignore[misc]
        def call(self, images: Any) -> Any:
            seen.append(means_of(images))
            return images

    model = keras.Sequential(
        [keras.layers.Input((*SIZE, 3)), Note(), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse", run_eagerly=True)
    with generator(bucket) as data:
        seen.clear()
        model.fit(data, verbose=0)  # shuffle=True is its default
        rows = np.concatenate([batch for batch in seen if len(batch) == BATCH])
        given = np.concatenate(
            [means_of(images) for images, *_ in reference(bucket, 1, image=data_image())[0]]
        )
        assert np.allclose(np.sort(rows, 0), np.sort(given, 0), rtol=1e-4)


def data_image() -> bl.Image:
    return bl.Image(SIZE, scale=1, parity="tensorflow", antialias=False, layout="NHWC")


def test_epoch_can_be_set(bucket: str) -> None:
    expected = reference(bucket, 3, shuffle=True)
    with flipping(bucket, shuffle=True) as data:
        data[0]
        data.epoch = 2
        assert data.epoch == 2
        assert_same(data[0], expected[2][0])


def test_bad_samples_are_reported_wherever_they_were_read(bucket: str, versitygw: Endpoint) -> None:
    put_all(
        versitygw,
        bucket,
        "bad/",
        {**labelled_objects(20), "bright/0001.jpg": b"no image", "dark/0002.jpg": b"nor this"},
    )
    with bl.keras.S3DataGenerator(bucket, "bad/", 4, SIZE, on_error="skip", max_skipped=1) as data:
        data[0]
        data[3]
        data[2]
        assert {bad.uri.rsplit("/")[-1] for bad in data.bad_samples} == {"0001.jpg", "0002.jpg"}


def test_pixels_are_those_of_tensorflow(bucket: str, versitygw: Endpoint) -> None:
    with generator(bucket) as data:
        images, _ = data[0]
        for row, key in zip(images, data.dataset.keys[:BATCH], strict=True):
            assert np.abs(row - their_pixels(body_of(versitygw, bucket, key))).max() < 0.01


def test_the_layout_is_that_of_keras(bucket: str) -> None:
    import keras

    def shape() -> tuple[int, ...]:
        with bl.keras.Loader(f"s3://{bucket}/train/", BATCH, image=bl.Image(SIZE)) as loader:
            return loader[0][0].shape

    before = keras.config.image_data_format()
    try:
        keras.config.set_image_data_format("channels_first")
        assert shape() == (BATCH, 3, *SIZE)
        keras.config.set_image_data_format("channels_last")
        assert shape() == (BATCH, *SIZE, 3)
    finally:
        keras.config.set_image_data_format(before)


def test_the_loader_takes_a_dataset_and_keeps_the_tail(bucket: str) -> None:
    data = bl.Dataset(f"s3://{bucket}/train/", labels="folder")
    with bl.keras.Loader(data, BATCH, image=bl.Image(SIZE)) as loader:
        assert len(loader) == COUNT // BATCH + 1
        assert len(loader[len(loader) - 1][1]) == COUNT % BATCH


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda b: generator(f"s3://{b}/"), bl.InvalidArgumentError, "bucket_name must be the name alone"),
        (lambda b: generator(b, use_multiprocessing=True), bl.InvalidArgumentError, "threads of its own"),
        (lambda b: generator(b, suffle=True), TypeError, "did you mean 'shuffle'"),
        (lambda b: generator(b, workers=-1), bl.InvalidArgumentError, "workers must be from 0"),
        (lambda b: generator(b, image=224), bl.InvalidArgumentError, "image must be a bucketline.Image"),
        (
            lambda b: bl.keras.Loader(f"s3://{b}/"),
            bl.InvalidArgumentError,
            "image must be a bucketline.Image",
        ),
        (
            lambda b: bl.keras.S3DataGenerator(b, "train/", 64, SIZE),
            bl.InvalidArgumentError,
            "46 records do not fill one step",
        ),
    ],
)
def test_wrong_use_is_told(bucket: str, make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(bucket)


def test_without_keras_the_extra_is_named() -> None:
    code = "import sys; sys.modules['keras'] = None\nimport bucketline\nbucketline.keras"
    outcome = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        env=dict(os.environ),
    )
    assert "ImportError" in outcome.stderr and "pip install bucketline[keras]" in outcome.stderr
