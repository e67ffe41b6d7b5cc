"""Turns what an answer returns into named arrays, and calls a plain function."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

Case = dict[str, Any]  # argument name -> array, list of arrays, number, string or None


class Misfit(Exception):
    """An answer returned something that cannot be compared; the message says what."""


@dataclass(frozen=True)
class Returned:
    """What a function returned: one value, or several in the order of the exercise's outputs."""

    value: Any


def named(value: Any, *names: str) -> dict[str, Any]:
    """Return the values that an answer returned, in order, under `names`.

    With one name, `value` is itself what the name stands for. Raises Misfit if there are not as
    many values as names.
    """
    if len(names) == 1:
        return {names[0]: value}
    if not isinstance(value, tuple | list) or len(value) != len(names):
        asked = ", ".join(f"`{name}`" for name in names)
        raise Misfit(f"Return {len(names)} values, {asked}; got {kind_of(value)}.")
    return dict(zip(names, value, strict=True))


def kind_of(value: Any) -> str:
    """Return in words what an answer returned: how many values, or of which type."""
    if isinstance(value, tuple | list):
        return f"{len(value)} values"
    return "None (is a `return` missing?)" if value is None else f"one {type(value).__name__}"


def as_arrays(values: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return values as arrays, under the same names. Raises Misfit where that cannot be."""
    return {name: as_array(value, name) for name, value in values.items()}


def as_array(value: Any, name: str) -> np.ndarray:
    """Return a tensor, array, number or list of these as one array of numbers.

    name: what a message calls it. Raises Misfit where that cannot be.
    """
    if value is None:
        raise Misfit(f"`{name}` is None: is a `return` missing?")
    parts = value if isinstance(value, tuple | list) else []
    tensors = [plain(part, name) for part in parts if isinstance(part, torch.Tensor)]
    if tensors and isinstance(value, tuple):
        raise Misfit(f"Return `{name}` alone; got a tuple of {len(value)}.")
    if any(part.ndim for part in tensors):
        raise Misfit(
            f"`{name}` is a list of {len(value)} tensors. Make one of them: `torch.stack`."
        )
    try:
        if tensors:
            value = torch.stack([torch.as_tensor(part) for part in parts])
        if isinstance(value, torch.Tensor):
            plain(value, name)
            value = value.detach().cpu().resolve_conj().resolve_neg().numpy()
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise Misfit(f"`{name}` cannot be read as one array: {error}") from None
    if array.dtype.kind not in "biuf":
        raise Misfit(f"`{name}` must consist of real numbers; it is {value!r:.60}.")
    return array


def plain(tensor: torch.Tensor, name: str) -> torch.Tensor:
    """Return a tensor, if it is one of PyTorch's own. Raises Misfit: another may say anything."""
    if type(tensor) not in (torch.Tensor, nn.Parameter):
        raise Misfit(f"`{name}` is no plain tensor, but an object of a class that looks like one.")
    return tensor


def whole(value: Any, name: str) -> np.ndarray:
    """Return ids, numbers of characters, as an array. Raises Misfit unless they are whole."""
    array = as_array(value, name)
    if array.dtype.kind not in "iu":
        raise Misfit(
            f"`{name}` holds {array.dtype}; the number of a character is whole: torch.int64."
        )
    return array


def call(answer: Callable, case: Case) -> Returned:
    """Call a function with the case's values in order; arrays become tensors it must not change."""
    return _call(answer, case, lambda array: torch.from_numpy(array.copy()))


def call_with_numpy(answer: Callable, case: Case) -> Returned:
    """Call a function with the case's values in order; it must not change its arrays."""
    return _call(answer, case, np.copy)


def _call(answer: Callable, case: Case, convert: Callable) -> Returned:
    """Call a function with what `convert` makes of each array; raise Misfit if it changes one."""
    given = {name: _each(convert, value) for name, value in case.items()}
    result = answer(*given.values())
    for name, value in given.items():
        pairs = zip(_arrays_in(value), _arrays_in(case[name]), strict=True)
        if not all(np.array_equal(_plain(now), before) for now, before in pairs):
            raise Misfit(f"Your function changed its argument `{name}` in place: make a new one.")
    return Returned(result)


def _each(convert: Callable, value: Any) -> Any:
    """Return `value` with `convert` applied to it, or to each of its parts, if these are arrays."""
    if isinstance(value, list):
        return [_each(convert, part) for part in value]
    return convert(value) if isinstance(value, np.ndarray) else value


def _arrays_in(value: Any) -> list:
    parts = value if isinstance(value, list) else [value]
    return [part for part in parts if isinstance(part, np.ndarray | torch.Tensor)]


def _plain(array: Any) -> np.ndarray:
    return array.detach().numpy() if isinstance(array, torch.Tensor) else array


def call_for_dict(answer: Callable, case: Case) -> dict[str, Any]:
    """Call a function that returns a dict of whole numbers with the keys `case["keys"]`."""
    result = answer()
    keys = case["keys"].split()
    if not isinstance(result, dict) or set(result) != set(keys):
        raise Misfit(f"Return a dict with exactly the keys {', '.join(keys)}.")
    for key, value in result.items():
        if not isinstance(value, int):
            raise Misfit(f"`{key}` is {value!r}; it must be a whole number.")
    return {key: result[key] for key in keys}


def once(items: Iterable) -> Iterable:
    """Yield from `items`: they can be gone through only once, as `model.parameters()` can."""
    yield from items
