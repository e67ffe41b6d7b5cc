"""`truncated_backward`: backpropagation through at most k steps, section 2.5.

T time steps, H context units. Row t of G (T, H) is what errors send to the context of step t.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case, call_with_numpy
from helpers.exercises.chapter_02.sine_backward import with_forward_pass
from helpers.exercises.chapter_02.sine_forward import run_in_torch, sine_case, tensors
from helpers.exercises.contract import Exercise, Mistake


def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    """Return dw1 (1 + H, H) and dw2 (H, 1), by autograd on a window of k steps per prediction.

    x (T,), y (T,), predictions (T,), contexts (T + 1, H), w1 (1 + H, H), w2 (H, 1), all float64;
    k is at least 1.
    """
    weights = tensors(w1, w2, grad=True)
    k = min(k, len(x))
    # Zeros in front of the series leave a context of zeros as it is, and add no gradient.
    windows = np.lib.stride_tricks.sliding_window_view(np.append(np.zeros(k - 1), x), k)  # (T, k)
    starts = np.maximum(0, np.arange(len(x)) - k + 1)
    made, _, _ = run_in_torch(*tensors(windows), *weights, *tensors(contexts[starts]))  # (T, k)
    loss = (made[:, -1] - torch.tensor(y)).square().sum() / 2
    return tuple(gradient.numpy() for gradient in torch.autograd.grad(loss, weights))


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series, targets and weights, with what the network makes of them. k may exceed T."""
    sizes = [(20, 6, 1), (20, 6, 3), (12, 4, 12), (9, 3, 20), (15, 5, 2), (10, 2, 5)]  # T, H, k
    return [with_forward_pass(sine_case(rng, T, H)) | {"k": k} for T, H, k in sizes]


def wrong(
    send=lambda G, slopes, w1: (G * slopes) @ w1[1:].T,
    shift=lambda sent: np.vstack([sent[1:], 0 * sent[:1]]),
    add=lambda total, G: total + G,
    rounds=lambda k, T: min(k, T) - 1,
    delta=lambda total, slopes: total * slopes,
) -> Callable:
    """Return a `truncated_backward` in rounds that departs from the right one in what is given."""

    def answer(x, y, predictions, contexts, w1, w2, k):
        h, z = contexts[1:], np.column_stack([x, contexts[:-1]])  # (T, H), (T, 1 + H)
        slopes = 1 - h**2
        G = total = np.outer(predictions - y, w2)  # (T, H)
        for _ in range(rounds(k, len(x))):
            G = shift(send(G, slopes, w1))
            total = add(total, G)
        return z.T @ delta(total, slopes), h.T @ (predictions - y)[:, None]

    return answer


def rolled(sent):
    return np.roll(sent, -1, axis=0)


def with_reach(reach: Callable) -> Callable:
    """Return a `truncated_backward` whose errors go back reach(k) steps instead of k."""

    def answer(x, y, predictions, contexts, w1, w2, k):
        return truncated_backward(x, y, predictions, contexts, w1, w2, reach(k))

    return answer


def in_blocks(starts: Callable) -> Callable:
    """Return a `truncated_backward` of blocks of k steps, which begin at starts(T, k).

    An error goes back to the beginning of its block, and steps outside of all blocks have none.
    """

    def answer(x, y, predictions, contexts, w1, w2, k):
        weights, loss = tensors(w1, w2, grad=True), 0.0
        x, y, contexts = tensors(x, y, contexts)
        for first in starts(len(x), k):
            block = slice(first, first + k)
            made, _, _ = run_in_torch(x[None, block], *weights, contexts[None, first])
            loss = loss + (made[0] - y[block]).square().sum() / 2
        return tuple(gradient.numpy() for gradient in torch.autograd.grad(loss, weights))

    return answer


def one_array(x, y, predictions, contexts, w1, w2, k):
    h, z = contexts[1:], np.column_stack([x, contexts[:-1]])
    slopes = 1 - h**2
    G = np.outer(predictions - y, w2)
    dh = G
    for _ in range(k - 1):
        dh[:-1] += ((G * slopes) @ w1[1:].T)[1:]
    return z.T @ (dh * slopes), h.T @ (predictions - y)[:, None]


EXERCISE = Exercise(
    name="truncated_backward",
    title="backpropagation through at most k steps",
    points=3,
    outputs={"dw1": "row column", "dw2": "row column"},
    cases=cases,
    drive=call_with_numpy,
    reference=truncated_backward,
    against="autograd, with the context detached k steps before each prediction,",
    tolerance=1e-10,
    mistakes=(
        Mistake(
            "One step too far: k = 1 means each error reaches its own step and none before it.",
            with_reach(lambda k: k + 1),
        ),
        Mistake(
            "One step too short: k = 1 must still reach each error's own step.",
            with_reach(lambda k: max(1, k - 1)),
        ),
        Mistake(
            "k is ignored: this is the full gradient.",
            with_reach(lambda k: 1_000),
        ),
        Mistake(
            "k is ignored: each error stays in its own step, as for k = 1.",
            with_reach(lambda k: 1),
        ),
        Mistake(
            "The series is cut into blocks of k steps. Every error goes back k steps, wherever it "
            "arises.",
            in_blocks(lambda T, k: range(0, T, k)),
        ),
        Mistake(
            "Only the last k steps count here. Every step has an error, which goes back k steps.",
            in_blocks(lambda T, k: [max(0, T - k)]),
        ),
        Mistake(
            "Only what arrives after k steps is counted. Add up what arrives on the way, too.",
            wrong(add=lambda total, G: G, rounds=lambda k, T: k - 1),
        ),
        Mistake(
            "What falls off at the first step comes in again at the last: `np.roll` wraps around. "
            "Nothing comes back to the last step; set it to 0.",
            wrong(shift=rolled),
            also=(wrong(shift=rolled, rounds=lambda k, T: k - 1),),
        ),
        Mistake(
            "The errors move forwards in time: row t + 1 sends to row t, so shift up by one row.",
            wrong(shift=lambda sent: np.vstack([0 * sent[:1], sent[:-1]])),
        ),
        Mistake(
            "What is sent stays in its row. Row t + 1 sends to row t: shift up by one row.",
            wrong(shift=lambda sent: sent),
            also=(wrong(shift=lambda sent: sent, rounds=lambda k, T: k - 1),),
        ),
        Mistake(
            "In each round the slope of tanh is missing before `w1[1:].T`.",
            wrong(send=lambda G, slopes, w1: G @ w1[1:].T),
        ),
        Mistake(
            "The slope of tanh is missing between `dh` and `dw1` (equation 2.7).",
            wrong(delta=lambda total, slopes: total),
        ),
        Mistake(
            "w1 is not transposed on the way back: rows go through `w1[1:].T`.",
            wrong(send=lambda G, slopes, w1: (G * slopes) @ w1[1:]),
        ),
        Mistake(
            "The sum and what travels are one and the same array: after `dh = G` each `+=` changes "
            "`G` as well. Start the sum with `G.copy()`.",
            one_array,
        ),
    ),
)
