"""Plan and Course: which records each batch has, and where a run stands. The rules are those of bl.Loader."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.multiprocessing

from bucketline import _core
from bucketline._options import number
from bucketline.errors import InvalidArgumentError

_VERSION = 1


class Row(NamedTuple):
    """A row of a batch: which record, and the position in the epoch that its augmentation is drawn from."""

    record: int
    position: int


@dataclass(frozen=True)
class Plan:
    """Step s takes the next world_size * batch_size positions of the epoch, rank r the r-th contiguous block."""

    records: int
    batch_size: int
    rank: int
    world_size: int
    shuffle: bool
    seed: int
    last: str
    fingerprint: int

    def steps(self, start: int = 0) -> int:
        """Batches of each rank from position `start` on."""
        full, tail = divmod(self.records - start, self.batch_size * self.world_size)
        return full + (tail > 0 and self.last != "drop")

    def after(self, start: int, steps: int) -> int:
        """The first position that no rank has used after `steps` steps from `start`."""
        if steps >= self.steps(start):
            return self.records
        return start + steps * self.batch_size * self.world_size

    def rows(self, epoch: int, start: int, step: int) -> Sequence[Row]:
        """This rank's batch at a step. With last="pad", and of a rank that the tail leaves without a row, some only
        fill up."""
        first = start + step * self.batch_size * self.world_size
        tail = self.records - first
        if tail >= self.batch_size * self.world_size or self.last == "pad":
            first, count = first + self.rank * self.batch_size, self.batch_size
        else:
            share, more = divmod(tail, self.world_size)
            first += self.rank * share + min(self.rank, more)
            count = max(1, share + (self.rank < more))
        positions = [(first + row) % self.records for row in range(count)]
        if not self.shuffle:
            return [Row(position, position) for position in positions]
        order: Any = _core.epoch_order(self.records, self.seed, epoch, first % self.records, count)
        return [Row(*row) for row in zip(order.tolist(), positions, strict=True)]


class Course:
    """Where a run over a Plan stands: an epoch, the position that its steps are dealt from, and whether a `for` has
    begun there. `shared`: in memory that DataLoader workers have too, since each of them begins the epoch for
    itself."""

    def __init__(self, plan: Plan, shared: bool = False) -> None:
        self._plan = plan
        self._at = torch.zeros(4, dtype=torch.int64)  # epoch, start, begun, token
        self._lock: Any = contextlib.nullcontext()
        if shared:
            self._at.share_memory_()  # type: ignore[no-untyped-call]
            self._lock = torch.multiprocessing.get_context("spawn").Lock()
        self._restored = False

    @property
    def begun(self) -> bool:
        """Whether a `for` has taken batches since the state was last set."""
        return bool(self._at[2])

    @property
    def next_epoch(self) -> int:
        """Of the next `for`."""
        return int(self._at[0]) + self.begun

    def begin(self, token: int | None = None) -> tuple[int, int]:
        """(epoch, start) of a `for` that begins now. Workers that begin the same one give the same token."""
        with self._lock:
            epoch, start, begun, known = self._at.tolist()
            if token is None or not begun or token != known:
                epoch, start = (epoch + 1, 0) if begun else (epoch, start)
                self._at.copy_(torch.tensor([epoch, start, 1, token or 0]))
        return epoch, start

    def set_epoch(self, epoch: int) -> None:
        number(epoch, "epoch", 0, whole=True)
        now, start, begun, _ = self._at.tolist()
        if not begun and now == epoch:
            return
        if not begun and self._restored:
            warnings.warn(
                f"set_epoch({epoch}) leaves the state that was loaded (epoch {now}, position {start}); count epochs from "
                f"{now}, or iterate a bucketline.torch.Resumable",
                stacklevel=3,
            )
        self._stand(epoch, 0)

    def state(self, steps: int | None) -> dict[str, Any]:
        """After `steps` batches of the present `for` were used; None: only before it begins."""
        epoch, start, begun, _ = self._at.tolist()
        if begun and steps is None:
            raise InvalidArgumentError(
                "a DataLoader runs ahead of the training loop, so only the loop knows what was used: give "
                "state_dict(steps=batches used in this for), or iterate a bucketline.torch.Resumable, which counts them"
            )
        if steps is not None and not 0 <= steps <= (self._plan.steps(start) if begun else 0):
            raise InvalidArgumentError(
                f"steps={steps}, but this epoch has {self._plan.steps(start)} batches from here"
            )
        return {
            "version": _VERSION,
            "epoch": epoch,
            "position": self._plan.after(start, steps) if steps else start,
            "seed": self._plan.seed,
            "shuffle": self._plan.shuffle,
            "fingerprint": self._plan.fingerprint,
        }

    def load(self, state: dict[str, Any]) -> None:
        expected = {
            "version": _VERSION,
            "fingerprint": self._plan.fingerprint,
            "seed": self._plan.seed,
            "shuffle": self._plan.shuffle,
        }
        for name, value in expected.items():
            if state.get(name) != value:
                raise InvalidArgumentError(
                    f"this state is of another run: its {name} is {state.get(name)!r}, not {value!r}"
                )
        epoch = number(state.get("epoch"), "the state's epoch", 0, whole=True)
        position = number(state.get("position"), "the state's position", 0, self._plan.records, whole=True)
        if self._plan.steps(position) == 0:
            epoch, position = epoch + 1, 0
        self._stand(epoch, position)
        self._restored = True

    def _stand(self, epoch: int, start: int) -> None:
        with self._lock:
            self._at.copy_(torch.tensor([epoch, start, 0, 0]))
        self._restored = False
