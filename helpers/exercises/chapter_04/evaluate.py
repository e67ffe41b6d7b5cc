"""`evaluate`: measure a model without changing it, section 4.4.

n series, T time steps.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_evaluate
from helpers.exercises.chapter_04.train_epoch import rising
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed, normal


def evaluate(model, x, y):
    """Return the mean squared error of `model` on x (n, T, 1) and y (n, 1), a float.

    By `F.mse_loss`, in evaluation mode and `torch.inference_mode`.
    """
    model.eval()
    with torch.inference_mode():
        return F.mse_loss(model(x), y).item()


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw rising series and targets; 149 are no whole number of batches of any usual size."""
    sizes = [(7, 5), (4, 3), (1, 6), (149, 2), (1201, 2)]  # n, T
    return [
        {"x": rising(rng, n, T), "y": normal(rng, n, 1), "seed": new_seed(rng)} for n, T in sizes
    ]


def wrong(eval_mode=True, grad=False, loss=F.mse_loss) -> Callable:
    """Return an `evaluate` that departs from the right one in what is given."""

    def answer(model, x, y):
        model.train(not eval_mode)
        with torch.set_grad_enabled(grad):
            return loss(model(x), y)

    return answer


def mean_of_batch_means(size: int) -> Callable:
    """Return an `evaluate` that averages the errors of batches of that many series."""

    def answer(model, x, y):
        batches = zip(x.split(size), y.split(size), strict=True)
        losses = [evaluate(model, *batch) for batch in batches]
        return sum(losses) / len(losses)

    return answer


def of_the_first(n: int) -> Callable:
    """Return an `evaluate` that stops after n series."""
    return lambda model, x, y: evaluate(model, x[:n], y[:n])


def learns_from_it(model, x, y):
    model.eval()
    loss = F.mse_loss(model(x), y)
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= 0.1 * parameter.grad
    return loss.item()


EXERCISE = Exercise(
    name="evaluate",
    title="measure a model without changing it",
    points=2,
    difficulty=1,
    outputs={
        "mean squared error": "",
        "gradients recorded": "",
        "weights afterwards": "parameter",
        "weights can still learn": "parameter",
    },
    cases=cases,
    drive=call_evaluate,
    reference=evaluate,
    against="`F.mse_loss` of the model in evaluation mode",
    tolerance=1e-6,
    mistakes=(
        Mistake(
            "The model, or a layer in it, predicts in training mode, with dropout on. Call "
            "`model.eval()` before it predicts.",
            wrong(eval_mode=False),
        ),
        Mistake(
            "PyTorch records a graph for a gradient that nobody asks for, "
            "which costs time and memory. Run the model under `with torch.no_grad():`.",
            wrong(grad=True),
            also=(lambda model, x, y: wrong(grad=True)(model, x, y).item(),),
        ),
        Mistake(
            "The model predicts neither in evaluation mode nor without gradients. `model.eval()`, "
            "before it predicts, switches dropout off; `torch.no_grad()` the recording.",
            wrong(eval_mode=False, grad=True),
        ),
        Mistake(
            "Prediction and target differ in their axes, and broadcast: section 4.3. Leave both at "
            "(n, 1), without `squeeze`, and use `mse`.",
            wrong(loss=lambda p, t: F.mse_loss(p.squeeze(-1), t)),
        ),
        Mistake(
            "This is the root of the mean squared error. Leave out the root.",
            wrong(loss=lambda p, t: F.mse_loss(p, t).sqrt()),
        ),
        Mistake(
            "This is the sum of the squares. Take their mean.",
            wrong(loss=lambda p, t: F.mse_loss(p, t, reduction="sum")),
        ),
        Mistake(
            "This is the mean absolute error. Square the differences.",
            wrong(loss=F.l1_loss),
        ),
        Mistake(
            "This is the mean over batches, of which the last is smaller and counts as much. Take "
            "the mean over all series.",
            mean_of_batch_means(32),
            also=tuple(mean_of_batch_means(n) for n in (16, 50, 64, 100, 128, 256, 500, 1000)),
        ),
        Mistake(
            "Only a part of the series is measured: where there are many, the last are left out.",
            of_the_first(32),
            also=tuple(of_the_first(n) for n in (16, 50, 64, 100, 128, 256, 500, 1000)),
        ),
        Mistake(
            "The mean is taken first and squared then, so that errors of both signs cancel. Square "
            "each difference.",
            wrong(loss=lambda p, t: (p - t).mean().square()),
        ),
        Mistake(
            "The differences are not squared, so that errors of both signs cancel.",
            wrong(loss=lambda p, t: (p - t).mean()),
            also=(wrong(loss=lambda p, t: (t - p).mean()),),
        ),
        Mistake(
            "This returns a square for every series. Return their mean, one number.",
            wrong(loss=lambda p, t: (p - t).square()),
        ),
        Mistake(
            "The weights are frozen for good: `requires_grad` is switched off in them. Use "
            "`with torch.no_grad():`, which leaves them as they are.",
            lambda model, x, y: wrong(grad=True)(model.requires_grad_(False), x, y),
            also=(lambda model, x, y: evaluate(model.requires_grad_(False), x, y),),
        ),
        Mistake(
            "The weights are changed. A model must not learn from being measured.",
            learns_from_it,
        ),
    ),
)
