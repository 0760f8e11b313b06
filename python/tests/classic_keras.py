"""Trains twice, with a classic data part and with bucketline's, from the same weights, and prints the losses as JSON.

    classic_keras.py generator|pipeline BUCKET PREFIX

The classic parts are what is widely written: a Keras Sequence that reads one object after the other with boto3, and a
tf.data pipeline of keys with a py_function.
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
SIZE = (40, 40)
BUCKET, PREFIX = sys.argv[2:]
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


def convolutions() -> list[Any]:
    return [
        keras.layers.Conv2D(8, 3, strides=2),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
    ]


def losses(data: Any) -> list[float]:
    """Of each of the first steps."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.layers.Input((*SIZE, 3)),
            keras.layers.Rescaling(1 / 127.5, -1),
            *convolutions(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
    means: list[float] = []
    note = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: means.append(logs["loss"]))
    model.fit(data, steps_per_epoch=STEPS, verbose=0, shuffle=False, callbacks=[note])
    sums = [0.0, *(mean * (step + 1) for step, mean in enumerate(means))]
    return [after - before for before, after in zip(sums, sums[1:], strict=False)]


def main() -> None:
    if sys.argv[1] == "generator":
        ours = bl.keras.S3DataGenerator(BUCKET, PREFIX, BATCH, SIZE, labels="parent")
        result = losses(S3DataGenerator(BATCH)), losses(ours)
    else:
        names = keys()
        labels = labels_of(names)
        result = losses(classic_pipeline(names, labels)), losses(our_pipeline(names, labels))
    print(json.dumps(result))


main()
