"""Which functions an answer calls, however it came by them: what is to be written by hand.

torch's own functions are seen by a `TorchFunctionMode`, all others by Python's profiler. An answer
can get past both; what it would need for that has names of its own, which are watched, too.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

from torch.overrides import TorchFunctionMode

# What takes the watch away, or runs where it does not look.
PAST = frozenset(["setprofile", "start_new_thread", "start_joinable_thread", "fork"])
LIBRARIES = ("torch.", "helpers.")
REFERENCES = "helpers.exercises"  # what an answer builds on may call what it likes


class _TorchCalls(TorchFunctionMode):
    """Tells of each function of torch that is called."""

    def __init__(self, note: Callable[[str], None]):
        super().__init__()
        self.note = note

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.note(getattr(func, "__name__", ""))
        return func(*args, **(kwargs or {}))


class _Calls:
    """The names of the functions that were called, but for those that a reference called."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._kinds: dict[CodeType, tuple[bool | None, set[str]]] = {}
        self._in_reference = [False]  # of each function that runs now, the innermost last
        self.of_torch = _TorchCalls(self.note)

    def note(self, name: str) -> None:
        """Note a call, unless it is a reference's."""
        if not self._in_reference[-1]:
            self.names.add(name)

    def look(self, frame: FrameType, event: str, argument: Any) -> None:
        """Look at what Python's profiler reports."""
        if event == "c_call" and frame.f_globals is not globals():
            self.note(getattr(argument, "__name__", ""))
        elif event == "call":
            self._enter(frame)
        elif event == "return" and len(self._in_reference) > 1:
            self._in_reference.pop()

    def _enter(self, frame: FrameType) -> None:
        code, outside = frame.f_code, self._in_reference[-1]
        if code not in self._kinds:
            self._kinds[code] = _kind(frame)
        inside, names = self._kinds[code]
        if not outside:
            self.names |= names
            if code.co_qualname == "OpOverload.__call__":  # torch.ops.aten.<name>.<variant>
                self.names.update(str(frame.f_locals.get("self")).split(".")[1:2])
        self._in_reference.append(outside if inside is None else inside)


def _kind(frame: FrameType) -> tuple[bool | None, set[str]]:
    """Return whether a function is a reference's (None: its caller says), and names to note."""
    module = str(frame.f_globals.get("__name__"))
    inside = True if module.startswith(REFERENCES) else False if module == "__main__" else None
    if not module.startswith(LIBRARIES):  # the answer's own, which may have any name
        return inside, set()
    return inside, {frame.f_code.co_name, frame.f_code.co_qualname.removesuffix(".__init__")}


@contextlib.contextmanager
def watched(names: frozenset[str]) -> Iterator[set[str]]:
    """Give a set that has, after the block, those of `names` and of PAST that were called.

    names: of functions; of a class it is called when it is instantiated, also as a base class
    """
    found: set[str] = set()
    if not names:
        yield found
        return
    before, calls = sys.getprofile(), _Calls()
    try:
        with calls.of_torch:
            sys.setprofile(calls.look)
            yield found
    finally:
        sys.setprofile(before)
        found |= calls.names & (names | PAST)


@contextlib.contextmanager
def unwatched() -> Iterator[None]:
    """Look away for a while: a training calls so much that it would take twice as long."""
    look = sys.getprofile()
    calls = getattr(look, "__self__", None)
    if not isinstance(calls, _Calls):
        yield
        return
    sys.setprofile(None)
    calls.of_torch.__exit__(None, None, None)
    try:
        yield
    finally:
        calls.of_torch.__enter__()
        sys.setprofile(look)
