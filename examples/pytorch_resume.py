"""A PyTorch training loop that can be killed at any moment: started again, it goes on where its last checkpoint stands,
in the middle of an epoch too, with no image lost and none used twice.

    python pytorch_resume.py s3://bucket/images/ --checkpoint run.pt

The bucket's first folders are the classes.
"""

from __future__ import annotations

import argparse
import os

import torch

import bucketline as bl


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("uri")
    parser.add_argument("--checkpoint", default="checkpoint.pt")
    parser.add_argument("--save-every", type=int, default=100, metavar="STEPS")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--size", type=int, default=64)
    return parser.parse_args()


def make_net(classes: int) -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 5, stride=2),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, stride=2),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(32, classes),
    )


def save(path: str, **parts: object) -> None:
    """All of it or nothing: a kill in the middle leaves the checkpoint before."""
    torch.save(parts, path + ".part")
    os.replace(path + ".part", path)


def main() -> None:
    arguments = parse_arguments()
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    loader = bl.torch.Loader(
        arguments.uri,
        arguments.batch_size,
        labels="folder",
        image=bl.Image(arguments.size, crop="random_resized", flip=0.5, mean="imagenet", std="imagenet"),
        shuffle=True,
        device=device,
    )
    net = make_net(len(loader.dataset.classes)).to(device)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    step = 0

    if os.path.exists(arguments.checkpoint):
        saved = torch.load(arguments.checkpoint, weights_only=True)
        net.load_state_dict(saved["net"])
        optimizer.load_state_dict(saved["optimizer"])
        loader.load_state_dict(saved["loader"])
        step = saved["step"]
        print(f"resumed after step {step}, in epoch {loader.epoch}", flush=True)

    for epoch in loader.epochs(arguments.epochs):
        for images, labels in loader:
            loss = torch.nn.functional.cross_entropy(net(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            print(f"epoch {epoch} step {step} loss {loss.item():.6f}", flush=True)
            if step % arguments.save_every == 0:
                save(
                    arguments.checkpoint,
                    net=net.state_dict(),
                    optimizer=optimizer.state_dict(),
                    loader=loader.state_dict(),  # a few integers and a fingerprint
                    step=step,
                )
    print(loader.explain())
    loader.close()


if __name__ == "__main__":
    main()
