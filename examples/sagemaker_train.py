"""Satellite tiles in a training job: one script for File, FastFile and Pipe channels, in AWS, below `bucketline job run`
and on a plain bucket.

    SM_MODEL_DIR=model python sagemaker_train.py s3://bucket/satellite/

The model goes to SM_MODEL_DIR; the checksums of the samples that each epoch saw, and its losses, to SM_OUTPUT_DATA_DIR.
"""

import json
import os
import sys
import zlib
from pathlib import Path

import torch

import bucketline as bl

CLASSES = ["forest", "industry"]
SETTINGS = {
    "epochs": 3,
    "batch-size": 16,
    "learning-rate": 2e-3,
    **json.loads(os.environ.get("SM_HPS", "{}")),
}


def network() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, stride=2), torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, stride=2), torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(32, len(CLASSES)),
    )  # fmt: skip


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    train = bl.Dataset(
        "channel:train",
        labels=bl.Labels("parent", classes=CLASSES),
        default=sys.argv[1] if len(sys.argv) > 1 else None,
    )
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), float(SETTINGS["learning-rate"]))
    losses, samples, right = [], [], 0
    with bl.torch.Loader(train, int(SETTINGS["batch-size"]), image=bl.Image(64)) as loader:
        for _ in loader.epochs(int(SETTINGS["epochs"])):
            losses.append([])
            samples.append([])
            right = 0
            for images, labels in loader:
                scores = model(images)
                loss = torch.nn.functional.cross_entropy(scores, labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses[-1].append(loss.item())
                samples[-1] += [zlib.crc32(image.numpy().tobytes()) for image in images]
                right += int((scores.argmax(1) == labels).sum())
    torch.save(
        model.state_dict(),
        Path(os.environ["SM_MODEL_DIR"]) / f"{os.environ.get('SM_CURRENT_HOST', 'model')}.pt",
    )
    if "SM_OUTPUT_DATA_DIR" in os.environ:
        log = Path(os.environ["SM_OUTPUT_DATA_DIR"]) / f"{os.environ['SM_CURRENT_HOST']}.json"
        log.write_text(json.dumps({"losses": losses, "samples": samples}))
    print(f"accuracy of the last epoch: {right / max(len(samples[-1]), 1):.3f}")


if __name__ == "__main__":
    main()
