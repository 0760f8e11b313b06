"""A PyTorch loop on Ray Train: each worker reads its own part of every step, and a job that lost workers goes on with
as many as there are, with no image of the epoch lost or used twice.

    python ray_train.py s3://bucket/images/ --storage /shared/folder --workers 4

The bucket's first folders are the classes. Needs `pip install 'ray[train]' 'bucketline[torch]'`. Started again with another
number of workers, and the same storage and name, it continues after the last checkpoint.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from typing import Any

import torch

import bucketline as bl


def make_net(classes: int) -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 5, stride=2),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(16, classes),
    )


def worker(config: dict[str, Any]) -> None:
    """What each of Ray's processes runs. Ray sends it there with the modules that it uses by name, and stumbles over
    torch.classes next to another `.classes`; so it imports its own."""
    import ray.train
    import ray.train.torch
    import torch

    # Rank and world size are those of Ray's process group; that all workers found the same data is checked here.
    loader = bl.torch.Loader(
        config["uri"],
        global_batch_size=config["global_batch_size"],
        labels="folder",
        image=bl.Image(config["size"], crop="random_resized", flip=0.5, mean="imagenet", std="imagenet"),
        shuffle=True,
    )
    torch.manual_seed(0)
    net = make_net(len(loader.dataset.classes))
    optimizer_state = None
    checkpoint = ray.train.get_checkpoint()
    step = 0
    if checkpoint is not None:
        with checkpoint.as_directory() as folder:
            saved = torch.load(os.path.join(folder, "run.pt"), weights_only=True)
        net.load_state_dict(saved["net"])
        optimizer_state = saved["optimizer"]
        loader.load_state_dict(saved["loader"])  # of any number of workers
        step = saved["step"]
    net = ray.train.torch.prepare_model(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    if optimizer_state is not None:
        optimizer.load_state_dict(optimizer_state)
    device = ray.train.torch.get_device()

    for epoch in loader.epochs(config["epochs"]):
        for images, labels in loader:
            loss = torch.nn.functional.cross_entropy(net(images.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            figures = {"epoch": epoch, "step": step, "loss": loss.item()}
            if step % config["save_every"] != 0:
                continue
            # All workers report; the state is the same on all of them, so rank 0 saves it.
            with tempfile.TemporaryDirectory() as folder:
                kept = None
                if loader.rank == 0:
                    bare = net.module if hasattr(net, "module") else net
                    state = {"net": bare.state_dict(), "optimizer": optimizer.state_dict()}
                    torch.save(
                        {**state, "loader": loader.state_dict(), "step": step}, os.path.join(folder, "run.pt")
                    )
                    kept = ray.train.Checkpoint.from_directory(folder)
                ray.train.report(figures, checkpoint=kept)
    loader.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("uri")
    parser.add_argument("--storage", required=True, help="a folder or bucket that all hosts see")
    parser.add_argument("--name", default="bucketline")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--save-every", type=int, default=100, metavar="STEPS")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--global-batch-size", type=int, default=64)
    parser.add_argument("--size", type=int, default=64)
    arguments = parser.parse_args()

    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    config = {
        name: getattr(arguments, name)
        for name in ("uri", "save_every", "epochs", "global_batch_size", "size")
    }
    trainer = TorchTrainer(
        worker,
        train_loop_config=config,
        scaling_config=ScalingConfig(num_workers=arguments.workers, use_gpu=arguments.gpu),
        run_config=RunConfig(
            name=arguments.name,
            storage_path=os.path.abspath(arguments.storage)
            if "://" not in arguments.storage
            else arguments.storage,
            failure_config=FailureConfig(max_failures=3),
        ),
    )
    print(trainer.fit().metrics)


if __name__ == "__main__":
    main()
