"""`rnn_forward`: a recurrent network unrolled over a sequence, section 1.3.

B sequences in a batch, T time steps, D input size, H hidden size; states are rows.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case, call
from helpers.exercises.chapter_01.rnn_step import rnn_step
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    """Return all states (B, T, H) and the last state (B, H), as `nn.RNN` does.

    x (B, T, D), h_0 (B, H), W_xh (D, H), W_hh (H, H), b_h (H,), all float32. PyTorch stores its
    matrices transposed, and has a second bias, which is 0 here.
    """
    rnn = nn.RNN(*W_xh.shape, batch_first=True)
    matrices = {"weight_ih_l0": W_xh.T, "weight_hh_l0": W_hh.T}
    biases = {"bias_ih_l0": b_h, "bias_hh_l0": 0 * b_h}
    states, h_n = torch.func.functional_call(rnn, matrices | biases, (x, h_0.unsqueeze(0)))
    return states, h_n[0]  # without the axis of layers


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw inputs, first states and weights. Where B = T, time and batch can be swapped."""
    sizes = [(2, 5, 3, 4), (1, 1, 2, 3), (4, 4, 3, 3), (3, 1, 4, 2), (1, 7, 1, 1)]  # B, T, D, H
    sizes += [tuple(rng.integers(2, 8, size=4)) for _ in range(5)]
    return [
        {
            "x": normal(rng, B, T, D),
            "h_0": normal(rng, B, H).clip(-1, 1),
            "W_xh": normal(rng, D, H),
            "W_hh": normal(rng, H, H) / np.float32(np.sqrt(H)),
            "b_h": normal(rng, H),
        }
        for B, T, D, H in sizes
    ]


def wrong(states=lambda states: states, h_T=lambda states: states[:, -1]) -> Callable:
    """Return a `rnn_forward` that departs from the right one in what is given.

    Each argument takes the right states (B, T, H).
    """

    def answer(*given):
        right, _ = rnn_forward(*given)
        return states(right), h_T(right)

    return answer


def wrong_walk(step=rnn_step) -> Callable:
    """Return a `rnn_forward` that walks along the batch, with this `step`."""

    def answer(x, h, *weights):
        states = []
        for x_t in x:  # (T, D)
            h = step(x_t, h, *weights)
            states.append(h)
        return torch.stack(states), h

    return answer


def plain_step(x_t, h, W_xh, W_hh, b_h):
    return torch.tanh(x_t @ W_xh + h @ W_hh + b_h)


def wrong_loop(
    step=lambda t, *given: plain_step(*given),
    inputs=lambda x: x.unbind(dim=1),
    buffer=None,
) -> Callable:
    """Return a `rnn_forward` that departs from the right one in what is given.

    step    (t, x_t, h, weights) -> the next h
    inputs  x -> the inputs x_t that are gone through
    buffer  the step from which on states are written into zeros (B, T, H); None stacks a list
    """

    def answer(x, h_0, *weights):
        h, states = h_0, []
        for t, x_t in enumerate(inputs(x)):
            h = step(t, x_t, h, *weights)
            states.append(h)
        if buffer is None:
            return torch.stack(states, dim=1), h
        filled = x.new_zeros(*x.shape[:2], h.shape[-1])
        for t, state in enumerate(states):
            filled[:, buffer + t] = state
        return filled, h

    return answer


def wrong_weights(change: Callable) -> Callable:
    """Return a `rnn_forward` with other weights at step t, change(t, W_xh, W_hh, b_h)."""
    return wrong_loop(lambda t, x_t, h, *weights: plain_step(x_t, h, *change(t, *weights)))


def and_state(h_T: Callable) -> Callable:
    """Return a `rnn_forward` whose last state is made of all states from h_0 on, (B, T+1, H)."""

    def answer(x, h_0, *weights):
        states, _ = rnn_forward(x, h_0, *weights)
        return states, h_T(torch.cat([h_0.unsqueeze(1), states], dim=1))

    return answer


def with_first_state(x, h_0, *weights):
    states, h_T = rnn_forward(x, h_0, *weights)
    return torch.cat([h_0.unsqueeze(1), states], dim=1), h_T


def backwards_in_place(x, *rest):
    states, h_T = rnn_forward(x.flip(1), *rest)
    return states.flip(1), h_T


def not_carried(x, h_0, *weights):
    states = [rnn_step(x_t, h_0, *weights) for x_t in x.unbind(dim=1)]
    return torch.stack(states, dim=1), states[-1]


def states_before(x, h_0, *weights):
    states, h_T = rnn_forward(x, h_0, *weights)
    return torch.cat([h_0.unsqueeze(1), states[:, :-1]], dim=1), h_T


EXERCISE = Exercise(
    name="rnn_forward",
    title="a recurrent network unrolled over a sequence",
    points=2,
    difficulty=1,
    outputs={"states": "B T H", "h_T": "B H"},
    cases=cases,
    drive=call,
    reference=rnn_forward,
    against="`nn.RNN`",
    by_hand=frozenset({"rnn_tanh", "rnn_tanh_cell"}),
    mistakes=(
        Mistake(
            "The state is not carried: every step starts from `h_0`. "
            "Hand the state of one step to the next.",
            not_carried,
        ),
        Mistake(
            "Off by one: `states[:, t]` holds the state before step t. "
            "Append the state after computing it, not before.",
            states_before,
        ),
        Mistake(
            "`states[-1]` is the last sequence of the batch. The last step is `states[:, -1]`.",
            wrong(h_T=lambda states: states[-1]),
        ),
        Mistake(
            "This walks along the batch as if it were time. In `x` (B, T, D) time is axis 1: "
            "use `x[:, t]`.",
            wrong_walk(plain_step),
            also=(wrong_walk(),),  # a cell refuses sizes that this sum stretches to fit
        ),
        Mistake(
            "`states` has time first, (T, B, H). Stack along axis 1 to get (B, T, H).",
            wrong(states=lambda states: states.transpose(0, 1)),
        ),
        Mistake(
            "`h_0` is ignored: this starts from zeros. The caller chooses where the state starts.",
            lambda x, h_0, *weights: rnn_forward(x, torch.zeros_like(h_0), *weights),
        ),
        Mistake(
            "The sequence is read backwards, from its last step to its first.",
            lambda x, h_0, *weights: rnn_forward(x.flip(1), h_0, *weights),
            also=(backwards_in_place,),
        ),
        Mistake(
            "The second value is the first state. Return the last one, `h_T`.",
            wrong(h_T=lambda states: states[:, 0]),
        ),
        Mistake(
            "The second value is `h_0`, from which the sequence starts. Return the state with "
            "which it ends.",
            and_state(lambda states: states[:, 0]),
        ),
        Mistake(
            "The second value is the state before the last step. Return the one after it.",
            and_state(lambda states: states[:, -2]),
            also=(wrong(h_T=lambda states: states[:, -2]),),
        ),
        Mistake(
            "The second value is a mean, a sum or a maximum over all steps. Return the last state.",
            wrong(h_T=lambda states: states.mean(dim=1)),
            also=(
                wrong(h_T=lambda states: states.sum(dim=1)),
                wrong(h_T=lambda states: states.amax(dim=1)),
            ),
        ),
        Mistake(
            "The second value is the last state of a single sequence. Return that of all, (B, H).",
            wrong(h_T=lambda states: states[-1, -1]),
            also=(wrong(h_T=lambda states: states[0, -1]),),
        ),
        Mistake(
            "The two values are in the wrong order: all states come first, then the last one.",
            lambda *given: rnn_forward(*given)[::-1],
        ),
        Mistake(
            "`states` begins with `h_0`, so it has one state too many. It holds h_1 to h_T.",
            with_first_state,
        ),
        Mistake(
            "The states are joined along an axis that they have already, as `torch.cat` does. "
            "`torch.stack(states, dim=1)` makes a new axis for time.",
            wrong(states=lambda states: states.flatten(1)),
            also=(wrong(states=lambda states: states.transpose(0, 1).flatten(0, 1)),),
        ),
        Mistake(
            "The loop has as many steps as there are sequences. Time is axis 1 of `x`: "
            "`range(x.shape[1])`.",
            wrong_loop(inputs=lambda x: (x[:, t] for t in range(x.shape[0]))),
        ),
        Mistake(
            "The loop has as many steps as an input has numbers. Time is axis 1 of `x`: "
            "`range(x.shape[1])`.",
            wrong_loop(inputs=lambda x: (x[:, t] for t in range(x.shape[2]))),
        ),
        Mistake(
            "The loop ends one step early. `range(T)` has T steps already, 0 to T - 1.",
            wrong_loop(inputs=lambda x: x.unbind(dim=1)[:-1]),
            also=(wrong_loop(inputs=lambda x: x.unbind(dim=1)[:-1], buffer=0),),
        ),
        Mistake(
            "The loop leaves out the first input. The first step reads `x[:, 0]` and `h_0`.",
            wrong_loop(inputs=lambda x: x.unbind(dim=1)[1:]),
            also=(wrong_loop(inputs=lambda x: x.unbind(dim=1)[1:], buffer=1),),
        ),
        Mistake(
            "Every step reads the same input. At step t read `x[:, t]`.",
            wrong_loop(inputs=lambda x: [x[:, 0]] * x.shape[1]),
            also=(wrong_loop(inputs=lambda x: [x[:, -1]] * x.shape[1]),),
        ),
        Mistake(
            "Only the first step reads its input. Every step t reads `x[:, t]`.",
            wrong_weights(lambda t, W_xh, *rest: (W_xh * (t == 0), *rest)),
        ),
        Mistake(
            "The bias acts at the first step only. Every step adds it.",
            wrong_weights(lambda t, W_xh, W_hh, b_h: (W_xh, W_hh, b_h * (t == 0))),
        ),
        Mistake(
            "The bias `b_h` is missing from the steps.",
            wrong_weights(lambda t, W_xh, W_hh, b_h: (W_xh, W_hh, 0 * b_h)),
        ),
        Mistake(
            "`W_hh` is transposed in the steps. States are rows: `h @ W_hh`.",
            wrong_weights(lambda t, W_xh, W_hh, b_h: (W_xh, W_hh.T, b_h)),
        ),
        Mistake(
            "`tanh` is missing from the steps: each new state is the bare sum.",
            wrong_loop(lambda t, x_t, h, W_xh, W_hh, b_h: x_t @ W_xh + h @ W_hh + b_h),
        ),
        Mistake(
            "Each step adds its new state to the old one. It takes the old one's place.",
            wrong_loop(lambda t, x_t, h, *weights: h + plain_step(x_t, h, *weights)),
        ),
        Mistake(
            "Every step overwrites one tensor, the caller's `h_0`, so that all states are the last "
            "one. Let each step make a new tensor.",
            wrong_loop(lambda t, x_t, h, *weights: h.copy_(plain_step(x_t, h, *weights))),
        ),
    ),
)
