"""The rank that TensorFlow's own launcher gives."""

from __future__ import annotations

import json
import os

from bucketline.distributed import rank_and_world_size
from bucketline.errors import InvalidArgumentError


def rank_of_tf_config() -> dict[str, int]:
    """Loader keywords of TF_CONFIG, the chief first; {} where it is not set, names no training task, or another
    launcher tells."""
    text = os.environ.get("TF_CONFIG")
    if not text or rank_and_world_size() != (0, 1):
        return {}
    try:
        config = json.loads(text)
        chiefs = len(config["cluster"].get("chief", ()))
        workers = len(config["cluster"].get("worker", ()))
        kind, index = config["task"]["type"], int(config["task"]["index"])
    except (ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise InvalidArgumentError(
            f"the environment variable TF_CONFIG should hold a cluster and a task, not {text!r}; unset it, or give rank= "
            "and world_size="
        ) from wrong
    if kind not in ("chief", "worker"):
        return {}
    return {"rank": index + (chiefs if kind == "worker" else 0), "world_size": chiefs + workers}
