"""numba's `njit`, with a cache that knows all sources of the kernels; and `lean`, for those that allocate nothing.

numba counts references to every array that a kernel takes out of a tuple, slices or passes on, by locked instructions:
a fifth of the fold. A `lean` kernel borrows its arrays and counts none. It must not make an array, nor take one that
another kernel returns: that would never be freed (tests/unit/models/test_compiled.py).

numba looks at a kernel's own file only: after a change in another file that it calls into, it would go on using the old
machine code. The cache therefore lies in a folder named by the hash of every file here.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numba

if TYPE_CHECKING:
    from numba.core.dispatcher import Dispatcher

F = TypeVar("F", bound=Callable[..., Any])

_HERE = Path(__file__).parent
_CONFIG: Any = numba.config
_JIT: Any = numba.njit


def _cache_folder() -> Path:
    sources = b"".join(path.read_bytes() for path in sorted(_HERE.glob("*.py")))
    return _HERE / "__pycache__" / f"kernels-{hashlib.sha256(sources).hexdigest()[:16]}"


def njit(**options: Any) -> "Callable[[F], Dispatcher[F]]":
    """`numba.njit`, counting references; said of each kernel, or else it would have from its first caller whether."""
    compiled: Callable[[F], Dispatcher[F]] = _JIT(**options, _nrt=True)
    return compiled


def lean(**options: Any) -> "Callable[[F], Dispatcher[F]]":
    """`numba.njit` for a kernel that makes no array and takes none from another kernel: it counts no references."""
    compiled: Callable[[F], Dispatcher[F]] = _JIT(**options, _nrt=False)
    return compiled


if not _CONFIG.CACHE_DIR and os.access(_HERE, os.W_OK):
    _CONFIG.CACHE_DIR = str(_cache_folder())
