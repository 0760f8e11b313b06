"""Trains MobileNetV2 on two classes of images in a bucket, with a tf.data pipeline; goes on where it was stopped.

    python examples/tf_data_mobilenet.py s3://my-bucket/train/ --epochs 10 --state run/

With --state, weights and place are saved after every epoch and found again at the start.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

import bucketline as bl


def network(size: int) -> keras.Model:
    return keras.Sequential(
        [
            keras.layers.Input((size, size, 3)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.applications.MobileNetV2((size, size, 3), include_top=False, weights=None),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


class SaveBoth(keras.callbacks.Callback):
    """The model and the place in the data, at the end of each epoch."""

    def __init__(self, folder: Path, data: Any) -> None:
        super().__init__()
        self.folder = folder
        self.data = data

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.model.save(self.folder / "model.keras")
        (self.folder / "data.json").write_text(json.dumps(self.data.state_dict()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("uri")
    parser.add_argument("--size", type=int, default=256, help="side of the images, in pixels")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--state", type=Path, help="folder of the model and the place in the data")
    options = parser.parse_args()

    image = bl.Image(options.size, scale=1, parity="tensorflow", antialias=False)
    ds = bl.tf.dataset(options.uri, options.batch_size, labels="folder", image=image, shuffle=True)
    callbacks = [ds.callback()]
    model, done = network(options.size), 0
    if options.state:
        callbacks.append(SaveBoth(options.state, ds))
    if options.state and (options.state / "data.json").exists():
        state = json.loads((options.state / "data.json").read_text())
        ds.load_state_dict(state)
        model, done = keras.models.load_model(options.state / "model.keras"), state["epoch"]
    else:
        model.compile(keras.optimizers.Adam(), "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    model.fit(
        ds.prefetch(tf.data.AUTOTUNE),
        epochs=options.epochs,
        initial_epoch=done,
        steps_per_epoch=len(ds),
        callbacks=callbacks,
    )
    print(ds.loader.explain())


if __name__ == "__main__":
    main()
