"""Loads the extension module, before anything else does, so that it finds its own libraries before those that other
packages show to everybody.

TensorFlow shows a curl and a TLS library; a curl of ours that spoke TLS through that one would end the process.
"""

from __future__ import annotations

import os
import sys

_flags = sys.getdlopenflags()
sys.setdlopenflags(_flags | os.RTLD_DEEPBIND)
try:
    from bucketline._core import version
finally:
    sys.setdlopenflags(_flags)

__all__ = ["version"]
