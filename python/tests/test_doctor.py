"""`bucketline doctor` on a real server, healthy and not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint
from images import labelled_objects, put_all
from servers import closed_port

NAMES = [
    "credentials",
    "endpoint",
    "dns",
    "connection",
    "clock",
    "list",
    "read",
    "latency",
    "throughput",
    "open files",
    "memory",
]


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    name = versitygw.new_bucket()
    put_all(versitygw, name, "good/", labelled_objects(8))
    return name


def diagnose(command: Command, *arguments: object) -> tuple[int, dict[str, Any], dict[str, dict[str, str]]]:
    outcome = command.run("doctor", *arguments, "--json")
    report = json.loads(outcome.out)
    return outcome.code, report, {check["name"]: check for check in report["checks"]}


def test_a_healthy_bucket(on_versitygw: Command, versitygw: Endpoint, bucket: str) -> None:
    code, report, checks = diagnose(on_versitygw, f"s3://{bucket}/good/")
    assert code == 0, report
    assert report["healthy"]
    assert list(checks) == NAMES
    assert all(check["status"] in ("ok", "warning") for check in checks.values())
    assert "AWS_ACCESS_KEY_ID" in checks["credentials"]["value"]
    assert versitygw.access_key_id in checks["credentials"]["value"]
    assert versitygw.url in checks["endpoint"]["value"]
    assert "127.0.0.1" in checks["dns"]["value"]
    assert len(report["latency_us"]) == 100
    assert report["latency_us"] == sorted(report["latency_us"])
    assert sum(row["reads"] for row in report["latency_histogram"]) == 100
    assert report["bytes_per_second"] > 0
    assert versitygw.secret_access_key not in json.dumps(report)


def test_as_text(on_versitygw: Command, bucket: str) -> None:
    outcome = on_versitygw.done("doctor", f"s3://{bucket}/good/", "--reads", 10)
    lines = outcome.out.splitlines()
    for name in NAMES:
        assert any(line.split(maxsplit=1)[-1].startswith(name) for line in lines), name
    assert "10 reads" in outcome.out


def failing(
    command: Command, check: str, *needles: str, uri: str, arguments: tuple[object, ...] = ()
) -> None:
    code, report, checks = diagnose(command, uri, *arguments)
    assert code == 1
    assert not report["healthy"]
    assert [name for name, found in checks.items() if found["status"] == "failed"] == [check]
    text = checks[check]["value"] + " " + checks[check]["advice"]
    for needle in needles:
        assert needle.lower() in text.lower(), text
    assert checks["memory"]["status"] != "skipped"


def test_a_wrong_secret(on_versitygw: Command, versitygw: Endpoint, bucket: str) -> None:
    wrong = on_versitygw.with_environment(
        {**versitygw.environment(), "AWS_SECRET_ACCESS_KEY": "planted-secret"}
    )
    failing(wrong, "list", "secret access key", "copy it again", uri=f"s3://{bucket}/good/")
    assert "planted-secret" not in wrong.run("doctor", f"s3://{bucket}/good/").out


def test_no_such_bucket(on_versitygw: Command) -> None:
    failing(on_versitygw, "list", "no such bucket", "check its name", uri="s3://no-such-bucket-here/")


def test_nothing_below_the_prefix(on_versitygw: Command, bucket: str) -> None:
    failing(on_versitygw, "list", "nothing below", "prefix", uri=f"s3://{bucket}/other/")


def test_an_endpoint_that_is_down(on_versitygw: Command, bucket: str) -> None:
    with closed_port() as port:
        url = ("--endpoint-url", f"http://127.0.0.1:{port}")
        failing(on_versitygw, "connection", "endpoint", uri=f"s3://{bucket}/", arguments=url)


def test_a_name_that_nobody_knows(on_versitygw: Command, bucket: str) -> None:
    url = "http://no-such-host.invalid"
    failing(on_versitygw, "dns", "spelling", uri=f"s3://{bucket}/", arguments=("--endpoint-url", url))


def test_no_credentials(bucketline: Command, versitygw: Endpoint, bucket: str) -> None:
    alone = bucketline.with_environment({"AWS_ENDPOINT_URL_S3": versitygw.url})
    failing(alone, "credentials", "AWS_ACCESS_KEY_ID", "anonymously", uri=f"s3://{bucket}/")


def test_another_region_is_found_and_told(bucketline: Command) -> None:
    server = bucketline.start("serve", "--memory", "--bucket", "images", "--region", "eu-west-3", "--json")
    assert server.stdout
    try:
        reach = json.loads(server.stdout.readline())
        there = Endpoint(
            reach["endpoint_url"], reach["access_key_id"], reach["secret_access_key"], "eu-west-3"
        )
        there.client().put_object(Bucket="images", Key="a.jpg", Body=b"x" * 1000)
        here = bucketline.with_environment({**there.environment(), "AWS_REGION": "us-east-1"})
        code, _, checks = diagnose(here, "s3://images/")
    finally:
        server.terminate()
        server.communicate(timeout=DEADLINE_SECONDS)
    assert code == 0
    assert checks["region"]["status"] == "warning"
    assert "eu-west-3" in checks["region"]["advice"]
