"""fetch_ahead(): the objects of coming keys, read in parallel before they are needed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import tensorflow as tf

from bucketline._options import number
from bucketline.errors import InvalidArgumentError
from bucketline.image import Image
from bucketline.tf._reader import Reader


def fetch_ahead(
    base: str = "",
    image: Image | None = None,
    window: int = 256,
    max_requests: int = 32,
    **connection: Any,
) -> Callable[[Any], Any]:
    """For `keys.apply(...)` on a dataset of `key` or `(key, *rest)`: the key becomes its object's image or bytes.

        ds = tf.data.Dataset.from_tensor_slices((keys, labels)).shuffle(len(keys), seed=0)
        ds = ds.apply(bl.tf.fetch_ahead("s3://bucket/", image=bl.Image((256, 256)))).batch(32).prefetch(2)

    base, image, connection: as of `fetch`.
    window: how many coming keys are seen, hence the images that are held ready.
    max_requests: how many of them are read at a time.

    Elements stay in order and their number known; nothing is held beyond the window. An object that cannot be read or
    decoded is an error in its turn.
    """
    reader = Reader(base, image, "fetch_ahead", connection)
    number(window, "window", 1, 1 << 20, whole=True)
    number(max_requests, "max_requests", 1, 1024, whole=True)

    def apply(dataset: Any) -> Any:
        spec = dataset.element_spec
        key = spec[0] if isinstance(spec, tuple) else spec
        if not (isinstance(key, tf.TensorSpec) and key.dtype == tf.string and key.shape.rank == 0):
            raise InvalidArgumentError(
                f"fetch_ahead takes a dataset of keys, or of tuples that begin with one: a scalar tf.string, not {key}; "
                "apply it before batch()"
            )
        ahead = _Ahead(reader, min(window, max_requests))
        scopes = tf.data.Dataset.from_generator(ahead.scope, output_signature=tf.TensorSpec((), tf.int64))

        def fetched(scope: Any) -> Any:
            def begin(key: Any, *rest: Any) -> Any:
                ticket = tf.numpy_function(ahead.begin, [scope, key], tf.int64)
                ticket.set_shape(())
                return (ticket, *rest)

            def end(ticket: Any, *rest: Any) -> Any:
                value = tf.numpy_function(ahead.end, [scope, ticket], reader.dtype)
                value.set_shape(reader.shape)
                return (value, *rest) if isinstance(spec, tuple) else value

            return dataset.map(begin).prefetch(window).map(end)

        elements = scopes.flat_map(fetched)
        count = dataset.cardinality()
        return elements.apply(tf.data.experimental.assert_cardinality(count)) if count >= 0 else elements

    return apply


class _Ahead:
    """Reads under way, by the iterator that asked for them.

    The pipeline asks in one map and takes in another, with a prefetch of the window between them: a take never waits for
    TensorFlow's threads, only for a read that has begun.
    """

    def __init__(self, reader: Reader, threads: int) -> None:
        self._reader = reader
        self._threads = threads
        self._numbers = itertools.count()
        self._scopes: dict[int, tuple[ThreadPoolExecutor, dict[int, Future[Any]]]] = {}

    def scope(self) -> Iterator[int]:
        """One number for one iterator. TensorFlow closes the generator with the iterator, also an abandoned one."""
        number = next(self._numbers)
        threads = ThreadPoolExecutor(self._threads, thread_name_prefix="bl-fetch")
        self._scopes[number] = threads, {}
        try:
            yield number
        finally:
            del self._scopes[number]
            threads.shutdown(wait=False, cancel_futures=True)

    def begin(self, scope: int, key: bytes) -> int:
        """The ticket of a read that begins now."""
        threads, reads = self._scopes[int(scope)]
        ticket = next(self._numbers)
        reads[ticket] = threads.submit(self._reader, key)
        return ticket

    def end(self, scope: int, ticket: int) -> Any:
        """What was read. Raises what the read raised."""
        _, reads = self._scopes[int(scope)]
        return reads.pop(int(ticket)).result()
