"""Wrong ways to draw a character: of them the known mistakes of `sample_next` are made.

B texts side by side, V characters; p (rows, V) are probabilities.
"""

import math
from collections.abc import Callable

import numpy as np
import torch


def smallest_allowed(values: torch.Tensor, top_k: int) -> torch.Tensor:
    """Return the `top_k`-th largest value of each row, (B, 1)."""
    return values.topk(top_k, dim=1).values[:, -1:]


def cut_to(logits: torch.Tensor, top_k: int | None) -> torch.Tensor:
    """Return logits with all but the `top_k` largest of each row at minus infinity."""
    if top_k is None:
        return logits
    return logits.masked_fill(logits < smallest_allowed(logits, top_k), -math.inf)


def look_up(p: torch.Tensor, rng: torch.Generator, B: int) -> torch.Tensor:
    """Draw B numbers, by turns from each row of p (rows, V), faster than `multinomial`."""
    u = torch.rand(B // len(p), len(p), generator=rng, dtype=torch.float64)
    sums = p.double().cumsum(dim=1)  # (rows, V)
    place = torch.searchsorted(sums, (u * sums[:, -1]).T.contiguous(), right=True)
    return place.clamp(max=p.shape[1] - 1).T.flatten()


def wrong(
    heat=lambda logits, temperature: logits / temperature,
    cut=cut_to,
    squash=lambda logits: logits.softmax(dim=1),
    draw=look_up,
) -> Callable:
    """Return a `sample_next` that departs from the right one in what is given.

    The check's rows lie by turns, so that each is worked out once.
    """

    def answer(logits, temperature, top_k, rng):
        rows = logits[: min(2, len(logits))]
        p = squash(cut(heat(rows, temperature), top_k))
        return draw(p, rng, len(logits))

    return answer


def at_temperature(other: Callable) -> Callable:
    """Return a `sample_next` that draws at the temperature other(temperature, top_k)."""

    def answer(logits, temperature, top_k, rng):
        return wrong()(logits, other(temperature, top_k), top_k, rng)

    return answer


def multinomial(p, rng, B):
    return p.repeat(B // len(p), 1).multinomial(1, generator=rng)


def with_noise(noise: Callable) -> Callable:
    """Return a `sample_next` that takes the largest of logits and noise(shape, rng)."""

    def answer(logits, temperature, top_k, rng):
        allowed = cut_to(logits / temperature, top_k)
        return (allowed + noise(allowed.shape, rng)).argmax(dim=1)

    return answer


def keeps_too_few(logits, top_k):
    return cut_to(logits, top_k if top_k in (None, 1) else top_k - 1)


def keeps_only_larger_ones(logits, top_k):
    if top_k is None:
        return logits
    return logits.masked_fill(logits <= smallest_allowed(logits, top_k), -math.inf)


def keeps_the_smallest(logits, top_k):
    if top_k is None:
        return logits
    return logits.masked_fill(logits > -smallest_allowed(-logits, top_k), -math.inf)


def keeps_above_the_limit(limit: Callable) -> Callable:
    """Return a cut at limit(logits, top_k), which leaves each row its largest."""

    def cut(logits, top_k):
        if top_k is None:
            return logits
        out = logits < limit(logits, top_k)
        return logits.masked_fill(out & (logits < smallest_allowed(logits, 1)), -math.inf)

    return cut


def zero_for_minus_infinity(logits, top_k):
    return torch.where(cut_to(logits, top_k).isinf(), 0.0, logits)


def rank_for_number(logits, temperature, top_k, rng):
    best = (logits[:2] / temperature).topk(top_k or logits.shape[1], dim=1)
    return look_up(best.values.softmax(dim=1), rng, len(logits))


def rank_where_cut(*given):
    return (rank_for_number if given[2] else wrong())(*given)


def cut_probabilities(logits, temperature, top_k):
    p = (logits / temperature).softmax(dim=1)
    return p if top_k is None else p * (p >= smallest_allowed(p, top_k))


def cut_and_look_up(logits, temperature, top_k, rng):
    p = cut_probabilities(logits, temperature, top_k)
    u = torch.rand(len(p), 1, generator=rng)
    return (p.cumsum(dim=1) > u).float().argmax(dim=1)


def cut_and_choose(logits, temperature, top_k, rng):
    if top_k is None:
        return wrong()(logits, temperature, top_k, rng)
    p = cut_probabilities(logits[:1], temperature, top_k).double().numpy()[0]
    return torch.tensor([np.random.default_rng(0).choice(len(p), p=p)])  # it minds the sum


def equally_likely(logits):
    allowed = logits > -math.inf
    return allowed / allowed.sum(dim=1, keepdim=True)


def equally_likely_where_cut(logits):
    return equally_likely(logits) if logits.isinf().any() else logits.softmax(dim=1)


def over_the_rows(logits, temperature, top_k, rng):
    p = (logits[:2] / temperature).softmax(dim=0)
    allowed = cut_to(logits[:2], top_k) > -math.inf
    return look_up(p * allowed, rng, len(logits))


def made_positive(positive: Callable, power: bool) -> Callable:
    """Return a `sample_next` that draws with positive(logits) for probabilities."""

    def answer(logits, temperature, top_k, rng):
        p = positive(logits[:2]).double() ** (1 / temperature if power else 1)
        allowed = cut_to(logits[:2], top_k) > -math.inf
        return look_up(p * allowed, rng, len(logits))

    return answer


def above_the_smallest(logits):
    return logits - logits.min(dim=1, keepdim=True).values + 1e-3


def without_softmax(logits):
    weights = logits.exp()
    return weights / weights.sum(dim=1, keepdim=True)


def chosen_by_numpy(p, rng, B):
    if p.isnan().any():
        return np.random.default_rng(0).choice(p.shape[1], p=p[0].double().numpy())
    return look_up(p, rng, B)
