"""`sine_backward`: backpropagation through time by hand, equations 2.5 to 2.8.

T time steps, H context units. Row t of `contexts` (T + 1, H) is h_t: step t makes row t + 1.
"""

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_02 import call_sine_backward
from helpers.exercises.chapter_02.parts.sines import (
    TWENTY_STEPS,
    filled_up,
    times,
    with_error,
    with_input_row,
    wrong_sums,
)
from helpers.exercises.chapter_02.parts.sines import wrong_way_back as wrong
from helpers.exercises.chapter_02.sine_forward import (
    run_in_torch,
    sine_case,
    sine_forward,
    tensors,
)
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.equality import equal_arrays, where_equal


def sine_backward(x, y, predictions, contexts, w1, w2):
    """Return dw1 (1 + H, H), dw2 (H, 1) and dh (T, H), the gradients of equation 2.4, by autograd.

    x (T,), y (T,), predictions (T,), contexts (T + 1, H), w1 (1 + H, H), w2 (H, 1), all float64.
    """
    weights = tensors(w1, w2, grad=True)
    made, states, u = run_in_torch(*tensors(x[None]), *weights)  # (1, T), (1, T, H), (1, T, H)
    loss = (made - torch.tensor(y)).square().sum() / 2
    # u is added to the sum before tanh, so its gradient is that sum's: dh times tanh's slope.
    dw1, dw2, delta = torch.autograd.grad(loss, (*weights, u))
    return dw1.numpy(), dw2.numpy(), (delta / (1 - states.detach() ** 2))[0].numpy()


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series, targets and weights, with what the network makes of them."""
    sizes = [(20, 6), (1, 6), (5, 1), (7, 7), (2, 3)]  # T, H
    sizes += [tuple(rng.integers(2, 15, 2)) for _ in range(5)]
    return [with_forward_pass(sine_case(rng, T, H)) for T, H in sizes]


def with_forward_pass(case: Case) -> Case:
    """Return a case with predictions and contexts, in the order of an answer's arguments."""
    predictions, contexts = sine_forward(case["x"], case["w1"], case["w2"])
    made = case | {"predictions": predictions, "contexts": contexts}
    return {name: made[name] for name in ("x", "y", "predictions", "contexts", "w1", "w2")}


def w2_as_it_is(x, y, predictions, contexts, w1, w2):
    columns = predictions[:, None]  # so that e @ w2 is a product at all
    return wrong(to_context=lambda e, w2: e @ w2)(x, y, columns, contexts, w1, w2)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return which rows of dw1 are wrong, if nothing else is and the others are right."""
    same = {n: equal_arrays(got[n], expected[n], EXERCISE.tolerance) for n in EXERCISE.outputs}
    mine, right = got["dw1"], expected["dw1"]
    if not (same["dh"] and same["dw2"] and mine.shape == right.shape):
        return ""
    rows = np.asarray(where_equal(mine, right, EXERCISE.tolerance).all(axis=1))
    if rows[1:].all():
        return "Of `dw1` only row 0 is wrong, the input's."
    return "Of `dw1` row 0 is right, the input's; the context's rows are not." if rows[0] else ""


EXERCISE = Exercise(
    name="sine_backward",
    title="backpropagation through time, in NumPy",
    points=5,
    difficulty=2,
    outputs={"dh": "T H", "dw2": "row column", "dw1": "row column"},  # as errors travel
    cases=cases,
    drive=call_sine_backward,
    reference=sine_backward,
    against="autograd",
    tolerance=1e-10,
    explain=explain,
    by_hand=frozenset({"_make_dual", "backward", "grad", "run_backward"}),
    mistakes=(
        Mistake(
            "The carried term is missing: `dh[t]` has only the error of its own step. Add what "
            "comes back from step t + 1 (the second term of equation 2.6).",
            wrong(through=lambda delta, w1: 0 * delta),
        ),
        Mistake(
            "The slope of tanh is 1 - h², not 1 - h (equation 2.7).",
            wrong(slope=lambda contexts, t: 1 - contexts[t + 1]),
        ),
        Mistake(
            "This is not the slope of tanh, which is `1 - contexts[t + 1] ** 2` (equation 2.7).",
            wrong(slope=lambda contexts, t: (1 - contexts[t + 1]) ** 2),
            also=(wrong(slope=lambda contexts, t: contexts[t + 1] * (1 - contexts[t + 1])),),
        ),
        Mistake(
            "The slope of tanh is missing between `dh` and the sum before `tanh` (equation 2.7).",
            wrong(slope=lambda contexts, t: 1.0),
        ),
        Mistake(
            "What is sent back to step t - 1 has not gone through tanh: send `w1[1:] @ delta`, not "
            "`w1[1:] @ dh[t]` (equation 2.6).",
            wrong(sent=lambda delta, dh, own: dh),
        ),
        Mistake(
            "`dw1` is made of each step's own error alone. It takes δ, with all that came back.",
            wrong_sums(dw1=lambda s: s.z.T @ (s.e * s.w2[:, 0] * (1 - s.h**2))),
        ),
        Mistake(
            "The error enters the context without w2: `e * w2[:, 0]` (equation 2.6).",
            wrong(to_context=lambda e, w2: e),
        ),
        Mistake(
            "`dw1` is made of `dh`. It takes δ, the gradient before `tanh` (equation 2.8).",
            wrong_sums(dw1=lambda s: s.z.T @ s.dh),
        ),
        Mistake(
            "`tanh` is applied twice: the contexts have gone through it already, so its slope is "
            "`1 - contexts[t + 1] ** 2`.",
            wrong(slope=lambda contexts, t: 1 - np.tanh(contexts[t + 1]) ** 2),
        ),
        Mistake(
            "z is joined in the wrong order: the input comes first, as in equation 2.1.",
            wrong_sums(dw1=lambda s: np.column_stack([s.h_before, s.x]).T @ s.delta),
        ),
        Mistake(
            "`dw2` holds the part of one step only. It is a sum over time: use `+=`.",
            wrong_sums(dw2=lambda s: np.outer(s.h[0], s.e[0])),
            also=(wrong_sums(dw2=lambda s: np.outer(s.h[-1], s.e[-1])),),
        ),
        Mistake(
            "`dw1` holds the part of one step only. It is a sum over time: use `+=`.",
            wrong_sums(dw1=lambda s: np.outer(s.z[0], s.delta[0])),
            also=(wrong_sums(dw1=lambda s: np.outer(s.z[-1], s.delta[-1])),),
        ),
        Mistake(
            "`dw1` and `dw2` are swapped.",
            wrong_sums(dw1=lambda s: s.h.T @ s.e, dw2=lambda s: s.z.T @ s.delta),
        ),
        Mistake(
            "The slope of tanh is taken one step too early: `contexts[t + 1]` is what step t made.",
            wrong(slope=lambda contexts, t: 1 - contexts[t] ** 2),
        ),
        Mistake(
            "The gradients hold the part of one step only. The weights are shared over time, so "
            "their gradients add up: use `+=`.",
            wrong_sums(
                dw1=lambda s: np.outer(s.z[0], s.delta[0]), dw2=lambda s: np.outer(s.h[0], s.e[0])
            ),
            also=(
                wrong_sums(
                    dw1=lambda s: np.outer(s.z[-1], s.delta[-1]),
                    dw2=lambda s: np.outer(s.h[-1], s.e[-1]),
                ),
            ),
        ),
        Mistake(
            "Step 0 adds nothing to `dw1`: does the walk end before it, or does an `if` leave it "
            "out? It has an input, too.",
            wrong_sums(dw1=lambda s: s.z[1:].T @ s.delta[1:]),
            also=(wrong(order=lambda T: range(1, T)[::-1]),),
        ),
        Mistake(
            "The last step is left out of the walk back. Begin with it: `reversed(range(T))`.",
            wrong(order=lambda T: range(T - 1)[::-1]),
        ),
        Mistake(
            "The context rows of `dw1`, from 1 on, are empty. What enters w1 is the input and the "
            "context, z (equation 2.8).",
            wrong_sums(dw1=lambda s: np.column_stack([s.x, 0 * s.h]).T @ s.delta),
        ),
        Mistake(
            "What row 0 of `dw1` takes times δ is not `x[t]`, the input of its step.",
            with_input_row(lambda s: s.y),
            also=(
                with_input_row(lambda s: s.predictions),
                with_input_row(lambda s: s.e[:, 0]),
                with_input_row(lambda s: np.roll(s.x, 1)),
                with_input_row(lambda s: 0 * s.x),
            ),
        ),
        Mistake(
            "`dw1` uses the context after the step. What enters w1 there is `contexts[t]`.",
            wrong_sums(dw1=lambda s: np.column_stack([s.x, s.h]).T @ s.delta),
        ),
        Mistake(
            "`dw2` uses the context before the step. Prediction t is made of `contexts[t + 1]`.",
            wrong_sums(dw2=lambda s: s.h_before.T @ s.e),
        ),
        Mistake(
            "`dw2` pairs each context with a value in place of its error, `predictions - y`.",
            wrong_sums(dw2=lambda s: s.h.T @ s.predictions[:, None]),
            also=(wrong_sums(dw2=lambda s: s.h.T @ s.y[:, None]),),
        ),
        Mistake(
            "The sign of `dw2` is reversed: the error is prediction minus target.",
            wrong_sums(dw2=lambda s: -s.h.T @ s.e),
        ),
        Mistake(
            "The gradient goes through w1 the wrong way. Forward it is `h @ w1[1:]`, so backward "
            "it is `w1[1:] @ delta`.",
            wrong(through=lambda delta, w1: delta @ w1[1:]),
        ),
        Mistake(
            "The wrong rows of w1 carry the gradient back. Row 0 is for the input; `w1[1:]` is for "
            "the context.",
            wrong(through=lambda delta, w1: w1[:-1] @ delta),
        ),
        Mistake(
            "What comes back is added to what came back before. Each step gets only what step "
            "t + 1 sends, which holds all that is later.",
            wrong(carried=lambda back, new: back + new),
        ),
        Mistake(
            "Each step sends back only its own error. Send δ, in which all that came back to it is "
            "included (equations 2.6 and 2.7).",
            wrong(sent=lambda delta, dh, own: own),
        ),
        Mistake(
            "`e @ w2` needs the transpose: one error goes to all H units, through `w2.T`.",
            w2_as_it_is,
        ),
        Mistake(
            "The sign is reversed: the derivative of ½ (ŷ - y)² by ŷ is ŷ - y.", times(lambda T: -1)
        ),
        Mistake(
            "Everything is doubled: the loss has a factor ½, so its derivative has none.",
            times(lambda T: 2),
        ),
        Mistake(
            "Everything is 2 / T times as large: this is the gradient of the mean squared error. "
            "Equation 2.4 is half of the sum.",
            times(lambda T: 2 / T),
        ),
        Mistake(
            "The target is not subtracted: the error is ŷ - y.",
            with_error(lambda e, prediction, x: prediction),
        ),
        Mistake(
            "The predictions are compared with x. The targets are y.",
            with_error(lambda e, prediction, x: prediction - x),
        ),
        Mistake(
            "The error comes in squared, or without its sign: the derivative of ½ (ŷ - y)² by ŷ is "
            "ŷ - y.",
            with_error(lambda e, prediction, x: e**2),
            also=(with_error(lambda e, prediction, x: abs(e)),),
        ),
        Mistake(
            "Everything is divided by T: the loss of equation 2.4 is a sum, not a mean.",
            times(lambda T: 1 / T),
        ),
        Mistake(
            "Time runs forwards. Start at the last step: what it sends back is needed before it.",
            wrong(order=range),
        ),
        Mistake(
            "`dh` holds δ, the gradient before `tanh`. Return the gradient of the context itself.",
            wrong_sums(dh=lambda s: s.delta),
        ),
        Mistake(
            "`dh` has a row too many. It has T: row t is for `contexts[t + 1]`, and h_0 has none.",
            wrong_sums(dh=lambda s: np.vstack([s.delta[:1] @ s.w1[1:].T, s.dh])),
            also=(
                wrong_sums(dh=lambda s: np.vstack([0 * s.dh[:1], s.dh])),
                wrong_sums(dh=lambda s: np.vstack([s.dh, 0 * s.dh[:1]])),
            ),
        ),
        Mistake(
            "`dh` is the gradient of one context only. Return the rows of all T.",
            wrong_sums(dh=lambda s: s.dh[0]),
            also=(wrong_sums(dh=lambda s: s.dh[-1]), wrong_sums(dh=lambda s: s.dh[:1])),
        ),
        Mistake(
            TWENTY_STEPS,
            wrong_sums(dh=lambda s: filled_up(20, s.dh)),
        ),
        Mistake(
            "`dh` as it is returned holds only each step's own error, not what was carried to it.",
            wrong_sums(dh=lambda s: s.e * s.w2[:, 0]),
        ),
        Mistake(
            "`dw2` must have the shape of w2, (H, 1).",
            wrong_sums(dw2=lambda s: (s.h.T @ s.e)[:, 0]),
        ),
        Mistake(
            "`dw1` is transposed. It must have the shape of w1, (1 + H, H).",
            wrong_sums(dw1=lambda s: s.delta.T @ s.z),
        ),
    ),
)
