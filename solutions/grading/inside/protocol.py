"""What grader and worker say to each other: frames of JSON, followed by arrays as raw bytes.

A frame is two lengths (8 bytes each, big-endian), a JSON header and a body. The grader reads frames
from a worker that may be anything, so reading checks every length, type and shape before it uses
it, and nothing is ever unpickled.
"""

import json
import math
import re
import struct
from collections.abc import Iterable
from typing import Any

import numpy as np

from helpers.calling import Failure, Outcome
from helpers.calling.watching import PAST

LENGTHS = struct.Struct(">QQ")
LARGEST_HEADER = 2**20
LARGEST_BODY = 2**26
LONGEST_MESSAGE = 2000
DTYPE = re.compile(r"[<>|=][biuf][1248]")
FAILURES = ("stub", "raised", "misfit")


class Forged(Exception):
    """A reply that no worker of ours would send; the message says why."""


def frame(header: dict, arrays: Iterable[np.ndarray] = ()) -> bytes:
    """Return a header and the arrays that it describes as one frame."""
    head = json.dumps(header).encode()
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    return LENGTHS.pack(len(head), len(body)) + head + body


def packed(value: Any, arrays: list[np.ndarray]) -> Any:
    """Return `value` with each array replaced by its description; append the arrays to `arrays`."""
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {"dict": {key: packed(part, arrays) for key, part in value.items()}}
    if isinstance(value, list):
        return [packed(part, arrays) for part in value]
    return value


class Body:
    """The bytes after a header, handed out array by array."""

    def __init__(self, raw: bytes):
        self.raw, self.used = raw, 0

    def take(self, description: Any) -> np.ndarray:
        """Return the next array. Raises Forged if there cannot be one like this."""
        if not isinstance(description, dict) or set(description) != {"dtype", "shape"}:
            raise Forged("an array without dtype and shape")
        text, shape = description["dtype"], description["shape"]
        if not isinstance(text, str) or not DTYPE.fullmatch(text):
            raise Forged("an array of no dtype that is read")
        try:
            dtype = np.dtype(text)
        except TypeError:
            raise Forged("an array of no dtype that is read") from None
        if not isinstance(shape, list) or len(shape) > 16:
            raise Forged("an array whose shape is no list of up to 16 sizes")
        if not all(type(size) is int and 0 <= size <= LARGEST_BODY for size in shape):
            raise Forged("an array of impossible size")
        if math.prod(size or 1 for size in shape) > LARGEST_BODY:
            raise Forged("an array of impossible size")
        n = math.prod(shape) * dtype.itemsize
        if n > len(self.raw) - self.used:
            raise Forged("an array that is longer than what was sent")
        flat = np.frombuffer(self.raw, dtype, math.prod(shape), self.used)
        self.used += n
        return flat.reshape(shape).copy()


def unpacked(value: Any, body: Body) -> Any:
    """Return what `packed` was given. For the worker, which trusts the grader."""
    if isinstance(value, dict):
        if "dict" in value:
            return {key: unpacked(part, body) for key, part in value["dict"].items()}
        return body.take(value)
    if isinstance(value, list):
        return [unpacked(part, body) for part in value]
    return value


def outcomes_from(
    header: dict,
    raw: bytes,
    names: tuple[str, ...],
    cases: list[dict],
    without: frozenset[str] = frozenset(),
) -> list[Outcome]:
    """Return the outcomes of a reply, one per case, each with the outputs `names`. Raises Forged.

    without: the names of functions that were watched
    """
    listed, body = header.get("outcomes"), Body(raw)
    if not isinstance(listed, list) or len(listed) != len(cases):
        raise Forged(f"not the outcomes of {len(cases)} cases")
    outcomes = []
    watched = without | PAST if without else without
    for entry, case in zip(listed, cases, strict=True):
        if not isinstance(entry, dict):
            raise Forged("an outcome that is none")
        called = _some_of(watched, entry.get("called"), "calls that nobody watched")
        changed = _some_of(frozenset(case), entry.get("changed"), "changes of what was not lent")
        if "failure" in entry:
            outcomes.append(Outcome({}, _failure(entry["failure"]), called))
            continue
        outputs = entry.get("outputs")
        if not isinstance(outputs, dict) or tuple(outputs) != names:
            raise Forged("other outputs than were asked for")
        arrays = {name: body.take(outputs[name]) for name in names}
        outcomes.append(Outcome(arrays, called=called, changed=changed))
    if body.used != len(raw):
        raise Forged("more bytes than its arrays have")
    return outcomes


def _some_of(known: frozenset[str], entry: Any, otherwise: str) -> frozenset[str]:
    if not isinstance(entry, list) or not all(type(p) is str and p in known for p in entry):
        raise Forged(otherwise)
    return frozenset(entry)


def _failure(entry: Any) -> Failure:
    if not isinstance(entry, list) or len(entry) != 3 or not all(type(p) is str for p in entry):
        raise Forged("a failure that is none")
    kind, message, line = entry
    if kind not in FAILURES:
        raise Forged("a failure of no kind")
    return Failure(kind, clean(message), clean(line))


def clean(text: str) -> str:
    """Return text as it may stand in a report: not too long, and nothing that moves a cursor."""
    return printable(text[:LONGEST_MESSAGE]) + (" …" if len(text) > LONGEST_MESSAGE else "")


def printable(text: str) -> str:
    """Return text in which every character but the end of a line can be seen, and written."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
