"""Lightning's Trainer and Accelerate's prepare: checkpoints written inside a step resume with no sample lost or
repeated, under the prefetch that each of them has by default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import accelerate
import lightning
import pytest
import torch
from conftest import DEADLINE_SECONDS, Endpoint
from framework_data import SIZE, Store, image, numbers, stored
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader

import bucketline as bl

BATCH = 10
STEPS = 4  # of an epoch
SAVED = (
    1,
    STEPS,
    STEPS + 2,
)  # a checkpoint after each of these steps: early, at an epoch's end, in the second one
KINDS = ("loader", "map", "iterable")


@pytest.fixture(scope="module")
def store(versitygw: Endpoint) -> Iterator[Store]:
    with stored(versitygw) as there:
        yield there


def make_loader(store: Store, kind: str) -> Any:
    options: dict[str, Any] = {"shuffle": True, "seed": 2}
    if kind == "loader":
        return bl.torch.Loader(store.open(), BATCH, image=image(), **options)
    workers: dict[str, Any] = {
        "num_workers": 2,
        "multiprocessing_context": "fork",
        "timeout": DEADLINE_SECONDS,
    }
    if kind == "iterable":
        data = bl.torch.IterableDataset(store.open(), BATCH, image=image(), **options)
        return DataLoader(data, batch_size=None, **workers)
    samples = bl.torch.MapDataset(store.open(), image())
    return DataLoader(samples, batch_sampler=bl.torch.BatchSampler(samples, BATCH, **options), **workers)


def resumable(loader: Any) -> Any:
    return loader if isinstance(loader, bl.torch.Loader) else bl.torch.Resumable(loader)


def reference(store: Store, epochs: int) -> list[int]:
    with make_loader(store, "loader") as loader:
        return [n for _ in range(epochs) for images, _ in loader for n in numbers(images)]


class Net(lightning.LightningModule):
    """Writes down what it is trained with."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(3 * SIZE * SIZE, 2)
        self.used: list[int] = []

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        images, labels = batch
        self.used += numbers(images)
        return torch.nn.functional.cross_entropy(self.head(images.flatten(1)), labels)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def fit(loader: Any, folder: Path, epochs: int, checkpoint: str | None = None) -> Net:
    net = Net()
    save = ModelCheckpoint(folder, filename="{step}", every_n_train_steps=1, save_top_k=-1)
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=epochs,
        callbacks=[save],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(net, resumable(loader), ckpt_path=checkpoint)
    return net


@pytest.mark.parametrize("kind", KINDS)
def test_lightning_resumes_inside_an_epoch(store: Store, kind: str, tmp_path: Path) -> None:
    whole = reference(store, 2)
    assert fit(make_loader(store, kind), tmp_path / "whole", 2).used == whole
    for steps in SAVED:
        checkpoint = tmp_path / "whole" / f"step={steps}.ckpt"
        rest = fit(make_loader(store, kind), tmp_path / f"{steps}", 2, str(checkpoint)).used
        assert rest == whole[steps * BATCH :], f"after {steps} steps"


def test_lightning_moves_a_batch_whole(store: Store) -> None:
    with make_loader(store, "loader") as loader:
        batch = next(iter(loader))
    moved = lightning.fabric.utilities.apply_func.move_data_to_device(batch, torch.device("meta"))
    assert moved.images.device.type == "meta" and moved.keys == batch.keys


def run_accelerate(store: Store, kind: str, folder: Path, checkpoint: Path | None = None) -> list[int]:
    """Two epochs, with checkpoints or from one."""
    accelerator = accelerate.Accelerator(cpu=True)
    net = torch.nn.Linear(3 * SIZE * SIZE, 2)
    net, optimizer, loader = accelerator.prepare(
        net, torch.optim.SGD(net.parameters(), lr=0.01), make_loader(store, kind)
    )
    loader = resumable(loader)
    accelerator.register_for_checkpointing(loader)
    if checkpoint is not None:
        accelerator.load_state(str(checkpoint))
    used: list[int] = []
    for _ in loader.epochs(2):
        for images, labels in loader:
            loss = torch.nn.functional.cross_entropy(net(images.flatten(1)), labels)
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            used += numbers(images)
            if checkpoint is None and len(used) // BATCH in SAVED:
                accelerator.save_state(str(folder / f"{len(used) // BATCH}"))
    accelerator.free_memory()
    return used


@pytest.mark.parametrize("kind", KINDS)
def test_accelerate_resumes_inside_an_epoch(store: Store, kind: str, tmp_path: Path) -> None:
    whole = reference(store, 2)
    assert run_accelerate(store, kind, tmp_path) == whole
    for steps in SAVED:
        rest = run_accelerate(store, kind, tmp_path, tmp_path / f"{steps}")
        assert rest == whole[steps * BATCH :], f"after {steps} steps"
