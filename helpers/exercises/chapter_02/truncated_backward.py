"""`truncated_backward`: backpropagation through at most k steps, section 2.6.

T time steps, H context units. Row t of G (T, H) is what errors send to the context of step t.
"""

import itertools
from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case, call_with_numpy
from helpers.exercises.chapter_02.parts.walks import error_by_error, from_zeros
from helpers.exercises.chapter_02.sine_backward import with_forward_pass
from helpers.exercises.chapter_02.sine_forward import (
    run_in_torch,
    sine_case,
    tensors,
)
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
    shift=lambda sent, G: np.vstack([sent[1:], 0 * sent[:1]]),
    add=lambda total, G: total + G,
    rounds=lambda k, T: min(k, T) - 1,
    delta=lambda total, slopes: total * slopes,
    start=lambda G: G,
    slope=lambda contexts: 1 - contexts[1:] ** 2,
    z=lambda x, y, contexts: np.column_stack([x, contexts[:-1]]),
    dw2=lambda contexts, e, k: contexts[1:].T @ e[:, None],
) -> Callable:
    """Return a `truncated_backward` in rounds that departs from the right one in what is given."""

    def answer(x, y, predictions, contexts, w1, w2, k):
        slopes, e = slope(contexts), predictions - y
        G = np.outer(e, w2)  # (T, H)
        total = start(G)
        for _ in range(rounds(k, len(x))):
            G = shift(send(G, slopes, w1), G)
            total = add(total, G)
        return z(x, y, contexts).T @ delta(total, slopes), dw2(contexts, e, k)

    return answer


def rolled(sent, G):
    return np.roll(sent, -1, axis=0)


def last_row_kept(sent, G):
    return np.vstack([sent[1:], G[-1:]])


def from_the_back(G, slopes, w1):
    G = G.copy()
    for t in range(len(G) - 1)[::-1]:
        G[t] = (G[t + 1] * slopes[t + 1]) @ w1[1:].T
    return G


def with_reach(reach: Callable) -> Callable:
    """Return a `truncated_backward` whose errors go back reach(k, T) steps instead of k."""
    return wrong(rounds=lambda k, T: min(reach(k, T), T) - 1)


def in_blocks(edges: Callable) -> Callable:
    """Return a `truncated_backward` of blocks of steps, which begin and end at edges(T, k).

    An error goes back to the beginning of its block, and steps outside of all blocks have none.
    """

    def answer(x, y, predictions, contexts, w1, w2, k):
        dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
        for first, end in itertools.pairwise(edges(len(x), k)):
            parts = [a[first:end] for a in (x, y, predictions)] + [contexts[first : end + 1]]
            of_w1, of_w2 = wrong()(*parts, w1, w2, end - first)
            dw1, dw2 = dw1 + of_w1, dw2 + of_w2
        return dw1, dw2

    return answer


def one_array(x, y, predictions, contexts, w1, w2, k):
    h, slopes = contexts[1:], 1 - contexts[1:] ** 2
    G = dh = np.outer(predictions - y, w2)
    for _ in range(k - 1):
        dh[:-1] += ((G * slopes) @ w1[1:].T)[1:]
    z = np.column_stack([x, contexts[:-1]])
    return z.T @ (dh * slopes), h.T @ (predictions - y)[:, None]


EXERCISE = Exercise(
    name="truncated_backward",
    title="backpropagation through at most k steps",
    points=3,
    difficulty=2,
    outputs={"dw1": "row column", "dw2": "row column"},
    cases=cases,
    drive=call_with_numpy,
    reference=truncated_backward,
    against="autograd, with the context detached k steps before each prediction,",
    tolerance=1e-10,
    by_hand=frozenset({"_make_dual", "backward", "grad", "run_backward"}),
    mistakes=(
        Mistake(
            "One step too far: k = 1 means each error reaches its own step and none before it.",
            with_reach(lambda k, T: k + 1),
        ),
        Mistake(
            "One step too short: k = 2 reaches an error's own step and the one before.",
            with_reach(lambda k, T: max(1, k - 1)),
            also=(error_by_error(stop=lambda t, k, T: max(-1, t - k + 1)),),
        ),
        Mistake(
            "No walk reaches step 0, which has an input: a `range` ends before its last place.",
            error_by_error(stop=lambda t, k, T: max(0, t - k)),
            also=(error_by_error(stop=lambda t, k, T: max(0, t - k + 1)),),
        ),
        Mistake(
            "Only the last error travels. Each step has an error, and each of them goes back.",
            error_by_error(errors=lambda T: [T - 1]),
        ),
        Mistake(
            "The contexts are made anew from zeros, k steps before each prediction. It is errors "
            "that are cut off here; the contexts are those that are given.",
            from_zeros,
        ),
        Mistake("k is ignored: this is the full gradient.", with_reach(lambda k, T: T)),
        Mistake(
            "k is ignored: each error stays in its own step, as for k = 1.",
            with_reach(lambda k, T: 1),
        ),
        Mistake(
            "For each k above 1 this is the full gradient. k says how many steps an error goes.",
            with_reach(lambda k, T: T if k > 1 else 1),
        ),
        Mistake(
            "Where k is T or more, the longest way is missing, from the last step to the first.",
            with_reach(lambda k, T: max(1, min(k, T - 1))),
        ),
        Mistake(
            "The series is cut into blocks of k steps. Every error goes back k steps, wherever it "
            "arises.",
            in_blocks(lambda T, k: [*range(0, T, k), T]),
            also=(in_blocks(lambda T, k: sorted({0, *range(T, 0, -k)})),),
        ),
        Mistake(
            "Only the errors of the last k steps travel. Every error goes back k steps, wherever "
            "it arises.",
            in_blocks(lambda T, k: [*range(max(0, T - k) + 1), T]),
        ),
        Mistake(
            "Steps before the last k add nothing, not even their own error. Each has one.",
            in_blocks(lambda T, k: [max(0, T - k), T]),
        ),
        Mistake(
            "The errors of their own steps are missing: the sum begins with `G` as it is before "
            "the first round.",
            wrong(start=lambda G: 0 * G),
            also=(wrong(start=lambda G: 0 * G, rounds=lambda k, T: k),),
        ),
        Mistake(
            "Early errors go on past the first step: negative indices count from the end of the "
            "series. Stop at step 0.",
            error_by_error(stop=lambda t, k, T: t - min(k, T)),
            also=(error_by_error(stop=lambda t, k, T: t - k),),
        ),
        Mistake(
            "The last row keeps its error in every round. Nothing comes back to the last step; set "
            "it to 0.",
            wrong(shift=last_row_kept),
            also=(wrong(shift=last_row_kept, rounds=lambda k, T: k - 1),),
        ),
        Mistake(
            "A row is overwritten before it is sent on, or the last one is left in place: in a "
            "round each row sends its old values, and the last becomes 0. Make a new array.",
            wrong(send=from_the_back, shift=lambda sent, G: np.vstack([sent[:-1], 0 * sent[:1]])),
            also=(wrong(send=from_the_back, shift=lambda sent, G: sent),),
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
            wrong(shift=lambda sent, G: np.vstack([0 * sent[:1], sent[:-1]])),
        ),
        Mistake(
            "What is sent stays in its row. Row t + 1 sends to row t: shift up by one row.",
            wrong(shift=lambda sent, G: sent),
            also=(wrong(shift=lambda sent, G: sent, rounds=lambda k, T: k - 1),),
        ),
        Mistake(
            "What step t + 1 sends takes the slope of step t. Multiply by its own slope, then "
            "shift up by one row.",
            wrong(send=lambda G, slopes, w1: (G * np.roll(slopes, 1, axis=0)) @ w1[1:].T),
        ),
        Mistake(
            "The slope of tanh is taken one step too early: the steps have made `contexts[1:]`.",
            wrong(slope=lambda contexts: 1 - contexts[:-1] ** 2),
        ),
        Mistake(
            "This is not the slope of tanh, which is `1 - contexts[1:] ** 2` (equation 2.7).",
            wrong(slope=lambda contexts: 1 - contexts[1:]),
            also=(
                wrong(slope=lambda c: 1 - np.tanh(c[1:]) ** 2),
                wrong(slope=lambda c: (1 - c[1:]) ** 2),
            ),
        ),
        Mistake(
            "The slope of tanh is missing everywhere (equation 2.7).",
            wrong(slope=lambda contexts: np.ones_like(contexts[1:])),
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
            "The errors go through w1 the wrong way: rows travel back by `@ w1[1:].T`.",
            wrong(send=lambda G, slopes, w1: (G * slopes) @ w1[1:]),
        ),
        Mistake(
            "The wrong rows of w1 carry the errors back. Row 0 is for the input; `w1[1:]` is for "
            "the context.",
            wrong(send=lambda G, slopes, w1: (G * slopes) @ w1[:-1].T),
        ),
        Mistake(
            "The sign is reversed: the derivative of ½ (ŷ - y)² by ŷ is ŷ - y.",
            lambda x, y, predictions, *rest: wrong()(x, predictions, y, *rest),
        ),
        Mistake(
            "`dw1` uses the context after the step. What enters w1 there is the one before.",
            wrong(z=lambda x, y, contexts: np.column_stack([x, contexts[1:]])),
        ),
        Mistake(
            "z is joined in the wrong order: the input comes first, as in equation 2.1.",
            wrong(z=lambda x, y, contexts: np.column_stack([contexts[:-1], x])),
        ),
        Mistake(
            "Row 0 of `dw1` is made of y. What enters w1 there is the input, x.",
            wrong(z=lambda x, y, contexts: np.column_stack([y, contexts[:-1]])),
        ),
        Mistake(
            "`dw2` counts the last k steps only. It takes every error: k is about the way back.",
            wrong(dw2=lambda contexts, e, k: contexts[1:][-k:].T @ e[-k:, None]),
        ),
        Mistake(
            "`dw2` uses the context before the step. Prediction t is made of `contexts[t + 1]`.",
            wrong(dw2=lambda contexts, e, k: contexts[:-1].T @ e[:, None]),
        ),
        Mistake(
            "The sign of `dw2` is reversed: the error is prediction minus target.",
            wrong(dw2=lambda contexts, e, k: -contexts[1:].T @ e[:, None]),
        ),
        Mistake(
            "`dw2` must have the shape of w2, (H, 1).",
            wrong(dw2=lambda contexts, e, k: contexts[1:].T @ e),
        ),
        Mistake("`dw1` and `dw2` are swapped.", lambda *args: wrong()(*args)[::-1]),
        Mistake(
            "What travels and the sum are one array, so that each round sends the whole sum. Keep "
            "two: what travels, and a sum that begins as its copy.",
            one_array,
        ),
    ),
)
