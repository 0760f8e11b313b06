"""Consumed: which of the batches that were given have been used, where a pipeline takes them ahead of use."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from bucketline.errors import InvalidArgumentError


@dataclass
class _Run:
    """The batches of one iterator, from a state to the end of that epoch."""

    start: dict[str, Any]
    step: int  # positions of all ranks in one batch
    batches: int
    given: int = 0
    used: int = 0

    def state(self) -> dict[str, Any]:
        if self.used == self.batches:
            return {**self.start, "epoch": self.start["epoch"] + 1, "position": 0}
        return {**self.start, "position": self.start["position"] + self.used * self.step}


class Consumed:
    """Batches are given run by run, ahead of their use, and used in the same order.

    A run that begins before the last batch of the one before was given ends that one, whatever was used of it. Thread-
    safe: a pipeline's thread gives, the training's uses.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        """`state` is where the first run will start."""
        self._mutex = threading.Lock()
        self.reset(state)

    def reset(self, state: dict[str, Any]) -> None:
        """Forgets all runs: the next one starts at `state`."""
        with self._mutex:
            self._state = state
            self._runs: deque[_Run] = deque()
            self._counts = False

    def begin(self, state: dict[str, Any], step: int, batches: int) -> _Run:
        """A new run, whose batches are each told by `give`."""
        with self._mutex:
            if self._runs and self._runs[-1].given < self._runs[-1].batches:
                self._runs.clear()
            run = _Run(state, step, batches)
            self._runs.append(run)
            return run

    def give(self, run: _Run) -> None:
        with self._mutex:
            run.given += 1

    def expect_use(self) -> None:
        """From now on someone calls `use`, though nothing may have been used yet."""
        with self._mutex:
            self._counts = True

    def use(self, batches: int) -> None:
        """Raises InvalidArgumentError for more than were given and not yet used."""
        with self._mutex:
            waiting = sum(run.given - run.used for run in self._runs)
            if not 0 <= batches <= waiting:
                raise InvalidArgumentError(
                    f"{batches} batches cannot have been used: {waiting} are given and unused"
                )
            self._counts = True
            while batches:
                run = self._runs[0]
                taken = min(batches, run.given - run.used)
                run.used += taken
                batches -= taken
                self._state = run.state()
                if run.used == run.batches:
                    self._runs.popleft()

    def state(self) -> dict[str, Any]:
        """Raises InvalidArgumentError where batches were given and nobody tells which were used."""
        with self._mutex:
            if self._runs and not self._counts:
                raise InvalidArgumentError(
                    "tf.data takes batches ahead of their use, and nobody has told which were used: give fit() "
                    "callbacks=[ds.callback()], or call ds.used() after each step of your own loop"
                )
            if self._runs and self._runs[0].used == 0:
                return self._runs[0].start
            return self._state
