"""The kernels as plain Python: the same source, but an index out of bounds is an IndexError."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import numpy as np
from numba.core.dispatcher import Dispatcher

from models import (
    blend,
    blend_weights,
    cooccurrence,
    digits,
    factorization_kernels,
    fold_kernel,
    fold_ranking,
    following,
    hash_index,
    history_kernels,
    kernels,
    lessons,
    list_candidates,
    list_following,
    list_kernel,
    list_ratings,
    list_reasons,
    ranking,
    rows,
    trending,
    view_kernels,
    window_kernels,
)
from models import popular as popularity
from tables import batch, fold_lists, learner, linked_factors, numbering, view
from tables.sources import following as follows
from tables.sources import learned, popular, rated, source

MODULES = (
    kernels,
    digits,
    rows,
    hash_index,
    cooccurrence,
    ranking,
    trending,
    window_kernels,
    history_kernels,
    factorization_kernels,
    following,
    popularity,
    lessons,
    fold_ranking,
    fold_kernel,
    fold_lists,
    batch,
    list_candidates,
    list_following,
    list_kernel,
    list_ratings,
    list_reasons,
    view_kernels,
    learner,
    linked_factors,
    numbering,
    view,
    blend,
    blend_weights,
    follows,
    learned,
    popular,
    rated,
    source,
)


@contextmanager
def plain_kernels() -> Iterator[None]:
    """Everything inside runs on the plain twins, kernels called by kernels too."""
    with ExitStack() as stack:
        for module in MODULES:
            compiled = {name: kernel for name, kernel in vars(module).items() if isinstance(kernel, Dispatcher)}
            assert compiled, f"{module.__name__} has no kernels: take it off the list"
            stack.enter_context(patch.multiple(module, **{name: each.py_func for name, each in compiled.items()}))
        predict = factorization_kernels.predict
        # a compiled kernel hands a float to Python, its plain twin a numpy one, which no JSON takes
        stack.enter_context(patch.object(factorization_kernels, "predict", lambda *each: float(predict(*each))))
        stack.enter_context(np.errstate(all="ignore"))
        yield
