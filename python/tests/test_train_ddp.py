"""Ranks of `bucketline train` beside PyTorch's DistributedDataParallel: the same gradients, step for step."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, Command
from servers import free_port
from test_train_ranks import LOOPBACK, ended, model_of, started
from training import image_folder

import bucketline as bl

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*")

ROWS, EPOCHS, RATE, SEED = 4, 2, 0.05, 11


def make_module(path: Path) -> None:
    """With a batch norm, which each rank computes of its own rows."""
    import script_modules
    import torch

    torch.manual_seed(0)
    module = script_modules.Tiny()
    module.drop = torch.nn.Dropout(0.0)
    scripted: Any = torch.jit.script(module)
    scripted.save(str(path))


def ddp_rank(rank: int, world: int, port: int, module: str, folder: str, saved: str) -> None:
    os.environ.update({**LOOPBACK, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)})
    import torch
    from torch.nn.parallel import DistributedDataParallel

    import bucketline.torch

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=world)
    load: Any = torch.jit.load
    model = load(module)
    model.train()
    parallel = DistributedDataParallel(model, find_unused_parameters=True)
    used = [parameter for name, parameter in model.named_parameters() if not name.startswith("unused")]
    optimizer = torch.optim.SGD(used, lr=RATE, momentum=0.9)
    image = bl.Image(32, mean="imagenet", std="imagenet", layout="NHWC")
    loader = bucketline.torch.Loader(
        bl.Dataset(folder, labels="folder"), ROWS, image=image, shuffle=True, seed=SEED, threads=1
    )
    for _ in loader.epochs(EPOCHS):
        for images, labels in loader:
            optimizer.zero_grad()
            logits = parallel(images.permute(0, 3, 1, 2)).squeeze(1)
            loss: Any = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels.float())
            loss.backward()
            optimizer.step()
    if rank == 0:
        torch.save(model.state_dict(), saved)
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("world", [2, 4])
def test_they_are_ddps(on_versitygw: Command, tmp_path: Path, world: int) -> None:
    torch = pytest.importorskip("torch")
    folder = image_folder(tmp_path / "images", 48)
    module, saved = tmp_path / "net.pt", tmp_path / "ddp.pt"
    make_module(module)
    context = multiprocessing.get_context("spawn")
    port = free_port()
    theirs = [
        context.Process(target=ddp_rank, args=(rank, world, port, str(module), str(folder), str(saved)))
        for rank in range(world)
    ]
    for process in theirs:
        process.start()
    ours = started(
        on_versitygw, world, "train", folder, "--model", module, "--image-size", 32, "--batch-size", ROWS, "--epochs",
        EPOCHS, "--optimizer", "sgd", "--momentum", 0.9, "--learning-rate", RATE, "--seed", SEED, "--threads", 1,
        "--checkpoint", tmp_path / "c",
    )  # fmt: skip
    assert [code for code, _, _ in ended(ours)] == [0] * world
    for process in theirs:
        process.join(DEADLINE_SECONDS)
        assert process.exitcode == 0
    expected: dict[str, Any] = torch.load(saved)
    actual = model_of(tmp_path / "c")
    start = torch.jit.load(str(module)).state_dict()
    moved = 0
    for name, tensor in expected.items():
        torch.testing.assert_close(
            actual[name],
            tensor,
            rtol=1e-4,
            atol=1e-5,
            msg=f"{name}: {float((actual[name] - tensor).abs().max()):.1e}",
        )
        moved += float((tensor - start[name]).abs().max()) > 1e-3
    assert moved >= 6, "it has learnt nothing that could be compared"
