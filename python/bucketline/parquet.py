"""parquet: makes Parquet files readable a row at a time, which those that are compressed are not.

bl.parquet.convert("s3://bucket/hub/", "s3://bucket/rows/")
loader = bl.Loader("s3://bucket/rows/", 32, labels="label", image=bl.Image(224), shuffle=True)
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from bucketline import files, objects
from bucketline._connection import place, uri_text
from bucketline._options import number
from bucketline.errors import CorruptDataError, InvalidArgumentError, NotFoundError

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as missing:
    raise ImportError("bucketline.parquet needs pyarrow: pip install bucketline[parquet]") from missing

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bucketline._connection import Connection

_ENDING = ".parquet"


def convert(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    rows: int = 128,
    progress: Callable[[int], Any] | None = None,
    **connection: Unpack[Connection],
) -> list[str]:
    """Writes Parquet files anew with the same rows, columns and metadata, but neither compressed nor in dictionaries, so
    that `Dataset` and `bucketline` read each row by itself. Gives the URIs of what it wrote.

    source: a ".parquet" file, a folder or prefix of them, or a list of either.
    out: the folder or prefix for them, with a "/" at its end. A file keeps its path below its own prefix.
    rows: the most in a row group of what is written.
    progress: called with the number of rows so far.
    The other keywords are those of `Dataset`.

    Memory: about twice the largest row group of what is read, which pyarrow reads and decodes whole.
    Images do not grow by this: they are compressed already. Other columns may; statistics are kept for all but bytes and
    texts. A file appears when it is whole; one that is there under that name is replaced.
    Raises NotFoundError where there is no such file, InvalidArgumentError for an `out` without "/" at its end and for two
    files, or a source, of the same name there, CorruptDataError for a file that pyarrow cannot read, and what the store says.
    """
    rows = number(rows, "rows", 1, whole=True)
    target = uri_text(out)
    if not target.endswith("/"):
        raise InvalidArgumentError(f"out is a folder or a prefix and ends with a '/': {target!r} does not")
    given = [source] if isinstance(source, (str, os.PathLike)) else [*source]
    pairs = [pair for each in given for pair in _files(uri_text(each), target, connection)]
    names = [to for _, to in pairs]
    written = Counter(place(name, "convert", connection).uri for name in names)
    sources = {place(uri, "convert", connection).uri for uri, _ in pairs}
    lost = [name for name, count in written.items() if name in sources or count > 1]
    if lost:
        raise InvalidArgumentError(
            f"{lost[0]} would be written over; convert these files into another folder"
        )
    done = 0
    for uri, to in pairs:
        for count in _rewrite(uri, to, rows, connection):
            done += count
            if progress is not None:
                progress(done)
    return names


def _files(uri: str, target: str, connection: Connection) -> list[tuple[str, str]]:
    """Each file, and where it goes."""
    if uri.endswith(_ENDING) and objects.exists(uri, **connection):
        return [(uri, target + os.path.basename(uri))]
    folder = place(uri if uri.endswith("/") else uri + "/", "convert", connection)
    found = [each for each in objects.list(folder.uri, **connection) if each.key.endswith(_ENDING)]
    if not found:
        raise NotFoundError(f"{uri}: there is no {_ENDING} file here")
    return [(each.uri, target + each.key.removeprefix(folder.key)) for each in found]


def _rewrite(uri: str, to: str, rows: int, connection: Connection) -> Any:
    with files.open(uri, **connection) as raw:
        try:
            table = pq.ParquetFile(raw, pre_buffer=False)
            kept = [
                column.path
                for column in map(table.schema.column, range(len(table.schema.names)))
                if column.physical_type not in ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
            ]
            batches = table.iter_batches(batch_size=rows)
        except (pa.ArrowException, OSError) as error:
            raise CorruptDataError(f"{uri}: pyarrow cannot read it: {error}") from error
        with (
            files.open(to, "wb", **connection) as written,
            pq.ParquetWriter(
                written, table.schema_arrow, compression="NONE", use_dictionary=False, write_statistics=kept
            ) as writer,
        ):
            while True:
                try:
                    batch = next(batches, None)
                except (pa.ArrowException, OSError) as error:
                    raise CorruptDataError(f"{uri}: pyarrow cannot read it: {error}") from error
                if batch is None:
                    return
                writer.write_batch(batch)
                yield batch.num_rows
