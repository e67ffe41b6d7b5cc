"""Wrong ways to train on a chunk: of them the known mistakes of `train_text_step` are made.

B texts side by side, T time steps, V characters.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises.chapter_01.carry_state import carry_state
from helpers.exercises.contract import Arrays


def cross_entropy(logits: torch.Tensor, y: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
    """Return the cross entropy of all B T characters: logits (B, T, V), y (B, T)."""
    return F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction=reduction)


def wrong(
    loss_of=cross_entropy,
    order="zero_grad backward clip step",
    clip=nn.utils.clip_grad_norm_,
    keep=torch.Tensor.item,
    carry=carry_state,
    target=lambda x, y: y,
    start=lambda state: state,
) -> Callable:
    """Return a `train_text_step` that departs from the right one in what is given."""

    def answer(model, x, y, state, optimizer, max_norm):
        logits, state = model(x, start(state))
        loss = loss_of(logits, target(x, y))
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


def scales_to_the_norm(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters]
    norm = torch.stack([g.norm() for g in gradients]).norm()
    for gradient in gradients:
        gradient.mul_(max_norm / norm)


def of_steps(mine: slice, theirs: slice) -> Callable:
    """Return a loss of some steps of the logits against some of the targets."""
    return lambda logits, y: cross_entropy(logits[:, mine], y[:, theirs])


def likelihood(squash: Callable) -> Callable:
    """Return a loss by `nll_loss`, of which squash(logits) is no log-probability."""
    return lambda logits, y: F.nll_loss(squash(logits).flatten(0, 1), y.flatten())


def of_a_pair(change: Callable) -> Callable:
    """Return a way to carry a state on that changes an LSTM's pair, already detached."""
    return lambda state: change(carry_state(state)) if isinstance(state, tuple) else state.detach()


def one_part_detached(state, which):
    if not isinstance(state, tuple):
        return state.detach()
    return tuple(part.detach() if i == which else part for i, part in enumerate(state))


def retains_the_graph(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = cross_entropy(logits, y)
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), state


def starts_afresh(model, x, y, state, optimizer, max_norm):
    return wrong()(model, x, y, None, optimizer, max_norm)


def steps_before_everything(model, x, y, state, optimizer, max_norm):
    optimizer.step()
    return wrong(order="zero_grad backward clip")(model, x, y, state, optimizer, max_norm)


def loss_after_the_step(model, x, y, state, optimizer, max_norm):
    _, new = wrong()(model, x, y, state, optimizer, max_norm)
    return cross_entropy(model(x, state)[0], y).item(), new


def state_after_the_step(model, x, y, state, optimizer, max_norm):
    loss, _ = wrong()(model, x, y, state, optimizer, max_norm)
    return loss, carry_state(model(x, state)[1])


def hands_the_old_state_on(model, x, y, state, optimizer, max_norm):
    loss, new = wrong()(model, x, y, state, optimizer, max_norm)
    return loss, new if state is None else state


MORE_STEPS = "The optimizer makes more than one step on a chunk. One is asked for."


def explain(got: Arrays, expected: Arrays) -> str:
    """Return whether there are too many steps, and where the losses begin to be wrong."""
    if got["calls of optimizer.step"] > expected["calls of optimizer.step"]:
        return MORE_STEPS
    (mine, right), learned = (a["losses"] for a in (got, expected)), "trained weights"
    if mine.shape != right.shape or np.allclose(got[learned], expected[learned], atol=1e-5):
        return ""
    shown = [f"({', '.join(f'{loss:.4g}' for loss in losses)})" for losses in (mine, right)]
    times = mine[0] / right[0]
    if abs(times - 1) < 1e-4:
        fact = (
            "The first loss is right, so look at what follows it: the gradient, the clipping, the "
            "step, and the state that is handed on."
        )
    else:
        fact = (
            f"The first loss is {times:.4g} times what it should be before any update: it is not "
            "the mean cross entropy of all characters."
        )
    return f"`losses` is {shown[0]}; expected {shown[1]}.\n{fact}"
