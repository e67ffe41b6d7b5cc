"""`value_and_mask`: a series with gaps as two inputs, value and mask, section 4.9.

n series, T time steps.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_value_and_mask
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def value_and_mask(x):
    """Return (n, T, 2) in float32 for x (n, T), in which NaN is a gap: values, and a mask.

    A gap holds the last value known before it, 0 if there is none; the mask is 1 where a value was
    measured. By `torch.cummax` of the places where something is known.
    """
    known = ~x.isnan()
    places = torch.arange(1, x.shape[1] + 1).expand_as(x) * known  # 0 in a gap, from 1 on else
    last = places.cummax(dim=1).values  # (n, T)
    with_zero = torch.cat([x.new_zeros(len(x), 1), x], dim=1)
    return torch.stack([with_zero.gather(1, last), known], dim=2).float()


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series around 5 with gaps: long ones, at the start, at the end, all of it, none."""
    drawn = []
    for n, T in [(4, 12), (3, 9), (1, 1), (6, 7), (5, 20)]:
        x = 5 + normal(rng, n, T)
        x[rng.random((n, T)) < 0.35] = np.nan
        if T > 8:
            x[0, :3] = x[1, -2:] = x[2, 3:7] = np.nan
            x[1, 0], x[2, 2], x[0, 4] = 0.0, -3.0, 6.5
        drawn.append({"x": x})
    drawn[3]["x"][0] = np.nan
    drawn[3]["x"][1] = 5 + normal(rng, 7)
    return drawn


def wrong(
    values: Callable = lambda x, right: right[..., 0],
    mask: Callable = lambda x, right: right[..., 1],
    join: Callable = lambda values, mask: torch.stack([values, mask], dim=2),
) -> Callable:
    """Return a `value_and_mask` that departs from the right one in what is given."""

    def answer(x):
        right = value_and_mask(x)
        return join(values(x, right), mask(x, right).float())

    return answer


def with_zeros(x, right):
    return x.nan_to_num(0.0)


def with_the_next(x, right):
    return value_and_mask(x.flip(1)).flip(1)[..., 0]


def with_the_mean(x, right):
    return torch.where(x.isnan(), x.nanmean(dim=1, keepdim=True).nan_to_num(0.0), x)


def only_one_step(x, right):
    before = torch.cat([x.new_zeros(len(x), 1), x[:, :-1]], dim=1)
    return torch.where(x.isnan(), before, x).nan_to_num(0.0)


def from_the_end_at_the_start(x, right):
    started = right[..., 1].cummax(dim=1).values
    return torch.where(started.bool(), right[..., 0], x[:, -1:].nan_to_num(0.0))


def from_the_row_above(x, right):
    return value_and_mask(x.reshape(1, -1))[0, :, 0].reshape(x.shape)


def never_known(x, right):
    return torch.where(right[..., 1].cummax(dim=1).values.bool(), right[..., 0], x)


def steps_in_the_gap(x, right):
    t = torch.arange(x.shape[1]).expand_as(x)
    last = torch.where(right[..., 1].bool(), t, -1).cummax(dim=1).values
    return t - last


def in_place(x):
    right = value_and_mask(x)
    x.copy_(right[..., 0])
    return right


EXERCISE = Exercise(
    name="value_and_mask",
    title="a gap as two inputs",
    points=2,
    difficulty=2,
    outputs={"inputs": "n T D", "bits per number": "part"},
    cases=cases,
    drive=call_value_and_mask,
    reference=value_and_mask,
    against="the last place where something is known, by `torch.cummax`",
    mistakes=(
        Mistake(
            "The mask is the wrong way round: 1 where a value was *measured*, 0 in a gap.",
            wrong(mask=lambda x, right: 1 - right[..., 1]),
        ),
        Mistake(
            "The mask is 1 everywhere: it is asked for when the gaps are filled already.",
            wrong(mask=lambda x, right: torch.ones_like(x)),
            also=(wrong(mask=lambda x, right: ~right[..., 0].isnan()),),
        ),
        Mistake(
            "The mask is 0 where the value is 0, and a measured 0 is no gap. Ask `isnan`.",
            wrong(mask=lambda x, right: right[..., 0] != 0),
            also=(wrong(mask=lambda x, right: x.nan_to_num(0.0) != 0),),
        ),
        Mistake(
            "The mask stays 1 once something is known. In a gap it is 0, also where the value "
            "before is carried on.",
            wrong(mask=lambda x, right: right[..., 1].cummax(dim=1).values),
        ),
        Mistake(
            "The second input counts the steps since the last measurement. The mask says only "
            "whether there is one: 1 or 0.",
            wrong(mask=steps_in_the_gap),
        ),
        Mistake(
            "The gaps hold 0. Carry the last known value forward; 0 stands only where nothing is "
            "known yet.",
            wrong(with_zeros),
        ),
        Mistake(
            "The gaps hold the next value, which nobody knew then: a leak from the future.",
            wrong(with_the_next),
        ),
        Mistake(
            "The gaps hold the mean of the whole series, the future included: a leak.",
            wrong(with_the_mean),
        ),
        Mistake(
            "The gaps still hold NaN. One NaN in the input makes every state after it NaN.",
            wrong(lambda x, right: x),
        ),
        Mistake(
            "Only the first step of a longer gap is filled. Read from what you have filled, in the "
            "order of time.",
            wrong(only_one_step),
        ),
        Mistake(
            "A gap at the start is filled from the other end of the series: index -1 is the last. "
            "Put 0 there: the mask says that it is no measurement.",
            wrong(from_the_end_at_the_start),
        ),
        Mistake(
            "A gap at the start is filled from the series above. Each series stands for itself.",
            wrong(from_the_row_above),
        ),
        Mistake(
            "A gap at the start stays NaN. Put 0 there: the mask says that it is no measurement.",
            wrong(never_known),
        ),
        Mistake(
            "Value and mask have changed places: the value comes first.",
            wrong(join=lambda values, mask: torch.stack([mask, values], dim=2)),
        ),
        Mistake(
            "The mask stands behind the series, not beside each value: (n, T, 2) is asked for, by "
            "`torch.stack(..., dim=2)`.",
            wrong(join=lambda values, mask: torch.cat([values, mask], dim=1)),
            also=(wrong(join=lambda values, mask: torch.stack([values, mask], dim=1)),),
        ),
        Mistake(
            "Value and mask come one after the other, (2, n, T). Put them into the last axis: "
            "`torch.stack(..., dim=2)`.",
            wrong(join=lambda values, mask: torch.stack([values, mask])),
            also=(lambda x: tuple(value_and_mask(x).unbind(dim=2)),),
        ),
        Mistake(
            "The values are multiplied by the mask, so that the gaps are 0 again. Give both.",
            lambda x: value_and_mask(x)[..., :1] * value_and_mask(x)[..., 1:],
        ),
        Mistake(
            "The mask is missing: the network cannot tell a gap from a measurement.",
            lambda x: value_and_mask(x)[..., :1],
            also=(lambda x: value_and_mask(x)[..., 0],),
        ),
        Mistake(
            "Your numbers are float64. The weights of a network are float32, and PyTorch does not "
            "mix them: `.float()`.",
            lambda x: value_and_mask(x).double(),
            also=(lambda x: value_and_mask(x).double().numpy(),),
        ),
        Mistake(
            "Your function changed its argument `x` in place: the gaps are lost for the caller. "
            "Fill a copy: `x.clone()`.",
            in_place,
        ),
    ),
)
