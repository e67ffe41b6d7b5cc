"""`sample_next`: draw the next character from its logits, equation 5.5.

B texts side by side, V characters; p (B, V) are probabilities.
"""

import math

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.writing import DRAWS, call_sample_next
from helpers.exercises.chapter_05.parts.drawn import (
    ABOUT_RNG,
    ALL_EQUAL,
    LIKELIEST,
    NOT_EVERY_ROW,
    ONE_FOR_ALL,
    RANKS,
    explain,
    measure,
)
from helpers.exercises.chapter_05.parts.draws import (
    above_the_smallest,
    at_temperature,
    chosen_by_numpy,
    cut_and_choose,
    cut_and_look_up,
    cut_to,
    equally_likely,
    equally_likely_where_cut,
    keeps_above_the_limit,
    keeps_only_larger_ones,
    keeps_the_smallest,
    keeps_too_few,
    look_up,
    made_positive,
    multinomial,
    over_the_rows,
    rank_for_number,
    rank_where_cut,
    smallest_allowed,
    with_noise,
    without_softmax,
    wrong,
    zero_for_minus_infinity,
)
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.equality import equal_counts
from helpers.exercises.shared import new_seed


def sample_next(logits, temperature, top_k, rng):
    """Return numbers, int64 (B,), drawn by equation 5.5 from the `top_k` likeliest of each row.

    logits float32 (B, V); a `top_k` of None allows all. One uniform number of `torch.rand` is
    looked up in the cumulated probabilities of each row.
    """
    order = logits.argsort(dim=1, descending=True)
    ranked = logits.double().gather(1, order) / temperature  # (B, V)
    ranked[:, top_k or logits.shape[1] :] = -math.inf
    steps = ranked.softmax(dim=1).cumsum(dim=1)
    u = torch.rand(len(logits), 1, generator=rng, dtype=torch.float64) * steps[:, -1:]
    place = torch.searchsorted(steps, u, right=True).clamp(max=logits.shape[1] - 1)  # (B, 1)
    return order.gather(1, place)[:, 0]


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw two rows of logits (2, V), far enough apart for `top_k` to be told from its neighbours.

    The second row is lower than the first and in another order: what is allowed in one is not in
    the other, and no threshold serves both.
    """
    settings = [  # V, temperature, top_k, what is added: e to the 500 is no number of a computer
        (12, 1.0, None, 0),
        (8, 0.4, None, 0),
        (20, 2.0, None, np.float32(500)),
        (15, 0.5, 4, 0),
        (30, 2.5, 10, 0),
        (6, 1.0, 1, 0),
    ]
    return [
        {
            "logits": np.stack([row(rng, V), row(rng, V) - 7]) + level,
            "temperature": temperature,
            "top_k": top_k,
            "seed": new_seed(rng),
        }
        for V, temperature, top_k, level in settings
    ]


def row(rng: np.random.Generator, V: int) -> np.ndarray:
    """Return logits (V,), float32, from -3 to 3 and in random order."""
    return rng.permutation(np.linspace(-3, 3, V) + 0.1 * rng.random(V)).astype(np.float32)


EXERCISE = Exercise(
    name="sample_next",
    title="draw the next character",
    points=3,
    difficulty=2,
    outputs={"counts": "v", **dict.fromkeys(ABOUT_RNG, "")},
    cases=cases,
    drive=call_sample_next,
    returned=("first", "second", "again", "calls"),
    measure=measure,
    reference=sample_next,
    against=f"the distribution of equation 5.5 in {2 * DRAWS} draws per case (a right answer fails "
    "less than once in 100 000 checks)",
    equal=equal_counts,
    explain=explain,
    mistakes=(
        Mistake(
            "The logits are multiplied by the temperature. Divide: a low temperature makes the "
            "likely likelier.",
            wrong(heat=lambda logits, temperature: logits * temperature),
        ),
        Mistake(
            "The temperature has no effect, at least not without `top_k`. Divide the logits by it, "
            "before the softmax: dividing probabilities changes nothing, since they are scaled to "
            "sum to 1 again.",
            at_temperature(lambda temperature, top_k: 1.0),
            also=(at_temperature(lambda temperature, top_k: temperature if top_k else 1.0),),
        ),
        Mistake(
            "The softmax is applied twice, which makes everything nearly equally likely.",
            wrong(squash=lambda logits: logits.softmax(dim=1).softmax(dim=1)),
            also=(
                wrong(
                    heat=lambda logits, temperature: logits.softmax(dim=1) / temperature,
                ),
            ),
        ),
        Mistake(
            LIKELIEST,
            lambda logits, temperature, top_k, rng: logits.argmax(dim=1),
        ),
        Mistake("`top_k` is not used.", wrong(cut=lambda logits, top_k: logits)),
        Mistake(
            "After the cut the probabilities no longer sum to 1, as a draw needs it. Set the other "
            "logits to minus infinity, before the softmax.",
            cut_and_look_up,
            also=(cut_and_choose,),
        ),
        Mistake(
            "The other logits are set to 0. The softmax turns 0 into something; minus infinity is "
            "what it turns into 0.",
            wrong(cut=zero_for_minus_infinity),
        ),
        Mistake(
            "One too few is kept: the k-th largest itself belongs to the top k.",
            wrong(cut=keeps_too_few),
            also=(wrong(cut=keeps_only_larger_ones),),
        ),
        Mistake("The k smallest are kept.", wrong(cut=keeps_the_smallest)),
        Mistake(RANKS, rank_for_number, also=(rank_where_cut,)),
        Mistake(ALL_EQUAL, wrong(squash=equally_likely)),
        Mistake(
            "What `top_k` leaves is drawn with equal probabilities. The characters keep their old "
            "proportions.",
            wrong(squash=equally_likely_where_cut),
        ),
        Mistake(
            "`rng` is not used, so nobody can repeat the draw: `multinomial(..., generator=rng)`.",
            wrong(draw=lambda p, rng, B: look_up(p, torch.default_generator, B)),
        ),
        Mistake(
            "A seed is set inside, so that every call draws the same. Draw with `rng` as it comes.",
            wrong(draw=lambda p, rng, B: look_up(p, rng.manual_seed(0), B)),
        ),
        Mistake(
            ONE_FOR_ALL,
            wrong(draw=lambda p, rng, B: p[0].multinomial(1, generator=rng).expand(B)),
            also=(wrong(draw=lambda p, rng, B: look_up(p, rng, len(p)).repeat(B // len(p))),),
        ),
        Mistake(
            "The softmax runs over the rows. Each row is a distribution: `softmax(dim=1)`.",
            wrong(squash=lambda logits: logits.softmax(dim=0)),
            also=(over_the_rows,),
        ),
        Mistake(
            "With one row the axis B is gone, as after `squeeze()` or `.item()`. Take `[:, 0]`, or "
            "`squeeze(1)`.",
            wrong(draw=lambda p, rng, B: multinomial(p, rng, B).squeeze()),
        ),
        Mistake(
            "`multinomial` gives a column, (B, 1). Return (B,): one number per row.",
            wrong(draw=multinomial),
        ),
        Mistake(
            "These are log-probabilities. `multinomial` wants probabilities, which are not "
            "negative.",
            wrong(squash=lambda logits: logits.log_softmax(dim=1), draw=multinomial),
        ),
        Mistake(
            "One too many is kept: the k + 1 likeliest come, and only k of them may.",
            wrong(cut=lambda z, k: cut_to(z, k and min(k + 1, z.shape[1]))),
        ),
        Mistake(
            "Where `top_k` is 1, nothing is cut. Then only the likeliest must be left.",
            wrong(cut=lambda logits, top_k: cut_to(logits, None if top_k == 1 else top_k)),
        ),
        Mistake(
            NOT_EVERY_ROW,
            wrong(cut=keeps_above_the_limit(lambda z, k: smallest_allowed(z[:1], k))),
            also=(wrong(cut=keeps_above_the_limit(lambda z, k: smallest_allowed(z, k).max())),),
        ),
        Mistake(
            "The temperature is bounded by 1, from above or from below. Divide by it as it is.",
            at_temperature(lambda temperature, top_k: min(temperature, 1.0)),
            also=(at_temperature(lambda temperature, top_k: max(temperature, 1.0)),),
        ),
        Mistake(
            "The logits are divided by the temperature twice.",
            at_temperature(lambda temperature, top_k: temperature**2),
        ),
        Mistake(
            "The noise that is added to the logits is not Gumbel's, `-log(-log(u))`, so the draws "
            "are not those of the softmax. Take that, or `multinomial`.",
            with_noise(lambda shape, rng: torch.randn(shape, generator=rng)),
            also=(
                with_noise(lambda shape, rng: 1.2825 * torch.randn(shape, generator=rng)),
                with_noise(lambda shape, rng: torch.rand(shape, generator=rng)),
                with_noise(lambda shape, rng: -torch.rand(shape, generator=rng).log()),
                with_noise(lambda shape, rng: (-torch.rand(shape, generator=rng).log()).log()),
            ),
        ),
        Mistake(
            "The logits, made positive, are taken for probabilities: the exponential is missing. "
            "Use `softmax`.",
            made_positive(above_the_smallest, True),
            also=(
                made_positive(above_the_smallest, False),
                made_positive(torch.abs, False),
                made_positive(lambda logits: logits.clamp(min=1e-6), False),
            ),
        ),
        Mistake(
            "`exp` of large logits is infinite for a computer. `softmax` takes the largest of the "
            "row away first, which changes nothing else.",
            wrong(squash=without_softmax, draw=lambda p, rng, B: multinomial(p, rng, B)[:, 0]),
            also=(wrong(squash=without_softmax, draw=chosen_by_numpy),),
        ),
    ),
)
