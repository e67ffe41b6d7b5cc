"""`sample_next`: draw the next character from its logits, equation 5.4.

B texts side by side, V characters; p (B, V) are probabilities.
"""

import math
from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import DRAWS, call_sample_next
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.equality import equal_counts
from helpers.exercises.shared import new_seed


def sample_next(logits, temperature, top_k, rng):
    """Return numbers, int64 (B,), drawn by equation 5.4 from the `top_k` likeliest of each row.

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
        (15, 0.8, 4, 0),
        (30, 1.5, 10, 0),
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


ABOUT_RNG = {
    "the same seed draws the same": "The same seed draws differently: hand `rng` to what draws, "
    "`generator=rng`.",
    "a second draw differs": "A second draw with the same `rng` gives the same characters. Let "
    "`rng` move on: do not set its seed.",
}


def measure(case: Case, returned: Arrays) -> Arrays:
    """Return how often each row gave each character, and what the seed did to that."""
    first, second, again = returned.values()
    facts = np.array_equal(first, again), not np.array_equal(first, second)
    rows, V = case["logits"].shape
    of_rows = np.concatenate([first, second]).reshape(-1, rows).T  # (rows, draws)
    return {
        "counts": np.concatenate([np.bincount(drawn, minlength=V) for drawn in of_rows]),
        **{name: np.array(float(fact)) for name, fact in zip(ABOUT_RNG, facts, strict=True)},
    }


def explain(got: Arrays, expected: Arrays) -> str:
    """Return what is wrong with the use of `rng`, or which count is furthest off."""
    name = next(n for n in expected if not equal_counts(got[n], expected[n], 0.0))
    if name in ABOUT_RNG:
        return ABOUT_RNG[name]
    mine, right = got[name], expected[name]
    worst = int(np.argmax(np.abs(mine - right)))
    row, number = divmod(worst, len(right) // 2)
    return (
        f"Of {right.sum() // 2} draws from row {row}, number {number} came {mine[worst]} times; "
        f"expected about {right[worst]}."
    )


def smallest_allowed(values: torch.Tensor, top_k: int) -> torch.Tensor:
    """Return the `top_k`-th largest value of each row, (B, 1)."""
    return values.topk(top_k, dim=1).values[:, -1:]


def cut_to(logits: torch.Tensor, top_k: int | None) -> torch.Tensor:
    """Return logits with all but the `top_k` largest of each row at minus infinity."""
    if top_k is None:
        return logits
    return logits.masked_fill(logits < smallest_allowed(logits, top_k), -math.inf)


def wrong(
    heat=lambda logits, temperature: logits / temperature,
    cut=cut_to,
    squash=lambda logits: logits.softmax(dim=1),
    draw=lambda p, rng: p.multinomial(1, generator=rng)[:, 0],
) -> Callable:
    """Return a `sample_next` that departs from the right one in what is given."""

    def answer(logits, temperature, top_k, rng):
        allowed = cut(heat(logits, temperature), top_k)
        return draw(squash(allowed), rng)

    return answer


def keeps_too_few(logits, top_k):
    return cut_to(logits, top_k if top_k in (None, 1) else top_k - 1)


def keeps_only_larger_ones(logits, top_k):
    if top_k is None:
        return logits
    return logits.masked_fill(logits <= smallest_allowed(logits, top_k), -math.inf)


def keeps_the_smallest(logits, top_k):
    return logits if top_k is None else -cut_to(-logits, top_k)


def zero_for_minus_infinity(logits, top_k):
    return torch.where(cut_to(logits, top_k).isinf(), 0.0, logits)


def rank_for_number(logits, temperature, top_k, rng):
    best = (logits / temperature).topk(top_k or logits.shape[1], dim=1)
    return best.values.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


def cut_probabilities(logits, temperature, top_k):
    p = (logits / temperature).softmax(dim=1)
    return p if top_k is None else p * (p >= smallest_allowed(p, top_k))


def cut_and_look_up(logits, temperature, top_k, rng):
    p = cut_probabilities(logits, temperature, top_k)
    u = torch.rand(len(p), 1, generator=rng)
    return (p.cumsum(dim=1) > u).float().argmax(dim=1)


def cut_and_choose(logits, temperature, top_k, rng):
    rows = cut_probabilities(logits, temperature, top_k).double().numpy()
    if top_k is None:
        rows = rows / rows.sum(axis=1, keepdims=True)  # `choice` minds float32's rounding
    random = np.random.default_rng(int(torch.randint(2**31, (), generator=rng)))
    return torch.tensor([random.choice(len(row), p=row) for row in rows])


def equally_likely(logits):
    allowed = logits > -math.inf
    return allowed / allowed.sum(dim=1, keepdim=True)


EXERCISE = Exercise(
    name="sample_next",
    title="draw the next character",
    points=3,
    outputs={"counts": "v", **dict.fromkeys(ABOUT_RNG, "")},
    cases=cases,
    drive=call_sample_next,
    returned=("first", "second", "again"),
    measure=measure,
    reference=sample_next,
    against=f"the distribution of equation 5.4 in {2 * DRAWS} draws per case (a right answer fails "
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
            "The temperature has no effect. Divide the logits by it, before the softmax: dividing "
            "probabilities changes nothing, since they are scaled to sum to 1 again.",
            wrong(heat=lambda logits, temperature: logits),
        ),
        Mistake(
            "The softmax is applied twice, which makes everything nearly equally likely.",
            wrong(squash=lambda logits: logits.softmax(dim=1).softmax(dim=1)),
        ),
        Mistake(
            "This always takes the likeliest character. Draw.",
            lambda logits, temperature, top_k, rng: logits.argmax(dim=1),
        ),
        Mistake("`top_k` is not used.", wrong(cut=lambda logits, top_k: logits)),
        Mistake(
            "After the cut the probabilities no longer sum to 1, and what is missing goes to one "
            "character. Set the other logits to minus infinity *before* the softmax.",
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
        Mistake(
            "This returns the rank among the top k, not the number in the vocabulary. `topk` gives "
            "the numbers, too: `indices`.",
            rank_for_number,
        ),
        Mistake(
            "All allowed characters are equally likely. Draw with the softmax's probabilities.",
            wrong(squash=equally_likely),
        ),
        Mistake(
            "`rng` is not used, so nobody can repeat the draw: `multinomial(..., generator=rng)`.",
            wrong(draw=lambda p, rng: p.multinomial(1)[:, 0]),
        ),
        Mistake(
            "`rng` is set to a seed inside, so that every call draws the same.",
            wrong(draw=lambda p, rng: p.multinomial(1, generator=rng.manual_seed(0))[:, 0]),
        ),
        Mistake(
            "One draw serves all rows. Each row is a text of its own.",
            wrong(draw=lambda p, rng: p[0].multinomial(1, generator=rng).expand(len(p))),
        ),
        Mistake(
            "The softmax runs over the rows. Each row is a distribution: `softmax(dim=1)`.",
            wrong(squash=lambda logits: logits.softmax(dim=0)),
        ),
        Mistake(
            "With one row the axis B is gone: `squeeze()` drops every axis of size 1. Take "
            "`[:, 0]`, or `squeeze(1)`.",
            wrong(draw=lambda p, rng: p.multinomial(1, generator=rng).squeeze()),
        ),
        Mistake(
            "`multinomial` gives a column, (B, 1). Return (B,): one number per row.",
            wrong(draw=lambda p, rng: p.multinomial(1, generator=rng)),
        ),
        Mistake(
            "These are log-probabilities. `multinomial` wants probabilities, which are not "
            "negative.",
            wrong(squash=lambda logits: logits.log_softmax(dim=1)),
        ),
    ),
)
