"""Trains with a classic data part and with bucketline's, from the same weights, and prints what came of it as JSON.

    classic_keras.py BUCKET PREFIX RUNS generator/small pipeline/mobilenet ...

The classic parts are what is widely written: a Keras Sequence that reads one object after the other with boto3, and a
tf.data pipeline of keys with a py_function. For each part and net, "losses": those of the first steps, of both parts. Small
nets with RUNS: "originals", the loss of the last epoch with the classic part from as many seeds of weights, and "ours", that
with bucketline's from the seed whose original ended in the middle.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import boto3
import keras
import numpy as np
import tensorflow as tf

import bucketline as bl

BATCH = 16
STEPS = 10
EPOCHS = 2
SIZE = (40, 40)
# At 1e-3 ten steps of a deep net make anything of the last bit of a pixel: the classic part differs as much from itself
# with its pixels times 1 + 1e-7 as from ours.
RATES = {"small": 1e-3, "mobilenet": 1e-5}
BUCKET, PREFIX = sys.argv[1:3]
RUNS = int(sys.argv[3])
S3 = boto3.client("s3")


def keys() -> list[str]:
    pages = S3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX)
    return [entry["Key"] for page in pages for entry in page["Contents"]]


def labels_of(names: list[str]) -> list[int]:
    """By the folder that each stands in."""
    classes = sorted({name.split("/")[-2] for name in names})
    return [classes.index(name.split("/")[-2]) for name in names]


def pixels(key: str) -> Any:
    body = S3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return tf.image.resize(tf.io.decode_image(body, channels=3, expand_animations=False), SIZE)


class S3DataGenerator(keras.utils.PyDataset):  # type: ignore[misc]
    def __init__(self, batch_size: int) -> None:
        super().__init__()
        self.keys = keys()
        self.labels = labels_of(self.keys)
        self.batch_size = batch_size

    def __len__(self) -> int:
        return len(self.keys) // self.batch_size

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        images = [pixels(key).numpy() for key in self.keys[part]]
        return np.stack(images), np.array(self.labels[part])


def classic_pipeline(names: list[str], labels: list[int]) -> Any:
    def read(key: Any, label: Any) -> Any:
        image = tf.py_function(lambda name: pixels(name.numpy().decode()), [key], tf.float32)
        image.set_shape((*SIZE, 3))
        return image, label

    return tf.data.Dataset.from_tensor_slices((names, labels)).map(read).batch(BATCH)


def our_pipeline(names: list[str], labels: list[int]) -> Any:
    image = bl.Image(SIZE, scale=1, parity="tensorflow", antialias=False)
    pairs = tf.data.Dataset.from_tensor_slices((names, labels))
    return pairs.apply(bl.tf.fetch_ahead(f"s3://{BUCKET}/", image)).batch(BATCH)


def features(net: str) -> list[Any]:
    if net == "mobilenet":
        return [keras.applications.MobileNetV2((*SIZE, 3), include_top=False, weights=None)]
    return [
        keras.layers.Conv2D(8, 3, strides=2),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
    ]


def new_model(net: str, seed: int) -> Any:
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.layers.Input((*SIZE, 3)),
            keras.layers.Rescaling(1 / 127.5, -1),
            *features(net),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


class Trainee:
    """One network, traced once, that begins again and again."""

    def __init__(self, net: str) -> None:
        self.net = net
        self.weights: dict[int, Any] = {}  # by seed
        self.model = new_model(net, 0)
        self.weights[0] = self.model.get_weights()
        self.model.compile(keras.optimizers.Adam(RATES[net]), "binary_crossentropy")
        self.model.optimizer.build(self.model.trainable_variables)
        self.fresh = [keras.ops.convert_to_numpy(value) for value in self.model.optimizer.variables]

    def fit(self, data: Any, seed: int, **options: Any) -> Any:
        """From the weights of the seed."""
        if seed not in self.weights:
            self.weights[seed] = new_model(self.net, seed).get_weights()
        self.model.set_weights(self.weights[seed])
        for variable, value in zip(self.model.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)
        return self.model.fit(data, verbose=0, shuffle=False, **options)

    def first_losses(self, data: Any) -> list[float]:
        """Of each of the first steps."""
        means: list[float] = []
        note = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: means.append(logs["loss"]))
        self.fit(data, 0, steps_per_epoch=STEPS, callbacks=[note])
        sums = [0.0, *(mean * (step + 1) for step, mean in enumerate(means))]
        return [after - before for before, after in zip(sums, sums[1:], strict=False)]

    def last_loss(self, data: Any, seed: int) -> float:
        """Of the last epoch."""
        return float(self.fit(data, seed, epochs=EPOCHS).history["loss"][-1])


def data_parts(part: str) -> tuple[Any, Any]:
    """The classic one and ours."""
    if part == "generator":
        ours = bl.keras.S3DataGenerator(BUCKET, PREFIX, BATCH, SIZE, labels="parent")
        return S3DataGenerator(BATCH), ours
    names = keys()
    labels = labels_of(names)
    return classic_pipeline(names, labels), our_pipeline(names, labels)


def compare(part: str, trainee: Trainee) -> dict[str, Any]:
    classic, ours = data_parts(part)
    result: dict[str, Any] = {"losses": (trainee.first_losses(classic), trainee.first_losses(ours))}
    if RUNS and trainee.net == "small":
        originals = [trainee.last_loss(classic, seed) for seed in range(RUNS)]
        middle = int(np.argsort(originals)[RUNS // 2])
        result |= {"originals": originals, "ours": trainee.last_loss(ours, middle)}
    return result


def main() -> None:
    if keras.backend.backend() == "tensorflow":
        tf.config.experimental.enable_op_determinism()  # sums in one order
    trainees: dict[str, Trainee] = {}
    results = {}
    for job in sys.argv[4:]:
        part, net = job.split("/")
        trainees[net] = trainees.get(net) or Trainee(net)
        results[job] = compare(part, trainees[net])
    print(json.dumps(results))


main()
