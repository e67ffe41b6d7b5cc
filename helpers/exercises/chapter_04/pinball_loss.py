"""`pinball_loss`: the loss whose best answer is a quantile, equation 4.6.

B series in a batch, Q quantiles.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_loss
from helpers.exercises.chapter_04 import IN_PLACE
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import CARRIES_NO_GRADIENT, normal


def pinball_loss(prediction, target, quantiles):
    """Return the mean pinball loss of prediction (B, Q) and target (B, 1), a scalar.

    quantiles: a list of Q levels. The two sides of the loss are told apart by `torch.where`.
    """
    q = torch.as_tensor(quantiles, dtype=prediction.dtype)  # (Q,)
    error = target - prediction  # (B, Q)
    return torch.where(error >= 0, q * error, (q - 1) * error).mean()


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw predictions and targets; some levels are lopsided, some out of order.

    Most predictions are in order, as quantiles are; in the last two cases they cross.
    """
    settings = [(5, [0.1, 0.5, 0.9]), (4, [0.25, 0.75]), (1, [0.1, 0.5, 0.9]), (6, [0.9])]  # B, q
    settings += [(3, [0.05, 0.5, 0.6]), (8, [0.2, 0.4, 0.8]), (7, [0.9, 0.1]), (6, [0.3, 0.7])]
    drawn = []
    for number, (B, q) in enumerate(settings):
        prediction = np.sort(normal(rng, B, len(q)), axis=1)
        if number >= len(settings) - 2:
            prediction[0] = prediction[0, ::-1]
        target = normal(rng, B, 1)
        drawn.append({"prediction": prediction, "target": target, "quantiles": q})
    return drawn


def wrong(
    weigh=lambda q, e: torch.maximum(q * e, (q - 1) * e),
    reduce=lambda loss: loss.mean(),
) -> Callable:
    """Return a `pinball_loss` that departs from the right one in what is given.

    weigh   makes losses (B, Q) of the levels q (Q,) and the errors e (B, Q)
    reduce  makes the result of these losses
    """

    def answer(prediction, target, quantiles):
        return reduce(weigh(torch.tensor(quantiles), target - prediction))

    return answer


def refuses_to_broadcast(prediction, target, quantiles):
    if prediction.shape != target.shape:
        raise ValueError(f"{tuple(prediction.shape)} {tuple(target.shape)}")
    return pinball_loss(prediction, target, quantiles)


def column_against_target(prediction, target, quantiles):
    pairs = zip(quantiles, prediction.unbind(dim=1), strict=True)
    errors = [(q, target - column) for q, column in pairs]  # (B, B) each
    return torch.stack([torch.maximum(q * e, (q - 1) * e).mean() for q, e in errors]).mean()


def given(change: Callable) -> Callable:
    """Return a `pinball_loss` of change(prediction, target, quantiles), other arguments."""
    return lambda *arguments: pinball_loss(*change(*arguments))


def rows_for_columns(prediction, target, quantiles):
    rows = [prediction[[i]] for i in range(len(quantiles))]  # (1, Q) each
    pairs = zip(quantiles, rows, strict=True)
    return torch.stack([pinball_loss(row, target, [q]) for q, row in pairs]).mean()


def without_a_tensor(prediction, target, quantiles):
    return quantiles * (target - prediction)


def averages_the_errors(prediction, target, quantiles):
    error = (target - prediction).mean(dim=0, keepdim=True)
    return pinball_loss(torch.zeros_like(error), error, quantiles)


LEVELS = [0.1, 0.5, 0.9]

EXERCISE = Exercise(
    name="pinball_loss",
    title="the loss whose best answer is a quantile",
    points=2,
    difficulty=2,
    outputs={"loss": "", "gradient": "entry"},
    cases=cases,
    drive=call_loss,
    reference=pinball_loss,
    against="its definition by cases, with the gradient",
    mistakes=(
        Mistake(
            "q and 1 - q are swapped: for q = 0.9 it is a prediction too low that costs 0.9 per "
            "unit. The error is target minus prediction.",
            given(lambda p, t, q: (t, p, q)),
        ),
        Mistake(
            "This is the absolute error: both sides cost the same, and every quantile would become "
            "the median.",
            wrong(weigh=lambda q, e: e.abs()),
            also=(wrong(weigh=lambda q, e: e.abs() / 2),),
        ),
        Mistake(
            "Both sides are weighted by q. Above the prediction the weight is q, below it 1 - q.",
            wrong(weigh=lambda q, e: q * e.abs()),
        ),
        Mistake(
            "The smaller of the two is taken. Equation 4.6 takes the larger, so that the loss is "
            "never negative.",
            wrong(weigh=lambda q, e: torch.minimum(q * e, (q - 1) * e)),
        ),
        Mistake(
            "Where the target lies below the prediction the error is negative. 1 - q keeps the "
            "sign, and the loss rewards it; equation 4.6 has q - 1.",
            wrong(weigh=lambda q, e: torch.where(e >= 0, q * e, (1 - q) * e)),
        ),
        Mistake(
            "The larger of q e and (1 - q) e is taken. Equation 4.6 has (q - 1) e, which is "
            "positive where the error is negative.",
            wrong(weigh=lambda q, e: torch.maximum(q * e, (1 - q) * e)),
        ),
        Mistake(
            "(B, Q) against (B, 1) is refused here. In this loss broadcasting is meant: one target "
            "for all quantiles.",
            refuses_to_broadcast,
        ),
        Mistake(
            "Only errors above the prediction are counted. Below it the weight is 1 - q.",
            wrong(weigh=lambda q, e: q * e.clamp(min=0)),
        ),
        Mistake(
            "Only errors below the prediction are counted. Above it the weight is q.",
            wrong(weigh=lambda q, e: (q - 1) * e.clamp(max=0)),
        ),
        Mistake(
            "q e and (q - 1) e are added. Equation 4.6 takes the larger of the two.",
            wrong(weigh=lambda q, e: q * e + (q - 1) * e),
        ),
        Mistake(
            "The errors are averaged before the larger of the two is taken, so that errors of "
            "both signs cancel. Take the mean last.",
            averages_the_errors,
        ),
        Mistake(
            "The errors are squared. That leads to means; quantiles come from absolute errors.",
            wrong(weigh=lambda q, e: torch.where(e >= 0, q, 1 - q) * e**2),
            also=(wrong(weigh=lambda q, e: torch.maximum(q * e, (q - 1) * e) ** 2),),
        ),
        Mistake(
            "This is the sum. Take the mean over series and quantiles.",
            wrong(reduce=lambda loss: loss.sum()),
        ),
        Mistake(
            "The mean over the series is right, but over the quantiles this is the sum.",
            wrong(reduce=lambda loss: loss.sum(dim=1).mean()),
        ),
        Mistake(
            "The quantiles meet the predictions in reverse order.",
            given(lambda p, t, q: (p, t, q[::-1])),
        ),
        Mistake(
            "The quantiles are sorted here, and their columns are not. Take both as they come.",
            given(lambda p, t, q: (p, t, sorted(q))),
        ),
        Mistake(
            "The predictions of each series are sorted here. Column k belongs to `quantiles[k]`, "
            "also where predictions cross.",
            given(lambda p, t, q: (p.sort(dim=1).values, t, q)),
        ),
        Mistake(
            "The quantiles are fixed at 0.1, 0.5 and 0.9. Use those of `quantiles`.",
            given(lambda p, t, q: (p, t, LEVELS)),
            also=(given(lambda p, t, q: (p, t, LEVELS[: len(q)])),),
        ),
        Mistake(
            "Column 0 is compared for every quantile. Column k belongs to `quantiles[k]`.",
            given(lambda p, t, q: (p[:, :1], t, q)),
        ),
        Mistake(
            "Only the last quantile counts. In a loop, add up the losses of all, and divide by "
            "their number.",
            given(lambda p, t, q: (p[:, -1:], t, q[-1:])),
            also=(lambda p, t, q: pinball_loss(p[:, -1:], t, q[-1:]) / len(q),),
        ),
        Mistake(
            "Only the first quantile counts. In a loop, the `return` comes after it, not inside.",
            given(lambda p, t, q: (p[:, :1], t, q[:1])),
        ),
        Mistake(
            "The first quantile is used for all of them. Let (B, Q) meet a tensor of shape (Q,).",
            given(lambda p, t, q: (p, t, q[:1])),
        ),
        Mistake(
            "The mean over the quantiles is right, but over the series this is the sum.",
            wrong(reduce=lambda loss: loss.mean(dim=1).sum()),
        ),
        Mistake(
            "This divides by 3, however many quantiles there are. Take the mean over them.",
            wrong(reduce=lambda loss: loss.sum(dim=1).mean() / 3),
        ),
        Mistake(
            "Python's `max` and `if` ask one question of a whole tensor. `torch.maximum` and "
            "`torch.where` ask it of every entry.",
            wrong(weigh=lambda q, e: max(q * e, (q - 1) * e)),
        ),
        Mistake(
            "`quantiles` is a list, which cannot be multiplied. Make it a tensor first: "
            "`torch.tensor(quantiles)`.",
            without_a_tensor,
        ),
        Mistake(
            "The target is (B,) here, so that its entries meet the quantiles, not the series. "
            "Leave it at (B, 1).",
            given(lambda p, t, q: (p, t[:, 0], q)),
        ),
        Mistake(
            IN_PLACE,
            given(lambda p, t, q: (p.neg_(), -t, q)),
        ),
        Mistake(
            CARRIES_NO_GRADIENT,
            wrong(reduce=lambda loss: loss.mean().item()),
        ),
        Mistake(
            "A column of predictions (B,) meets the target (B, 1) here, and they broadcast to "
            "(B, B), section 4.3. Keep the axis: `prediction[:, [i]]`.",
            column_against_target,
        ),
        Mistake(
            "`prediction[i]` is series i. The predictions for quantile i are `prediction[:, [i]]`.",
            rows_for_columns,
        ),
        Mistake(
            "This returns a loss for each level. Return their mean, a scalar.",
            wrong(reduce=lambda loss: loss.mean(dim=0)),
        ),
        Mistake(
            "This returns a loss for each series. Return their mean, a scalar.",
            wrong(reduce=lambda loss: loss.mean(dim=1)),
        ),
        Mistake(
            "This returns a loss for each series and level. Return their mean, a scalar.",
            wrong(reduce=lambda loss: loss),
        ),
    ),
)
