"""Open tasks: how much of a rival's error an answer leaves, and which part of the points it earns.

Such an exercise compares three outputs: "left", that share; one that says what a poor rival leaves,
so that whoever leaves as much earns nothing; and "flaw", the number of what makes an answer
incomparable, 0 for nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.exercises.contract import Arrays


@dataclass(frozen=True)
class Bands:
    """What an open task asks for, and how far an answer comes.

    to_pass  an answer passes that leaves at most this
    poor     the output that says what a poor rival leaves
    parts    what is reached -> "left" is below that, and the part of the points. The first is that
             of an answer no better than the poor rival; the best comes last
    flaws    sentences, by the number in "flaw"
    found    what is said of an answer without flaw: a sentence with {left}, {band} and {bar}
    """

    to_pass: float
    poor: str
    parts: Mapping[str, tuple[float, float]]
    flaws: Sequence[str]
    found: str

    @property
    def judging(self) -> dict[str, Any]:
        """The fields of an exercise that is judged by these bands."""
        return {
            "equal": self.equal,
            "explain": self.explain,
            "praise": self.praise,
            "share": self.share,
        }

    def equal(self, got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
        """Return whether two numbers are alike: equal, or both as small as it takes to pass."""
        both = max(float(got), float(expected)) <= self.to_pass
        return both or bool(np.isclose(got, expected, rtol=tolerance))

    def reached(self, got: Arrays) -> str:
        """Return the best band that an answer reaches."""
        left, (first, *others) = float(got["left"]), self.parts
        if not left < float(got[self.poor]):
            return first
        return [name for name in others if left < self.parts[name][0]][-1]

    def explain(self, got: Arrays, expected: Arrays) -> str:
        """Return how far an answer comes, its band, the bar and what it earns; or its flaw."""
        left, band = f"{float(got['left']):.2f}", self.reached(got)
        found = self.found.format(left=left, band=band, bar=self.to_pass)
        earned = f" This earns {self.share(got, expected):.0%} of the points."
        return self.flaws[int(got["flaw"])] or found + earned

    def praise(self, got: Arrays) -> str:
        """Return how far an answer comes that passes; machines differ a little in the number."""
        left = f"≈{float(got['left']):.2f}"
        return self.found.format(left=left, band="enough", bar=self.to_pass)

    def share(self, got: Arrays, expected: Arrays) -> float:
        """Return the part of the points that the band of a wrong answer earns."""
        return 0.0 if got["flaw"] else self.parts[self.reached(got)][1]
