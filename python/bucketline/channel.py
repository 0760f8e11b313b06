"""Training channels: what `bl.Dataset("channel:train")` is, in whichever mode the channel came."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NoReturn

from bucketline import _core
from bucketline._connection import runtime_of
from bucketline._dataset_options import DATASET_KEYWORDS
from bucketline._options import reject_unknown
from bucketline.dataset import Dataset
from bucketline.errors import InvalidArgumentError
from bucketline.labels import Labels
from bucketline.runtime import Runtime

_BY_ATTRIBUTE = ("folder", "parent")  # what a Pipe's labels may be called: they are the second attribute


class NoLengthError(InvalidArgumentError, TypeError):
    """A stream has no len(). A TypeError too, which list() takes for an answer."""


class StreamDataset(Dataset):
    """A channel that came as a Pipe: `bl.Dataset("channel:train")` makes one. A bl.Loader reads it, and nothing else.

    attributes: names for the records of each sample, in the order of the job's AttributeNames; None: ("data",), or
        ("data", "label") with labels.
    labels: None: each record is a sample | "folder" or "parent", whatever a run outside the job reads there, or Labels
        of them with classes: the second record of each sample is its label. A name stands for its place in `classes`; without
        classes labels are numbers, or JSON lists of them.

    Raises InvalidArgumentError for any other labels: RecordIO has no keys to look them up by.
    """

    def __init__(
        self,
        uri: str | os.PathLike[str],
        labels: Any = None,
        *,
        attributes: Sequence[str] | None = None,
        runtime: Runtime | None = None,
        **options: Any,
    ) -> None:
        reject_unknown(options, DATASET_KEYWORDS, "Dataset")
        self._place = place_of(uri)
        self._runtime = runtime_of(runtime)
        given = Labels.of(labels)
        by_attribute = isinstance(given.source, str) and given.source in _BY_ATTRIBUTE
        if not (given.source is None or by_attribute):
            raise InvalidArgumentError(
                f"{self._name} came as a Pipe, whose samples have no keys to look labels up by: send them as an attribute "
                "of an AugmentedManifestFile, and open it with labels='folder' or Labels('folder', classes=[...])"
            )
        self._classes = [str(name) for name in given.classes or ()]
        self._core = _core.open_stream(
            self._runtime._core,
            self._place,
            _attributes(attributes),
            by_attribute,
            self._classes,
            given.one_hot,
        )

    @property
    def _name(self) -> str:
        return f"channel:{self._place.name}"

    @property
    def classes(self) -> list[str]:
        """Those that labels= was given."""
        return self._classes

    def __len__(self) -> int:
        raise no_length(f"len() of {self._name}")

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise InvalidArgumentError(
            f"{self._name} came as a Pipe, which is a stream without {what}: {instead}"
        )

    def __getitem__(self, index: Any) -> Any:
        self._refuse("a way to its middle", "iterate a bl.Loader, or ask for input mode FastFile")

    def cached(self, folder: Any, size: Any = None, pixels: Any = False) -> NoReturn:
        self._refuse("objects that a cache could keep", "ask for input mode FastFile")

    def _refuse_keys(self) -> NoReturn:
        self._refuse(
            "keys", "a batch's keys say which sample of which FIFO a row is; input mode FastFile has keys"
        )

    @property
    def keys(self) -> Any:
        self._refuse_keys()

    @property
    def uris(self) -> Any:
        self._refuse_keys()

    @property
    def labels(self) -> Any:
        self._refuse("labels beforehand", "each batch of a bl.Loader brings its own")

    def _view(self, core: Any) -> NoReturn:
        self._refuse_part()

    def _refuse_part(self) -> NoReturn:
        self._refuse(
            "parts to choose",
            "give the job a second channel, validation say, or ask for input mode FastFile",
        )

    def split(self, *_: Any, **__: Any) -> Any:
        self._refuse_part()

    def filter(self, *_: Any, **__: Any) -> Any:
        self._refuse_part()

    def select(self, *_: Any, **__: Any) -> Any:
        self._refuse_part()

    def without(self, *_: Any, **__: Any) -> Any:
        self._refuse_part()

    def preview(self, *_: Any, **__: Any) -> Any:
        self._refuse(
            "a way back", "what a preview reads would be lost; preview the prefix that the channel is made of"
        )

    def save(self, *_: Any, **__: Any) -> None:
        self._refuse("a manifest", "save that of the prefix that the channel is made of")

    @property
    def dropped(self) -> int:
        return 0

    def __repr__(self) -> str:
        return f"Dataset({self._name!r}, a Pipe)"


def no_length(what: str) -> NoLengthError:
    return NoLengthError(
        f"{what} is not known: a Pipe is a stream, which does not say how many samples it has; count in your loop, or ask "
        "for input mode FastFile"
    )


def place_of(uri: Any) -> Any:
    """The engine's ChannelPlace of "channel:NAME", and of a path that is a channel's folder; None for any other, and for
    a channel outside a job.

    Raises NotFoundError in a job that has no such channel.
    """
    text = os.fspath(uri) if isinstance(uri, (str, os.PathLike)) else None
    if not isinstance(text, str) or "://" in text:
        return None
    name = _core.channel_name(text)
    return _core.find_channel_of(os.path.abspath(text)) if name is None else _core.find_channel(name)


def is_sharded(data: Any) -> bool:
    """Whether a Dataset, or what a URI opens, is a channel of which each host has its own share."""
    place = data._place if isinstance(data, Dataset) else place_of(data)
    return place is not None and bool(place.sharded)


def located(uri: Any, default: Any) -> tuple[Any, Any]:
    """What to open for `uri`: it, the folder of the channel that it names, or, outside a job, `default`; and the channel's
    place, if it is one."""
    place = place_of(uri)
    name = _core.channel_name(uri) if isinstance(uri, str) else None
    if place is not None:
        return (uri if name is None else place.folder), place
    if name is None:
        if default is not None:
            raise InvalidArgumentError(
                f"default= stands in for a channel, as in 'channel:train', not for {uri!r}"
            )
        return uri, None
    if default is None:
        _core.refuse_channel(name)
    return default, None


def _attributes(given: Sequence[str] | None) -> list[str]:
    if given is None:
        return []
    if isinstance(given, str) or not all(isinstance(name, str) for name in given):
        raise InvalidArgumentError(f"attributes must be a sequence of names, not {given!r}")
    return list(given)
