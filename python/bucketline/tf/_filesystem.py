"""register_filesystem(): s3:// paths for TensorFlow's own readers and writers."""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

import tensorflow as tf

import bucketline
from bucketline._extension import OWN_FIRST
from bucketline.errors import AlreadyExistsError, UnsupportedError
from bucketline.runtime import find_ca_bundle

_SCHEME = "s3"
_LIBRARY = "bucketline_tf_filesystem.so"

_lock = threading.Lock()
_loaded: ctypes.CDLL | None = None


def register_filesystem() -> None:
    """Teaches TensorFlow "s3://bucket/key": tf.io.gfile, TFRecordDataset and TFRecordWriter, checkpoints, SavedModel.

    For the whole process, and for good; a second call does nothing. Credentials and endpoint are found as boto3 finds
    them (AWS_ENDPOINT_URL_S3 and the like), when the first path is used. docs/tensorflow.md says what a file system of
    objects can do, and what it cannot.

    Raises AlreadyExistsError where another package serves s3:// in this process.
    """
    global _loaded
    with _lock:
        if _loaded is not None:
            return
        if _SCHEME in _schemes():
            raise AlreadyExistsError(
                "another package (tensorflow_io, perhaps) already serves s3:// in this process; call "
                "bucketline.tf.register_filesystem() before importing it, or go without one of them"
            )
        path = _library()
        library = _load(path)
        library.bucketline_tf_set_ca_bundle(os.fsencode(find_ca_bundle()))
        tf.experimental.register_filesystem_plugin(str(path))
        if _SCHEME not in _schemes():
            raise UnsupportedError(
                f"TensorFlow {tf.__version__} did not take the file system: it has another interface "
                "than bucketline knows"
            )
        _loaded = library


def _schemes() -> list[str]:
    schemes: list[str] = tf.io.gfile.get_registered_schemes()
    return schemes


def _library() -> Path:
    """Beside the extension module."""
    path = Path(str(bucketline._core.__file__)).with_name(_LIBRARY)
    if not path.exists():
        raise UnsupportedError(f"this build of bucketline has no {_LIBRARY}; install it from a wheel")
    return path


def _load(path: Path) -> ctypes.CDLL:
    """With its own libraries first; bucketline/_extension.py says why. TensorFlow then gets the one that is loaded."""
    library = ctypes.CDLL(str(path), os.RTLD_NOW | os.RTLD_LOCAL | OWN_FIRST)
    library.bucketline_tf_set_ca_bundle.argtypes = [ctypes.c_char_p]
    library.bucketline_tf_set_ca_bundle.restype = None
    return library
