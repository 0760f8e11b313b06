"""Real servers and the built command, for every Python test."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import servers
import torch._dynamo  # noqa: F401  its LLVM and TensorFlow's live in one process only when this one comes first
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 600  # after which something hangs: no test waits so long on any machine, however busy
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"  # no test asks a machine outside
# Whoever starts the tests in the background may have these ignored, which processes inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    # Here, as only what a conftest.py brings is known to the process that gathers the figures of parallel workers.
    config.pluginmanager.import_plugin("reference.plugin")


def missing(what: str) -> None:
    """A counterpart that is not here: a visible skip on a laptop, a failure in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def wait_until(ready: Any, what: str, seconds: float = DEADLINE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    poll = threading.Event()  # nobody sets it: another process gives no event to wait for
    while not ready():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {seconds} s")
        poll.wait(0.02)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a measured figure at the end of the run, passed or not: `figure("seed 0: 0.973")`."""
    return lambda text: request.node.user_properties.append(("figure", text))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call"
    ]
    figures = [text for report in reports for name, text in report.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("measured")
        for text in figures:
            terminalreporter.write_line(text)


@dataclass
class Endpoint:
    """An S3 server and the keys to it."""

    url: str
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
        }

    @contextmanager
    def reached(self) -> Iterator[None]:
        """The package in this process finds it by the environment."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment().items():
                patch.setenv(name, value)
            yield

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name=self.region,
            config=Config(s3={"addressing_style": "path"}, max_pool_connections=16),
        )

    def new_bucket(self) -> str:
        name = f"test-{secrets.token_hex(6)}"
        self.client().create_bucket(Bucket=name)
        return name


def versitygw_binary() -> str:
    binary = os.environ.get("BUCKETLINE_VERSITYGW") or shutil.which("versitygw")
    if not binary:
        missing("versitygw is not installed; set BUCKETLINE_VERSITYGW to its path")
    assert binary
    return binary


@contextmanager
def serve_versitygw(binary: str, folder: Path, options: list[str]) -> Iterator[Endpoint]:
    with servers.versitygw(binary, folder, *options) as endpoint:
        yield Endpoint(endpoint.url, endpoint.access_key_id, endpoint.secret_access_key)


@pytest.fixture(scope="session")
def versitygw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with serve_versitygw(versitygw_binary(), tmp_path_factory.mktemp("versitygw"), []) as endpoint:
        yield endpoint


@pytest.fixture
def reached(versitygw: Endpoint) -> Iterator[Endpoint]:
    """versitygw, which the package in this process finds by the environment."""
    with versitygw.reached():
        yield versitygw


@pytest.fixture
def bucket_url(reached: Endpoint) -> str:
    """ "s3://bucket/" of a new bucket there."""
    return f"s3://{reached.new_bucket()}/"


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 small labelled images, for tests that only read them."""
    from images import labelled_objects  # which needs Endpoint of this file

    folder = tmp_path_factory.mktemp("buckets") / "images"
    for key, data in labelled_objects(24).items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)
    return folder


def run_python(code: str, *arguments: object, timeout: float = DEADLINE_SECONDS) -> str:
    """What a process of its own prints. It must end by itself, and well."""
    process = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=timeout
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def waits_for(process: subprocess.Popen[Any], number: signal.Signals) -> bool:
    """Whether a `bucketline` has begun to wait for this signal, which would have killed it before."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    blocked = int(status.split("SigBlk:")[1].split()[0], 16)
    return bool(blocked >> (number - 1) & 1)


@dataclass
class Outcome:
    code: int
    out: str
    err: str
    seconds: float


@dataclass
class Command:
    """The built `bucketline`, run with an environment that holds no credentials but the given ones."""

    binary: Path
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def with_environment(self, environment: dict[str, str]) -> Command:
        return Command(self.binary, self.home, environment)

    def full_environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        files = {
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "credentials"),
            "AWS_CONFIG_FILE": str(self.home / "config"),
            "HOME": str(self.home),
            "AWS_EC2_METADATA_DISABLED": "true",  # no test asks a machine outside
            "BUCKETLINE_GRACE": f"{DEADLINE_SECONDS}s",  # a clean end is clean on a slow machine too
        }
        return {**kept, **files, **self.environment}

    def start(self, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.binary), *map(str, arguments)],
            env=self.full_environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def run(self, *arguments: object, timeout: float = DEADLINE_SECONDS) -> Outcome:
        start = time.monotonic()
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            pytest.fail(f"bucketline {arguments} was still running after {timeout} s")
        return Outcome(process.returncode, out, err, time.monotonic() - start)

    def done(self, *arguments: object, timeout: float = DEADLINE_SECONDS) -> Outcome:
        outcome = self.run(*arguments, timeout=timeout)
        assert outcome.code == 0, outcome.err
        return outcome


@pytest.fixture(scope="session")
def build_dir() -> Path:
    return Path(os.environ.get("BUCKETLINE_BUILD_DIR") or ROOT / "build" / "release")


@pytest.fixture(scope="session")
def bucketline(build_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    binary = build_dir / "bin" / "bucketline"
    if not binary.exists():
        missing(f"{binary} is not built; ./run build makes it")
    return Command(binary, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def on_versitygw(bucketline: Command, versitygw: Endpoint) -> Command:
    return bucketline.with_environment(versitygw.environment())
