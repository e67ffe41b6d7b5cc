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
from helpers.exercises.contract import Exercise, Mistake


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


def wrong(z=lambda x_t, h: np.append(x_t, h), squash=np.tanh, out=lambda h, w2: h @ w2) -> Callable:
    """Return a `sine_forward` that departs from the right one in what is given."""

    def answer(x, w1, w2):
        contexts, predictions = [np.zeros(w1.shape[1])], []
        for x_t in x:
            contexts.append(squash(z(x_t, contexts[-1]) @ w1))
            predictions.append(out(contexts[-1], w2)[0])
        return np.array(predictions), np.stack(contexts)

    return answer


def changed(change: Callable) -> Callable:
    """Return a `sine_forward` that returns change(predictions, contexts), both of them right."""
    return lambda x, w1, w2: change(*sine_forward(x, w1, w2))


def from_previous_context(x, w1, w2):
    _, contexts = sine_forward(x, w1, w2)
    return (contexts[:-1] @ w2)[:, 0], contexts


EXERCISE = Exercise(
    name="sine_forward",
    title="the sine network, forward, in NumPy",
    points=2,
    outputs={"predictions": "T", "contexts": "T+1 H"},
    cases=cases,
    drive=call_with_numpy,
    reference=sine_forward,
    against="the same network in PyTorch",
    tolerance=1e-10,
    mistakes=(
        Mistake(
            "The context is not carried: every step starts from zeros.",
            wrong(z=lambda x_t, h: np.append(x_t, 0 * h)),
        ),
        Mistake(
            "Input and context are joined in the wrong order: row 0 of w1 is for the input.",
            wrong(z=lambda x_t, h: np.append(h, x_t)),
        ),
        Mistake(
            "The context is not squashed. Equation 2.2 has a `tanh`.",
            wrong(squash=lambda a: a),
        ),
        Mistake(
            "The prediction is squashed too. Equation 2.3 is linear.",
            wrong(out=lambda h, w2: np.tanh(h @ w2)),
        ),
        Mistake(
            "The first context is missing. Return T + 1 contexts, from h_0 = 0 to h_T.",
            changed(lambda predictions, contexts: (predictions, contexts[1:])),
        ),
        Mistake(
            "The last context is missing. Return T + 1 contexts, from h_0 = 0 to h_T.",
            changed(lambda predictions, contexts: (predictions, contexts[:-1])),
        ),
        Mistake(
            "Every row of the contexts is the last one: the same array was changed in place and "
            "stored again. Store a new array at each step.",
            changed(
                lambda predictions, contexts: (predictions, np.full_like(contexts, contexts[-1]))
            ),
        ),
        Mistake(
            "Each prediction is made from the context before its step. Use the new one, h_t.",
            from_previous_context,
        ),
        Mistake(
            "The predictions have a second axis of size 1, (T, 1). Against targets (T,) that would "
            "broadcast to (T, T). Return (T,).",
            changed(lambda predictions, contexts: (predictions[:, None], contexts)),
        ),
    ),
)
