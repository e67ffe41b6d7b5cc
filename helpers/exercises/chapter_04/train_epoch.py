"""`train_epoch`: one epoch of training and its mean loss, section 4.4.

n series, T time steps, B series in a batch.
"""

import functools
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_train_epoch
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed, normal


def train_epoch(model, batches, optimizer):
    """Train on every (x, y) of `batches`; return the mean squared error per series, a float.

    x (B, T, 1), y (B, 1). The gradients come from `torch.autograd.grad`, so that none is left over.
    """
    model.train()
    parameters = list(model.parameters())
    total = count = 0
    for x, y in batches:
        loss = F.mse_loss(model(x), y)
        gradients = torch.autograd.grad(loss, parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw rising series for some full batches and, after them, a batch of a single series."""
    sizes = [(3, 4, 5), (2, 4, 3), (4, 3, 6)]  # full batches, their size, T
    return [
        {
            "x": rising(rng, full * size + 1, T),
            "y": normal(rng, full * size + 1, 1),
            "batch_size": size,
            "seed": new_seed(rng),
        }
        for full, size, T in sizes
    ]


def rising(rng: np.random.Generator, n: int, T: int) -> np.ndarray:
    """Return series (n, T, 1) whose values rise with time, so that a driver sees their order."""
    return np.sort(normal(rng, n, T, 1), axis=1)


def wrong(
    begin=lambda model: model.train(),
    predict=lambda model, x: model(x),
    error=F.mse_loss,
    backward=lambda model, loss: loss.backward(),
    order=lambda zero_grad, backward, step: (zero_grad, backward, step),
    measure=lambda model, x, y, loss: loss,
    report=lambda losses, sizes: ((losses * sizes).sum() / sizes.sum()).item(),
) -> Callable:
    """Return a `train_epoch` that departs from the right one in what is given.

    order    of the three calls for each batch
    measure  what counts as a batch's loss, once its step is done
    report   makes the result of the losses and the sizes of all batches, two tensors
    """

    def answer(model, batches, optimizer):
        begin(model)
        losses = []
        for x, y in batches:
            loss = error(predict(model, x), y)
            gradients = functools.partial(backward, model, loss)
            for call in order(optimizer.zero_grad, gradients, optimizer.step):
                call()
            losses.append(measure(model, x, y, loss))
        return report(torch.stack(losses), torch.tensor([len(x) for x, _ in batches]))

    return answer


def one_step_at_the_end(each_batch: Callable) -> Callable:
    """Return a `train_epoch` that makes, of the three calls for each batch, no step."""

    def answer(model, batches, optimizer):
        loss = wrong(order=each_batch)(model, batches, optimizer)
        optimizer.step()
        return loss

    return answer


def measured_at_the_end(mode: bool) -> Callable:
    """Return a `train_epoch` that measures the trained model, in training mode or not."""
    measure = wrong(
        begin=lambda model: model.train(mode), order=lambda zero_grad, backward, step: ()
    )

    def answer(model, batches, optimizer):
        train_epoch(model, batches, optimizer)
        return measure(model, batches, optimizer)

    return answer


def clipped(model, loss):
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)


def summed(prediction, target):
    return F.mse_loss(prediction, target, reduction="sum")


EXERCISE = Exercise(
    name="train_epoch",
    title="one epoch of training",
    points=3,
    difficulty=2,
    outputs={
        "time in order": "",
        "loss": "",
        "weights afterwards": "parameter",
        "optimizer steps": "",
        "the loss still holds a graph": "",
    },
    cases=cases,
    drive=call_train_epoch,
    reference=train_epoch,
    against="gradients by `torch.autograd.grad` and the same optimizer",
    mistakes=(
        Mistake(
            "Gradients add up from batch to batch: call `optimizer.zero_grad()` in each.",
            wrong(order=lambda zero_grad, backward, step: (backward, step)),
        ),
        Mistake(
            "The weights never change: `optimizer.step()` is missing.",
            wrong(order=lambda zero_grad, backward, step: (zero_grad, backward)),
        ),
        Mistake(
            "There is no gradient to step along. In each batch the order is `zero_grad`, "
            "`backward`, `step`.",
            wrong(order=lambda zero_grad, backward, step: (zero_grad, step)),
            also=(wrong(order=lambda zero_grad, backward, step: (backward, zero_grad, step)),),
        ),
        Mistake(
            "`optimizer.step()` comes before `backward`: each step uses the gradients of the batch "
            "before, and the last batch is lost.",
            wrong(order=lambda zero_grad, backward, step: (step, zero_grad, backward)),
        ),
        Mistake(
            "Prediction and target differ in their axes, and broadcast: section 4.3. Leave both at "
            "(B, 1), without `squeeze`, and use `mse`.",
            wrong(predict=lambda model, x: model(x).squeeze(-1)),
            also=(wrong(predict=lambda model, x: model(x).squeeze()),),
        ),
        Mistake(
            "The function returns after the first batch. Put the `return` behind the loop.",
            lambda model, batches, optimizer: train_epoch(model, batches[:1], optimizer),
        ),
        Mistake(
            "A batch is left out. The last one, though smaller, counts, too.",
            lambda model, batches, optimizer: train_epoch(model, batches[:-1], optimizer),
        ),
        Mistake(
            "There is one step at the end of the epoch. Step after each batch, inside the loop.",
            one_step_at_the_end(lambda zero_grad, backward, step: (backward,)),
            also=(one_step_at_the_end(lambda zero_grad, backward, step: (zero_grad, backward)),),
        ),
        Mistake(
            "The gradient is that of a sum over the batch, and each step as many times too long as "
            "the batch has series. Call `backward` on the mean, `mse`.",
            wrong(
                error=summed,
                report=lambda losses, sizes: (losses.sum() / sizes.sum()).item(),
            ),
            also=(wrong(error=summed),),
        ),
        Mistake(
            "The gradient is clipped before the step. The task asks for a plain one.",
            wrong(backward=clipped),
        ),
        Mistake(
            "This trains on the mean absolute error, and reports it. Use `mse`.",
            wrong(error=F.l1_loss),
        ),
        Mistake(
            "`model.train()` is missing. The model may come out of an evaluation, with its dropout "
            "switched off.",
            wrong(begin=lambda model: None),
        ),
        Mistake(
            "The loss of the last batch is reported as the epoch's. Report the mean over all.",
            wrong(report=lambda losses, sizes: losses[-1].item()),
        ),
        Mistake(
            "The loss of the first batch is reported as the epoch's. Report the mean over all.",
            wrong(report=lambda losses, sizes: losses[0].item()),
        ),
        Mistake(
            "Each batch's loss is measured after the step. Report the loss that the step came "
            "from: the model runs once per batch.",
            wrong(measure=lambda model, x, y, loss: F.mse_loss(model(x), y)),
        ),
        Mistake(
            "The loss is measured when the epoch is over, by a model that has seen all batches. "
            "Report the losses that the steps came from.",
            measured_at_the_end(mode=True),
            also=(measured_at_the_end(mode=False),),
        ),
        Mistake(
            "The last batch is smaller, and counts here as much as a full one. Weight each batch's "
            "loss by its number of series.",
            wrong(report=lambda losses, sizes: losses.mean().item()),
        ),
        Mistake(
            "This is the sum of the batches' losses. Report the mean squared error per series.",
            wrong(report=lambda losses, sizes: losses.sum().item()),
        ),
        Mistake(
            "The weighted losses are added, and not divided by the number of all series.",
            wrong(report=lambda losses, sizes: (losses * sizes).sum().item()),
        ),
        Mistake(
            "The weighted losses are divided by the number of batches. Divide by the number of "
            "series.",
            wrong(report=lambda losses, sizes: (losses * sizes).mean().item()),
        ),
        Mistake(
            "The sum is divided as if every batch had as many series as the first. The last is "
            "smaller: add up `len(x)`.",
            wrong(report=lambda losses, sizes: ((losses * sizes).mean() / sizes[0]).item()),
        ),
        Mistake(
            "The sum of the batches' losses, each a mean already, is divided by the number of "
            "series. Add up `loss.item() * len(x)`.",
            wrong(report=lambda losses, sizes: (losses.sum() / sizes.sum()).item()),
        ),
        Mistake(
            "The losses of the batches are returned one by one. Return one number, their mean.",
            wrong(report=lambda losses, sizes: losses.tolist()),
        ),
        Mistake(
            "What is returned drags graphs of batches along. Add numbers: `loss.item()`.",
            wrong(report=lambda losses, sizes: (losses * sizes).sum() / sizes.sum()),
        ),
        Mistake(
            "The model sees the steps of a series in another order. Shuffle series, never the time "
            "inside them.",
            wrong(predict=lambda model, x: model(x[:, torch.randperm(x.shape[1])])),
            also=(wrong(predict=lambda model, x: model(x.flip(1))),),
        ),
        Mistake(
            "Nothing is returned. Return the mean squared error per series.",
            wrong(report=lambda losses, sizes: None),
        ),
    ),
)
