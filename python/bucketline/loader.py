"""Loader: batches of a dataset, in order, ahead of need, within a memory budget."""

from __future__ import annotations

import atexit
import json
import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import bucketline._core as _core
from bucketline._loader_options import (
    LAST,
    ON_ERROR,
    SAMPLINGS,
    collate_of,
    image_of,
    mixed_epoch,
    open_dataset,
    ranks_of,
    rows_of,
    shuffle_of,
)
from bucketline._options import byte_size, choice, flag, number
from bucketline.assemble import Assembler
from bucketline.batch import Batch, FieldBatch
from bucketline.channel import StreamDataset, no_length
from bucketline.dataset import Dataset
from bucketline.errors import InternalError, InvalidArgumentError
from bucketline.image import Image
from bucketline.stats import BadSample, Stats
from bucketline.transform import Hook, TransformSample


class Loader:
    """Batches of `dataset`, in an order that depends on (seed, epoch, dataset, options) and on nothing else.

    dataset: a Dataset, or a URI (then with the Dataset's keywords too). A channel that came as a Pipe is read as its writer
        sends it: what would need another order, a length or ranks raises, saying what the job can be asked for instead.
    batch_size: rows per rank, as in DataLoader; global_batch_size: of all ranks together, instead.
    image: how bytes become pixels; None: raw bytes.
    fields: for records of several parts, instead of image: {"image": Image(...), "mask": Image(...), "text": None}, raw
        bytes for None. A batch is then one dict; a part that is not named is not read.
    transform: called with each sample (a TransformSample) on the engine's threads, before normalising or with the raw
        bytes. It gives the same pixels, changed or not, which are then normalised; or any other value, or
        (value, label), or a dict, which stand in the batch instead; or None: skip the sample, by on_error. What it
        raises is raised by the loop, with a note that names the sample.
    collate: makes a batch's values (or raw bytes), a list, what `images` is; without it arrays of one shape are stacked
        and anything else stays a list.
    shuffle: True: a new random order each epoch, of the whole dataset. "window": of the records of a few shards (tars,
        TFRecord files, ...; of raw objects 64 neighbouring keys count as one) at a time, which themselves come in a random
        order. window: how many shards those are, from 1 on; None: 16.
    seed: what order and augmentation are drawn from.
    sampling: "all" records once | "balanced": every class equally often | "replacement": each row drawn anew. With the
        latter two, and for a dataset of bl.mix, an epoch has epoch_size rows (None: as many as there are records) in
        random order. With "all" and a shuffle an epoch_size makes each epoch another part of the records: none comes again
        while a whole epoch of others is left.
    last: the tail that fills no batch: "drop" | "partial" | "pad"; None: "drop" when shuffling, else "partial".
    epochs: how many will be asked for: nothing is read for later ones, and memory alone limits how far is read ahead;
        None: the next epoch is read ahead, and none after it.
    rank, world_size: None: of the process group or launcher, else 0 of 1; distributed=False: 0 of 1. Of a channel that is
        sharded over the hosts of a job they are those within the host.
    threads: for decoding; None: as many as this process has CPUs; pin_threads: each stays on one CPU.
    max_requests: reads at a time; None: the engine's choice.
    memory: bytes that the loader may hold in flight ("1GiB"); too little for the data is an error here that says how
        much is needed.
    cache, cache_size, cache_pixels: as those of a Dataset, for a Dataset that was opened without.
    on_error: what an undecodable sample does: "raise" | "skip" (another takes its row) | "mask" (its row is zero and
        `valid` False); max_skipped: share of an epoch that may go that way.

    `for images, labels in loader` is one epoch; the next `for` is the next epoch, also after a break. No process is
    started and nothing is copied: threads fetch and decode ahead without the GIL.
    """

    _layout = "NCHW"
    _batch = Batch
    _fields_batch = FieldBatch

    def __init__(
        self,
        dataset: Dataset | str | os.PathLike[str],
        batch_size: int | None = None,
        *,
        global_batch_size: int | None = None,
        image: Image | None = None,
        fields: Mapping[str, Image | None] | None = None,
        transform: Callable[[TransformSample], Any] | None = None,
        collate: Callable[[list[Any]], Any] | None = None,
        shuffle: bool | str = False,
        window: int | None = None,
        seed: int = 0,
        sampling: str = "all",
        epoch_size: int | None = None,
        last: str | None = None,
        epochs: int | None = None,
        rank: int | None = None,
        world_size: int | None = None,
        distributed: bool = True,
        threads: int | None = None,
        pin_threads: bool = False,
        memory: int | str = "1GiB",
        max_requests: int | None = None,
        on_error: str = "raise",
        max_skipped: float = 0.01,
        **dataset_options: Any,
    ) -> None:
        self._pid = os.getpid()
        self._iterators = 0  # of which the last one made is alive
        self._ended_early = False
        self._loads = 0  # of states
        self._core: Any = None
        self._bad_samples: list[BadSample] = []
        if image is None and fields is None and not isinstance(dataset, Dataset):
            dataset_options.setdefault("extensions", None)  # raw bytes may be anything
        self._dataset = open_dataset(dataset, dataset_options)
        self._rank, self._world_size = ranks_of(rank, world_size, distributed, self._dataset._place)
        options = _core.LoaderOptions()
        options.batch_size = rows_of(batch_size, global_batch_size, self._world_size)
        options.shuffle, options.window = shuffle_of(shuffle, window)
        options.seed = number(seed, "seed", 0, 2**64 - 1, whole=True)
        options.sampling = choice(sampling, "sampling", SAMPLINGS)
        if sampling == "balanced":
            self._dataset._require_classes("sampling='balanced'")
        if self._dataset._mix is not None:
            if sampling != "all":
                raise InvalidArgumentError(
                    f"a mix has an order of its own: give no sampling={sampling!r}, or a Dataset that is not mixed"
                )
            options.set_mix(self._dataset._mix.parts)
            epoch_size = mixed_epoch(epoch_size, self._dataset._mix.epoch_size)
        options.epoch_size = (
            0 if epoch_size is None else number(epoch_size, "epoch_size", 1, 2**62, whole=True)
        )
        random_order = options.shuffle or options.sampling != _core.Sampling.all
        self._last = ("drop" if random_order else "partial") if last is None else last
        options.last = choice(self._last, "last", LAST)
        options.epochs = None if epochs is None else number(epochs, "epochs", 0, 2**64 - 1, whole=True)
        options.rank, options.world_size = self._rank, self._world_size
        options.threads = 0 if threads is None else number(threads, "threads", 1, 1024, whole=True)
        options.pin_threads = flag(pin_threads, "pin_threads")
        options.memory = byte_size(memory, "memory")
        if max_requests is not None:
            options.max_requests = number(max_requests, "max_requests", 1, 65536, whole=True)
        options.on_error = choice(on_error, "on_error", ON_ERROR)
        options.max_skipped = number(max_skipped, "max_skipped", 0, 1)
        self._set_what_is_read(options, image, fields)
        names = None if fields is None else list(fields)
        streams = isinstance(self._dataset, StreamDataset)
        hook: Any = transform  # the engine refuses it for a stream
        if transform is not None and not streams:
            hook = Hook(transform, self._dataset, options.seed, image, self._layout, names)
        decoded = None if fields is None else [(name, field is not None) for name, field in fields.items()]
        if collate is not None and transform is None and (image is not None or fields is not None):
            raise InvalidArgumentError(
                "collate is for raw bytes and for what a transform gives: images are one array already"
            )
        self._assemble = Assembler(
            self._dataset, image is not None, decoded, collate_of(collate), self._batch, self._fields_batch
        )
        if (allocate := self._allocator()) is not None:
            options.set_allocator(allocate)
        self._options = options
        self._core = (_core.StreamLoader if streams else _core.Loader)(self._dataset._core, options, hook)
        _live.add(self)

    def _set_what_is_read(
        self, options: Any, image: Image | None, fields: Mapping[str, Image | None] | None
    ) -> None:
        if image is not None and fields is not None:
            raise InvalidArgumentError("give image=, or fields= for records of several parts, not both")
        options.decode = image is not None
        if image is not None:
            options.image = image_of(image, "image").to_core(self._layout)
        if fields is None:
            return
        if not isinstance(fields, Mapping) or not fields:
            raise InvalidArgumentError(f"fields must be {{name: Image or None}}, not {fields!r}")
        wanted = []
        for name, spec in fields.items():
            field = _core.FieldOptions()
            field.part, field.decode = name, spec is not None
            if spec is not None:
                field.image = image_of(spec, f"fields[{name!r}]").to_core(self._layout)
                field.same_geometry_as = spec.same_geometry_as or ""
            wanted.append(field)
        options.fields = wanted

    def __iter__(self) -> Iterator[Any]:
        self._check_process()
        if self._ended_early and self._at_end():
            self._core.next()  # says that the epoch is over, and keeps what was read ahead
        elif self._ended_early:
            self._restore({**self._state(), "epoch": self.epoch + 1, "position": 0})
        self._iterators += 1
        self._ended_early = False
        return _Epoch(self, self._iterators)

    def _allocator(self) -> Callable[[int], Any] | None:
        """Makes the memory of batches, as something with data_ptr(); None: the engine makes it."""
        return None

    def _convert(self, array: Any) -> Any:
        """A numpy array as the framework's."""
        return array

    def _next(self) -> Batch | FieldBatch | None:
        self._check_process()
        core = self._core.next()
        return None if core is None else self._assemble(core, self._convert)

    def _at_end(self) -> bool:
        """Nothing of the epoch is to come. A stream does not say so before it is asked."""
        return not isinstance(self._dataset, StreamDataset) and self.remaining == 0

    def __len__(self) -> int:
        """Batches of this rank in a whole epoch."""
        self._require_length("len() of a loader")
        steps: int = self._core.steps
        return steps

    @property
    def remaining(self) -> int:
        """Batches still to come in this epoch; after a break, those that it gave up."""
        self._require_length("remaining")
        remaining: int = self._core.remaining
        return remaining

    @property
    def epoch(self) -> int:
        """Of the next batch, from 0; after a break still that which was left."""
        epoch: int = self._core.epoch
        return epoch

    @property
    def dataset(self) -> Dataset:
        return self._dataset

    @property
    def rank(self) -> int:
        return self._rank

    @property
    def world_size(self) -> int:
        return self._world_size

    @property
    def batch_size(self) -> int:
        """Rows per rank."""
        rows: int = self._options.batch_size
        return rows

    def epochs(self, count: int) -> Iterator[int]:
        """`for epoch in loader.epochs(90): for batch in loader: ...`, from where a restored state stands.

        An epoch in which the loader was not iterated is passed over.
        """
        number(count, "epochs", 0, whole=True)
        while (epoch := self.epoch + self._ended_early) < count:
            loads = self._loads
            yield epoch
            if loads == self._loads and self.epoch + self._ended_early == epoch:
                self._restore({**self._state(), "epoch": epoch + 1, "position": 0})
                self._iterators += 1
                self._ended_early = False

    def state_dict(self) -> dict[str, Any]:
        """Where the run stands after the last batch that was given: plain JSON, the same on all ranks."""
        self._check_process()
        return self._state()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues there, also at another world size or batch size: the first `for` gives the rest of that epoch.

        Raises InvalidArgumentError saying which of data, seed, shuffle or window differ.
        """
        self._check_process()
        self._restore(state)
        self._loads += 1
        self._iterators += 1  # what was iterating is over
        self._ended_early = False

    def stats(self) -> Stats:
        """Figures so far, as a dictionary that prints as a table. Of a cache: cache_hits and cache_misses, this loader's reads
        that it answered or might have; pixel_hits and pixel_misses, images that were not, or were, read and decoded."""
        return Stats(self._core.figures())

    def explain(self) -> str:
        """What limits the speed now, and what would help, in one sentence."""
        text: str = self._core.explain()
        return text

    @property
    def bad_samples(self) -> list[BadSample]:
        """The samples that were skipped or masked so far."""
        self._bad_samples += [BadSample(*bad) for bad in self._core.bad_samples()]
        return self._bad_samples

    def close(self) -> None:
        """Ends the threads and frees the memory, but for batches that were given."""
        if self._core is not None and self._pid == os.getpid():
            self._core.close()

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        rank = f", rank {self._rank} of {self._world_size}" if self._world_size > 1 else ""
        count = "" if isinstance(self._dataset, StreamDataset) else f"{len(self)} "
        return f"{type(self).__name__}({self._dataset!r}, {count}batches of {self.batch_size}, epoch {self.epoch}{rank})"

    def _require_length(self, what: str) -> None:
        if isinstance(self._dataset, StreamDataset):
            raise no_length(what)

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._core.state())
        return state

    def _facts(self) -> dict[str, Any]:
        """What ranks must agree about, by the option that it comes from."""
        state = self._state()
        return {
            "fingerprint": state["fingerprint"],
            "seed": state["seed"],
            "shuffle": state["shuffle"],
            "window": state.get("window", 0),
            "sampling": state.get("sampling", "all"),
            "mix": state.get("mix", 0),
            "epoch_size": state.get("epoch_size", 0),
            "last": self._last,
            "batch_size": self.batch_size,
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self._core.restore(json.dumps(state))

    def _check_process(self) -> None:
        if self._pid != os.getpid():
            raise InternalError(
                f"this loader was made in process {self._pid} and is used after a fork in process {os.getpid()}, where "
                "its threads do not exist; make the loader in the process that uses it"
            )


class _Epoch(Iterator[Any]):
    """The batches of one epoch. A younger iterator, or load_state_dict, ends it with an error."""

    def __init__(self, loader: Loader, number: int) -> None:
        self._loader = loader
        self._number = number
        self._done = False

    def __next__(self) -> Any:
        if self._done:
            raise StopIteration
        if self._number != self._loader._iterators:
            raise InvalidArgumentError(
                "this iterator is over: another one was made, or a state was loaded; iterate a loader once at a time, or "
                "make two loaders"
            )
        batch = self._loader._next()
        self._done = batch is None
        self._loader._ended_early = not self._done  # until the next call says otherwise
        if batch is None:
            raise StopIteration
        return batch


_live: weakref.WeakSet[Loader] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for loader in list(_live):
        loader.close()
