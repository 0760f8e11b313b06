"""Loads the extension module, before anything else does, so that it finds its own libraries before those that other
packages show to everybody.

TensorFlow shows a curl and a TLS library of OpenSSL's names: a signature or a connection of ours that went through
those would end the process.
"""

from __future__ import annotations

import os
import sys

# Sanitizers take the place of functions in every library, and refuse what would escape them.
_sanitized = "san.so" in os.environ.get("LD_PRELOAD", "")
OWN_FIRST = 0 if _sanitized else getattr(os, "RTLD_DEEPBIND", 0)

_flags = sys.getdlopenflags()
sys.setdlopenflags(_flags | OWN_FIRST)
try:
    from bucketline._core import version
finally:
    sys.setdlopenflags(_flags)

__all__ = ["OWN_FIRST", "version"]
