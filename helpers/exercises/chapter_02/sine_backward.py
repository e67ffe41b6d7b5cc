"""`sine_backward`: backpropagation through time by hand, equations 2.5 to 2.8.

T time steps, H context units. Row t of `contexts` (T + 1, H) is h_t: step t makes row t + 1.
"""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_02 import call_sine_backward
from helpers.exercises.chapter_02.sine_forward import (
    run_in_torch,
    sine_case,
    sine_forward,
    tensors,
)
from helpers.exercises.contract import Exercise, Mistake


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


def wrong(
    to_context=lambda e, w2: w2[:, 0] * e,
    slope=lambda contexts, t: 1 - contexts[t + 1] ** 2,
    sent=lambda delta, dh: delta,
    through=lambda delta, w1: w1[1:] @ delta,
    order=lambda T: range(T)[::-1],
) -> Callable:
    """Return a `sine_backward` that sends errors back in another way than the right one."""

    def answer(x, y, predictions, contexts, w1, w2):
        dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
        dh, back = np.zeros_like(contexts[1:]), np.zeros(len(w2))  # (T, H), (H,)
        for t in order(len(x)):
            e = predictions[t] - y[t]
            dh[t] = to_context(e, w2) + back
            delta = dh[t] * slope(contexts, t)  # (H,)
            dw1 += np.outer(np.append(x[t], contexts[t]), delta)
            dw2 += np.outer(contexts[t + 1], e)
            back = through(sent(delta, dh[t]), w1)
        return dw1, dw2, dh

    return answer


def wrong_sums(
    dw1=lambda s: s.z.T @ s.delta,
    dw2=lambda s: s.h.T @ s.e,
    dh=lambda s: s.dh,
) -> Callable:
    """Return a `sine_backward` whose errors travel rightly and which makes something else of them.

    Each argument takes a namespace of what the right one has: x (T,), h and h_before (T, H), z
    (T, 1 + H), e (T, 1), dh and delta (T, H), and w2.
    """

    def answer(x, y, predictions, contexts, w1, w2):
        h, h_before = contexts[1:], contexts[:-1]
        z, e = np.column_stack([x, h_before]), (predictions - y)[:, None]
        right = sine_backward(x, y, predictions, contexts, w1, w2)[2]
        s = SimpleNamespace(x=x, h=h, h_before=h_before, z=z, e=e, dh=right, w2=w2)
        s.delta = right * (1 - h**2)
        return dw1(s), dw2(s), dh(s)

    return answer


def times(factor: Callable) -> Callable:
    """Return a `sine_backward` all of whose gradients are multiplied by factor(T)."""
    return lambda x, *rest: tuple(factor(len(x)) * part for part in sine_backward(x, *rest))


def w2_as_it_is(x, y, predictions, contexts, w1, w2):
    columns = predictions[:, None]  # so that e @ w2 is a product at all
    return wrong(to_context=lambda e, w2: e @ w2)(x, y, columns, contexts, w1, w2)


EXERCISE = Exercise(
    name="sine_backward",
    title="backpropagation through time, in NumPy",
    points=5,
    outputs={"dh": "T H", "dw2": "row column", "dw1": "row column"},  # as errors travel
    cases=cases,
    drive=call_sine_backward,
    reference=sine_backward,
    against="autograd",
    tolerance=1e-10,
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
            "The slope of tanh is missing between `dh` and the sum before `tanh` (equation 2.7).",
            wrong(slope=lambda contexts, t: 1.0),
        ),
        Mistake(
            "What is sent back to step t - 1 has not gone through tanh: send `w1[1:] @ delta`, not "
            "`w1[1:] @ dh[t]` (equation 2.6).",
            wrong(sent=lambda delta, dh: dh),
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
            "`dw2` is overwritten at every step. It is a sum over time: use `+=`.",
            wrong_sums(dw2=lambda s: np.outer(s.h[0], s.e[0])),
        ),
        Mistake(
            "`dw1` is overwritten at every step. It is a sum over time: use `+=`.",
            wrong_sums(dw1=lambda s: np.outer(s.z[0], s.delta[0])),
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
            "The gradients are overwritten at every step. The weights are shared over time, so "
            "their gradients add up: use `+=`.",
            wrong_sums(
                dw1=lambda s: np.outer(s.z[0], s.delta[0]), dw2=lambda s: np.outer(s.h[0], s.e[0])
            ),
        ),
        Mistake(
            "The context rows of `dw1`, from 1 on, are empty. What enters w1 is the input and the "
            "context, z (equation 2.8).",
            wrong_sums(dw1=lambda s: np.column_stack([s.x, 0 * s.h]).T @ s.delta),
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
            "w1 is not transposed on the way back. Forward it is `h @ w1[1:]`, so backward it is "
            "`w1[1:] @ delta`.",
            wrong(through=lambda delta, w1: delta @ w1[1:]),
        ),
        Mistake(
            "The wrong rows of w1 carry the gradient back. Row 0 is for the input; `w1[1:]` is for "
            "the context.",
            wrong(through=lambda delta, w1: w1[:-1] @ delta),
        ),
        Mistake(
            "`e @ w2` needs the transpose: one error goes to all H contexts, through `w2.T`.",
            w2_as_it_is,
        ),
        Mistake(
            "The sign is reversed: the derivative of ½ (ŷ - y)² by ŷ is ŷ - y.",
            times(lambda T: -1),
        ),
        Mistake(
            "Everything is twice too large: the loss has a factor ½, so its derivative has none.",
            times(lambda T: 2),
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
