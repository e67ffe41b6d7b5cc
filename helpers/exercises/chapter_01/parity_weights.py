"""`parity_weights`: the weights, set by hand, of a network that tells the parity, section 1.3.

N strings, T bits in each. The network has two units, one input and one output.
"""

import itertools
from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_01 import WEIGHTS, call_parity_weights
from helpers.exercises.contract import Arrays, Exercise, Mistake

LONGEST = 12  # up to here every string is tried


def parity_weights():
    """Return W_xh (1, 2), W_hh (2, 2), b_h (2,), W_hy (2, 1), b_y (1,), as lists of numbers.

    The units ask "x or p?" and "not both?" of a bit x and the old parity p. Where both say yes, 1
    and 1, the new parity is odd; else they are 1 and -1, whose sum is 0.
    """
    return [[12, -12]], [[6, -6], [6, -6]], [-6, 18], [[1], [1]], [-1]


def cases(rng: np.random.Generator) -> list[Case]:
    """Return all strings of LONGEST bits, which begin with all shorter ones, and long random ones.

    The last of these have few ones: what fades has time to.
    """
    every = np.array(list(itertools.product((0, 1), repeat=LONGEST)))
    many, few = rng.integers(0, 2, (48, 500)), (rng.random((16, 500)) < 0.03).astype(int)
    return [{"short": every, "long": np.concatenate([many, few])}]


def answers_of(case: Case, weights: Arrays) -> Arrays:
    """Return what a network with these weights says after each bit: 1 odd, -1 even, 0 neither."""
    if any(weights[name].shape != shape for name, shape in WEIGHTS.items()):
        return {name: np.zeros((0, 0), dtype=int) for name in case}
    return {name: said_of(bits, weights) for name, bits in case.items()}


def said_of(bits: np.ndarray, weights: Arrays) -> np.ndarray:
    """Return what is said after each of bits (N, T): (N, T)."""
    W_xh, W_hh, b_h, W_hy, b_y = (weights[name].astype(float) for name in WEIGHTS)
    h, said = np.zeros((len(bits), 2)), []
    with np.errstate(all="ignore"):
        for x_t in bits.T:
            h = np.tanh(x_t[:, None] * W_xh + h @ W_hh + b_h)  # (N, 2)
            y = (h @ W_hy + b_y)[:, 0]
            said.append((y > 0).astype(int) - (y < 0))
    return np.stack(said, axis=1)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return the shortest string after which the answer is wrong."""
    name = "long" if np.array_equal(got["short"], expected["short"]) else "short"
    mine, right = got[name], expected[name]
    if mine.shape != right.shape:
        return ""
    wrong_at = mine != right
    t = int(wrong_at.any(axis=0).argmax())
    row = int(wrong_at[:, t].argmax())
    ones = (right[row, : t + 1] > 0).astype(int)
    bits = np.diff(ones, prepend=0) % 2
    if name == "long":
        return (
            f"The first {t} bits of a string of {len(right[row])} come out right, and not the next "
            "one: little by little the state loses its way. How near to -1 and 1 are its units?"
        )
    start = " The state starts at 0, which is neither -1 nor 1." if t == 0 else ""
    says = {1: "odd", -1: "even", 0: "neither, it is exactly 0"}[int(mine[row, t])]
    return (
        f"After {' '.join(map(str, bits))} the answer is {says}; ones so far: {bits.sum()}.{start}"
    )


def weights(steepness: float = 5, **others: list) -> Callable:
    """Return a `parity_weights` with the units "x or p?" and "x and p?", and other parts if given.

    Where the first says yes and the second no, the new parity is odd.
    """
    k = steepness
    parts = {"W_xh": [[2 * k, 2 * k]], "W_hh": [[k, k], [-k, -k]], "b_h": [-k, -3 * k]}
    parts |= {"W_hy": [[1], [-1]], "b_y": [-1]} | others
    return lambda: tuple(parts.values())


FIRST = [[1], [0]]  # W_hy, where the answer is what the first unit says

EXERCISE = Exercise(
    name="parity_weights",
    title="a state made by hand: odd or even",
    points=4,
    difficulty=3,
    outputs={"short": "N T", "long": "N T"},
    cases=cases,
    drive=call_parity_weights,
    returned=tuple(WEIGHTS),
    measure=answers_of,
    tolerance=0.0,
    reference=parity_weights,
    against=f"the parity of every string up to length {LONGEST}, and of long random ones",
    explain=explain,
    mistakes=(
        Mistake(
            "This says whether a one has come at all: it never goes back to even.",
            weights(W_xh=[[18, 0]], W_hh=[[9, 0], [0, 0]], b_h=[-6, 0], W_hy=FIRST, b_y=[0]),
        ),
        Mistake(
            "This says whether the last bit was a one. Nothing of the bits before is used.",
            weights(W_xh=[[10, 0]], W_hh=[[0, 0], [0, 0]], b_h=[-5, 0], W_hy=FIRST, b_y=[0]),
        ),
        Mistake(
            "It is always the opposite: the output must be positive where the ones are odd.",
            weights(W_hy=[[-1], [1]], b_y=[1]),
        ),
        Mistake(
            "The state is right, and the output looks at one of the units only.",
            weights(W_hy=FIRST, b_y=[0]),
            also=(weights(W_hy=[[0], [1]], b_y=[0]), weights(W_hy=[[0], [-1]], b_y=[0])),
        ),
        Mistake(
            "`W_hh` is transposed: what leads from unit i to unit j stands in row i, column j.",
            weights(W_hh=[[5, -5], [5, -5]]),
        ),
        Mistake(
            "The answer is even after every string: the output never gets above 0.",
            weights(b_h=[-15, -5]),
            also=(weights(b_h=[0, 0]), weights(0.5), weights(W_hy=[[0], [0]])),
        ),
        Mistake(
            "The answer is odd after every string: the output never gets below 0. `b_y` moves it.",
            weights(b_y=[0]),
            also=(weights(b_y=[3]), weights(W_hy=[[0], [0]], b_y=[1])),
        ),
        Mistake(
            "The old parity counts twice as much as the bit. Units are -1 or 1: they differ "
            "by 2, not by 1.",
            weights(W_hh=[[10, 10], [-10, -10]]),
        ),
        Mistake(
            "It turns over at every step, whatever the bit: the bit has no part in it.",
            weights(W_xh=[[0, 0]], W_hh=[[-10, 0], [0, 0]], b_h=[5, 0], W_hy=FIRST, b_y=[0]),
        ),
        Mistake(
            "This network is made for bits of -1 and 1. Here they are 0 and 1.",
            weights(W_xh=[[5, 5]], b_h=[0, -10]),
        ),
        Mistake(
            "The output is exactly 0 after every bit: are there weights at all?",
            weights(W_xh=[[0, 0]], W_hh=[[0, 0], [0, 0]], b_h=[0, 0], W_hy=[[0], [0]], b_y=[0]),
        ),
        Mistake(
            "The logic is right, and the units are not steep enough: they stand between -1 and 1, "
            "and soon cannot be told apart. Multiply what goes into `tanh` by a large number.",
            weights(1.0),
            also=(weights(0.8),),
        ),
    ),
)
