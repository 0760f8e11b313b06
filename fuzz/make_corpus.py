"""Makes the seeds in fuzz/corpus: small valid inputs of every kind.  usage: make_corpus.py [FOLDER]"""

from __future__ import annotations

import gzip
import io
import json
import struct
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

Seed = tuple[str, str, bytes]  # harness, name, content


def picture(width: int, height: int) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 7 + y * 3, (x // 5 + y // 4) % 2 * 200, 255 - x * 5], axis=-1)
    return Image.fromarray((pixels % 256).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def images() -> Iterator[Seed]:
    image = picture(23, 17)
    alpha = image.copy()
    alpha.putalpha(image.convert("L"))
    for subsampling, name in ((0, "444"), (1, "422"), (2, "420")):
        yield "jpeg", name, encoded(image, "JPEG", quality=50, subsampling=subsampling)
    yield "jpeg", "progressive", encoded(image, "JPEG", quality=50, progressive=True)
    yield "jpeg", "grey", encoded(image.convert("L"), "JPEG", quality=50)
    yield "jpeg", "cmyk", encoded(image.convert("CMYK"), "JPEG", quality=50)
    yield "jpeg", "restart", encoded(image, "JPEG", quality=50, restart_marker_blocks=1)
    yield "jpeg", "turned", encoded(image, "JPEG", quality=50, exif=exif(6))
    yield "png", "rgb", encoded(image, "PNG")
    yield "png", "rgba", encoded(alpha, "PNG")
    yield "png", "palette", encoded(image.quantize(13), "PNG", transparency=3)
    yield "png", "bit", encoded(image.convert("1"), "PNG")
    yield (
        "png",
        "deep",
        encoded(Image.fromarray(np.arange(120, dtype=np.uint16).reshape(10, 12) * 500), "PNG"),
    )
    yield "png", "turned", encoded(image, "PNG", exif=exif(5))
    yield "webp", "lossy", encoded(image, "WEBP", quality=50)
    yield "webp", "lossless", encoded(image, "WEBP", lossless=True)
    yield "webp", "alpha", encoded(alpha, "WEBP", quality=50, exif=exif(8))
    frames = [picture(12, 9), picture(9, 9).resize((12, 9))]
    yield "webp", "animated", encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    yield "gif", "plain", encoded(image, "GIF", interlace=0)
    yield "gif", "interlaced", encoded(image.quantize(9), "GIF", interlace=1, transparency=2)
    yield "gif", "animated", encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    yield "bmp", "rgb", encoded(image, "BMP")
    yield "bmp", "rgba", encoded(alpha, "BMP")
    yield "bmp", "palette", encoded(image.quantize(7), "BMP")


LISTING = """<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>p/</Prefix><KeyCount>2</KeyCount>
<MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
<NextContinuationToken>abc</NextContinuationToken>
<Contents><Key>p/a%20b.jpg</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified>
<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>12</Size></Contents>
<CommonPrefixes><Prefix>p/c/</Prefix></CommonPrefixes></ListBucketResult>"""


VERSIONS = """<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>
<IsTruncated>true</IsTruncated><NextKeyMarker>a%3Fb</NextKeyMarker><NextVersionIdMarker>v?1</NextVersionIdMarker>
<Version><Key>a%20b</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest><ETag>"e"</ETag><Size>3</Size></Version>
<DeleteMarker><Key>gone</Key><VersionId>v9</VersionId><IsLatest>true</IsLatest></DeleteMarker>
<CommonPrefixes><Prefix>d%20e/</Prefix></CommonPrefixes></ListVersionsResult>"""


def texts() -> Iterator[Seed]:
    yield "s3_xml", "listing", LISTING.encode()
    yield "s3_xml", "versions", VERSIONS.encode()
    yield (
        "s3_xml",
        "error",
        b"<Error><Code>SlowDown</Code><Message>wait</Message><RequestId>1</RequestId></Error>",
    )
    yield (
        "s3_xml",
        "upload",
        b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
    )
    yield (
        "s3_xml",
        "complete",
        b'<CompleteMultipartUploadResult><ETag>"e-2"</ETag></CompleteMultipartUploadResult>',
    )
    yield (
        "ini",
        "profiles",
        b"[default]\nregion = eu-west-1\n# note\n[profile x]\ns3 =\n  max = 3\nrole_arn=a:b\n",
    )
    yield "content_range", "whole", b"bytes 0-99/100"
    yield "content_range", "asked", b"bytes=10-"
    yield "content_range", "suffix", b"bytes=-5"
    yield "labels", "csv", b'file,label\na.jpg,cat\n"b,1.jpg","d""g"\r\n'
    yield "labels", "map", json.dumps({"a.jpg": "cat", "b.jpg": 3}).encode()
    yield "labels", "list", json.dumps([{"file": "a.jpg", "label": [0.5, 1]}]).encode()
    yield "labels", "lines", b'{"file": "a", "label": true}\n{"file": "b", "label": 2}\n'
    yield "label_pattern", "named", rb"(?P<label>[^/]+)_\d{1,3}$" + b"\nx/cat_1"
    yield "label_pattern", "first", b"([a-c]+)|\\((z)?\nbac"
    yield "braces", "both", b"s3://b/train-{000..012}/{x,y,}{z}"
    yield "braces", "largest", b"{18446744073709551614..18446744073709551615}"
    yield "serve_request", "target", b"/bucket/a%2Bb%20c?list-type=2&prefix=x%2F&marker"
    yield "serve_request", "delete", b"<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object></Delete>"
    yield (
        "serve_request",
        "complete",
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>",
    )
    yield "serve_request", "etags", b'"0123456789abcdef0123456789abcdef", *'


def channels() -> Iterator[Seed]:
    magic = struct.pack("<I", 0xCED7230A)
    yield "recordio", "whole", magic + struct.pack("<I", 6) + b"ABCDEF" + bytes(2) + magic + bytes(4)
    parts = struct.pack("<I", 1 << 29 | 4), struct.pack("<I", 2 << 29), struct.pack("<I", 3 << 29 | 2)
    yield "recordio", "parts", magic + parts[0] + b"ABCD" + magic + parts[1] + magic + parts[2] + b"EF\0\0"
    yield "channel_manifest", "list", json.dumps([{"prefix": "s3://b/p/"}, "a", "b/\u00e9"]).encode()
    line = {"source-ref": "s3://b/1.jpg", "label": [1, {"x": None}], "other": 1.5}
    yield "channel_manifest", "lines", "\n".join([json.dumps(line)] * 2).encode()
    yield "gzip", "members", gzip.compress(b"one" * 50, mtime=0) + gzip.compress(b"", mtime=0) + bytes(5)


def files() -> Iterator[Seed]:
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]},
            "n": {"dtype": "I64", "shape": [], "data_offsets": [8, 16]},
        }
    ).encode()
    yield "safetensors", "two", struct.pack("<Q", len(header)) + header + bytes(range(16))


def states() -> Iterator[Seed]:
    loader = {"version": 1, "epoch": 2, "position": 64, "seed": 7, "shuffle": True, "fingerprint": 2**63}
    state = {
        "format": 1, "step": 9, "loader": loader, "epoch_loss_sum": 1.5, "epoch_correct": 3, "epoch_rows": 4,
        "best_validation_accuracy": 0.5, "model": "mobilenet_v2", "width": 1.0, "optimizer": "adam",
        "loss": "binary_crossentropy", "classes": ["cat", "dog"], "image_size": 224,
    }  # fmt: skip
    yield "run_state", "two-classes", json.dumps(state).encode()
    yield (
        "manifest",
        "block",
        bytes([3, 200]) + bytes(range(64)),
    )  # manifest/index is made by `bucketline index`


def varint(number: int) -> bytes:
    parts = bytearray()
    while number >= 128:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def sized(field: int, content: bytes) -> bytes:
    """A field of protobuf's wire type 2."""
    return bytes([field << 3 | 2]) + varint(len(content)) + content


def crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(content: bytes) -> bytes:
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def archive(layout: int, name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=layout) as tar:
        for member, content in ((f"{name}.cls", b"1"), (f"{name}.jpg", b"JPEG")):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()[:6144]


def shards() -> Iterator[Seed]:
    yield "tar", "ustar", archive(tarfile.USTAR_FORMAT, "a/1")
    yield "tar", "pax", archive(tarfile.PAX_FORMAT, "ü/1")
    yield "tar", "gnu", archive(tarfile.GNU_FORMAT, "n" * 120)
    features = {
        b"image": sized(1, sized(1, b"JPEG")),
        b"label": sized(3, sized(1, b"\x07")),
        b"score": sized(2, sized(1, struct.pack("<f", 0.5))),
    }
    example = sized(1, b"".join(sized(1, sized(1, name) + sized(2, of)) for name, of in features.items()))
    yield "example", "image", example
    length = struct.pack("<Q", len(example))
    yield "tfrecord", "one", length + masked(length) + example + masked(example)
    body = struct.pack("<IfQQ", 0, 3.0, 1, 0) + b"JPEG!"
    yield "recordio_shard", "one", struct.pack("<II", 0xCED7230A, len(body)) + body + bytes(-len(body) % 4)
    columns = {
        "column_encodings": ["jpeg", "int"],
        "column_names": ["image", "label"],
        "column_sizes": [None, 8],
        "format": "mds",
        "version": 2,
    }
    config = json.dumps(columns).encode()
    sample = struct.pack("<I4sq", 4, b"JPEG", 7)
    begin = 12 + len(config)
    yield "mds", "one", struct.pack("<III", 1, begin, begin + len(sample)) + config + sample
    info = json.dumps({"splits": [{"name": "train"}]}).encode()
    described = json.dumps({"featuresDict": {"features": {"image": {"image": {}}}}}).encode()
    yield (
        "tfds_info",
        "both",
        bytes([round(255 * len(info) / (len(info) + len(described)))]) + info + described,
    )


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="NONE", store_schema=False, **options)
    return buffer.getvalue()


def columns() -> Iterator[Seed]:
    images = pa.array([b"JPEG", None, b"PNG", b"JPEG"], pa.binary())
    labels = pa.array([3, 1, None, 2], pa.int64())
    table = {"image": images, "label": labels}
    yield "parquet", "dictionary", parquet(table)
    yield "parquet", "plain", parquet(table, use_dictionary=False, row_group_size=3)
    yield "parquet", "v2", parquet(table, use_dictionary=False, data_page_version="2.0")
    structs = pa.array([{"bytes": b"JPEG", "path": "a"}, {"bytes": None, "path": None}, None])
    texts = pa.array(["cat", None, "dog"])
    yield "parquet", "struct", parquet({"image": structs, "label": texts})
    fixed = pa.array([b"abcd", None], pa.binary(4))
    flags = pa.array([True, False])
    lists = pa.array([[1, 2], []], pa.list_(pa.float32()))
    table = {"image": fixed, "label": flags, "boxes": lists}
    yield "parquet", "fixed", parquet(table, use_dictionary=False, data_page_version="2.0")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "corpus")
    seeds = [*images(), *texts(), *channels(), *files(), *states(), *shards(), *columns()]
    for harness, name, content in list(seeds):
        if harness in ("jpeg", "png", "webp", "gif", "bmp"):  # whole decodes and the probe take them all
            seeds += [
                ("decoder", f"{harness}-{name}", content),
                ("probe", f"{harness}-{name}", content[:200]),
            ]
    for harness, name, content in seeds:
        path = folder / harness / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
