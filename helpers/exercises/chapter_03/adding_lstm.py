"""`adding_lstm`: the weights, set by hand, of an LSTM that adds, section 3.4.

n sequences, T time steps, H units. An answer's weights are used here, so that nothing but an LSTM
can answer.
"""

import itertools
from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_03 import OF_AN_LSTM, call_adding_lstm
from helpers.exercises.chapter_03.parts.adders import (
    adding_case,
    equal_effects,
    explain_with,
    measured,
)
from helpers.exercises.contract import Arrays, Exercise, Mistake

SMALL, OPEN = 0.01, 20.0


def adding_lstm():
    """Return weight_ih (4, 2), weight_hh (4, 1), bias (4,), W_hy (1, 1), b_y (1,), as lists.

    One unit: the mark opens the input gate, the others stand open, and the candidate is so small
    that both `tanh` leave it as it is.
    """
    return (
        [[0, 2 * OPEN], [0, 0], [SMALL, 0], [0, 0]],
        [[0], [0], [0], [0]],
        [-OPEN, OPEN, 0, OPEN],
        [[1 / SMALL]],
        [0],
    )


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw short sequences and long ones."""
    return [adding_case(rng, T) for T in (25, 100, 400)]


def run(case: Case, W_ih, W_hh, bias, W_hy, b_y) -> np.ndarray:
    """Return what an LSTM with these weights says (n,). Its blocks are i, f, g, o."""
    h = c = np.zeros((len(case["values"]), len(bias) // 4))
    with np.errstate(all="ignore"):
        x = np.stack([case["values"].T, case["marks"].T], axis=2)
        for of_x in x @ W_ih.T + bias:  # (n, 4H)
            a = (of_x + h @ W_hh.T).reshape(len(h), 4, -1)  # i, f, g, o
            opened = sigmoid(a)
            c = opened[:, 1] * c + opened[:, 0] * np.tanh(a[:, 2])
            h = opened[:, 3] * np.tanh(c)
        return (h @ W_hy + b_y)[:, 0]


def sigmoid(a: np.ndarray) -> np.ndarray:
    """Return the sigmoid."""
    return 1 / (1 + np.exp(-a))


def other_orders(W_ih, W_hh, bias, *output):
    """Yield weights whose blocks stand in each other order."""
    blocks = [np.split(w, 4) for w in (W_ih, W_hh, bias)]
    for order in itertools.permutations(range(4)):
        yield (*(np.concatenate([part[n] for n in order]) for part in blocks), *output)


def other_columns(W_ih, *others):
    """Yield weights whose columns for value and mark are exchanged."""
    yield W_ih[:, ::-1], *others


SLIPS = {
    "It adds, if the four blocks stand in another order: PyTorch's is i, f, g, o.": other_orders,
    "It adds, if the columns of `weight_ih` are exchanged: column 0 is the value's.": other_columns,
}


def said_by(case: Case, weights: Arrays) -> Arrays:
    """Return what counts in what an LSTM with these weights says, and which slip it has."""
    return measured(case, run, SLIPS, *(weights[name].astype(float) for name in OF_AN_LSTM))


def weights(**changes: list) -> Callable:
    """Return an `adding_lstm` whose rows, biases or output are changed.

    i, f, g, o: the two weights of a gate and its bias; out: the output's weight and bias
    """
    parts = {"i": [0, 40, -20], "f": [0, 0, 20], "g": [0.01, 0, 0], "o": [0, 0, 20]} | changes
    out = parts.pop("out", [100, 0])

    def answer():
        rows = [row[:2] for row in parts.values()]
        biases = [row[2] for row in parts.values()]
        return rows, [[0]] * 4, biases, [[out[0]]], [out[1]]

    return answer


def in_another_order(order: str) -> Callable:
    """Return an `adding_lstm` whose blocks stand in another order than i, f, g, o."""

    def answer():
        W_ih, W_hh, bias, W_hy, b_y = adding_lstm()
        places = ["ifgo".index(letter) for letter in order]
        return [W_ih[p] for p in places], W_hh, [bias[p] for p in places], W_hy, b_y

    return answer


EXERCISE = Exercise(
    name="adding_lstm",
    title="an LSTM made by hand, that adds",
    points=4,
    difficulty=3,
    outputs={"effects": "part", "slip": ""},
    cases=cases,
    drive=call_adding_lstm,
    returned=OF_AN_LSTM,
    measure=said_by,
    reference=adding_lstm,
    against="the sums, over 25, 100 and 400 steps",
    equal=equal_effects,
    explain=explain_with(SLIPS),
    mistakes=(
        Mistake(
            "The forget gate stands at a half: what was written is gone after a few steps. What "
            "opens it for good?",
            weights(f=[0, 0, 0]),
            also=(weights(f=[0, 0, 0], out=[50, 0.5]),),
        ),
        Mistake(
            "The forget gate is closed: with a value of 1 the memory is kept, with 0 it is lost.",
            weights(f=[0, 0, -20]),
        ),
        Mistake(
            "The input gate is open all the time, so every value is added.",
            weights(i=[0, 0, 20]),
        ),
        Mistake(
            "The input gate never opens: nothing is ever written.",
            weights(i=[0, 0, -20]),
            also=(weights(i=[0, 20, -40]),),
        ),
        Mistake(
            "The input gate is open where there is no mark.",
            weights(i=[0, -40, 20]),
        ),
        Mistake(
            "The mark itself is added, not the value: the candidate has to see the value.",
            weights(g=[0, 0.01, 0]),
        ),
        Mistake(
            "The output gate stands at a half, and only half of the memory is shown.",
            weights(o=[0, 0, 0]),
        ),
        Mistake(
            "The output gate opens at marks only, so that at the end nothing is shown.",
            weights(o=[0, 40, -20]),
        ),
        Mistake(
            "`tanh` bends large numbers, the candidate's and once more the memory's. Where is it "
            "nearly straight?",
            weights(g=[1, 0, 0], out=[1, 0]),
            also=(
                weights(g=[20, 0, 0], out=[1, 0]),
                weights(g=[0.5, 0, 0], out=[2, 0]),
                weights(g=[2, 0, 0], out=[1, 0]),
            ),
        ),
        Mistake(
            "The sum is right but for its scale: the output has to undo how small you made it.",
            weights(out=[1, 0]),
        ),
        Mistake(
            "The four blocks stand in another order than PyTorch's, i, f, g, o.",
            in_another_order("ifog"),
            also=(in_another_order("figo"), in_another_order("fiog")),
        ),
        Mistake(
            "This always says 1, whatever comes.",
            weights(i=[0, 0, -20], out=[100, 1]),
            also=(weights(out=[0, 1]),),
        ),
    ),
)
