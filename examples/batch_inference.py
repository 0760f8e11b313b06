"""Reads every image below one prefix and writes a prediction for each below another.

usage: batch_inference.py s3://bucket/images/ s3://bucket/predictions/ [--parallel N]

It may be stopped, or killed, at any time: started again, it goes on with the images that have no prediction yet.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

import bucketline as bl

BATCH = 16


def predict(images: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """Stands for a model: (B, 3, H, W) -> one JSON object for each image."""
    brightness = images.mean(axis=(1, 2, 3))
    return [
        {"class": "bright" if level > 0.5 else "dark", "brightness": round(float(level), 4)}
        for level in brightness
    ]


def prediction_of(key: str) -> str:
    return key + ".json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images")
    parser.add_argument("predictions")
    parser.add_argument("--parallel", type=int, default=32, help="predictions that are written at a time")
    given = parser.parse_args()

    images = bl.Dataset(given.images)
    with bl.Writer(given.predictions, parallel=given.parallel, content_type="application/json") as writer:
        done = writer.skip_existing()
        todo = images.filter(lambda key: prediction_of(key) not in done)
        print(f"{len(images)} images, {len(todo)} to do", flush=True)
        if len(todo) == 0:
            return
        with bl.Loader(todo, BATCH, image=bl.Image(64), distributed=False) as loader:
            for batch in loader:
                for key, prediction in zip(batch.keys, predict(batch.images), strict=True):
                    writer.put(prediction_of(key), json.dumps(prediction).encode())
                print(f"predicted {batch.position + len(batch.keys)}, written {writer.written}", flush=True)
    print(f"written {writer.written}")


if __name__ == "__main__":
    main()
