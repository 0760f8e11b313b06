"""Loads the extension module so that it and its libraries meet nobody else's.

TensorFlow brings a BoringSSL, whose functions have OpenSSL's names and stand where every library looks first. With
RTLD_DEEPBIND ours look among their own before that; without it the first signature crashes.
"""

from __future__ import annotations

import os
import sys


def _load() -> None:
    before = sys.getdlopenflags()
    # Sanitizers replace functions of every library, and refuse what would escape them.
    sanitized = "san.so" in os.environ.get("LD_PRELOAD", "")
    own_first = 0 if sanitized else getattr(os, "RTLD_DEEPBIND", 0)
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_LOCAL | own_first)
    try:
        import bucketline._core  # noqa: F401
    finally:
        sys.setdlopenflags(before)


_load()
