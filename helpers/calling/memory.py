"""Fills memory that nobody has initialised with NaN, so that whoever reads it is found out."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np
import torch


@contextlib.contextmanager
def filled_with_nan() -> Iterator[None]:
    """Have `empty` and its kin, torch's and NumPy's, give NaN; of whole numbers, the largest.

    torch fills by itself where it is to be deterministic; it warns where it cannot be that.
    """
    was = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    empty, empty_like = _filling(np.empty), _filling(np.empty_like)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with mock.patch.multiple(np, empty=empty, empty_like=empty_like):
            yield
    finally:
        torch.use_deterministic_algorithms(was, warn_only=warned)


def _filling(make: Callable) -> Callable:
    """Return a function that makes an array as `make` does, and fills it."""

    def filling(*args: Any, **kwargs: Any) -> np.ndarray:
        array = make(*args, **kwargs)
        if array.dtype.kind in "fc":
            array.fill(np.nan)
        elif array.dtype.kind in "iu":
            array.fill(np.iinfo(array.dtype).max)
        return array

    return filling
