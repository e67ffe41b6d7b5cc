"""`train_on_stream`: train on a stream, window after window, section 1.6.

n windows in a stream, B sequences in a batch, W time steps in a window, H hidden size.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_01 import call_train_on_stream
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed, normal


def train_on_stream(model, windows, optimizer):
    """Return the list of losses, numbers, one per window; the model is trained in place.

    windows: an iterable of pairs (x, y), both (B, W, 1), float32. The gradients are made by
    `torch.autograd.grad`, the states by a second call of the model that records no graph.
    """
    losses, state, parameters = [], None, list(model.parameters())
    for x, y in windows:
        prediction, _ = model(x, state)  # (B, W, 1)
        loss = F.mse_loss(prediction, y)
        with torch.no_grad():
            _, state = model(x, state)
        gradients = torch.autograd.grad(loss, parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        losses.append(loss.item())
    return losses


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw streams of n windows, each of one sequence."""
    return [
        {
            "x": normal(rng, n, 1, W, 1),
            "y": normal(rng, n, 1, W, 1),
            "hidden_size": H,
            "seed": new_seed(rng),
        }
        for n, W, H in [(4, 5, 4), (2, 8, 3), (5, 3, 6)]
    ]


def right_update(loss, optimizer):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def wrong(
    carry=lambda state: state.detach(),
    output=lambda prediction: prediction,
    loss_of=F.mse_loss,
    update=right_update,
    keep=lambda loss: loss.item(),
) -> Callable:
    """Return a `train_on_stream` that departs from the right one in what is given."""

    def answer(model, windows, optimizer):
        losses, state = [], None
        for x, y in windows:
            prediction, state = model(x, state)
            state = carry(state)
            loss = loss_of(output(prediction), y)
            update(loss, optimizer)
            losses.append(keep(loss))
        return losses

    return answer


def update_without_zero_grad(loss, optimizer):
    loss.backward()
    optimizer.step()


def update_that_retains(loss, optimizer):
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    optimizer.step()


def losses_after_update(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        prediction, new_state = model(x, state)
        right_update(F.mse_loss(prediction, y), optimizer)
        losses.append(F.mse_loss(model(x, state)[0], y).item())
        state = new_state.detach()
    return losses


EXERCISE = Exercise(
    name="train_on_stream",
    title="train on a stream, window after window",
    points=3,
    outputs={
        "losses": "T",
        "trained weights": "weight",
        "calls of optimizer.step": "",
        "losses hold on to their graphs": "",
    },
    cases=cases,
    drive=call_train_on_stream,
    reference=train_on_stream,
    against="`torch.autograd.grad` with the state computed a second time outside the graph,",
    mistakes=(
        Mistake(
            "The state is carried with its graph, so the second `backward` walks into the first "
            "window, whose graph is gone. Cut it with `carry_state`.",
            wrong(carry=lambda state: state),
        ),
        Mistake(
            "`retain_graph=True` silences one error and meets the next: the old graph needs "
            "weights that `optimizer.step` has changed. Cut the state with `carry_state` instead.",
            wrong(carry=lambda state: state, update=update_that_retains),
        ),
        Mistake(
            "The prediction is detached too, so the loss has nothing to differentiate. "
            "Detach the state only.",
            wrong(output=lambda prediction: prediction.detach()),
        ),
        Mistake(
            "Nothing learns: the optimizer finds no gradient when it steps. The order is "
            "`zero_grad`, `backward`, `step`, and only the state is detached, not the prediction.",
            wrong(output=lambda prediction: prediction.detach().requires_grad_()),
        ),
        Mistake(
            "Every window starts from a fresh state. Hand the state of one window to the next.",
            wrong(carry=lambda state: None),
        ),
        Mistake(
            "Gradients add up from window to window: call `optimizer.zero_grad()` in each.",
            wrong(update=update_without_zero_grad),
        ),
        Mistake(
            "The weights never change: `optimizer.step()` is missing.",
            wrong(update=lambda loss, optimizer: loss.backward()),
        ),
        Mistake(
            "The losses are tensors that drag their graphs along. Keep numbers: `loss.item()`.",
            wrong(keep=lambda loss: loss),
        ),
        Mistake(
            "The prediction and the target have different shapes here, and the loss stretches them "
            "to fit (section 1.5). Leave the prediction as it is, (B, T, 1).",
            wrong(output=lambda prediction: prediction.squeeze(-1)),
        ),
        Mistake(
            "This returns one loss. Return the list of all, one per window.",
            lambda *given: train_on_stream(*given)[-1],
        ),
        Mistake(
            "These losses are taken after the update. Report the loss that was differentiated.",
            losses_after_update,
        ),
        Mistake(
            "The losses are sums of squares. Take the mean, which does not grow with the window.",
            wrong(loss_of=lambda p, y: F.mse_loss(p, y, reduction="sum")),
        ),
        Mistake(
            "The losses are half of the squared errors. Take the mean squared error as it is.",
            wrong(loss_of=lambda p, y: F.mse_loss(p, y) / 2),
        ),
        Mistake(
            "These are roots of mean squared errors. Leave out the root.",
            wrong(loss_of=lambda p, y: F.mse_loss(p, y).sqrt()),
        ),
        Mistake(
            "These are mean absolute errors. Square the differences.",
            wrong(loss_of=F.l1_loss),
        ),
    ),
)
