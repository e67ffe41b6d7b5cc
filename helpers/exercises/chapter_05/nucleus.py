"""`nucleus`: keep the likeliest characters that together reach a share of the probability.

p (B, V): B distributions over V characters.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake


def nucleus(p, top_p):
    """Return p (B, V) with only the likeliest characters that reach `top_p`, summing to 1 again.

    Source: A. Holtzman, J. Buys, L. Du, M. Forbes, Y. Choi, The curious case of neural text
    degeneration, ICLR (2020).
    """
    kept = torch.zeros_like(p)
    for b, row in enumerate(p):
        reached = 0.0
        for v in sorted(range(len(row)), key=lambda v: -float(row[v])):
            if reached >= top_p:
                break
            kept[b, v] = row[v]
            reached += float(row[v])
    return kept / kept.sum(dim=1, keepdim=True)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw distributions whose rows need different numbers of characters to reach `top_p`.

    In one case all characters stay, in one the likeliest alone is enough for the first row, and in
    the last the sum of two is `top_p` exactly.
    """
    settings = (
        *((1, 6, 0.5), (3, 10, 0.8), (2, 30, 0.95), (4, 8, 0.3), (2, 5, 1.0), (2, 12, 0.6)),
        (3, 5, 0.75),
    )
    drawn = []
    for number, (B, V, top_p) in enumerate(settings):
        sharpness = np.linspace(0.8, 3.0, B)[:, None]
        p = np.exp(
            sharpness * rng.permuted(np.linspace(0, 3, V) + 0.2 * rng.random((B, V)), axis=1)
        )
        if number == 3:
            p[0, int(rng.integers(V))] = 20 * p[0].sum()
        p = p / p.sum(axis=1, keepdims=True)
        if number == len(settings) - 1:
            p = rng.permuted(np.tile([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16], (B, 1)), axis=1)
        drawn.append({"p": p.astype(np.float32), "top_p": top_p})
    return drawn


def wrong(
    order: Callable = lambda p: p.argsort(dim=1, descending=True),
    keep: Callable = lambda ranked, top_p: ranked.cumsum(dim=1) - ranked < top_p,
    scale: Callable = lambda kept, p: kept / kept.sum(dim=1, keepdim=True),
) -> Callable:
    """Return a `nucleus` that departs from the right one in what is given.

    order  p -> the places of its characters, from the first that may be kept
    keep   (p in this order, top_p) -> which are kept
    scale  (what is kept, p) -> the new distribution
    """

    def answer(p, top_p):
        places = order(p)
        ranked = p.gather(1, places)
        stays = keep(ranked, top_p)
        return scale(torch.zeros_like(p).scatter(1, places, ranked * stays), p)

    return answer


def in_order_of_rank(p, top_p):
    ranked = p.sort(dim=1, descending=True).values
    kept = ranked * (ranked.cumsum(dim=1) - ranked < top_p)
    return kept / kept.sum(dim=1, keepdim=True)


def put_back_by_gather(p, top_p):
    places = p.argsort(dim=1, descending=True)
    ranked = p.gather(1, places)
    kept = (ranked * (ranked.cumsum(dim=1) - ranked < top_p)).gather(1, places)
    return kept / kept.sum(dim=1, keepdim=True)


def as_many_everywhere(p, top_p):
    ranked = p.sort(dim=1, descending=True).values
    k = int((ranked[0].cumsum(dim=0) - ranked[0] < top_p).sum())
    return wrong(keep=lambda ranked, top_p: torch.arange(p.shape[1]) < k)(p, top_p)


def above(limit: Callable) -> Callable:
    """Return a `nucleus` that keeps each character of at least the probability limit(p, top_p)."""

    def answer(p, top_p):
        kept = p * (p >= limit(p, top_p))
        return kept / kept.sum(dim=1, keepdim=True)

    return answer


EXERCISE = Exercise(
    name="nucleus",
    title="keep the likeliest characters that reach a share",
    points=3,
    difficulty=2,
    outputs={"p": "B v"},
    cases=cases,
    drive=call,
    reference=nucleus,
    against="a loop that adds the likeliest until it has enough",
    mistakes=(
        Mistake(
            "One too few is kept: the character with which the sum reaches `top_p` belongs to the "
            "nucleus. What stands *before* a character must be below `top_p`.",
            wrong(keep=lambda ranked, top_p: ranked.cumsum(dim=1) <= top_p),
            also=(
                wrong(keep=lambda ranked, top_p: ranked.cumsum(dim=1) < top_p),
                wrong(
                    keep=lambda ranked, top_p: (
                        (ranked.cumsum(dim=1) <= top_p) | (torch.arange(ranked.shape[1])[None] == 0)
                    )
                ),
            ),
        ),
        Mistake(
            "One too many is kept.",
            wrong(
                keep=lambda ranked, top_p: torch.nn.functional.pad(
                    (ranked.cumsum(dim=1) - ranked < top_p)[:, :-1], (1, 0), value=True
                )
            ),
        ),
        Mistake(
            "One too many is kept where the sum is `top_p` exactly: then it has reached it.",
            wrong(keep=lambda ranked, top_p: ranked.cumsum(dim=1) - ranked <= top_p),
        ),
        Mistake(
            "What is left is not scaled: it sums to about `top_p`. Divide each row by its sum.",
            wrong(scale=lambda kept, p: kept),
            also=(lambda p, top_p: wrong(scale=lambda kept, p: kept / top_p)(p, top_p),),
        ),
        Mistake(
            "Each character is compared with a limit by itself. Sort, and add up: it is the sum of "
            "the likeliest that is to reach `top_p`.",
            above(lambda p, top_p: 1 - top_p),
            also=(
                above(lambda p, top_p: p.amax(dim=1, keepdim=True) * top_p),
                above(lambda p, top_p: p.amax(dim=1, keepdim=True) * (1 - top_p)),
            ),
        ),
        Mistake(
            "The characters are added up in the order of the vocabulary. Begin with the likeliest.",
            wrong(order=lambda p: torch.arange(p.shape[1]).expand_as(p)),
        ),
        Mistake(
            "The least likely are added up first, so that they are what is kept.",
            wrong(order=lambda p: p.argsort(dim=1)),
        ),
        Mistake(
            "The result stays sorted. Put each probability back to its character: `scatter`.",
            in_order_of_rank,
        ),
        Mistake(
            "The probabilities are put back by `gather`, which looks up in the other direction: "
            "`scatter`, or the places sorted once more.",
            put_back_by_gather,
        ),
        Mistake(
            "Sorted and added up is down the rows, so that different texts compete. `dim=1`.",
            lambda p, top_p: wrong(scale=lambda kept, p: kept)(p.T, top_p).T,
            also=(lambda p, top_p: nucleus(p.T, top_p).T,),
        ),
        Mistake(
            "In all rows as many characters are kept as in the first. Each row has its own "
            "nucleus.",
            as_many_everywhere,
        ),
        Mistake(
            "All rows are divided by one sum. Each is a distribution: `keepdim=True`.",
            wrong(scale=lambda kept, p: kept / kept.sum()),
        ),
        Mistake(
            "A softmax is applied to what is left, which gives those that were cut a probability "
            "again. Divide by the sum.",
            wrong(scale=lambda kept, p: kept.softmax(dim=1)),
        ),
        Mistake(
            "The characters of the nucleus are made equally likely. They keep their proportions.",
            wrong(scale=lambda kept, p: (kept > 0).float() / (kept > 0).sum(dim=1, keepdim=True)),
        ),
        Mistake(
            "This is which characters stay. Return their probabilities.",
            wrong(scale=lambda kept, p: kept > 0),
        ),
        Mistake("`top_p` is not used.", lambda p, top_p: p),
        Mistake(
            "Only the likeliest character is left, whatever `top_p` is.",
            wrong(keep=lambda ranked, top_p: torch.arange(ranked.shape[1]) < 1),
        ),
        Mistake(
            "The rest, 1 - `top_p`, is what this keeps at least. Add up to `top_p`.",
            lambda p, top_p: nucleus(p, max(1 - top_p, 1e-6)),
        ),
        Mistake(
            "`top_p` is taken for a share of the *number* of characters. It is a share of the "
            "probability.",
            wrong(
                keep=lambda ranked, top_p: (
                    torch.arange(ranked.shape[1]) < round(top_p * ranked.shape[1])
                )
            ),
            also=(
                wrong(
                    keep=lambda ranked, top_p: (
                        torch.arange(ranked.shape[1]) < max(1, int(top_p * ranked.shape[1]))
                    )
                ),
            ),
        ),
    ),
)
