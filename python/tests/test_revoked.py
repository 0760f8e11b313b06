"""Credentials that are revoked in mid-epoch: rotated ones are picked up, none are one clear error."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint, serve_versitygw, versitygw_binary
from gate import Gate, gated
from images import labelled_objects, put_all

EPOCHS = 20


@dataclass
class Accounts:
    """A server whose users come and go."""

    endpoint: Endpoint
    binary: str

    def admin(self, *arguments: str) -> None:
        root = self.endpoint
        keys = [
            "--access",
            root.access_key_id,
            "--secret",
            root.secret_access_key,
            "--endpoint-url",
            root.url,
        ]
        subprocess.run(
            [self.binary, "admin", *keys, *arguments],
            check=True,
            timeout=DEADLINE_SECONDS,
            capture_output=True,
        )

    def new_user(self) -> tuple[str, str]:
        user = ("user" + secrets.token_hex(6), secrets.token_hex(16))
        self.admin("create-user", "--access", user[0], "--secret", user[1], "--role", "admin")
        return user

    def revoke(self, user: tuple[str, str]) -> None:
        self.admin("delete-user", "--access", user[0])


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    binary = versitygw_binary()
    users = tmp_path_factory.mktemp("users")
    options = ["--iam-dir", str(users), "--iam-cache-disable"]
    with serve_versitygw(binary, tmp_path_factory.mktemp("data"), options) as endpoint:
        yield Accounts(endpoint, binary)


@pytest.fixture(scope="module")
def bucket(accounts: Accounts) -> str:
    name = accounts.endpoint.new_bucket()
    put_all(accounts.endpoint, name, "", labelled_objects(8))
    return name


def write_keys(home: Path, user: tuple[str, str]) -> None:
    """As tools that rotate keys do: the file is never seen half written."""
    fresh = home / "credentials.new"
    fresh.write_text(f"[default]\naws_access_key_id = {user[0]}\naws_secret_access_key = {user[1]}\n")
    os.replace(fresh, home / "credentials")


@contextmanager
def streaming(
    bucketline: Command, accounts: Accounts, bucket: str, home: Path
) -> Iterator[tuple[Gate, subprocess.Popen[str]]]:
    """A run in the middle of its reads, with the keys of the file there."""
    with gated(accounts.endpoint, lambda method, path: method == "GET" and ".jpg" in path, 20) as gate:
        command = Command(bucketline.binary, home, {"AWS_ENDPOINT_URL_S3": gate.endpoint.url})
        run = command.start("bench", f"s3://{bucket}/", "--batch-size", 2, "--epochs", EPOCHS, "--json")
        gate.closed()
        yield gate, run


def test_keys_that_were_rotated_in_the_file_are_picked_up(
    bucketline: Command, accounts: Accounts, bucket: str, tmp_path: Path
) -> None:
    old, new = accounts.new_user(), accounts.new_user()
    write_keys(tmp_path, old)
    with streaming(bucketline, accounts, bucket, tmp_path) as (gate, run):
        write_keys(tmp_path, new)
        accounts.revoke(old)
        gate.open()
        out, err = run.communicate(timeout=DEADLINE_SECONDS)
    assert run.returncode == 0, err
    assert f'"images":{8 * EPOCHS}' in out.replace(" ", "")


def test_keys_that_are_gone_for_good_are_one_clear_error(
    bucketline: Command, accounts: Accounts, bucket: str, tmp_path: Path
) -> None:
    user = accounts.new_user()
    write_keys(tmp_path, user)
    with streaming(bucketline, accounts, bucket, tmp_path) as (gate, run):
        accounts.revoke(user)
        gate.open()
        _, err = run.communicate(timeout=DEADLINE_SECONDS)
    assert run.returncode == 1
    lines = [line for line in err.splitlines() if line.startswith("bucketline:")]
    assert len(lines) == 1, err
    assert f"s3://{bucket}/" in lines[0]
    assert "access key id" in lines[0]
    assert user[1] not in err
