"""The embedded S3 endpoint, as boto3 sees it.

Needs the serve_tool program ($BUCKETLINE_BUILD_DIR/bin, default build/release/bin).
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS

boto3 = pytest.importorskip("boto3")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]
REGION = "us-east-1"


def find_tool() -> Path:
    build = Path(os.environ.get("BUCKETLINE_BUILD_DIR", REPOSITORY / "build" / "release"))
    tool = build / "bin" / "serve_tool"
    if not tool.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{tool} is not built")
        pytest.skip(f"{tool} is not built")
    return tool


@dataclass
class Endpoint:
    url: str
    key_id: str
    secret: str
    folder: Path | None = None

    def client(self, **changes: Any) -> Any:
        settings: dict[str, Any] = {
            "endpoint_url": self.url,
            "aws_access_key_id": self.key_id,
            "aws_secret_access_key": self.secret,
            "region_name": REGION,
            "config": Config(
                s3={"addressing_style": "path"},
                retries={"max_attempts": 1},
                connect_timeout=DEADLINE_SECONDS,
                read_timeout=DEADLINE_SECONDS,
            ),
        }
        return boto3.client("s3", **{**settings, **changes})

    def raw(self, method: str, target: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """One unsigned request with the target exactly as given."""
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=DEADLINE_SECONDS)
        try:
            connection.request(method, target, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def run_endpoint(folder: Path | None, *flags: str) -> Iterator[Endpoint]:
    command = [str(find_tool()), *flags]
    if folder is not None:
        command += ["--folder", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            told = json.loads(process.stdout.readline())
            yield Endpoint(told["endpoint_url"], told["access_key_id"], told["secret_access_key"], folder)
        finally:
            process.stdin.close()
            try:
                assert process.wait(timeout=DEADLINE_SECONDS) == 0
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@pytest.fixture(scope="module", params=["memory", "folder"])
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("served") if request.param == "folder" else None
    yield from run_endpoint(folder)


@pytest.fixture
def s3(endpoint: Endpoint) -> Any:
    return endpoint.client()


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> str:
    name = "b-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:20]
    s3.create_bucket(Bucket=name)
    return name


def error_of(call: Any, **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_buckets(s3: Any, bucket: str) -> None:
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == REGION
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert error_of(s3.create_bucket, Bucket=bucket) == ("BucketAlreadyOwnedByYou", 409)
    assert error_of(s3.create_bucket, Bucket="Not-Allowed") == ("InvalidBucketName", 400)
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    assert error_of(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key="a/b")
    s3.delete_bucket(Bucket=bucket)
    assert error_of(s3.head_bucket, Bucket=bucket) == ("404", 404)
    assert error_of(s3.list_objects_v2, Bucket=bucket) == ("NoSuchBucket", 404)


@pytest.mark.parametrize("size", [0, 1, 5000, 3_000_001])
def test_put_get_head_delete(s3: Any, bucket: str, size: int) -> None:
    data = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="folder/a b+c%2F~\u00e4.bin", Body=data)
    got = s3.get_object(Bucket=bucket, Key="folder/a b+c%2F~\u00e4.bin")
    assert got["Body"].read() == data
    assert got["ETag"] == put["ETag"]
    head = s3.head_object(Bucket=bucket, Key="folder/a b+c%2F~\u00e4.bin")
    assert head["ContentLength"] == size
    assert head["LastModified"].year >= 2024
    s3.delete_object(Bucket=bucket, Key="folder/a b+c%2F~\u00e4.bin")
    assert error_of(s3.get_object, Bucket=bucket, Key="folder/a b+c%2F~\u00e4.bin") == ("NoSuchKey", 404)
    assert error_of(s3.head_object, Bucket=bucket, Key="folder/a b+c%2F~\u00e4.bin") == ("404", 404)
    s3.delete_object(Bucket=bucket, Key="folder/a b+c%2F~\u00e4.bin")


def test_ranges(s3: Any, bucket: str) -> None:
    data = os.urandom(2_500_000)
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    for asked, expected in {
        "bytes=0-0": data[:1],
        "bytes=1000-2200000": data[1000:2200001],
        "bytes=2499999-": data[-1:],
        "bytes=-7": data[-7:],
        "bytes=5-99999999": data[5:],
    }.items():
        got = s3.get_object(Bucket=bucket, Key="k", Range=asked)
        assert got["Body"].read() == expected, asked
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert got["ContentRange"].endswith(f"/{len(data)}")
    assert error_of(s3.get_object, Bucket=bucket, Key="k", Range="bytes=2500000-") == ("InvalidRange", 416)


def test_conditions(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"one", IfNoneMatch="*")["ETag"]
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"two", IfNoneMatch="*") == (
        "PreconditionFailed",
        412,
    )
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag)["Body"].read() == b"one"
    assert error_of(s3.get_object, Bucket=bucket, Key="k", IfMatch='"other"') == ("PreconditionFailed", 412)
    assert error_of(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == ("304", 304)


def test_list_pages(s3: Any, bucket: str, endpoint: Endpoint) -> None:
    keys = sorted(f"n/{i % 7}/{i:05d} +&%.jpg" for i in range(2500))
    if endpoint.folder is None:
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=b"")
    else:
        for key in keys:
            path = endpoint.folder / bucket / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket))
    assert [len(page["Contents"]) for page in pages] == [1000, 1000, 500]
    assert [o["Key"] for page in pages for o in page["Contents"]] == keys
    assert [page["IsTruncated"] for page in pages] == [True, True, False]
    folders = s3.list_objects_v2(Bucket=bucket, Prefix="n/", Delimiter="/")
    assert [p["Prefix"] for p in folders["CommonPrefixes"]] == [f"n/{i}/" for i in range(7)]
    assert folders["KeyCount"] == 7
    after = s3.list_objects_v2(Bucket=bucket, StartAfter=keys[2489], MaxKeys=7)
    assert [o["Key"] for o in after["Contents"]] == keys[2490:2497]
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    assert error_of(s3.list_objects_v2, Bucket=bucket, ContinuationToken="nonsense") == (
        "InvalidArgument",
        400,
    )
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys[:1000]]})
    assert len(deleted["Deleted"]) == 1000
    left = s3.list_objects_v2(Bucket=bucket, MaxKeys=1)
    assert left["Contents"][0]["Key"] == keys[1000]


def test_multipart_upload_file(s3: Any, bucket: str, tmp_path: Path) -> None:
    data = os.urandom(20_000_000)
    (tmp_path / "large").write_bytes(data)
    s3.upload_file(str(tmp_path / "large"), bucket, "large")
    s3.download_file(bucket, "large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data


def test_multipart_errors(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    names = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    first = s3.upload_part(**names, PartNumber=1, Body=b"small")["ETag"]
    second = s3.upload_part(**names, PartNumber=2, Body=b"last")["ETag"]
    assert [p["PartNumber"] for p in s3.list_parts(**names)["Parts"]] == [1, 2]
    parts = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]
    complete = s3.complete_multipart_upload
    assert error_of(complete, **names, MultipartUpload={"Parts": parts}) == ("EntityTooSmall", 400)
    assert error_of(complete, **names, MultipartUpload={"Parts": parts[::-1]}) == ("InvalidPartOrder", 400)
    wrong = [{"PartNumber": 1, "ETag": '"wrong"'}]
    assert error_of(complete, **names, MultipartUpload={"Parts": wrong}) == ("InvalidPart", 400)
    complete(**names, MultipartUpload={"Parts": parts[1:]})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"last"
    other = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=other)
    assert error_of(s3.list_parts, Bucket=bucket, Key="k", UploadId=other) == ("NoSuchUpload", 404)
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]


def test_who_may_ask(endpoint: Endpoint, bucket: str) -> None:
    wrong_secret = endpoint.client(aws_secret_access_key="wrong")
    assert error_of(wrong_secret.list_objects_v2, Bucket=bucket) == ("SignatureDoesNotMatch", 403)
    unknown = endpoint.client(aws_access_key_id="AKIDNOBODY")
    assert error_of(unknown.list_objects_v2, Bucket=bucket) == ("InvalidAccessKeyId", 403)
    elsewhere = endpoint.client(region_name="eu-west-1")  # botocore follows the error's <Region>
    assert elsewhere.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    status, body = endpoint.raw("GET", f"/{bucket}")
    assert (status, b"<Code>AccessDenied</Code>" in body) == (403, True)


def test_presigned_urls(endpoint: Endpoint, s3: Any, bucket: str) -> None:
    v4 = endpoint.client(config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    s3.put_object(Bucket=bucket, Key="a b", Body=b"content")
    url = v4.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as answer:
        assert answer.read() == b"content"


def test_nothing_outside_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("never to be seen")
    served = tmp_path / "served"
    (served / "bucket").mkdir(parents=True)
    (served / "bucket" / "link").symlink_to(tmp_path / "secret")
    (served / "linked-bucket").symlink_to(tmp_path)
    (served / "plain-file").write_text("no bucket")
    for endpoint in run_endpoint(served, "--anonymous"):
        for target in (
            "/../secret",
            "/bucket/../../secret",
            "/bucket/%2e%2e/%2e%2e/secret",
            "/bucket/..%2f..%2fsecret",
            "/%2e%2e/secret",
            "/..%2fsecret/x",
            "/bucket//../../secret",
            "/bucket/link",
            "/linked-bucket/secret",
            "/plain-file/x",
            "/.bucketline-serve/lock",
            "/bucket/%00",
            "/bucket/%zz",
        ):
            status, body = endpoint.raw("GET", target)
            assert status in (400, 403, 404), target
            assert b"never to be seen" not in body, target
            if target != "/bucket/link":  # a PUT replaces the link itself
                assert endpoint.raw("PUT", target)[0] in (400, 403, 404), target
        assert endpoint.raw("GET", "/bucket/link?acl")[0] == 501
        assert endpoint.raw("PATCH", "/bucket/link")[0] == 501
        assert endpoint.raw("PUT", "/bucket/a//b")[0] == 400
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(
        ["secret", "served", "bucket", "link", "linked-bucket", "plain-file"]
    )
    assert (tmp_path / "secret").read_text() == "never to be seen"


def test_faults_are_survived(tmp_path: Path) -> None:
    flags = ("--slow-down", "0.2", "--reset-before", "0.1", "--seed", "5")
    for endpoint in run_endpoint(None, *flags):
        s3 = endpoint.client(config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 10}))
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="k", Body=b"content")
        for _ in range(10):
            assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"content"
