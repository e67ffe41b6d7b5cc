"""What exercises of several chapters are made of: random cases, and sentences that recur."""

import numpy as np


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return standard normal values in float32, the dtype of a network's weights."""
    return rng.normal(size=shape).astype(np.float32)


def new_seed(rng: np.random.Generator) -> int:
    """Return a seed for what a driver draws."""
    return int(rng.integers(2**31))


CARRIES_NO_GRADIENT = (
    "What comes back carries no gradient, so nothing can learn from it. Return the tensor: "
    "no `.item()`, no `detach()`, no NumPy."
)
NO_VALUE_ERROR = (
    "It stops, but not with a ValueError, which is what a caller expects for a wrong value. (An "
    "`assert` disappears when Python runs with -O.)"
)

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGH 0123456789.,\n"
STRANGE = "éßΩ€漢"  # characters beyond ASCII


def some_text(rng: np.random.Generator, n: int, letters: str = ALPHABET) -> str:
    """Return a text of n characters drawn from `letters`."""
    return "".join(rng.choice(list(letters), size=n))


def quoted(points: np.ndarray) -> str:
    """Return code points as text in quotes, for a card."""
    return repr("".join(map(chr, points)))
