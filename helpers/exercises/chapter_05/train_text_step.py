"""`train_text_step`: one update on one chunk of text, and the state for the next, section 5.5.

B texts side by side, T time steps, V characters, H hidden size.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_train_text_step
from helpers.calling.models import parts_of
from helpers.exercises.chapter_01.carry_state import carry_state
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed


def train_text_step(model, x, y, state, optimizer, max_norm):
    """Update `model` on a chunk; return the loss, a number, and the state, cut from its graph.

    x and y are int64 (B, T), the state is a tensor, a pair of tensors (layers, B, H), or None. The
    gradients are those of `torch.autograd.grad`, the global norm is worked out by hand.
    """
    parameters = list(model.parameters())
    logits, new = model(x, state)  # (B, T, V)
    loss = -logits.log_softmax(dim=-1).gather(2, y.unsqueeze(2)).mean()
    gradients = torch.autograd.grad(loss, parameters)
    norm = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient * min(1.0, max_norm / (float(norm) + 1e-6))
    optimizer.step()
    return loss.item(), carry_state(new)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw four chunks for networks of both kinds. The last norm is too large to clip anything."""
    settings = [  # network, V, B, T, max_norm
        ("LSTM", 5, 3, 4, 0.3),
        ("RNN", 6, 1, 7, 0.2),
        ("LSTM", 4, 4, 5, 100.0),
    ]
    return [
        {
            "x": rng.integers(V, size=(4, B, T)),
            "y": rng.integers(V, size=(4, B, T)),
            "network": network,
            "letters": V,
            "max_norm": max_norm,
            "seed": new_seed(rng),
        }
        for network, V, B, T, max_norm in settings
    ]


def cross_entropy(logits: torch.Tensor, y: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
    """Return the cross entropy of all B T characters: logits (B, T, V), y (B, T)."""
    return F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction=reduction)


def wrong(
    loss_of=cross_entropy,
    order="zero_grad backward clip step",
    clip=nn.utils.clip_grad_norm_,
    keep=torch.Tensor.item,
    carry=carry_state,
) -> Callable:
    """Return a `train_text_step` that departs from the right one in what is given."""

    def answer(model, x, y, state, optimizer, max_norm):
        logits, state = model(x, state)
        loss = loss_of(logits, y)
        actions = {
            "zero_grad": optimizer.zero_grad,
            "backward": loss.backward,
            "clip": lambda: clip(model.parameters(), max_norm),
            "step": optimizer.step,
        }
        for name in order.split():
            actions[name]()
        return keep(loss), carry(state)

    return answer


def clips_each_tensor(parameters, max_norm):
    for parameter in parameters:
        nn.utils.clip_grad_norm_([parameter], max_norm)


def one_part_detached(state, which):
    if not isinstance(state, tuple):
        return state.detach()
    return tuple(part.detach() if i == which else part for i, part in enumerate(state))


def zeros_like(state):
    zeros = tuple(map(torch.zeros_like, parts_of(state)))
    return zeros if isinstance(state, tuple) else zeros[0]


def retains_the_graph(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = cross_entropy(logits, y)
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), state


def starts_afresh(model, x, y, state, optimizer, max_norm):
    return train_text_step(model, x, y, None, optimizer, max_norm)


def steps_before_everything(model, x, y, state, optimizer, max_norm):
    optimizer.step()
    return wrong(order="zero_grad backward clip")(model, x, y, state, optimizer, max_norm)


def loss_after_the_step(model, x, y, state, optimizer, max_norm):
    _, new = train_text_step(model, x, y, state, optimizer, max_norm)
    return cross_entropy(model(x, state)[0], y).item(), new


def state_after_the_step(model, x, y, state, optimizer, max_norm):
    loss, _ = train_text_step(model, x, y, state, optimizer, max_norm)
    return loss, carry_state(model(x, state)[1])


EXERCISE = Exercise(
    name="train_text_step",
    title="one update on one chunk, and the state for the next",
    points=3,
    outputs={
        "losses": "T",
        "trained weights": "weight",
        "calls of optimizer.step": "",
        "the loss holds on to its graph": "",
        "the state holds on to its graph": "",
    },
    cases=cases,
    drive=call_train_text_step,
    reference=train_text_step,
    against="`torch.autograd.grad` and a global norm worked out by hand, over four chunks,",
    mistakes=(
        Mistake(
            "The state is handed on with its graph, so the next `backward` walks into this chunk, "
            "whose graph is gone. Cut it with `carry_state`.",
            wrong(carry=lambda state: state),
        ),
        Mistake(
            "Of an LSTM's pair only one part is detached; the other still drags the graph along.",
            wrong(carry=lambda state: one_part_detached(state, 0)),
            also=(wrong(carry=lambda state: one_part_detached(state, 1)),),
        ),
        Mistake(
            "This takes every state for a pair. A plain RNN's is one tensor: `carry_state` knows "
            "both.",
            wrong(carry=lambda state: tuple(part.detach() for part in state)),
            also=(wrong(carry=lambda state: (state[0].detach(), state[1].detach())),),
        ),
        Mistake(
            "`retain_graph=True` silences one error and meets the next: the old graph needs "
            "weights that `optimizer.step` has changed. Cut the state with `carry_state` instead.",
            retains_the_graph,
        ),
        Mistake(
            "Every chunk starts afresh. Hand the state in, `model(x, state)`, and hand its numbers "
            "on, detached.",
            starts_afresh,
            also=(wrong(carry=zeros_like), wrong(carry=lambda state: None)),
        ),
        Mistake(
            "Gradients add up from chunk to chunk: `optimizer.zero_grad()` is missing.",
            wrong(order="backward clip step"),
        ),
        Mistake(
            "The gradient is not clipped to `max_norm` when the update is made. "
            "`nn.utils.clip_grad_norm_` stands between `backward` and `step`.",
            wrong(order="zero_grad backward step"),
            also=(
                wrong(order="zero_grad backward step clip"),
                wrong(order="zero_grad clip backward step"),
            ),
        ),
        Mistake(
            "Each tensor is clipped on its own. One norm over all tensors together keeps the "
            "direction.",
            wrong(clip=clips_each_tensor),
        ),
        Mistake(
            "Single values are clipped, which turns the direction. Use `clip_grad_norm_`.",
            wrong(clip=nn.utils.clip_grad_value_),
        ),
        Mistake(
            "The weights never change: `optimizer.step()` is missing.",
            wrong(order="zero_grad backward clip"),
        ),
        Mistake(
            "The optimizer finds no gradient when it steps, so nothing learns. The order is "
            "`zero_grad`, `backward`, clip, `step`.",
            wrong(order="backward zero_grad clip step"),
            also=(wrong(order="zero_grad step backward clip"),),
        ),
        Mistake(
            "The two values are in the wrong order: the loss first, then the state.",
            lambda *given: train_text_step(*given)[::-1],
        ),
        Mistake(
            "The update is made before `backward`, with the gradients of the chunk before.",
            steps_before_everything,
        ),
        Mistake(
            "`cross_entropy` gets probabilities, and applies its softmax a second time. Give it "
            "the logits.",
            wrong(loss_of=lambda logits, y: cross_entropy(logits.softmax(dim=-1), y)),
        ),
        Mistake(
            "`cross_entropy` wants the classes on axis 1. Flatten batch and time: "
            "`logits.flatten(0, 1)` (B·T, V) against `y.flatten()` (B·T).",
            wrong(loss_of=F.cross_entropy),
            also=(wrong(loss_of=lambda logits, y: F.cross_entropy(logits.flatten(0, 1), y)),),
        ),
        Mistake(
            "`view(B, V, T)` does not turn (B, T, V) round, it reads the numbers in another order: "
            "they meet other classes. Use `transpose(1, 2)`, or flatten.",
            wrong(loss_of=lambda z, y: F.cross_entropy(z.reshape(len(z), z.shape[2], -1), y)),
        ),
        Mistake(
            "Logits and targets are flattened in different order, so characters meet the wrong "
            "targets. `flatten` both as they are.",
            wrong(loss_of=lambda logits, y: cross_entropy(logits, y.T)),
        ),
        Mistake(
            "Only the last step of the chunk enters the loss. Every step has a target.",
            wrong(loss_of=lambda logits, y: F.cross_entropy(logits[:, -1], y[:, -1])),
        ),
        Mistake(
            "The loss is the sum over the chunk. Take the mean, or its size depends on the batch.",
            wrong(loss_of=lambda logits, y: cross_entropy(logits, y, reduction="sum")),
        ),
        Mistake(
            "These losses are taken after the update. Return the loss that was differentiated.",
            loss_after_the_step,
        ),
        Mistake(
            "The state is computed anew after the update. Carry on the one that came with the "
            "logits.",
            state_after_the_step,
        ),
        Mistake(
            "The loss is a tensor that drags its graph along. Return a number: `loss.item()`.",
            wrong(keep=lambda loss: loss),
        ),
    ),
)
