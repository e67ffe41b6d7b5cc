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

    torch fills by itself where it is to be deterministic; it warns where it cannot be that. (It is
    told so by the function that does not load its compilers, which takes seconds.)
    """
    before = torch.get_deterministic_debug_mode()
    empty, empty_like = _filling(np.empty), _filling(np.empty_like)
    torch.set_deterministic_debug_mode("warn")
    try:
        with mock.patch.multiple(np, empty=empty, empty_like=empty_like):
            yield
    finally:
        torch.set_deterministic_debug_mode(before)


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
