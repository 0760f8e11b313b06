"""A pack's shards as tasks of a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bucketline.dataset import Dataset
from bucketline.errors import (
    ConnectionError,
    InvalidArgumentError,
    ThrottledError,
    TimeoutError,
    UnavailableError,
    UnsupportedError,
)
from bucketline.packing import PackReport, PackSettings, count_shards, pack_shards
from bucketline.reopening import Opener

RETRIES = (
    3  # of a task whose worker or node was lost, or whose store was away for longer than requests are retried
)
MOST_TASKS = 2000  # each lists the place once
_PASSING = [ConnectionError, ThrottledError, TimeoutError, UnavailableError]
_LOOK_UP_SECONDS = 0.5


def pack_on_ray(
    dataset: Dataset,
    out: str,
    settings: PackSettings,
    *,
    address: str | None = None,
    cpus: int = 1,
    progress: Callable[[int, int], Any] | None = None,
) -> PackReport:
    """As pack(ray=True): the shards are made by tasks, then this process looks at each of them and writes the index."""
    ray = _ray()
    opener = Opener(dataset)
    count = count_shards(dataset, settings)
    tasks = min(-(-count // settings.max_shards), MOST_TASKS)
    if "://" not in out:
        out = os.path.abspath(out)
    connected = ray.is_initialized()
    if connected and address is not None:
        raise InvalidArgumentError("this process is connected to a Ray cluster already: give no ray_address")
    if not connected:
        ray.init(address=address)
    try:
        reports = _run(ray, opener, out, settings, tasks, cpus, progress)
    finally:
        if not connected:
            ray.shutdown()
    whole = pack_shards(dataset, out, settings, "")
    return replace(
        whole,
        kept_shards=sum(report.kept_shards for report in reports),
        bytes_read=whole.bytes_read + sum(report.bytes_read for report in reports),
        bytes_written=whole.bytes_written + sum(report.bytes_written for report in reports),
        bad=[one for report in reports for one in report.bad] + whole.bad,
    )


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise UnsupportedError(
            "ray=True needs the package ray, which is not installed: pip install 'bucketline[ray]'"
        ) from None
    return ray


def _run(
    ray: Any,
    opener: Opener,
    out: str,
    settings: PackSettings,
    tasks: int,
    cpus: int,
    progress: Callable[[int, int], Any] | None,
) -> list[PackReport]:
    task = ray.remote(num_cpus=cpus, memory=settings.memory, max_retries=RETRIES, retry_exceptions=_PASSING)(
        _pack_share
    )
    data = ray.put(opener)  # once a node
    waiting = [task.remote(data, os.getcwd(), out, settings, f"{i}/{tasks}") for i in range(tasks)]
    reports: list[PackReport] = []
    try:
        while waiting:
            ready, waiting = ray.wait(waiting, timeout=_LOOK_UP_SECONDS)
            if not ready:
                continue
            reports += ray.get(ready)
            if progress is not None:
                records = sum(report.records + report.skipped for report in reports)
                progress(records, sum(report.bytes_read for report in reports))
    except ray.exceptions.RayTaskError as error:
        _cancel(ray, waiting)
        cause: BaseException | None = error.cause
        raise cause if cause is not None else error from None
    except ray.exceptions.RayError as error:  # the cluster's own: workers that died again and again, say
        _cancel(ray, waiting)
        raise UnavailableError(
            f"Ray could not do a task of the pack ({type(error).__name__}); what is done stays, so pack again"
        ) from error
    except BaseException:
        _cancel(ray, waiting)
        raise
    return reports


def _cancel(ray: Any, waiting: list[Any]) -> None:
    for one in waiting:
        ray.cancel(one)


def _pack_share(opener: Opener, folder: str, out: str, settings: PackSettings, share: str) -> PackReport:
    """What a task does. `folder`: the one of who asked, which paths may be relative to."""
    before = os.getcwd()
    if os.path.isdir(folder):
        os.chdir(folder)
    try:
        return pack_shards(opener(), out, settings, share)
    finally:
        os.chdir(before)
