"""What reading an object through TensorFlow asks of the store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from one_object import ANYBODY, OneObject, serve_one_object
from tf_process import TensorFlowProcess

pytest.importorskip("tensorflow")

KIB = 1 << 10


def pieces(server: OneObject) -> list[tuple[int, int]]:
    """The reads so far, in order, those that follow each other as one; forgets them."""
    joined: list[tuple[int, int]] = []
    for first, end in sorted(server.reads):
        if joined and joined[-1][1] == first:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((first, end))
    server.reads.clear()
    return joined


def test_reads_one_after_the_other_are_few_and_jumps_are_small(tmp_path: Path) -> None:
    import tensorflow as tf

    records = tmp_path / "records"
    with tf.io.TFRecordWriter(str(records)) as writer:
        for _ in range(5000):
            writer.write(os.urandom(2000))
    data = records.read_bytes()
    with (
        serve_one_object(data) as server,
        TensorFlowProcess(
            {**ANYBODY, "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.server_port}"}
        ) as process,
    ):
        process.run(
            "assert sum(1 for _ in tf.data.TFRecordDataset(root, buffer_size=0)) == 5000", "s3://bucket/key"
        )
        assert (
            len(server.reads) <= 12
        )  # of 10,000 of TensorFlow: windows of 0.25, 0.5, 1, 2, 4 MiB and the rest
        assert server.reads[0] == (0, 256 * KIB)
        assert pieces(server) == [(0, len(data))]  # each byte once

        process.run(
            """
with gfile.GFile(root, "rb") as file:
    for offset in (8_000_000, 1_000_000):
        file.seek(offset)
        assert len(file.read(1)) == 1
""",
            "s3://bucket/key",
        )
        assert (
            sum(end - first for first, end in server.reads) < 3 << 20
        )  # GFile takes 512 KiB at a time itself
