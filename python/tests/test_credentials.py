"""Every place where credentials may be: the command signs with the same ones as boto3 in the same surroundings.

Both ask a stand-in of AWS's services on loopback. It checks the signatures of STS calls with botocore's signer and then
plays an S3 bucket that remembers who signed.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import DEADLINE_SECONDS, Command
from http_server import HttpServer

BASE_ID = "AKIDBASE"
BASE_SECRET = "the+base/secret-of-the-test"
LISTING = (
    "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a.jpg</Key><Size>1</Size>"
    '<ETag>"e"</ETag><LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>'
)
EXPIRATION = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def secret_of(key_id: str) -> str:
    return BASE_SECRET if key_id == BASE_ID else f"secret-of-{key_id}"


@dataclass
class Services:
    """What the server has seen."""

    url: str = ""
    signers: list[str] = field(default_factory=list)  # of requests to the bucket
    problems: list[str] = field(default_factory=list)


def signer_of(authorization: str) -> str:
    return authorization.split("Credential=", 1)[-1].split("/", 1)[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    services: Services

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def role(self, key_id: str, token: str = "Token") -> str:
        values = {"AccessKeyId": key_id, "SecretAccessKey": secret_of(key_id), "Expiration": EXPIRATION}
        return json.dumps(
            {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": EXPIRATION, **values, token: "token"}
        )

    def signature_is_good(self, body: bytes) -> bool:
        """Whether botocore would have signed the same."""
        given = self.headers["Authorization"]
        _, _, region, service, _ = given.split("Credential=", 1)[1].split(",", 1)[0].split("/")
        names = given.split("SignedHeaders=", 1)[1].split(",", 1)[0].split(";")
        request = AWSRequest(method=self.command, url=f"http://{self.headers['Host']}{self.path}", data=body)
        for name in names:
            if name != "host":
                request.headers[name] = self.headers[name]
        request.context["timestamp"] = self.headers["x-amz-date"]
        key_id = signer_of(given)
        signer = SigV4Auth(
            Credentials(key_id, secret_of(key_id), self.headers.get("x-amz-security-token")), service, region
        )
        string = signer.string_to_sign(request, signer.canonical_request(request))
        return given.endswith("Signature=" + signer.signature(string, request))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = dict(urllib.parse.parse_qsl(body.decode()))
        action = form.get("Action", "")
        if action == "AssumeRole" and not self.signature_is_good(body):
            self.services.problems.append("the signature of AssumeRole is wrong")
            return self.answer(
                403, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>"
            )
        if action == "AssumeRoleWithWebIdentity" and form.get("WebIdentityToken") != "the-jwt":
            return self.answer(
                400, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>"
            )
        key_id = "ASIA" + form["RoleArn"].rsplit("/", 1)[1].upper()
        return self.answer(
            200,
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>'
            f"<AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>{secret_of(key_id)}</SecretAccessKey>"
            f"<SessionToken>token</SessionToken><Expiration>{EXPIRATION}</Expiration></Credentials>"
            f"<AssumedRoleUser><AssumedRoleId>x:y</AssumedRoleId><Arn>{form['RoleArn']}</Arn></AssumedRoleUser>"
            f"</{action}Result></{action}Response>",
        )

    def do_PUT(self) -> None:
        return self.answer(200 if self.path == "/latest/api/token" else 404, "imds-token")

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/federation/credentials":
            if self.headers["x-amz-sso_bearer_token"] != "sso-token" or "role_name=reader" not in query:
                return self.answer(401, "{}")
            expires = int(datetime.now(timezone.utc).timestamp() + 3600) * 1000
            values = {
                "accessKeyId": "ASIASSO",
                "secretAccessKey": secret_of("ASIASSO"),
                "sessionToken": "token",
            }
            return self.answer(200, json.dumps({"roleCredentials": {**values, "expiration": expires}}))
        if path == "/v1/credentials":
            good = self.headers["Authorization"] == "pod-token"
            return self.answer(200 if good else 401, self.role("ASIAPOD"))
        if path.startswith("/latest/meta-data/iam/security-credentials"):
            if self.headers["x-aws-ec2-metadata-token"] != "imds-token":
                return self.answer(401, "")
            return self.answer(200, self.role("ASIAEC2") if path.endswith("/my-role") else "my-role")
        self.services.signers.append(signer_of(self.headers.get("Authorization", "")))
        if not self.signature_is_good(b""):
            self.services.problems.append("the signature of the listing is wrong")
        return self.answer(200, LISTING)


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    seen = Services()
    server = HttpServer(("127.0.0.1", 0), type("Bound", (Handler,), {"services": seen}))
    seen.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield seen
    server.shutdown()
    thread.join()
    server.server_close()


ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": secret_of("AKIDENV")}
BASE = f"[base]\naws_access_key_id = {BASE_ID}\naws_secret_access_key = {BASE_SECRET}\n"
ROLE = "role_arn = arn:aws:iam::123456789012:role/"
SSO = "sso_account_id = 123456789012\nsso_role_name = reader\n"
START = "sso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n"

# name: variables, config file, credentials file, who signs
CASES: dict[str, tuple[dict[str, str], str, str, str]] = {
    "environment": (ENVIRONMENT, "", BASE, "AKIDENV"),
    "environment before role": (
        ENVIRONMENT,
        f"[default]\n{ROLE}one\nsource_profile = base\n",
        BASE,
        "AKIDENV",
    ),
    "profile": ({"AWS_PROFILE": "base"}, "", BASE, BASE_ID),
    "role": ({}, f"[default]\n{ROLE}one\nsource_profile = base\nexternal_id = a+b/c\n", BASE, "ASIAONE"),
    "role by role": (
        {"AWS_PROFILE": "two"},
        f"[profile two]\n{ROLE}two\nsource_profile = one\n[profile one]\n{ROLE}one\nsource_profile = base\n",
        BASE,
        "ASIATWO",
    ),
    "role of its own keys": (
        {"AWS_PROFILE": "base"},
        f"[profile base]\n{ROLE}own\nsource_profile = base\nduration_seconds = 900\n",
        BASE,
        "ASIAOWN",
    ),
    "role with the instance's": (
        {},
        f"[default]\n{ROLE}one\ncredential_source = Ec2InstanceMetadata\n",
        "",
        "ASIAONE",
    ),
    "web identity": (
        {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/web", "AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/jwt"},
        "",
        "",
        "ASIAWEB",
    ),
    "web identity of a profile": (
        {},
        f"[default]\n{ROLE}web\nweb_identity_token_file = {{home}}/jwt\n",
        "",
        "ASIAWEB",
    ),
    "single sign-on": ({}, f"[default]\nsso_session = mine\n{SSO}[sso-session mine]\n{START}", "", "ASIASSO"),
    "single sign-on, older": ({}, f"[default]\n{SSO}{START}", "", "ASIASSO"),
    "sign-on before keys": ({}, f"[default]\n{SSO}{START}", BASE.replace("[base]", "[default]"), "ASIASSO"),
    "process": ({}, "[default]\ncredential_process = cat '{home}/a document'\n", "", "AKIDPROCESS"),
    "keys before process": (
        {},
        "[default]\ncredential_process = cat '{home}/a document'\n",
        BASE.replace("[base]", "[default]"),
        BASE_ID,
    ),
    "process before config keys": (
        {},
        "[default]\ncredential_process = cat '{home}/a document'\n" + BASE.split("\n", 1)[1],
        "",
        "AKIDPROCESS",
    ),
    "container": (
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "{url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/pod-token",
        },
        "",
        "",
        "ASIAPOD",
    ),
    "instance": ({}, "", "", "ASIAEC2"),
}


@pytest.fixture()
def home(tmp_path: Path) -> Path:
    (tmp_path / "jwt").write_text("the-jwt")
    (tmp_path / "pod-token").write_text("pod-token")
    document = {"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": secret_of("AKIDPROCESS")}
    (tmp_path / "a document").write_text(json.dumps(document))
    cache = tmp_path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    for name in ("mine", "https://example.awsapps.com/start"):
        token = {"accessToken": "sso-token", "expiresAt": EXPIRATION, "region": "eu-west-1"}
        (cache / f"{hashlib.sha1(name.encode()).hexdigest()}.json").write_text(json.dumps(token))
    return tmp_path


@pytest.mark.parametrize("name", CASES)
def test_the_same_signer_as_boto3(bucketline: Command, services: Services, home: Path, name: str) -> None:
    variables, config, keys, signer = CASES[name]

    def fill(text: str) -> str:
        return text.replace("{home}", str(home)).replace("{url}", services.url)

    (home / "config").write_text(fill(config))
    (home / "credentials").write_text(fill(keys))
    command = Command(
        bucketline.binary,
        home,
        {
            "AWS_ENDPOINT_URL": services.url,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": services.url,
            "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_METADATA_SERVICE_TIMEOUT": "60",  # seconds, and not one
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            **{variable: fill(value) for variable, value in variables.items()},
        },
    )
    script = "import boto3; print(boto3.Session().get_credentials().get_frozen_credentials().access_key)"
    boto = subprocess.run(
        [sys.executable, "-c", script],
        env=command.full_environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert boto.stdout.strip() == signer, boto.stderr
    services.signers.clear()
    services.problems.clear()
    outcome = command.run("ls", "s3://bucket/")
    assert outcome.code == 0, outcome.err
    assert services.signers == [signer]
    assert services.problems == []
