"""s3:// in TensorFlow: what its files, records and checkpoints do on objects.

A registration is for the whole process and for good, so all of it happens in a process of its own, tf_process.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Endpoint, run_python
from tf_process import TensorFlowProcess

pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def process(versitygw: Endpoint) -> Iterator[TensorFlowProcess]:
    with TensorFlowProcess(versitygw.environment()) as process:
        yield process


@pytest.fixture
def root(versitygw: Endpoint) -> str:
    return f"s3://{versitygw.new_bucket()}"


def objects(endpoint: Endpoint, root: str) -> dict[str, bytes]:
    """What boto3 sees."""
    client, bucket = endpoint.client(), root.removeprefix("s3://")
    listed: list[dict[str, Any]] = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"]: client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed}


def test_files(process: TensorFlowProcess, versitygw: Endpoint, root: str) -> None:
    process.run(
        """
data = os.urandom(3 << 20)
with gfile.GFile(root + "/a/file", "wb") as file:
    file.write(data[:1000])
    file.flush()
    assert file.tell() == 1000
    assert not gfile.exists(root + "/a/file")  # before it is closed
    file.write(data[1000:])
assert read(root + "/a/file") == data

with gfile.GFile(root + "/a/file", "rb") as file:
    assert file.size() == len(data)
    for offset in (0, 12, 2 << 20, 100, len(data) - 5):
        file.seek(offset)
        assert file.read(10) == data[offset : offset + 10], offset
    assert file.read(10) == b""

write(root + "/text", "ein\\nzwei\\n".encode())
with gfile.GFile(root + "/text") as file:
    assert list(file) == ["ein\\n", "zwei\\n"]
write(root + "/empty", b"")
assert read(root + "/empty") == b""
write(root + "/text", b"new")  # in the place of what was there
assert read(root + "/text") == b"new"
odd = root + "/a/b c%20+\u00fc#?x"  # keys are literal
write(odd, b"odd")
assert read(odd) == b"odd" and gfile.stat(odd).length == 3

refused(errors.UnimplementedError, lambda: gfile.GFile(root + "/text", "a").write("x"), "cannot be appended to", "/text")
refused(errors.NotFoundError, lambda: read(root + "/none"), "/none")
refused(errors.InvalidArgumentError, lambda: read(root + "/a/"), "a folder, not a file")
refused(errors.InvalidArgumentError, lambda: write(root + "/a/", b""), "a folder, not a file")
refused(errors.InvalidArgumentError, lambda: gfile.exists("s3://"), "bucket")
""",
        root,
    )
    assert objects(versitygw, root)["text"] == b"new"


def test_a_file_that_is_not_closed_never_appears(
    process: TensorFlowProcess, versitygw: Endpoint, root: str
) -> None:
    process.run(
        """
file = gfile.GFile(root + "/half", "wb")
file.write(b"half")
del file
""",
        root,
    )
    assert objects(versitygw, root) == {}


def test_an_exception_closes_a_file_as_tensorflow_does(
    process: TensorFlowProcess, versitygw: Endpoint, root: str
) -> None:
    process.run(
        """
with contextlib.suppress(ValueError), gfile.GFile(root + "/part", "wb") as file:
    file.write(b"part")
    raise ValueError
""",
        root,
    )
    assert objects(versitygw, root) == {"part": b"part"}


def test_folders(process: TensorFlowProcess, versitygw: Endpoint, root: str) -> None:
    process.run(
        """
import time
for key in ("a/x.rec", "a/y.rec", "a/deep/er/z.rec", "a/y.txt", "b-1/x.rec", "b-2/x.rec", "b-2", "top"):
    if key != "b-2":
        write(f"{root}/{key}", key.encode())

assert sorted(gfile.listdir(root)) == ["a", "b-1", "b-2", "top"]
assert sorted(gfile.listdir(root + "/a")) == sorted(gfile.listdir(root + "/a/")) == ["deep", "x.rec", "y.rec", "y.txt"]
refused(errors.NotFoundError, lambda: gfile.listdir(root + "/none"), "/none")

assert [(top.removeprefix(root), folders, files) for top, folders, files in gfile.walk(root + "/a")] == [
    ("/a", ["deep"], ["x.rec", "y.rec", "y.txt"]), ("/a/deep", ["er"], []), ("/a/deep/er", [], ["z.rec"])]

def glob(pattern):
    return [path.removeprefix(root + "/") for path in gfile.glob(f"{root}/{pattern}")]
assert glob("a/*.rec") == ["a/x.rec", "a/y.rec"]
assert glob("*/x.rec") == ["a/x.rec", "b-1/x.rec", "b-2/x.rec"]
assert glob("b-[2-9]/?.rec") == ["b-2/x.rec"]
assert glob("a/*/e*/z.rec") == ["a/deep/er/z.rec"]
assert glob("a/x.rec") == ["a/x.rec"] and glob("a/none") == [] and glob("none/*") == []
assert glob("a/d*") == ["a/deep"] and glob("*") == ["a", "b-1", "b-2", "top"]
assert [path.numpy().decode() for path in tf.data.Dataset.list_files(root + "/a/*.rec", shuffle=False)] == [
    root + "/a/x.rec", root + "/a/y.rec"]

for path in (root, root + "/", root + "/a", root + "/a/", root + "/a/deep"):
    assert gfile.isdir(path) and gfile.exists(path) and gfile.stat(path).is_directory, path
for path in (root + "/none", root + "/a/x", root + "/to"):
    assert not gfile.isdir(path) and not gfile.exists(path), path
    refused(errors.NotFoundError, lambda: gfile.stat(path), path)
facts = gfile.stat(root + "/a/x.rec")
assert facts.length == 7 and not facts.is_directory and not gfile.isdir(root + "/a/x.rec")
assert abs(facts.mtime_nsec / 1e9 - time.time()) < 3600

gfile.mkdir(root + "/new")
gfile.makedirs(root + "/new/er")  # nothing to do

gfile.copy(root + "/a/x.rec", root + "/copy")
assert read(root + "/copy") == b"a/x.rec" and gfile.exists(root + "/a/x.rec")
refused(errors.AlreadyExistsError, lambda: gfile.copy(root + "/a/y.rec", root + "/copy"))
gfile.copy(root + "/a/y.rec", root + "/copy", overwrite=True)
gfile.rename(root + "/copy", root + "/moved")
assert read(root + "/moved") == b"a/y.rec" and not gfile.exists(root + "/copy")
gfile.rename(root + "/moved", root + "/moved", overwrite=True)
assert read(root + "/moved") == b"a/y.rec"
refused(errors.NotFoundError, lambda: gfile.rename(root + "/none", root + "/x"), "/none")
refused(errors.NotFoundError, lambda: gfile.copy(root + "/none", root + "/x"), "/none")

gfile.rename(root + "/a", root + "/c")
assert not gfile.exists(root + "/a") and read(root + "/c/deep/er/z.rec") == b"a/deep/er/z.rec"
refused(errors.InvalidArgumentError, lambda: gfile.rename(root + "/c", root + "/c/deep/c"), "into itself")

gfile.remove(root + "/top")
refused(errors.NotFoundError, lambda: gfile.remove(root + "/top"), "/top")
refused(errors.InvalidArgumentError, lambda: gfile.remove(root + "/c/"), "a folder")
gfile.rmtree(root + "/c")
refused(errors.NotFoundError, lambda: gfile.rmtree(root + "/c"), "/c")
gfile.rmtree(root + "/b-1/x.rec")
""",
        root,
    )
    assert objects(versitygw, root) == {"b-2/x.rec": b"b-2/x.rec", "moved": b"a/y.rec"}


def test_a_large_object_moves_piece_by_piece(
    process: TensorFlowProcess, versitygw: Endpoint, root: str
) -> None:
    data = os.urandom(21 << 20)
    versitygw.client().put_object(Bucket=root.removeprefix("s3://"), Key="from", Body=data)
    process.run(
        """
gfile.rename(root + "/from", root + "/to/it")
assert len(read(root + "/to/it")) == 21 << 20
""",
        root,
    )
    assert objects(versitygw, root) == {"to/it": data}


def test_many_objects_go_at_once(process: TensorFlowProcess, versitygw: Endpoint, root: str) -> None:
    client, bucket = versitygw.client(), root.removeprefix("s3://")
    for number in range(1100):  # more than a page, and than deletions at a time
        client.put_object(Bucket=bucket, Key=f"many/{number}", Body=b"")
    process.run('gfile.rmtree(root + "/many"); assert not gfile.exists(root + "/many")', root)
    assert objects(versitygw, root) == {}


def test_records_are_those_of_a_local_file(
    process: TensorFlowProcess, versitygw: Endpoint, root: str, tmp_path: Path
) -> None:
    process.run(
        """
import random
draw = random.Random(7)
records = [draw.randbytes(draw.choice((0, 1, 12, 300, 5000))) for _ in range(4000)] + [draw.randbytes(1 << 20)]
places = (root + "/data.rec", arguments[1] + "/data.rec")
for place in places:
    with tf.io.TFRecordWriter(place) as writer:
        for record in records:
            writer.write(record)
assert read(places[0]) == open(places[1], "rb").read()
for options in ({}, {"buffer_size": 0}, {"buffer_size": 4096}):  # 0: header by header
    read_back = [record for record in tf.data.TFRecordDataset(places[0], **options).as_numpy_iterator()]
    assert read_back == records, options

with tf.io.TFRecordWriter(root + "/zip.rec", "GZIP") as writer:
    for record in records[:100]:
        writer.write(record)
assert list(tf.data.TFRecordDataset(root + "/zip.rec", "GZIP").as_numpy_iterator()) == records[:100]

shards = [f"{root}/shards/{shard}.rec" for shard in range(4)]
for shard, path in enumerate(shards):
    with tf.io.TFRecordWriter(path) as writer:
        for record in records[shard:400:4]:
            writer.write(record)
together = tf.data.TFRecordDataset(tf.data.Dataset.list_files(root + "/shards/*.rec"), num_parallel_reads=4)
assert sorted(together.as_numpy_iterator()) == sorted(records[:400])
""",
        root,
        tmp_path,
    )


def test_checkpoints(process: TensorFlowProcess, versitygw: Endpoint, root: str) -> None:
    process.run(
        """
weights = tf.Variable(tf.random.normal((300, 1000)))
checkpoint = tf.train.Checkpoint(weights=weights, step=tf.Variable(3))
manager = tf.train.CheckpointManager(checkpoint, root + "/run", max_to_keep=2)
paths = [manager.save() for _ in range(3)]
kept = weights.numpy().copy()
weights.assign(tf.zeros_like(weights))
checkpoint.restore(tf.train.latest_checkpoint(root + "/run")).assert_consumed()
assert (weights.numpy() == kept).all()
assert not gfile.exists(paths[0] + ".index") and gfile.exists(paths[2] + ".index")

class Module(tf.Module):
    def __init__(self):
        self.weights = weights
    @tf.function(input_signature=[tf.TensorSpec((None, 300))])
    def __call__(self, x):
        return x @ self.weights
tf.saved_model.save(Module(), root + "/model")
x = tf.random.normal((2, 300))
tf.debugging.assert_near(tf.saved_model.load(root + "/model")(x), x @ weights)
""",
        root,
    )
    assert not [key for key in objects(versitygw, root) if "temp" in key]


def test_events_are_there_when_their_writer_is_closed(process: TensorFlowProcess, root: str) -> None:
    process.run(
        """
writer = tf.summary.create_file_writer(root + "/logs")
with writer.as_default():
    for step in (1, 2):
        tf.summary.write("loss", 1.0, step=step)
        writer.flush()
writer.close()
(path,) = gfile.glob(root + "/logs/*")
assert sum(1 for _ in tf.data.TFRecordDataset(path)) == 3  # the version, and two steps
""",
        root,
    )


def test_a_second_registration_does_nothing(
    process: TensorFlowProcess, versitygw: Endpoint, root: str
) -> None:
    process.run(
        """
bl.tf.register_filesystem()
assert gfile.get_registered_schemes().count("s3") == 1
write(root + "/x", b"x")
""",
        root,
    )


def test_another_package_that_serves_s3_is_an_error() -> None:
    run_python(
        """
import tensorflow as tf
import bucketline as bl, bucketline.tf
schemes = tf.io.gfile.get_registered_schemes
tf.io.gfile.get_registered_schemes = lambda: [*schemes(), "s3"]
try:
    bl.tf.register_filesystem()
except bl.AlreadyExistsError as error:
    assert "tensorflow_io" in str(error)
else:
    raise AssertionError("it worked")
"""
    )


def test_an_object_that_changes_under_a_reader(
    process: TensorFlowProcess, versitygw: Endpoint, root: str
) -> None:
    process.run(
        """
write(root + "/x", b"1" * (4 << 20))
with gfile.GFile(root + "/x", "rb") as file:
    assert file.read(10) == b"1" * 10
    write(root + "/x", b"2" * (4 << 20))
    refused(errors.FailedPreconditionError, lambda: file.read(), "/x", "changed")
""",
        root,
    )


def test_what_the_store_refuses(process: TensorFlowProcess, versitygw: Endpoint, root: str) -> None:
    process.run(
        """
for call in (lambda: read("s3://no-such-bucket-here/x"), lambda: gfile.listdir("s3://no-such-bucket-here"),
             lambda: write("s3://no-such-bucket-here/x", b"x"), lambda: gfile.stat("s3://no-such-bucket-here/x")):
    refused(errors.NotFoundError, call, "no-such-bucket-here")
assert not gfile.exists("s3://no-such-bucket-here/x")
""",
        root,
    )


# A bucket's credentials and endpoint are looked for when its first path is used; each of these tests has a bucket of its own.


def test_wrong_credentials(process: TensorFlowProcess, root: str) -> None:
    process.run(
        """
with environment(AWS_SECRET_ACCESS_KEY="wrong"):
    for call in (lambda: read(root + "/x"), lambda: write(root + "/x", b""), lambda: gfile.glob(root + "/*"),
                 lambda: gfile.exists(root + "/x")):
        refused((errors.PermissionDeniedError, errors.UnauthenticatedError), call, root)
""",
        root,
    )


def test_without_credentials_the_error_says_where_they_may_be(
    process: TensorFlowProcess, root: str, tmp_path: Path
) -> None:
    process.run(
        """
nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SHARED_CREDENTIALS_FILE": arguments[1],
           "AWS_CONFIG_FILE": arguments[1]}
with environment(**nothing):
    refused(errors.UnauthenticatedError, lambda: read(root + "/x"), "AWS_ACCESS_KEY_ID", root)
""",
        root,
        tmp_path / "none",
    )


def test_a_wrong_endpoint(process: TensorFlowProcess, root: str) -> None:
    process.run(
        """
with environment(AWS_ENDPOINT_URL_S3="no url"):
    refused(errors.InvalidArgumentError, lambda: read(root + "/x"), "'no url'", "write it as http://host:port")
""",
        root,
    )


def test_a_forked_process_is_told(process: TensorFlowProcess, versitygw: Endpoint, root: str) -> None:
    process.run(
        """
import signal, traceback
write(root + "/x", b"x" * 100)
reader = gfile.GFile(root + "/x", "rb")
reader.read(1)
writer = gfile.GFile(root + "/y", "wb")
writer.write(b"y")
child = os.fork()
if child == 0:
    signal.alarm(60)  # a hang ends the child
    try:
        for call in (lambda: gfile.exists(root + "/x"), lambda: writer.write(b"z"), lambda: write(root + "/z", b"")):
            refused(errors.InternalError, call, "fork", "spawn")
        del writer
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
writer.write(b"y")
writer.close()
assert read(root + "/y") == b"yy"
""",
        root,
    )
