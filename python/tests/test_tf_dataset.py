"""bl.tf.dataset: a tf.data.Dataset of the engine's batches, and where it resumes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from conftest import DEADLINE_SECONDS, Endpoint
from tf_data import COUNT, IMAGE, SIZE, body_of, their_pixels

import bucketline as bl

pytest_plugins = ["tf_bucket"]
tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

BATCH = 4
STEPS = COUNT // BATCH  # and two images that fill no batch


def dataset(bucket: str, **options: Any) -> Any:
    options = {"labels": "folder", "image": IMAGE, "shuffle": True, "seed": 3, **options}
    return bl.tf.dataset(f"s3://{bucket}/train/", BATCH, **options)


def reference(bucket: str, epochs: int) -> list[list[Any]]:
    """The images of each batch, as a plain Loader gives them."""
    image = bl.Image(SIZE, scale=1, parity="tensorflow", antialias=False, layout="NHWC")
    with bl.Loader(f"s3://{bucket}/train/", BATCH, image=image, shuffle=True, seed=3) as loader:
        return [[images.copy() for images, _ in loader] for _ in range(epochs)]


def images_of(pipeline: Any) -> list[Any]:
    return [images for images, _ in pipeline.as_numpy_iterator()]


def assert_same(given: list[Any], expected: list[Any]) -> None:
    assert len(given) == len(expected)
    assert all(np.array_equal(a, b) for a, b in zip(given, expected, strict=True))


def test_shapes_are_static_and_the_number_is_known(bucket: str) -> None:
    ds = dataset(bucket)
    assert isinstance(ds, tf.data.Dataset)
    assert ds.element_spec == (
        tf.TensorSpec((BATCH, *SIZE, 3), tf.float32),
        tf.TensorSpec((BATCH,), tf.int64),
    )
    assert len(ds) == STEPS
    assert len(ds.map(lambda images, labels: images).prefetch(2)) == STEPS


def test_fields_are_refused(bucket: str) -> None:
    with pytest.raises(bl.UnsupportedError, match="no fields="):
        dataset(bucket, image=None, fields={"data": None})


def test_a_tail_leaves_the_batch_open(bucket: str) -> None:
    ds = dataset(bucket, shuffle=False)
    assert ds.element_spec[0].shape.as_list() == [None, *SIZE, 3]
    assert [len(images) for images in images_of(ds)][-1] == COUNT % BATCH
    assert dataset(bucket, shuffle=False, last="pad").element_spec[0].shape[0] == BATCH


def test_without_labels_elements_are_images(bucket: str) -> None:
    ds = dataset(bucket, labels=None, image=bl.Image(SIZE, dtype="uint8", layout="NCHW"))
    assert ds.element_spec == tf.TensorSpec((BATCH, 3, *SIZE), tf.uint8)
    assert next(iter(ds)).shape == (BATCH, 3, *SIZE)


def test_without_image_elements_are_bytes(bucket: str, versitygw: Endpoint) -> None:
    ds = dataset(bucket, image=None, labels=None, shuffle=False)
    first = next(iter(ds)).numpy()
    key = bl.Dataset(f"s3://{bucket}/train/").keys[0]
    assert ds.element_spec.dtype == tf.string and first[0] == body_of(versitygw, bucket, key)


def test_each_iterator_is_the_next_epoch(bucket: str) -> None:
    ds = dataset(bucket)
    pipeline = ds.prefetch(3)
    for expected in reference(bucket, 3):
        assert_same(images_of(pipeline), expected)


def test_an_iterator_that_is_given_up_ends_its_epoch(bucket: str) -> None:
    ds = dataset(bucket)
    next(iter(ds))
    assert_same(images_of(ds), reference(bucket, 2)[1])


def test_after_the_last_of_epochs_there_is_no_more(bucket: str) -> None:
    ds = dataset(bucket, epochs=1)
    assert len(images_of(ds)) == STEPS
    with pytest.raises(tf.errors.OpError, match="all epochs="):
        images_of(ds)


def test_the_end_needs_not_be_asked_for(bucket: str) -> None:
    """Keras stops after steps_per_epoch: what was read ahead for the next epoch is then kept."""
    ds = dataset(bucket)
    iterator = iter(ds)
    for _ in range(STEPS):
        next(iterator)
    assert_same(images_of(ds), reference(bucket, 2)[1])
    assert ds.loader.stats()["batches"] == 2 * STEPS


def test_pixels_are_those_of_tensorflow(bucket: str, versitygw: Endpoint) -> None:
    ds = dataset(bucket, shuffle=False)
    images, _ = next(iter(ds))
    for row, key in zip(images.numpy(), ds.loader.dataset.keys[:BATCH], strict=True):
        assert np.abs(row - their_pixels(body_of(versitygw, bucket, key))).max() < 0.01


@pytest.mark.parametrize("used", [0, 3, STEPS, STEPS + 2])
def test_what_is_used_decides_where_it_resumes(bucket: str, used: int) -> None:
    expected = [images for epoch in reference(bucket, 3) for images in epoch]
    ds = dataset(bucket)
    pipeline = ds.map(lambda images, labels: images).prefetch(4)
    left = used
    while left:
        for _ in pipeline:
            ds.used()
            left -= 1
            if not left:
                break
    state = json.loads(json.dumps(ds.state_dict()))
    again = dataset(bucket)
    again.load_state_dict(state)
    rest = images_of(again.prefetch(2))
    epoch_end = (used // STEPS + 1) * STEPS
    assert_same(rest, expected[used:epoch_end])
    assert len(again) == STEPS
    assert_same(images_of(again), expected[epoch_end : epoch_end + STEPS])


def test_a_state_that_nobody_counted_for_is_refused(bucket: str) -> None:
    ds = dataset(bucket)
    assert ds.state_dict()["position"] == 0
    iterator = iter(ds.prefetch(2))
    next(iterator)
    with pytest.raises(bl.InvalidArgumentError, match="callback"):
        ds.state_dict()
    ds.used()
    assert ds.state_dict()["position"] == BATCH


def test_more_than_was_given_cannot_have_been_used(bucket: str) -> None:
    ds = dataset(bucket)
    with pytest.raises(bl.InvalidArgumentError, match="0 are given"):
        ds.used()


def test_counting_begins_anew_with_an_iterator_that_ends_another(bucket: str) -> None:
    ds = dataset(bucket)
    for _ in range(2):
        next(iter(ds))
        ds.used()
    assert (ds.state_dict()["epoch"], ds.state_dict()["position"]) == (1, BATCH)


def test_a_state_of_another_run_is_refused(bucket: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match="seed"):
        dataset(bucket).load_state_dict(dataset(bucket, seed=4).state_dict())


class StopAfter(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left == 0:
            raise InterruptedError


def small_model(steps_per_execution: int = 1) -> Any:
    model = keras.Sequential(
        [
            keras.layers.Input((*SIZE, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("sgd", "binary_crossentropy", steps_per_execution=steps_per_execution)
    return model


def test_keras_counts_under_its_prefetch(bucket: str) -> None:
    ds = dataset(bucket)
    with pytest.raises(InterruptedError):
        small_model().fit(
            ds.prefetch(8), epochs=2, verbose=0, callbacks=[ds.callback(), StopAfter(STEPS + 5)]
        )
    assert (ds.state_dict()["epoch"], ds.state_dict()["position"]) == (1, 5 * BATCH)


def test_keras_trains_on_after_a_restart_inside_an_epoch(bucket: str) -> None:
    ds = dataset(bucket)
    ds.load_state_dict({**ds.state_dict(), "position": 5 * BATCH})
    counter = ds.callback()
    history = small_model().fit(ds, epochs=3, steps_per_epoch=len(ds), verbose=0, callbacks=[counter])
    assert len(history.history["loss"]) == 3
    assert (ds.state_dict()["epoch"], ds.state_dict()["position"]) == (3, 0)


def test_keras_counts_several_steps_at_once(bucket: str) -> None:
    ds = dataset(bucket)
    small_model(steps_per_execution=3).fit(
        ds.repeat(2), epochs=1, steps_per_epoch=6, verbose=0, callbacks=[ds.callback()]
    )
    assert ds.state_dict()["position"] == 6 * BATCH


def test_nothing_is_sharded_again(bucket: str) -> None:
    policy = dataset(bucket).options().experimental_distribute.auto_shard_policy
    assert policy == tf.data.experimental.AutoShardPolicy.OFF


def test_a_strategy_gets_every_batch_once(bucket: str) -> None:
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    seen = [images.numpy() for images, _ in strategy.experimental_distribute_dataset(dataset(bucket))]
    assert_same(seen, reference(bucket, 1)[0])


@pytest.mark.parametrize(
    ("task", "rank"), [("chief", (0, 3)), ("worker", (2, 3)), ("evaluator", (0, 1))], ids=str
)
def test_tf_config_tells_the_rank(
    bucket: str, monkeypatch: pytest.MonkeyPatch, task: str, rank: tuple[int, int]
) -> None:
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    index = 1 if task == "worker" else 0
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": task, "index": index}}))
    loader = dataset(bucket).loader
    assert (loader.rank, loader.world_size) == rank
    assert dataset(bucket, distributed=False).loader.world_size == 1
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert dataset(bucket).loader.world_size == 2


def test_a_tf_config_that_is_none_is_told(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", "[1]")
    with pytest.raises(bl.InvalidArgumentError, match="TF_CONFIG"):
        dataset(bucket)


def test_errors_name_the_object(bucket: str, versitygw: Endpoint) -> None:
    versitygw.client().put_object(Bucket=bucket, Key="torn/a.jpg", Body=b"no image")
    ds = bl.tf.dataset(f"s3://{bucket}/torn/", 1, image=IMAGE)
    with pytest.raises(tf.errors.OpError, match="CorruptDataError.*torn/a.jpg"):
        next(iter(ds))


def test_without_tensorflow_the_extra_is_named() -> None:
    code = "import sys; sys.modules['tensorflow'] = None\nimport bucketline\nbucketline.tf"
    outcome = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE_SECONDS
    )
    assert "ImportError" in outcome.stderr and "pip install bucketline[tf]" in outcome.stderr
