"""`fast_gradients`: forward and back in as little time as possible, section 2.9.

T time steps, H context units. The points are for gradients that are equal: the time that an answer
takes depends on the machine. `tests/benchmarks/bptt_speed.py` measures the solution's.
"""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case, call_with_numpy
from helpers.exercises.chapter_02.parts.sines import (
    network,
    times,
    with_error,
    with_input_row,
    wrong_sums,
    wrong_way_back,
)
from helpers.exercises.chapter_02.sine_backward import sine_backward
from helpers.exercises.chapter_02.sine_forward import sine_case, sine_forward
from helpers.exercises.contract import Exercise, Mistake


def fast_gradients(x, y, w1, w2):
    """Return dw1 (1 + H, H) and dw2 (H, 1), the gradients of equation 2.4, by autograd.

    x (T,), y (T,), w1 (1 + H, H), w2 (H, 1), all float64.
    """
    return sine_backward(x, y, *sine_forward(x, w1, w2), w1, w2)[:2]


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series, targets and weights."""
    sizes = [(20, 6), (1, 6), (5, 1), (7, 7), (2, 3)]  # T, H
    sizes += [tuple(rng.integers(2, 15, 2)) for _ in range(5)]
    return [sine_case(rng, T, H) for T, H in sizes]


right_back, right_forward = wrong_way_back(), network()  # neither departs in anything


def wrong(
    back: Callable = right_back, forward: Callable = right_forward, digits: type = np.float64
) -> Callable:
    """Return a `fast_gradients` with another way back or forward, or in another dtype."""

    def answer(x, y, w1, w2):
        x, y, w1, w2 = (a.astype(digits) for a in (x, y, w1, w2))
        return back(x, y, *forward(x, w1, w2), w1, w2)[:2]

    return answer


EXERCISE = Exercise(
    name="fast_gradients",
    title="forward and back, fast",
    points=2,
    difficulty=3,
    outputs={"dw1": "row column", "dw2": "row column"},
    cases=cases,
    drive=call_with_numpy,
    reference=fast_gradients,
    against="autograd",
    tolerance=1e-12,
    by_hand=frozenset({"_make_dual", "backward", "grad", "run_backward"}),
    mistakes=(
        Mistake(
            "Equal to seven digits, not to fifteen: something is computed in float32.",
            wrong(digits=np.float32),
        ),
        Mistake(
            "The steps are no longer tied to each other: nothing comes back from step t + 1. "
            "That part cannot leave the loop.",
            wrong(wrong_way_back(sent=lambda delta, dh, own: 0 * delta)),
        ),
        Mistake(
            "Each step sends back only its own error, as if all could be sent at once. What it "
            "sends has to wait for what comes back to it.",
            wrong(wrong_way_back(sent=lambda delta, dh, own: own)),
        ),
        Mistake(
            "The contexts are no longer tied to each other: each is made of its input alone.",
            wrong(forward=network(step=lambda x_t, hs, w1: np.tanh(x_t * w1[0]))),
        ),
        Mistake(
            "The inputs never come in on the way forward.",
            wrong(forward=network(step=lambda x_t, hs, w1: np.tanh(hs[-1] @ w1[1:]))),
        ),
        Mistake(
            "The slopes are off by one step: row t of the contexts is what step t begins from.",
            wrong(wrong_way_back(slope=lambda contexts, t: 1 - contexts[t] ** 2)),
        ),
        Mistake(
            "The slopes of tanh are missing on the way back.",
            wrong(wrong_way_back(slope=lambda contexts, t: 1.0)),
        ),
        Mistake(
            "This is not the slope of tanh, which is 1 - h².",
            wrong(wrong_way_back(slope=lambda contexts, t: 1 - contexts[t + 1])),
            also=(wrong(wrong_way_back(slope=lambda c, t: 1 - np.tanh(c[t + 1]) ** 2)),),
        ),
        Mistake(
            "What is sent back has not gone through tanh.",
            wrong(wrong_way_back(sent=lambda delta, dh, own: dh)),
        ),
        Mistake(
            "The way back goes through w1 the wrong way.",
            wrong(wrong_way_back(through=lambda delta, w1: delta @ w1[1:])),
        ),
        Mistake(
            "The wrong rows of w1 carry the gradient back. Row 0 is for the input.",
            wrong(wrong_way_back(through=lambda delta, w1: w1[:-1] @ delta)),
        ),
        Mistake(
            "Forward, the context goes through the context's rows of w1 transposed.",
            wrong(
                forward=network(step=lambda x_t, hs, w1: np.tanh(x_t * w1[0] + hs[-1] @ w1[1:].T))
            ),
        ),
        Mistake(
            "The contexts lack their `tanh`.",
            wrong(forward=network(step=lambda x_t, hs, w1: np.append(x_t, hs[-1]) @ w1)),
        ),
        Mistake(
            "`dw1` pairs δ with the contexts after the step. What enters w1 are those before it.",
            wrong(wrong_sums(dw1=lambda s: np.column_stack([s.x, s.h]).T @ s.delta)),
        ),
        Mistake(
            "`dw1` pairs δ with the contexts first and the input last. The input is row 0.",
            wrong(wrong_sums(dw1=lambda s: np.column_stack([s.h_before, s.x]).T @ s.delta)),
        ),
        Mistake(
            "`dw1` is made of the gradients at the contexts. It takes δ, behind the slope.",
            wrong(wrong_sums(dw1=lambda s: s.z.T @ s.dh)),
        ),
        Mistake(
            "Row 0 of `dw1` is not the inputs' product with δ.",
            wrong(with_input_row(lambda s: s.y)),
            also=(wrong(with_input_row(lambda s: 0 * s.x)),),
        ),
        Mistake(
            "`dw2` pairs the errors with the contexts before the step.",
            wrong(wrong_sums(dw2=lambda s: s.h_before.T @ s.e)),
        ),
        Mistake(
            "The last step is left out of the walk back.",
            wrong(wrong_way_back(order=lambda T: range(T - 1)[::-1])),
        ),
        Mistake(
            "Step 0 is left out of `dw1`.",
            wrong(wrong_sums(dw1=lambda s: s.z[1:].T @ s.delta[1:])),
        ),
        Mistake(
            "The sign is reversed: the error is ŷ - y.",
            wrong(times(lambda T: -1)),
        ),
        Mistake("Everything is doubled: the loss has a factor ½.", wrong(times(lambda T: 2))),
        Mistake(
            "Everything is divided by T: the loss of equation 2.4 is a sum.",
            wrong(times(lambda T: 1 / T)),
            also=(wrong(times(lambda T: 2 / T)),),
        ),
        Mistake(
            "The predictions are compared with x. The targets are y.",
            wrong(with_error(lambda e, prediction, x: prediction - x)),
        ),
        Mistake("`dw1` and `dw2` are swapped.", lambda *given: wrong()(*given)[::-1]),
        Mistake(
            "`dw2` must have the shape of w2, (H, 1).",
            wrong(wrong_sums(dw2=lambda s: (s.h.T @ s.e)[:, 0])),
        ),
        Mistake(
            "`dw1` is transposed. It must have the shape of w1, (1 + H, H).",
            wrong(wrong_sums(dw1=lambda s: s.delta.T @ s.z)),
        ),
    ),
)
