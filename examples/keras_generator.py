"""Trains a small Keras network on images that stay in a bucket, in folders named for their classes.

    python examples/keras_generator.py my-bucket train/ --size 256 --epochs 10

Keras runs it on TensorFlow, JAX or torch (KERAS_BACKEND). Credentials and endpoint are found as boto3 finds them.
"""

from __future__ import annotations

import argparse

import keras

import bucketline as bl


def network(size: int, classes: int) -> keras.Model:
    return keras.Sequential(
        [
            keras.layers.Input((size, size, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
            keras.layers.Conv2D(32, 3, strides=2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bucket")
    parser.add_argument("prefix")
    parser.add_argument("--size", type=int, default=256, help="side of the images, in pixels")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()

    size = (options.size, options.size)
    train = bl.keras.S3DataGenerator(options.bucket, options.prefix, options.batch_size, size, shuffle=True)
    model = network(options.size, len(train.dataset.classes))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train, epochs=options.epochs, shuffle=False)  # the generator shuffles, and better
    print(train.explain())


if __name__ == "__main__":
    main()
