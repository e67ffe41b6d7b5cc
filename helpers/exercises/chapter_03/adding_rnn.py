"""`adding_rnn`: the weights, set by hand, of a plain recurrent network that adds, section 3.5.

n sequences, T time steps, H units. An answer's weights are used here, so that nothing but a plain
network can answer.
"""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_03 import OF_AN_RNN, call_adding_rnn
from helpers.exercises.chapter_03.parts.adders import (
    adding_case,
    equal_effects,
    explain_with,
    measured,
)
from helpers.exercises.contract import Arrays, Exercise, Mistake

SMALL = 1e-3


def adding_rnn():
    """Return W_xh (2, 2), W_hh (2, 2), b_h (2,), W_hy (2, 1), b_y (1,), as lists.

    Unit 0 says -1 but at a mark, where it says a tenth of the value. Unit 1 adds what unit 0 said
    at the step before, and 1, both so small that its `tanh` is nearly straight.
    """
    return (
        [[0.1, 0], [12, 0]],
        [[0, SMALL], [0, 1]],
        [-12, SMALL],
        [[10], [10 / SMALL]],  # the last value has not arrived in unit 1
        [-20],  # two marks stand for a 1 each, and the start, 0, for a third; unit 0 ends at -1
    )


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw short sequences and longer ones. In some the last step is marked."""
    drawn = [adding_case(rng, T) for T in (25, 100)]
    for case in drawn:
        case["marks"][:40, len(case["marks"][0]) // 2 :] = 0.0
        case["marks"][:40, -1] = 1.0
    return drawn


def run(case: Case, W_xh, W_hh, b_h, W_hy, b_y) -> np.ndarray:
    """Return what a plain network with these weights says (n,)."""
    h = np.zeros((len(case["values"]), len(b_h)))
    with np.errstate(all="ignore"):
        for x_t in np.stack([case["values"], case["marks"]], axis=2).transpose(1, 0, 2):
            h = np.tanh(x_t @ W_xh + h @ W_hh + b_h)  # (n, H)
        return (h @ W_hy + b_y)[:, 0]


SLIPS = {
    "It adds, if `W_hh` is transposed: what leads from unit i to unit j stands in row i, column "
    "j.": lambda W_xh, W_hh, *w: [(W_xh, W_hh.T, *w)],
    "It adds, if the rows of `W_xh` are exchanged: row 0 is the value's.": lambda W_xh, *w: [
        (W_xh[::-1], *w)
    ],
}


def said_by(case: Case, weights: Arrays) -> Arrays:
    """Return what counts in what a plain network with these weights says, and its slip."""
    return measured(case, run, SLIPS, *(weights[name].astype(float) for name in OF_AN_RNN))


def weights(
    seen: tuple[float, float, float] = (0.1, 12, -12),
    small: float = SMALL,
    own: float = 1.0,
    added: float = 1.0,
    last: float = 10.0,
    constant: float = -20.0,
    out: float = 1.0,
) -> Callable:
    """Return an `adding_rnn` made of the reference, with other weights.

    seen   of unit 0: for the value, for the mark, and its bias
    own    of unit 1 for itself; added: what it adds at each step, in units of `small`
    last   the output's weight for unit 0; out: a factor of the whole output
    """

    def answer():
        value, mark, bias = seen
        into_sum = [[0, small], [0, own]]
        reads = [[out * last], [out * 10 / small]]
        return [[value, 0], [mark, 0]], into_sum, [bias, added * small], reads, [out * constant]

    return answer


def transposed():
    W_xh, W_hh, *others = adding_rnn()
    return W_xh, np.transpose(W_hh).tolist(), *others


EXERCISE = Exercise(
    name="adding_rnn",
    title="a plain network made by hand, that adds",
    points=5,
    difficulty=3,
    outputs={"effects": "part", "slip": ""},
    cases=cases,
    drive=call_adding_rnn,
    returned=OF_AN_RNN,
    measure=said_by,
    reference=adding_rnn,
    against="the sums, over 25 and over 100 steps",
    equal=equal_effects,
    explain=explain_with(SLIPS),
    mistakes=(
        Mistake(
            "The right sum, but for a constant: the state starts at 0, which is not what your "
            "units hold while nothing is marked. `b_y` can make up for it.",
            weights(constant=-10),
            also=(weights(constant=0), weights(constant=-30)),
        ),
        Mistake(
            "A value that is marked at the last step is missing: it is in the unit that saw it, "
            "and has not yet been added. The output may look at both.",
            weights(last=0.0, constant=-30),
            also=(weights(last=0.0, constant=-20), weights(last=0.0, constant=-10)),
        ),
        Mistake(
            "The unit that adds loses what it holds: with a weight of less than 1 to itself it "
            "fades.",
            weights(own=0.9),
            also=(weights(own=0.99), weights(own=0.5)),
        ),
        Mistake(
            "What is added is too large: `tanh` bends the sum. Make it smaller, and let the output "
            "make up for it.",
            weights(small=1.0),
            also=(weights(small=0.1), weights(small=0.3)),
        ),
        Mistake(
            "While nothing is marked, something is added at every step. It has to be 0 then.",
            weights(added=0.0),
            also=(weights(added=0.9), weights(added=1.1)),
        ),
        Mistake(
            "Unmarked values come in: away from a mark the unit that sees the value must stand "
            "firmly at -1.",
            weights(seen=(0.1, 2, -2)),
            also=(weights(seen=(0.1, 4, -4)), weights(seen=(0.1, 3, -3))),
        ),
        Mistake(
            "All values are added, marked or not.",
            weights(seen=(0.1, 0, 0), added=0.0, constant=0.0),
        ),
        Mistake(
            "The marks are counted, and the values are not seen.",
            weights(seen=(0.0, 12, -12)),
        ),
        Mistake(
            "The unit that sees the value bends it: at a mark its sum has to stay near 0.",
            weights(seen=(1.0, 12, -12), out=0.1),
            also=(weights(seen=(0.1, 13, -12)), weights(seen=(0.1, 24, -12))),
        ),
        Mistake(
            "`W_hh` is transposed: what leads from unit i to unit j stands in row i, column j.",
            transposed,
        ),
        Mistake(
            "This always says the same, whatever comes.",
            lambda: ([[0], [0]], [[0]], [0], [[0]], [1]),
            also=(lambda: ([[0], [0]], [[0]], [0], [[0]], [0]),),
        ),
        Mistake(
            "The sum is right but for its scale: the output has to undo how small you made it.",
            weights(out=0.1),
            also=(weights(out=0.01), weights(out=10.0)),
        ),
    ),
)
