"""`train_on_stream`: train on a stream, window after window, section 1.6.

n windows in a stream, B sequences in a batch, W time steps in a window, H hidden size.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_01 import call_train_on_stream
from helpers.exercises.contract import Arrays, Exercise, Mistake
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
    start=None,
) -> Callable:
    """Return a `train_on_stream` that departs from the right one in what is given."""

    def answer(model, windows, optimizer):
        losses, state = [], start
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


def update_with_the_gradient_before(loss, optimizer):
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()


def clipping(max_norm: float) -> Callable:
    """Return an update that clips the gradient to a norm of `max_norm`."""

    def update(loss, optimizer):
        optimizer.zero_grad()
        loss.backward()
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(parameters, max_norm)
        optimizer.step()

    return update


def one_update(carry=torch.detach) -> Callable:
    """Return a `train_on_stream` that makes one update, by the sum of all losses."""

    def answer(model, windows, optimizer):
        losses, state = [], None
        for x, y in windows:
            prediction, state = model(x, state)
            losses.append(F.mse_loss(prediction, y))
            state = carry(state)
        right_update(sum(losses), optimizer)
        return [loss.item() for loss in losses]

    return answer


def twice(updates: int, kept: slice, carried: int) -> Callable:
    """Return a `train_on_stream` that runs the model over each window twice.

    updates: after how many of the runs; kept: whose losses; carried: which run's state
    """

    def answer(model, windows, optimizer):
        losses, state = [], None
        for x, y in windows:
            runs = []
            for number in range(2):
                prediction, new_state = model(x, state)
                loss = F.mse_loss(prediction, y)
                if number < updates:
                    right_update(loss, optimizer)
                runs.append((loss.item(), new_state.detach()))
            losses += [loss for loss, _ in runs[kept]]
            state = runs[carried][1]
        return losses

    return answer


def warms_up(model, windows, optimizer):
    windows = iter(windows)
    state = model(next(windows)[0])[1].detach()
    return wrong(start=state)(model, windows, optimizer)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return what the number of updates says, where it is not one per window."""
    calls, windows = int(got["calls of optimizer.step"]), int(expected["calls of optimizer.step"])
    if calls == windows:
        return ""
    if calls == 0:
        return "`step` of the optimizer that is handed in is never called. Call it in every window."
    return f"`optimizer.step` is called {calls} times for {windows} windows. Call it once in each."


EXERCISE = Exercise(
    name="train_on_stream",
    title="train on a stream, window after window",
    points=3,
    difficulty=2,
    outputs={
        "losses": "T",
        "trained weights": "weight",
        "calls of optimizer.step": "",
        "losses hold on to their graphs": "",
    },
    cases=cases,
    drive=call_train_on_stream,
    reference=train_on_stream,
    explain=explain,
    against="`torch.autograd.grad` with the state computed a second time outside the graph,",
    mistakes=(
        Mistake(
            "A `backward` walks into a graph that is gone: the state is carried with its graph "
            "(cut it with `carry_state`), or a loss is used twice.",
            wrong(carry=lambda state: state),
        ),
        Mistake(
            "`retain_graph=True` silences one error and meets the next: the old graph needs "
            "weights that `optimizer.step` has changed. Cut the state with `carry_state` instead.",
            wrong(carry=lambda state: state, update=update_that_retains),
        ),
        Mistake(
            "The loss has no graph: what else than the state is detached, or under `no_grad`?",
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
            "The weights never change: `optimizer.step()` is not called.",
            wrong(update=lambda loss, optimizer: loss.backward()),
        ),
        Mistake(
            "`optimizer.step()` comes before `backward`, so each update uses the gradient of the "
            "window before. The order is `zero_grad`, `backward`, `step`.",
            wrong(update=update_with_the_gradient_before),
        ),
        Mistake(
            "The gradients are clipped before the update. Leave them as `backward` makes them.",
            wrong(update=clipping(1.0)),
            also=(wrong(update=clipping(0.1)), wrong(update=clipping(0.5))),
        ),
        Mistake(
            "The state comes from a second run, after the update. Carry on that of the first run.",
            twice(1, slice(1), carried=1),
        ),
        Mistake(
            "There are two updates for each window. Make one, with a gradient of its own.",
            twice(2, slice(1), carried=1),
            also=(twice(2, slice(1, 2), carried=1), twice(2, slice(2), carried=1)),
        ),
        Mistake(
            "There is one update, after the last window. Update the weights in every window.",
            one_update(),
            also=(one_update(carry=lambda state: state),),
        ),
        Mistake(
            "The first window is left out. `windows` can be gone through once only: "
            "`next(iter(windows))` takes the first one away.",
            lambda model, windows, *rest: train_on_stream(model, list(windows)[1:], *rest),
        ),
        Mistake(
            "The first window only warms up the state. Train on it, too, from the state `None`.",
            warms_up,
        ),
        Mistake(
            "Only one step of each window enters the loss. Compare all of `prediction` and `y`.",
            wrong(loss_of=lambda p, y: F.mse_loss(p[:, -1], y[:, -1])),
            also=(wrong(loss_of=lambda p, y: F.mse_loss(p[:, 0], y[:, 0])),),
        ),
        Mistake(
            "The losses are tensors that drag their graphs along. Keep numbers: `loss.item()`.",
            wrong(keep=lambda loss: loss),
        ),
        Mistake(
            "The prediction and the target have different shapes here, and the loss stretches them "
            "to fit (section 1.5). Leave both as they are, (B, T, 1).",
            wrong(output=lambda prediction: prediction.squeeze(-1)),
        ),
        Mistake(
            "This returns one loss. Return the list of all, one per window.",
            lambda *given: train_on_stream(*given)[-1],
        ),
        Mistake(
            "The prediction is compared with the input `x`. The target is `y`.",
            lambda model, windows, *rest: train_on_stream(
                model, [(x, x) for x, _ in windows], *rest
            ),
        ),
        Mistake(
            "This returns a mean or a sum of the losses. Return the list of all, one per window.",
            lambda *given: np.mean(train_on_stream(*given)),
            also=(lambda *given: sum(train_on_stream(*given)),),
        ),
        Mistake(
            "The losses are added up from window to window. List each one as it is.",
            lambda *given: np.cumsum(train_on_stream(*given)).tolist(),
        ),
        Mistake(
            "These losses are taken after the update. Report the loss that was differentiated.",
            twice(1, slice(1, 2), carried=0),
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
