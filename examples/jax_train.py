"""A JAX training loop on images in S3, with a checkpoint that continues in the middle of an epoch.

python jax_train.py s3://bucket/images/ --checkpoint run.pickle
"""

from __future__ import annotations

import argparse
import os
import pickle
from typing import Any

import jax
import jax.numpy as jnp

import bucketline as bl


def make_weights(key: jax.Array, classes: int) -> dict[str, jax.Array]:
    first, second = jax.random.split(key)
    return {
        "filters": 0.1 * jax.random.normal(first, (5, 5, 3, 16)),
        "head": 0.1 * jax.random.normal(second, (16, classes)),
        "bias": jnp.zeros(classes),
    }


def loss_of(weights: dict[str, jax.Array], images: jax.Array, labels: jax.Array) -> jax.Array:
    features = jax.lax.conv_general_dilated(
        images,
        weights["filters"],
        window_strides=(2, 2),
        padding="SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    logits = jax.nn.relu(features).mean((1, 2)) @ weights["head"] + weights["bias"]
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()


@jax.jit
def update(weights: dict[str, jax.Array], images: jax.Array, labels: jax.Array) -> tuple[Any, jax.Array]:
    loss, slopes = jax.value_and_grad(loss_of)(weights, images, labels)
    return jax.tree.map(lambda weight, slope: weight - 0.1 * slope, weights, slopes), loss


def save(path: str, parts: dict[str, Any]) -> None:
    """All of it or nothing: a kill in the middle leaves the checkpoint before."""
    with open(path + ".part", "wb") as file:
        pickle.dump(jax.device_get(parts), file)
    os.replace(path + ".part", path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("uri")
    parser.add_argument("--checkpoint", default="checkpoint.pickle")
    parser.add_argument("--save-every", type=int, default=100, metavar="STEPS")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--size", type=int, default=64)
    arguments = parser.parse_args()
    loader = bl.jax.Loader(
        arguments.uri,
        arguments.batch_size,
        labels="folder",
        image=bl.Image(arguments.size, crop="random_resized", flip=0.5, mean="imagenet", std="imagenet"),
        shuffle=True,
    )
    weights = make_weights(jax.random.key(0), len(loader.dataset.classes))
    step = 0

    if os.path.exists(arguments.checkpoint):
        with open(arguments.checkpoint, "rb") as file:
            saved = pickle.load(file)  # your own file: pickle runs what it reads
        weights, step = saved["weights"], saved["step"]
        loader.load_state_dict(saved["loader"])
        print(f"resumed after step {step}, in epoch {loader.epoch}", flush=True)

    for epoch in loader.epochs(arguments.epochs):
        for images, labels in loader:
            weights, loss = update(weights, images, labels)
            step += 1
            print(f"epoch {epoch} step {step} loss {loss:.6f}", flush=True)
            if step % arguments.save_every == 0:
                state = {"weights": weights, "step": step, "loader": loader.state_dict()}
                save(arguments.checkpoint, state)
    loader.close()


if __name__ == "__main__":
    main()
