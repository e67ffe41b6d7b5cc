"""`pinball_loss`: the loss whose best answer is a quantile, equation 4.5.

B series in a batch, Q quantiles.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_loss
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


EXERCISE = Exercise(
    name="pinball_loss",
    title="the loss whose best answer is a quantile",
    points=2,
    outputs={"loss": "", "gradient": "entry"},
    cases=cases,
    drive=call_loss,
    reference=pinball_loss,
    against="its definition by cases, with the gradient",
    mistakes=(
        Mistake(
            "q and 1 - q are swapped: for q = 0.9 it is a prediction too *low* that costs 0.9 per "
            "unit. The error is target minus prediction.",
            lambda prediction, target, quantiles: pinball_loss(target, prediction, quantiles),
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
            "The smaller of the two is taken. Equation 4.5 takes the larger, so that the loss is "
            "never negative.",
            wrong(weigh=lambda q, e: torch.minimum(q * e, (q - 1) * e)),
        ),
        Mistake(
            "Below the prediction the error is negative. 1 - q keeps the sign, and the loss "
            "rewards it; equation 4.5 has q - 1.",
            wrong(weigh=lambda q, e: torch.where(e >= 0, q * e, (1 - q) * e)),
        ),
        Mistake(
            "The larger of q e and (1 - q) e is taken. Equation 4.5 has (q - 1) e, which is "
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
            "The errors are squared. That leads to means; quantiles come from absolute errors.",
            wrong(weigh=lambda q, e: torch.where(e >= 0, q, 1 - q) * e**2),
        ),
        Mistake(
            "This is the sum. Take the mean over series and quantiles.",
            wrong(reduce=lambda loss: loss.sum()),
        ),
        Mistake(
            "This adds up the quantiles. Take the mean over them as well.",
            wrong(reduce=lambda loss: loss.sum(dim=1).mean()),
        ),
        Mistake(
            "The quantiles meet the predictions in reverse order.",
            lambda prediction, target, quantiles: pinball_loss(prediction, target, quantiles[::-1]),
        ),
        Mistake(
            "The first quantile is used for all of them. Let (B, Q) meet a tensor of shape (Q,).",
            lambda prediction, target, quantiles: pinball_loss(prediction, target, quantiles[:1]),
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
            "This returns a loss for each level. Return their mean, a scalar.",
            wrong(reduce=lambda loss: loss.mean(dim=0)),
        ),
        Mistake(
            "This returns a loss for each series and level. Return their mean, a scalar.",
            wrong(reduce=lambda loss: loss),
        ),
    ),
)
