"""`epoch_today`: an epoch of the old program in today's PyTorch, section 2.7."""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_02 import call_epoch_today
from helpers.exercises.chapter_02.sine_forward import sine_case
from helpers.exercises.contract import Exercise, Mistake


def epoch_today(x, y, w1, w2, lr):
    """Return the sum of the losses, a number; update w1 and w2 in place after every step.

    x (T,), y (T,), w1 (1 + H, H), w2 (H, 1) are tensors, the weights leaves that require gradients.
    The gradients are those of `torch.autograd.grad`.
    """
    h, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0  # (H,)
    for x_t, y_t in zip(x, y, strict=True):
        h = torch.tanh(torch.cat([x_t.view(1), h]) @ w1)
        loss = (h @ w2 - y_t).square().sum() / 2
        gradients = torch.autograd.grad(loss, (w1, w2))
        with torch.no_grad():
            for weight, gradient in zip((w1, w2), gradients, strict=True):
                weight -= lr * gradient
        h, total = h.detach(), total + loss.item()
    return total


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series, targets, weights and a learning rate. With one step nothing is handed on."""
    sizes = [(20, 6), (1, 6), (5, 3), (12, 4)]  # T, H
    return [sine_case(rng, T, H) | {"lr": float(rng.uniform(0.02, 0.2))} for T, H in sizes]


def wrong(
    cut=torch.Tensor.detach, clear=True, factor=0.5, number=torch.Tensor.item, updated=(0, 1)
) -> Callable:
    """Return an `epoch_today` that departs from the right one in what is given.

    updated: which of w1 and w2 are updated
    """

    def answer(x, y, w1, w2, lr):
        h, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
        for x_t, y_t in zip(x, y, strict=True):
            h = torch.tanh(torch.cat([x_t.view(1), h]) @ w1)
            loss = factor * ((h @ w2 - y_t) ** 2).sum()
            loss.backward()
            total = total + number(loss)
            with torch.no_grad():
                for w in [(w1, w2)[i] for i in updated]:
                    w -= lr * w.grad
                    if clear:
                        w.grad = None
            h = cut(h)
        return total

    return answer


def once_per_epoch(x, y, w1, w2, lr):
    h, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for x_t, y_t in zip(x, y, strict=True):
        h = torch.tanh(torch.cat([x_t.view(1), h.detach()]) @ w1)
        total = total + ((h @ w2 - y_t) ** 2).sum() / 2
    total.backward()
    with torch.no_grad():
        for w in (w1, w2):
            w -= lr * w.grad
    return total.item()


def on_copies(x, y, w1, w2, lr):
    copies = [w.detach().clone().requires_grad_() for w in (w1, w2)]
    return epoch_today(x, y, *copies, lr)


def outside_no_grad(x, y, w1, w2, lr):
    h = torch.tanh(x[0] * w1[0])  # the first step, whose context is 0
    loss = ((h @ w2 - y[0]) ** 2).sum() / 2
    loss.backward()
    w1 -= lr * w1.grad


def last_loss(x, y, w1, w2, lr):
    epoch_today(x[:-1], y[:-1], w1, w2, lr)
    return epoch_today(x[-1:], y[-1:], w1, w2, lr)


EXERCISE = Exercise(
    name="epoch_today",
    title="repair: an epoch of the old program, in today's PyTorch",
    points=2,
    outputs={
        "total loss": "",
        "w1 afterwards": "row column",
        "w2 afterwards": "row column",
        "the total holds on to its graph": "",
        "weights require gradients": "weight",
    },
    cases=cases,
    drive=call_epoch_today,
    reference=epoch_today,
    against="`torch.autograd.grad` and updates by hand",
    tolerance=1e-9,
    mistakes=(
        Mistake(
            "A loss is a tensor without axes today, so `.data[0]` finds nothing. Use `.item()`.",
            wrong(number=lambda loss: loss.data[0]),
            also=(wrong(number=lambda loss: loss[0]),),
        ),
        Mistake(
            "The gradients are never cleared, so each step adds to those before. Set them to zero "
            "or None after the update.",
            wrong(clear=False),
        ),
        Mistake(
            "The context drags its graph into the next step, whose `backward` fails. Detach it.",
            wrong(cut=lambda h: h),
        ),
        Mistake(
            "The loss is half of the squared error. Here the half is missing.",
            wrong(factor=1.0),
        ),
        Mistake(
            "The weights are updated once, at the end. The program updates them after every step.",
            once_per_epoch,
        ),
        Mistake(
            "The caller's weights have not changed. Update w1 and w2 in place.",
            on_copies,
        ),
        Mistake(
            "A leaf that requires gradients may be changed in place only inside `torch.no_grad()`.",
            outside_no_grad,
        ),
        Mistake(
            "The total is a tensor that drags the graphs of all steps along. Add `loss.item()`.",
            wrong(number=lambda loss: loss),
        ),
        Mistake(
            "w2 is never updated.",
            wrong(updated=(0,)),
        ),
        Mistake(
            "This returns the last step's loss. Return the sum over the epoch.",
            last_loss,
        ),
        Mistake(
            "The context starts from zeros at every step. Hand it on, detached.",
            wrong(cut=torch.zeros_like),
        ),
        Mistake(
            "w1 never changes: it is not updated, or nothing comes back to it, because the new "
            "context is detached before the prediction is made. Detach what the next step gets.",
            wrong(updated=(1,)),
        ),
    ),
)
