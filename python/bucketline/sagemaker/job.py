"""TrainingJob: what came of a job, and the command that runs it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sysconfig
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bucketline.errors import InternalError, NotFoundError, from_core


class Phase(NamedTuple):
    """ "Starting", "Downloading", "Training", "Uploading" or "Completed"; when it began (UTC, ISO 8601), and how long."""

    phase: str
    begin: str
    seconds: float


@dataclass(frozen=True)
class TrainingJob:
    """How a job went.

    status: "Completed" | "Failed" | "Stopped" | "MaxRuntimeExceeded". failure_reason: "" unless it failed; what the script
        wrote to output/failure, where it did.
    model_data: the URI of model.tar.gz, None where there is none. artifacts: the URIs of all that was uploaded.
    exit_codes: of the script on each host, 128 + n where signal n ended it.
    """

    name: str
    status: str
    failure_reason: str
    model_data: str | None
    artifacts: list[str]
    phases: list[Phase]
    exit_codes: list[int]

    @classmethod
    def of_report(cls, report: dict[str, Any], model_data: str) -> TrainingJob:
        """Of what `bucketline job run --json` prints. `model_data`: where the model is, if it was uploaded."""
        uris: list[str] = report["artifacts"]
        return cls(
            name=report["job"],
            status=report["status"],
            failure_reason=report["failure_reason"],
            model_data=model_data if any(uri.startswith(model_data) for uri in uris) else None,
            artifacts=uris,
            phases=[Phase(each["phase"], each["begin"], each["seconds"]) for each in report["phases"]],
            exit_codes=report["exit_codes"],
        )


def command() -> str:
    """The path of `bucketline`: that of this Python's packages, else what PATH finds."""
    found = shutil.which("bucketline", path=sysconfig.get_path("scripts")) or shutil.which("bucketline")
    if found is None:
        raise NotFoundError(
            "the command bucketline is neither with this Python's packages nor in PATH; it comes with the wheel: pip "
            "install bucketline"
        )
    return found


def run(arguments: Sequence[str], on_line: Callable[[str], Any]) -> dict[str, Any]:
    """The report of `bucketline job run --json ARGUMENTS`. `on_line` is given each line of the job's output.

    Ctrl-C stops the job as StopTrainingJob does, with what it saved uploaded, and once more at once; then
    KeyboardInterrupt comes through. Raises what kept the job from beginning, by its class.
    """
    process = subprocess.Popen(
        [command(), "job", "run", "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # a terminal's Ctrl-C comes to us alone, who pass it on
    )
    out: list[str] = []
    reading = threading.Thread(target=lambda: out.append(_stream(process.stdout).read()), daemon=True)
    reading.start()
    interrupted = False
    while True:
        try:
            for line in _stream(process.stderr):
                on_line(line.rstrip("\n"))
            process.wait()
            break
        except KeyboardInterrupt:
            interrupted = True
            process.send_signal(signal.SIGINT)
        except BaseException:
            process.send_signal(signal.SIGINT)
            raise
    reading.join()
    if interrupted:
        raise KeyboardInterrupt
    return _report("".join(out), process.returncode)


def _stream(pipe: Any) -> Any:
    assert pipe is not None
    return pipe


def _report(out: str, code: int) -> dict[str, Any]:
    lines = out.splitlines()
    try:
        report: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise InternalError(
            f"bucketline job run ended with exit code {code} and without a report; see what it printed"
        ) from None
    if "error" in report:
        raise from_core(
            report["error"],
            report.get("message", ""),
            report.get("uri", ""),
            report.get("http_status", 0),
            report.get("request_id", ""),
        )
    return report
