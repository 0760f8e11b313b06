"""No secret ever leaves the command: every ordinary misfortune with planted ones, all output searched for them."""

from __future__ import annotations

import base64
import hashlib
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import Command, Endpoint
from http_server import HttpServer
from images import labelled_objects, put_all
from servers import closed_port

SECRET = "wJalr+Planted/Secret0123456789"
TOKEN = "IQoJPlantedSessionToken//////////wEaCXVz"
BEARER = "planted-bearer-token-of-a-service"
PLANTED = (SECRET, TOKEN, BEARER)


def forms(secret: str) -> list[str]:
    """How it may look after somebody has encoded it."""
    raw = secret.encode()
    return [
        secret,
        urllib.parse.quote(secret, safe=""),
        base64.b64encode(raw).decode(),
        raw.hex(),
        hashlib.sha256(raw).hexdigest(),
    ]


def search(text: str) -> None:
    for secret in PLANTED:
        for form in forms(secret):
            assert form not in text, f"{form!r} in {text!r}"
    assert "Signature=" not in text
    assert "X-Amz-Signature" not in text


class Echo(BaseHTTPRequestHandler):
    """A service that refuses everything and repeats what it was sent, as some stores and proxies do."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        echo = str(self.headers) + self.path + self.rfile.read(length).decode(errors="replace")
        status, kind, body = self.form(echo)
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Location", "http://elsewhere.test/?" + urllib.parse.quote(echo[:200]))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def form(self, echo: str) -> tuple[int, str, str]:
        place, _, _ = self.path.lstrip("/").partition("?")
        code = place.split("/", 1)[0].upper()
        if code == "HTML":
            return 403, "text/html", f"<html>{echo}</html>"
        if code == "MOVED":
            return 301, "text/html", f"<html>{echo}</html>"
        if code == "JSON":
            return 200, "application/json", '{"AccessKeyId": "' + SECRET + '"}'
        detail = f"<Error><Code>{code}</Code><Message>no</Message><Headers>{echo}</Headers></Error>"
        return 400, "application/xml", detail

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    server = HttpServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


KEYS = {"AWS_ACCESS_KEY_ID": "AKIDPLANTED", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
COMMANDS: list[tuple[str, ...]] = [
    ("ls", "{uri}"),
    ("index", "{uri}", "--output", "{home}/x.manifest"),
    ("get", "{uri}", "--discard"),
    ("put", "{home}", "{uri}"),
    ("bench", "{uri}"),
    ("train", "{uri}"),
    ("doctor", "{uri}"),
    ("doctor", "{uri}", "--json"),
    ("ls", "{uri}", "--json"),
]


def run(command: Command, arguments: tuple[str, ...], uri: str) -> None:
    (command.home / "a-file").write_text("x")
    filled = [text.replace("{uri}", uri).replace("{home}", str(command.home)) for text in arguments]
    outcome = command.run(*filled, "--deadline", "2s", "--max-attempts", "2")
    assert outcome.code == 1 or arguments[0] == "put", (filled, outcome.out, outcome.err)
    assert outcome.out + outcome.err
    search(outcome.out + outcome.err)


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments))
def test_a_store_that_repeats_what_it_was_sent(
    bucketline: Command, echo: str, arguments: tuple[str, ...]
) -> None:
    command = bucketline.with_environment({**KEYS, "AWS_ENDPOINT_URL_S3": echo})
    for bucket in ("accessdenied", "signaturedoesnotmatch", "expiredtoken", "html", "moved", "json"):
        run(command, arguments, f"s3://{bucket}/x/")


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments))
def test_a_real_server_and_none(bucketline: Command, versitygw: Endpoint, arguments: tuple[str, ...]) -> None:
    with closed_port() as port:
        for url in (versitygw.url, f"http://127.0.0.1:{port}", "http://no-such-host.invalid"):
            there = bucketline.with_environment({**KEYS, "AWS_ENDPOINT_URL_S3": url})
            run(there, arguments, "s3://bucket/x/")


@pytest.mark.parametrize(
    ("variables", "config"),
    [
        ({}, f"[default]\naws_access_key_id = A\naws_secret_access_key = {SECRET} {TOKEN}\n"),
        ({}, f"[default]\naws_secret_access_key = {SECRET}\n"),
        ({"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": SECRET + "\x7f"}, ""),
        ({}, "[default]\ncredential_process = echo '{home}' " + SECRET + "\n"),
        ({}, "[default]\nrole_arn = arn:a:r\nsource_profile = base\n"),
        ({"AWS_ROLE_ARN": "arn:a:r", "AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/bearer"}, ""),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "{echo}/html/" + BEARER,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": BEARER,
            },
            "",
        ),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{echo}/json"}, ""),
        ({"AWS_ENDPOINT_URL_S3": f"http://user:{SECRET.replace('/', '')}@127.0.0.1:1", **KEYS}, ""),
    ],
)
def test_credentials_that_cannot_be_had(
    bucketline: Command, echo: str, tmp_path: Path, variables: dict[str, str], config: str
) -> None:
    def fill(text: str) -> str:
        return text.replace("{home}", str(tmp_path)).replace("{echo}", echo)

    (tmp_path / "bearer").write_text(BEARER)
    (tmp_path / "credentials").write_text(
        f"[base]\naws_access_key_id = A\naws_secret_access_key = {SECRET}\n"
    )
    (tmp_path / "config").write_text(fill(config))
    surroundings = {"AWS_ENDPOINT_URL_S3": echo, "AWS_ENDPOINT_URL_STS": echo + "/html"}
    surroundings |= {name: fill(value) for name, value in variables.items()}
    command = Command(bucketline.binary, tmp_path, surroundings)
    for arguments in (COMMANDS[0], COMMANDS[-2]):
        run(command, arguments, "s3://accessdenied/x/")


def test_what_goes_well_shows_none_either(on_versitygw: Command, versitygw: Endpoint) -> None:
    name = versitygw.new_bucket()
    put_all(versitygw, name, "", labelled_objects(4))
    for arguments in (("ls",), ("doctor",), ("doctor", "--json"), ("bench", "--batch-size", "2")):
        outcome = on_versitygw.done(arguments[0], f"s3://{name}/", *arguments[1:])
        assert versitygw.secret_access_key not in outcome.out + outcome.err
