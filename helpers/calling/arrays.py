"""Turns what an answer returns into named arrays, and calls a plain function."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

# How far another seed is away: its remainder is the same by most numbers that somebody may take.
FAR = 2**14 * 3**2 * 5**4 * 7

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
        raise Misfit(f"`{name}` holds {array.dtype}; the number of a class is whole: torch.int64.")
    return array


class Given(dict[str, Any]):
    """A case as an answer gets it, and what has to come back as it was.

    Numbers are Python's own, as the chapters have them. What a driver lends by `tensor` or `array`
    is a copy that the answer must not change.
    """

    def __init__(self, case: Case, lent: list[tuple[str, Any, Any]] | None = None):
        super().__init__({name: _each(np.copy, value) for name, value in case.items()})
        self.lent = [] if lent is None else lent

    def tensor(self, name: str) -> Any:
        """Lend a value of the case, its arrays as tensors."""
        return self._lend(name, lambda array: torch.from_numpy(array.copy()))

    def array(self, name: str) -> Any:
        """Lend a value of the case, its arrays as NumPy's."""
        return self._lend(name, np.copy)

    def _lend(self, name: str, convert: Callable) -> Any:
        value = _each(convert, self[name])
        self.lent.append((name, value, self[name]))
        return value

    def with_values(self, **values: Any) -> "Given":
        """Return another case with these values, whose loans count as this one's."""
        return Given(values, self.lent)

    def changed(self) -> frozenset[str]:
        """Return the names of what was lent and is not as it was."""
        return frozenset(name for name, now, before in self.lent if not _same(now, before))


def _each(convert: Callable, value: Any) -> Any:
    """Return `value` with `convert` applied to it, or to each of its parts, if these are arrays."""
    if isinstance(value, list):
        return [_each(convert, part) for part in value]
    if isinstance(value, np.generic):
        return value.item()
    return convert(value) if isinstance(value, np.ndarray) else value


def _same(now: Any, before: Any) -> bool:
    if isinstance(before, list):
        return len(now) == len(before) and all(map(_same, now, before))
    if isinstance(before, np.ndarray):
        now = now.detach().numpy() if isinstance(now, torch.Tensor) else now
        return np.array_equal(now, before, equal_nan=before.dtype.kind == "f")
    return bool(now == before)


def call(answer: Callable, case: Given) -> Returned:
    """Call a function with the case's values in order, arrays as tensors."""
    return Returned(answer(*[case.tensor(name) for name in case]))


def call_with_numpy(answer: Callable, case: Given) -> Returned:
    """Call a function with the case's values in order."""
    return Returned(answer(*[case.array(name) for name in case]))


def call_for_batches(answer: Callable, case: Given) -> dict[str, Any]:
    """Call a function that draws a batch x, y, with the case's sizes and, last, its seed.

    Returned are x and y, x of a second batch with the same seed and of a third with another.
    """
    *sizes, seed = case.values()

    def batch(seed):
        return as_arrays(named(answer(*sizes, seed), "x", "y"))

    far = seed - FAR if seed >= FAR else seed + FAR
    first, again, other = batch(seed), batch(seed), batch(far)
    return {**first, "again": again["x"], "other": other["x"]}


def call_for_dict(answer: Callable, case: Given) -> dict[str, Any]:
    """Call a function that returns a dict of whole numbers with the keys `case["keys"]`."""
    result = answer()
    keys = case["keys"].split()
    exactly = f"Return a dict with exactly the keys {', '.join(keys)}"
    if not isinstance(result, dict):
        raise Misfit(f"{exactly}; got {kind_of(result)}.")
    if missing := [key for key in keys if key not in result]:
        raise Misfit(f"{exactly}; missing: {', '.join(missing)}.")
    if more := [key for key in result if key not in keys]:
        raise Misfit(f"{exactly}; {more[0]!r:.40} is none of them.")
    for key, value in result.items():
        if isinstance(value, bool | np.bool):
            raise Misfit(f"`{key}` is {value}. Give numbers: 0, or the number of a correction.")
        if not isinstance(value, int | np.integer):
            raise Misfit(f"`{key}` is {value!r}; it must be a whole number.")
    return {key: result[key] for key in keys}


def once(items: Iterable) -> Iterable:
    """Yield from `items`: they can be gone through only once, as `model.parameters()` can."""
    yield from items
