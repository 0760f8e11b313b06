"""UsedBatches: Keras tells a dataset which batches it has trained on."""

from __future__ import annotations

from typing import Any

import keras


class UsedBatches(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Also with steps_per_execution: `batch` is then the last one of several."""

    def __init__(self, dataset: Any) -> None:
        super().__init__()
        self._dataset = dataset
        self._last = -1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._last = -1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._dataset.used(batch - self._last)
        self._last = batch
