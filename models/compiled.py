"""numba's `njit`, with a cache that knows all sources of the kernels.

numba looks at a kernel's own file only: after a change in another file that it calls into, it would go on using the old
machine code. The cache therefore lies in a folder named by the hash of every file here.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import numba
from numba import njit

__all__ = ["njit"]

_HERE = Path(__file__).parent
_CONFIG: Any = numba.config


def _cache_folder() -> Path:
    sources = b"".join(path.read_bytes() for path in sorted(_HERE.glob("*.py")))
    return _HERE / "__pycache__" / f"kernels-{hashlib.sha256(sources).hexdigest()[:16]}"


if not _CONFIG.CACHE_DIR and os.access(_HERE, os.W_OK):
    _CONFIG.CACHE_DIR = str(_cache_folder())
