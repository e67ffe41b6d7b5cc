"""`sine_forward`: the sine network run over a series, equations 2.1 to 2.3.

B series in a batch, T time steps, H context units. Here is also what the chapter's exercises share:
a series with weights, and the network in PyTorch.
"""

import functools
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case, call_with_numpy
from helpers.exercises.chapter_02.parts.sines import (
    TWENTY_STEPS,
    filled_up,
    squashed_by,
)
from helpers.exercises.chapter_02.parts.sines import network as wrong
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.equality import equal_arrays


def sine_forward(x, w1, w2):
    """Return predictions (T,) and contexts (T + 1, H), made by `nn.RNN`; contexts[0] is 0.

    x (T,), w1 (1 + H, H), w2 (H, 1), all float64.
    """
    predictions, contexts, _ = run_in_torch(*tensors(x[None], w1, w2))  # (1, T), (1, T, H)
    return predictions[0].numpy(), np.vstack([np.zeros(w1.shape[1]), contexts[0].numpy()])


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series and weights. Among the sizes are one step, one unit and T = H."""
    sizes = [(20, 6), (1, 6), (5, 1), (3, 3), (2, 2)]  # T, H
    sizes += [tuple(rng.integers(2, 12, 2)) for _ in range(5)]
    return [without_targets(sine_case(rng, T, H)) for T, H in sizes]


def sine_case(rng: np.random.Generator, T: int, H: int, scale: float = 0.7) -> Case:
    """Return a series x (T,), its targets y (T,) and weights w1 (1 + H, H), w2 (H, 1).

    scale: the standard deviation of the weights
    """
    start, step = rng.uniform(0, 6), rng.uniform(0.2, 0.8)
    data = np.sin(start + step * np.arange(T + 1))
    return {
        "x": data[:-1],
        "y": data[1:],
        "w1": rng.normal(0, scale, (1 + H, H)),
        "w2": rng.normal(0, scale, (H, 1)),
    }


def without_targets(case: Case) -> Case:
    """Return a case without y, for an answer that only predicts."""
    return {name: value for name, value in case.items() if name != "y"}


def tensors(*arrays: np.ndarray, grad: bool = False) -> tuple[torch.Tensor, ...]:
    """Return copies of arrays as tensors, which require gradients if `grad` says so."""
    return tuple(torch.tensor(np.asarray(array), requires_grad=grad) for array in arrays)


def run_in_torch(
    x: torch.Tensor, w1: torch.Tensor, w2: torch.Tensor, h_0: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return predictions (B, T), contexts (B, T, H) and u (B, T, H), what x adds before tanh.

    x (B, T); h_0 (B, H), zeros by default. All carry gradients where the weights do.
    """
    H = w1.shape[1]
    h_0 = torch.zeros(len(x), H, dtype=w1.dtype) if h_0 is None else h_0
    u = x.unsqueeze(-1) * w1[0]
    # Through the unit matrix u enters the sum as it is, so the gradient of u is that of the sum.
    weights = {"weight_ih_l0": torch.eye(H, dtype=w1.dtype), "weight_hh_l0": w1[1:].T}
    contexts, _ = torch.func.functional_call(rnn_of_size(H), weights, (u, h_0.unsqueeze(0)))
    return (contexts @ w2).squeeze(-1), contexts, u


@functools.cache
def rnn_of_size(H: int) -> nn.RNN:
    """Return an `nn.RNN` with H inputs and H units, to be called with other weights."""
    with torch.random.fork_rng(devices=[]):  # a reference must not use up the caller's numbers
        return nn.RNN(H, H, bias=False, batch_first=True, dtype=torch.float64)


def changed(change: Callable) -> Callable:
    """Return a `sine_forward` that returns change(predictions, contexts), both of them right."""
    return lambda x, w1, w2: change(*sine_forward(x, w1, w2))


def with_input(change: Callable) -> Callable:
    """Return a `sine_forward` that runs over change(x)."""
    return lambda x, w1, w2: sine_forward(change(x), w1, w2)


def with_w1(change: Callable) -> Callable:
    """Return a `sine_forward` that has change(row of the input, rows of the context) for w1."""
    return lambda x, w1, w2: sine_forward(x, np.vstack(change(w1[0], w1[1:])), w2)


def without_first_step(x, w1, w2):
    predictions, contexts = wrong()(x[1:], w1, w2)
    return np.append(0, predictions), np.vstack([np.zeros(w1.shape[1]), contexts])


def on_its_own(x, w1, w2):
    series = x[:1]
    for _ in x[1:]:
        series = np.append(series, wrong()(series, w1, w2)[0][-1])
    return wrong()(series, w1, w2)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return what is said of a run that does not start from zeros."""
    (predictions, contexts), right = got.values(), expected["contexts"]
    late = predictions.shape != expected["predictions"].shape or equal_arrays(
        predictions[:1], expected["predictions"][:1], EXERCISE.tolerance
    )
    return "" if late or contexts.shape != right.shape or not contexts[0].any() else H_0_NOT_ZERO


H_0_NOT_ZERO = (
    "Row 0 of `contexts`, h_0, is not 0. Every call starts from zeros: not from the context that a "
    "call before has left, not from random numbers, not from empty memory."
)


def from_previous_context(x, w1, w2):
    _, contexts = sine_forward(x, w1, w2)
    return (contexts[:-1] @ w2)[:, 0], contexts


EXERCISE = Exercise(
    name="sine_forward",
    title="the sine network, forward, in NumPy",
    points=2,
    difficulty=1,
    outputs={"predictions": "T", "contexts": "T+1 H"},
    cases=cases,
    drive=call_with_numpy,
    reference=sine_forward,
    against="the same network in PyTorch",
    tolerance=1e-10,
    explain=explain,
    mistakes=(
        Mistake(
            "All of it is 0: nothing was stored, or the input never came in.",
            changed(lambda p, c: (0 * p, 0 * c)),
        ),
        Mistake(
            "The context is not carried: every step starts from zeros.",
            wrong(step=lambda x_t, hs, w1: np.tanh(x_t * w1[0])),
        ),
        Mistake(
            "Input and context are joined in the wrong order: row 0 of w1 is for the input.",
            wrong(step=lambda x_t, hs, w1: np.tanh(np.append(hs[-1], x_t) @ w1)),
        ),
        Mistake(
            "The context is not squashed. Equation 2.2 has a `tanh`.", squashed_by(lambda a: a)
        ),
        Mistake(
            "The context goes through something else than one `tanh`, which equation 2.2 has.",
            squashed_by(lambda a: 1 / (1 + np.exp(-a))),
            also=(
                squashed_by(lambda a: np.maximum(a, 0)),
                squashed_by(lambda a: np.tanh(np.tanh(a))),
            ),
        ),
        Mistake(
            "`tanh` comes too early: it takes the sum `z @ w1`, not z.",
            wrong(step=lambda x_t, hs, w1: np.tanh(np.append(x_t, hs[-1])) @ w1),
        ),
        Mistake(
            "The new context is added to the old one. It replaces it (equation 2.2).",
            wrong(step=lambda x_t, hs, w1: hs[-1] + np.tanh(np.append(x_t, hs[-1]) @ w1)),
        ),
        Mistake(
            "Each step takes the context before the last. Step t takes `contexts[t]`.",
            wrong(step=lambda x_t, hs, w1: np.tanh(np.append(x_t, (hs[:1] + hs)[-2]) @ w1)),
        ),
        Mistake(
            "After the first step the network is fed its own predictions. Feed `x[t]`.", on_its_own
        ),
        Mistake(
            "The same input goes in at every step. Feed `x[t]`.",
            with_input(lambda x: np.full_like(x, x[0])),
            also=(with_input(lambda x: np.full_like(x, x[-1])),),
        ),
        Mistake(
            "The input comes a step late: step t takes `x[t]`, not `x[t - 1]`.",
            with_input(lambda x: np.append(0, x[:-1])),
            also=(with_input(lambda x: np.roll(x, 1)),),
        ),
        Mistake(
            "The context's rows of w1 are transposed. It is `h @ w1[1:]`.",
            with_w1(lambda row, rows: (row, rows.T)),
        ),
        Mistake(
            "The context goes through the wrong rows of w1. Row 0 is for the input; `w1[1:]` is "
            "for the context.",
            with_w1(lambda row, rows: (row, row, rows[:-1])),
        ),
        Mistake(H_0_NOT_ZERO, wrong(start=np.ones)),
        Mistake(
            "The last step is left out: its row stays 0. Go through all T steps.",
            changed(lambda p, c: (filled_up(len(p), p[:-1]), filled_up(len(c), c[:-1]))),
        ),
        Mistake(
            "Step 0 is left out: the first input never comes in. Go through all T steps.",
            without_first_step,
        ),
        Mistake(
            TWENTY_STEPS,
            changed(lambda p, c: (filled_up(20, p), c)),
            also=(changed(lambda p, c: (filled_up(20, p), filled_up(21, c))),),
        ),
        Mistake(
            "The prediction is made of one context unit. All of them count: `h @ w2`.",
            wrong(out=lambda h, w2: h[:1] @ w2[:1]),
            also=(wrong(out=lambda h, w2: h[-1:] @ w2[-1:]),),
        ),
        Mistake(
            "The prediction is made of the sum before `tanh`. Equation 2.3 takes the context.",
            wrong(out=lambda h, w2: np.arctanh(h) @ w2),
        ),
        Mistake(
            "The contexts as they are returned are the sums before `tanh`.",
            changed(lambda p, c: (p, np.arctanh(c))),
        ),
        Mistake(
            "Each context stands a row too early. Row 0 is h_0, and step t makes row t + 1.",
            changed(lambda p, c: (p, filled_up(len(c), c[1:]))),
        ),
        Mistake(
            "`contexts` stays 0: store each new context in its row.",
            changed(lambda p, c: (p, 0 * c)),
        ),
        Mistake(
            "`predictions` stays 0: store each prediction in its place.",
            changed(lambda p, c: (0 * p, c)),
        ),
        Mistake(
            "Only the last context comes back. Return all T + 1, from h_0 = 0 on.",
            changed(lambda p, c: (p, c[-1])),
            also=(changed(lambda p, c: (p, c[-1:])),),
        ),
        Mistake(
            "Only the last prediction comes back. Return those of all T steps.",
            changed(lambda p, c: (p[-1], c)),
            also=(changed(lambda p, c: (p[-1:], c)),),
        ),
        Mistake(
            "The predictions come first, then the contexts: the two are swapped.",
            changed(lambda p, c: (c, p)),
        ),
        Mistake(
            "The prediction is squashed too. Equation 2.3 is linear.",
            wrong(out=lambda h, w2: np.tanh(h @ w2)),
        ),
        Mistake(
            "The first context is missing. Return T + 1 contexts, from h_0 = 0 to h_T.",
            changed(lambda p, c: (p, c[1:])),
        ),
        Mistake(
            "The last context is missing. Return T + 1 contexts, from h_0 = 0 to h_T.",
            changed(lambda p, c: (p, c[:-1])),
        ),
        Mistake(
            "Every row of the contexts is the last one: the same array was changed in place and "
            "stored again. Store a new array at each step.",
            changed(lambda p, c: (p, np.full_like(c, c[-1]))),
        ),
        Mistake(
            "Each prediction is made from the context before its step. Use the new one, h_t.",
            from_previous_context,
        ),
        Mistake(
            "The predictions have a second axis of size 1, (T, 1). Against targets (T,) that would "
            "broadcast to (T, T). Return (T,).",
            changed(lambda p, c: (p[:, None], c)),
        ),
    ),
)
