"""Shards made by those who define them: tarfile and TensorFlow; RecordIO and MDS by their documented bytes."""

from __future__ import annotations

import io
import json
import struct
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def tar(members: Mapping[str, bytes], layout: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=layout) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def example(features: Mapping[str, Any]) -> bytes:
    """A serialized tf.train.Example: bytes, ints and floats, or lists of them."""
    import tensorflow as tf

    made = {}
    for name, value in features.items():
        values = value if isinstance(value, list) else [value]
        if isinstance(values[0], bytes):
            made[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        elif isinstance(values[0], float):
            made[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
        else:
            made[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    data: bytes = tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()
    return data


def tfrecord(path: Any, messages: Sequence[bytes], compression: str = "") -> bytes:
    """What TensorFlow's own writer makes of them, at `path`."""
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for message in messages:
            writer.write(message)
    data: bytes = path.read_bytes()
    return data


def recordio(images: Sequence[tuple[bytes, float]]) -> bytes:
    """As mxnet.recordio.pack and MXRecordIO.write do."""
    shard = b""
    for number, (image, label) in enumerate(images):
        body = struct.pack("<IfQQ", 0, label, number, 0) + image
        shard += struct.pack("<II", 0xCED7230A, len(body)) + body + bytes(-len(body) % 4)
    return shard


def mds(
    columns: Mapping[str, str], sizes: Mapping[str, int], samples: Sequence[Mapping[str, bytes]]
) -> bytes:
    """As streaming.MDSWriter does: `columns` are encodings by name, `sizes` those that have one."""
    names = sorted(columns)
    config = {
        "column_encodings": [columns[name] for name in names],
        "column_names": names,
        "column_sizes": [sizes.get(name) for name in names],
        "compression": None,
        "format": "mds",
        "hashes": [],
        "size_limit": 1 << 26,
        "version": 2,
    }
    head = json.dumps(config, sort_keys=True).encode()
    made = []
    for sample in samples:
        varying = [len(sample[name]) for name in names if name not in sizes]
        made.append(np.array(varying, np.uint32).tobytes() + b"".join(sample[name] for name in names))
    places = np.array([0, *map(len, made)]).cumsum() + 4 * (len(made) + 2) + len(head)
    return np.uint32(len(made)).tobytes() + places.astype(np.uint32).tobytes() + head + b"".join(made)
