"""Lightning's Trainer on images in S3. Its checkpoints hold the loader's state, so that
`--resume run/last.ckpt` continues in the middle of an epoch.

    python lightning_train.py s3://bucket/images/ --folder run
"""

from __future__ import annotations

import argparse
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

import bucketline as bl


class Images(lightning.LightningDataModule):
    """Makes its loaders when the Trainer asks: then the process group is there, and each rank gets its share."""

    def __init__(self, uri: str, batch_size: int, size: int) -> None:
        super().__init__()
        self.train, self.validation = bl.Dataset(uri, labels="folder").split(0.8)
        self.image = bl.Image(size, crop="random_resized", flip=0.5, mean="imagenet", std="imagenet")
        self.batch_size = batch_size

    def train_dataloader(self) -> bl.torch.Loader:
        return bl.torch.Loader(self.train, self.batch_size, image=self.image, shuffle=True)

    def val_dataloader(self) -> bl.torch.Loader:
        return bl.torch.Loader(self.validation, self.batch_size, image=self.image.eval())


class Classifier(lightning.LightningModule):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Conv2d(3, 16, 5, stride=2),
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(),
            torch.nn.Linear(16, classes),
        )

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        images, labels = batch
        loss = torch.nn.functional.cross_entropy(self.net(images), labels)
        print(f"step {self.global_step + 1} loss {loss.item():.6f}", flush=True)
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        images, labels = batch
        accuracy = (self.net(images).argmax(1) == labels).float().mean()
        self.log("accuracy", accuracy, batch_size=len(labels), prog_bar=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("uri")
    parser.add_argument("--folder", default="run")
    parser.add_argument("--resume", metavar="CHECKPOINT")
    parser.add_argument("--save-every", type=int, default=100, metavar="STEPS")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--size", type=int, default=64)
    arguments = parser.parse_args()
    lightning.seed_everything(0)
    images = Images(arguments.uri, arguments.batch_size, arguments.size)
    trainer = lightning.Trainer(
        max_epochs=arguments.epochs,
        callbacks=[
            ModelCheckpoint(arguments.folder, every_n_train_steps=arguments.save_every, save_last=True)
        ],
        logger=False,
        enable_progress_bar=False,
    )
    trainer.fit(Classifier(len(images.train.classes)), images, ckpt_path=arguments.resume)


if __name__ == "__main__":
    main()
