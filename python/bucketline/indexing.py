"""index: a listing that is made once and saved; diff: what changed between two of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bucketline import _core
from bucketline._connection import CONNECTION_KEYWORDS, runtime_of, s3_options, uri_text
from bucketline._dataset_options import DATASET_KEYWORDS, Where
from bucketline._options import flag, reject_unknown
from bucketline._progress import ListingProgress
from bucketline.dataset import Dataset
from bucketline.errors import InvalidArgumentError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bucketline._connection import Connection


@dataclass(frozen=True)
class IndexReport:
    """What was indexed. `notes` are lines for a person: what was not listed, and why. `Dataset(manifest)` opens it."""

    records: int
    bytes: int
    classes: list[str]
    fingerprint: int
    notes: list[str]
    manifest: str


@dataclass(frozen=True)
class Diff:
    """What differs between two manifests: how many records, and in `changes` (what, key) of each that is not the same, in
    the order of the keys; what: "added" | "removed" | "changed"."""

    added: int
    removed: int
    changed: int
    same: int
    changes: list[tuple[str, str]]


class _Indexed(Dataset):
    """A Dataset whose listing is kept, gone on with, refreshed or read from an inventory."""

    def __init__(self, uri: Any, listing: Callable[[list[str], Any], None], **options: Any) -> None:
        self._listing = listing
        super().__init__(uri, **options)


def index(
    uri: Any,
    output: Where,
    *,
    resume: bool = False,
    state: Where | None = None,
    since: Where | None = None,
    inventory: str | None = None,
    progress: bool | Callable[[ListingProgress], Any] | None = None,
    **options: Any,
) -> IndexReport:
    """Lists what `uri` names, with many requests at a time, and saves the manifest at `output`, which must end in ".manifest":
    `Dataset(output)` opens it without listing. `options` are those of a Dataset, labels too.

    resume: go on with a listing of this prefix that was ended; what it had found is in `state`. False: begin anew.
    state: a local file that keeps what was listed until the manifest is saved; None: beside a local output, its name with
        ".partial".
    since: an older manifest of the same prefix and options: only keys after its last one are listed, for prefixes whose new
        keys come last (dates, counters); some old ones are compared, and all is listed when they differ.
    inventory: the manifest.json of an S3 Inventory (CSV), which is read in place of a listing.
    progress: called with a ListingProgress, which estimates what is left; True: a tqdm bar, or a line on a terminal.

    Raises what Dataset does; InvalidArgumentError for the state of another listing and the manifest of another prefix;
    UnsupportedError for resume, since and inventory of what is not one prefix of objects. Ended by an error or by Ctrl-C, what was
    listed stays in `state`.
    """
    reject_unknown(options, DATASET_KEYWORDS, "index")
    if inventory is not None and (resume or since is not None):
        raise InvalidArgumentError(
            "an inventory is read in place of a listing: give no resume and no since with it"
        )
    target = uri_text(output)
    if not target.endswith(".manifest"):
        raise InvalidArgumentError("a manifest's name ends in .manifest", target)
    resumed = flag(resume, "resume")
    places = ["" if place is None else uri_text(place) for place in (state, since, inventory)]
    runtime = runtime_of(options.pop("runtime", None))
    begun: list[Any] = []

    def listing(uris: list[str], engine_options: Any) -> None:
        begun.append(_core.Indexing(runtime._core, uris, engine_options, target, resumed, *places))

    if isinstance(uri, dict):
        raise InvalidArgumentError("records of several parts have no manifest of their own: index each part")
    dataset = _Indexed(uri, listing, runtime=runtime, progress=progress, **options)
    dataset.save(output)
    begun[0].finish()
    return IndexReport(
        records=len(dataset),
        bytes=dataset._core.total_bytes,
        classes=dataset.classes,
        fingerprint=dataset.fingerprint,
        notes=begun[0].notes,
        manifest=target,
    )


def diff(before: Where, after: Where, *, keys: bool = True, **connection: Unpack[Connection]) -> Diff:
    """What was added, removed and changed between two saved manifests, paths or URIs. keys=False: only how many.

    Raises NotFoundError, CorruptDataError for what is no manifest, and what the store says.
    """
    reject_unknown(connection, CONNECTION_KEYWORDS, "diff")
    reach = {name: value for name, value in connection.items() if name != "runtime"}
    runtime = runtime_of(connection.get("runtime"))
    return Diff(
        *_core.diff(runtime._core, uri_text(before), uri_text(after), s3_options(**reach), flag(keys, "keys"))
    )


__all__ = ["Diff", "IndexReport", "diff", "index"]
