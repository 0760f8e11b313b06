"""Each ordinary misfortune: one clear line that names the object and the remedy, the right exit code, no hang."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path

import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint
from images import jpeg, labelled_objects, put_all
from servers import closed_port


def assert_one_line(text: str, *needles: str) -> None:
    lines = [line for line in text.splitlines() if line.startswith("bucketline:")]
    assert len(lines) == 1, text
    for needle in needles:
        assert needle.lower() in lines[0].lower(), (needle, lines[0])


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    name = versitygw.new_bucket()
    put_all(versitygw, name, "good/", labelled_objects(8))
    client = versitygw.client()
    client.put_object(Bucket=name, Key="text/readme.txt", Body=b"no image")
    client.put_object(Bucket=name, Key="marker/", Body=b"")
    client.put_object(Bucket=name, Key="marker/empty.jpg", Body=b"")
    client.put_object(Bucket=name, Key="named/a.jpg", Body=b"This is plain text, not a picture.")
    client.put_object(Bucket=name, Key="cut/a.jpg", Body=jpeg(0)[:700])
    return name


def test_no_credentials(bucketline: Command, versitygw: Endpoint, bucket: str) -> None:
    alone = bucketline.with_environment({"AWS_ENDPOINT_URL_S3": versitygw.url})
    outcome = alone.run("ls", f"s3://{bucket}/")
    assert outcome.code == 1
    assert_one_line(outcome.err, f"s3://{bucket}", "credentials", "AWS_ACCESS_KEY_ID", "anonymous")


def test_wrong_secret(bucketline: Command, versitygw: Endpoint, bucket: str) -> None:
    wrong = {**versitygw.environment(), "AWS_SECRET_ACCESS_KEY": "not-the-secret-of-anyone"}
    outcome = bucketline.with_environment(wrong).run("ls", f"s3://{bucket}/")
    assert outcome.code == 1
    assert_one_line(outcome.err, bucket, "secret")
    assert "not-the-secret-of-anyone" not in outcome.out + outcome.err


def test_a_wrong_region_is_followed(bucketline: Command) -> None:
    server = bucketline.start("serve", "--memory", "--bucket", "images", "--region", "eu-west-3", "--json")
    assert server.stdout
    reach = json.loads(server.stdout.readline())
    client = bucketline.with_environment(
        {
            "AWS_ENDPOINT_URL_S3": reach["endpoint_url"],
            "AWS_ACCESS_KEY_ID": reach["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": reach["secret_access_key"],
        }
    )
    try:
        outcome = client.run("ls", "s3://images/", "--region", "us-east-1")
    finally:
        server.terminate()
        server.communicate(timeout=DEADLINE_SECONDS)
    assert outcome.code == 1
    assert_one_line(outcome.err, "s3://images/", "nothing here")  # and no word of a region


def test_no_such_bucket(on_versitygw: Command) -> None:
    outcome = on_versitygw.run("bench", "s3://no-such-bucket-here/images/")
    assert outcome.code == 1
    assert_one_line(outcome.err, "s3://no-such-bucket-here", "bucket")


@pytest.mark.parametrize("command", [("ls",), ("bench",), ("train",), ("get", "--discard")])
def test_empty_prefix(on_versitygw: Command, bucket: str, command: tuple[str, ...]) -> None:
    outcome = on_versitygw.run(command[0], f"s3://{bucket}/nothing/", *command[1:])
    assert outcome.code == 1
    assert_one_line(outcome.err, f"s3://{bucket}/nothing/", "prefix")


def test_no_image_under_the_prefix(on_versitygw: Command, bucket: str) -> None:
    outcome = on_versitygw.run("train", f"s3://{bucket}/text/")
    assert outcome.code == 1
    assert_one_line(outcome.err, f"s3://{bucket}/text/", ".jpg", "readme.txt")


def test_folder_markers_and_empty_objects_are_no_images(on_versitygw: Command, bucket: str) -> None:
    outcome = on_versitygw.run("bench", f"s3://{bucket}/marker/")
    assert outcome.code == 1
    assert_one_line(outcome.err, f"s3://{bucket}/marker/")


@pytest.mark.parametrize(("prefix", "says"), [("named", "text"), ("cut", "truncated")])
def test_broken_image(on_versitygw: Command, bucket: str, prefix: str, says: str) -> None:
    outcome = on_versitygw.run("bench", f"s3://{bucket}/{prefix}/", "--batch-size", 1)
    assert outcome.code == 1
    assert_one_line(outcome.err, f"s3://{bucket}/{prefix}/a.jpg", says)


def test_unreachable_endpoint(bucketline: Command) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}"
        outcome = bucketline.with_environment(keys).run(
            "ls", "s3://images/", "--endpoint-url", url, "--deadline", "2s"
        )
    assert outcome.code == 1
    assert outcome.seconds < 60
    assert_one_line(outcome.err, "s3://images", url.removeprefix("http://"))


def test_silent_endpoint_does_not_outlive_the_deadline(bucketline: Command) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        outcome = bucketline.with_environment(keys).run(
            "ls", "s3://images/", "--endpoint-url", url, "--deadline", "2s"
        )
    assert outcome.code == 1
    assert outcome.seconds < 60
    assert_one_line(outcome.err, "s3://images")


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "s3://images/", "--no-such-option"),
        ("train",),
        ("train", "s3://images/", "--epochs", "0"),
        ("train", "s3://images/", "--memory", "lots"),
        ("train", "s3://images/", "--checkpoint-every", "often"),
        ("train", "s3://images/", "--resume"),
        ("train", "s3://images/", "--image-size", "8"),
        ("train", "s3://images/", "--loss", "hinge"),
        ("bench", "s3://images/", "--crop", "round"),
        ("bench", "s3://images/", "--resize", "sharp"),
        ("bench", "s3://images/", "--jitter", "0.1,0.2"),
        ("bench", "s3://images/", "--area", "0.1,0.2,0.3"),
        ("bench", "s3://images/", "--box", "1,2,3,x"),
        ("bench", "s3://images/", "--dtype", "int8"),
        ("train", "s3://images/", "--jitter", "-1,0,0"),
        ("train", "s3://images/", "--resize", "lanczos", "--no-antialias"),
        ("get", "s3://images/"),
        ("serve",),
        ("no-such-command",),
        (),
    ],
)
def test_wrong_usage(bucketline: Command, arguments: tuple[str, ...]) -> None:
    outcome = bucketline.run(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.strip()


def test_an_unknown_option_is_named(bucketline: Command) -> None:
    assert "--no-such-option" in bucketline.run("ls", "s3://images/", "--no-such-option").err


def test_an_error_as_json(on_versitygw: Command, bucket: str) -> None:
    outcome = on_versitygw.run("ls", f"s3://{bucket}/nothing/", "--json")
    assert outcome.code == 1
    error = json.loads(outcome.out.splitlines()[-1])
    assert error["error"] == "NotFound"
    assert error["uri"] == f"s3://{bucket}/nothing/"


@pytest.mark.parametrize(
    ("table", "arguments", "says"),
    [
        (b"file,klass\ndark/0000.jpg,a\n", (), ["label", "klass"]),
        (b"file,label\ndark/0000.jpg,a\n", (), ["bright/0001.jpg", "6 more of the 8 records"]),
        (b"file,label\nother/x.jpg,a\n", (), ["other/x.jpg"]),
        (b"file,label\ndark/0000.jpg,a\ndark/0000.jpg,b\n", (), ["line 3", "dark/0000.jpg", "line 2"]),
    ],
)
def test_labels_that_do_not_fit(
    on_versitygw: Command,
    versitygw: Endpoint,
    bucket: str,
    table: bytes,
    arguments: tuple[str, ...],
    says: list[str],
) -> None:
    versitygw.client().upload_fileobj(io.BytesIO(table), bucket, "labels.csv")
    outcome = on_versitygw.run(
        "train", f"s3://{bucket}/good/", "--labels", f"s3://{bucket}/labels.csv", *arguments
    )
    assert outcome.code == 1
    assert_one_line(outcome.err, f"s3://{bucket}/labels.csv", *says)


def test_one_class_only(on_versitygw: Command, versitygw: Endpoint) -> None:
    name = versitygw.new_bucket()
    put_all(versitygw, name, "", {f"dark/{i}.jpg": jpeg(i) for i in range(4)})
    outcome = on_versitygw.run("train", f"s3://{name}/", "--batch-size", 2)
    assert outcome.code == 1
    assert_one_line(outcome.err, "two classes")


def test_a_budget_that_is_too_small_names_the_minimum(on_versitygw: Command, bucket: str) -> None:
    outcome = on_versitygw.run("bench", f"s3://{bucket}/good/", "--memory", "1MiB")
    assert outcome.code == 1
    assert_one_line(outcome.err, f"s3://{bucket}/good/", "MiB")


def test_samples_without_a_label_are_an_error_that_names_the_option(
    bucketline: Command, tmp_path: Path
) -> None:
    for i in range(3):
        (tmp_path / f"{i}.jpg").write_bytes(jpeg(i))
    (tmp_path / "labels.csv").write_text("file,label\n0.jpg,a\n2.jpg,b\n")
    index = ("index", f"{tmp_path}/", "--labels", tmp_path / "labels.csv", "-o", tmp_path / "some.manifest")
    outcome = bucketline.run(*index)
    assert outcome.code == 1
    assert_one_line(outcome.err, "1.jpg", "missing drop leaves such records out")
    kept = json.loads(bucketline.done(*index, "--missing", "drop", "--json").out)
    assert kept["records"] == 2 and kept["classes"] == ["a", "b"]
    assert bucketline.run(*index, "--missing", "keep").code == 2
