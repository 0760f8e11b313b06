"""BadSamples: what becomes of samples whose bytes cannot be decoded, where a DataLoader asks for them by number."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bucketline import _core
from bucketline._options import choice, number
from bucketline.errors import CorruptDataError, InvalidArgumentError
from bucketline.image import Image
from bucketline.stats import BadSample

_ON_ERROR = {word: word for word in ("raise", "skip", "mask")}
_TRIES: int = _core.replacement_tries


class Key(NamedTuple):
    """What a sample's crop, flip and jitter are drawn from."""

    seed: int
    epoch: int
    position: int


@dataclass
class Rows:
    """Samples that were read: their images, the record that is really in each row, and whether it was decoded."""

    images: Any
    records: list[int]
    valid: list[bool]


class BadSamples:
    """The rules of bl.Loader, kept in each process by itself.

    on_error: "raise" | "skip": another record, drawn from the sample's key, takes the row, as in bl.Loader | "mask": the
        row is zero and not valid.
    max_skipped: the share of the `records` that may be bad in this process; one more is an error. Each counts once,
        however often it is met: a sample by number is of no epoch that would end.
    """

    def __init__(self, on_error: str, max_skipped: float, records: int, image: Image | None) -> None:
        self.on_error = choice(on_error, "on_error", _ON_ERROR)
        self._max_skipped = number(max_skipped, "max_skipped", 0, 1)
        self._allowed = int(self._max_skipped * records + 1e-9)
        self._records = records
        self._met: set[str] = set()  # their URIs
        self.samples: list[BadSample] = []
        if on_error == "mask" and image is not None and image.size is None:
            raise InvalidArgumentError(
                "on_error='mask' gives zeros in place of an image, which need a size: give the Image one, or take "
                "on_error='skip'"
            )

    @property
    def tolerated(self) -> bool:
        return self.on_error != "raise"

    def mend(
        self,
        rows: Rows,
        keys: Sequence[Key],
        faults: Sequence[tuple[int, str, str]],
        read: Callable[[list[int], list[Key]], tuple[Any, list[Any]]],
        uri_of: Callable[[int], str],
    ) -> None:
        """Deals with the (row, reason, uri) of `faults`. `read` gives what a SampleReader gives."""
        for row, reason, uri in faults:
            replaced_by = ""
            if self.on_error == "skip":
                rows.records[row], rows.images[row] = self._replacement(keys[row], reason, uri, read)
                replaced_by = uri_of(rows.records[row])
            else:
                rows.valid[row] = False
            self._report(BadSample(keys[row].epoch, keys[row].position, uri, reason, replaced_by))

    def _replacement(self, key: Key, reason: str, uri: str, read: Callable[..., Any]) -> tuple[int, Any]:
        for attempt in range(_TRIES):
            record: int = _core.replacement_record(*key, attempt, self._records)
            images, faults = read([record], [key])
            if not faults:
                return record, images[0]
        raise CorruptDataError(
            f"{reason}; and none of the {_TRIES} records drawn in its place could be used either", uri
        )

    def _report(self, bad: BadSample) -> None:
        self.samples.append(bad)
        if bad.uri in self._met:
            return
        self._met.add(bad.uri)
        logging.getLogger("bucketline").warning(
            "%s: %s; %s",
            bad.uri,
            bad.reason,
            f"{bad.replaced_by} takes its place" if bad.replaced_by else "masked",
        )
        if len(self._met) > self._allowed:
            raise CorruptDataError(
                f"{len(self._met)} samples could not be used, and max_skipped = {self._max_skipped:g} allows "
                f"{self._allowed} in a process; the last one: {bad.reason}; mend the data, or raise max_skipped",
                bad.uri,
            )
