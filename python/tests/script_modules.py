"""Networks that the tests save as TorchScript. Imported by tests that need them: PyTorch takes seconds to load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch


class Plain(torch.nn.Module):
    """Nothing random, nothing that remembers: Python computes the same losses."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, stride=2)
        self.head = torch.nn.Linear(4, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.conv(images)).mean((2, 3)))


class Tiny(torch.nn.Module):
    """What a run must restore: batch norm, dropout, a half-precision buffer, a layer without gradient."""

    def __init__(self, outputs: int = 1) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, stride=2)
        self.norm = torch.nn.BatchNorm2d(8)
        self.drop = torch.nn.Dropout(0.3)
        self.head = torch.nn.Linear(8, outputs)
        self.register_buffer("table", torch.ones(2, dtype=torch.float16))
        self.unused = torch.nn.Linear(2, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.conv(images))).mean((2, 3))
        return self.head(self.drop(x))


class Shapeless(torch.nn.Module):
    """No classifier: an image for each image."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 1, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.conv(images)


class Raising(Shapeless):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.size(0) > 0:
            raise ValueError("not today")
        return images


class Frozen(torch.nn.Module):
    """Nothing to train."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean((1, 2, 3)).unsqueeze(1)


def save(module: torch.nn.Module, path: Path) -> Path:
    scripted: Any = torch.jit.script(module)
    scripted.save(str(path))
    return path
