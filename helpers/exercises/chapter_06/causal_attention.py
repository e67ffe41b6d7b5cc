"""`causal_attention`: every step looks back at all steps up to itself, equation 6.2.

q, k, v (B, T, D) have num_heads heads, D / num_heads numbers each, one after the other.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_06 import call_attention
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def causal_attention(q, k, v, num_heads):
    """Return outputs (B, T, D) by PyTorch's `scaled_dot_product_attention`."""
    q, k, v = (each.unflatten(2, (num_heads, -1)).transpose(1, 2) for each in (q, k, v))
    outputs = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # (B, heads, T, D / heads)
    return outputs.transpose(1, 2).flatten(2)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw queries that are large enough for the softmax to choose; once there is one head.

    One case has whole numbers, so that some scores are exactly 0; in the last one what comes late
    has scores greater by 120.
    """
    settings = ((2, 7, 8, 2), (1, 5, 6, 1), (3, 4, 12, 4), (2, 1, 4, 2), (2, 9, 6, 3))
    drawn: list[Case] = [
        {
            "q": 2 * normal(rng, B, T, D),
            "k": normal(rng, B, T, D),
            "v": normal(rng, B, T, D),
            "num_heads": heads,
        }
        for B, T, D, heads in settings
    ]
    drawn[2] |= {name: drawn[2][name].round() for name in "qk"}
    late: Case = {"q": np.ones_like(drawn[0]["q"]), "k": drawn[0]["k"] / 8, "num_heads": 2}
    late["k"] += np.where(np.arange(7) < 4, -30.0, 30.0).astype("float32")[:, None]
    return [*drawn, drawn[0] | late]


def split(x: torch.Tensor, heads: int) -> torch.Tensor:
    """Return (B, heads, T, D / heads)."""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def joined(x: torch.Tensor, heads: int) -> torch.Tensor:
    """Return (B, T, D) of (B, heads, T, D / heads)."""
    return x.transpose(1, 2).flatten(2)


def future(T: int) -> torch.Tensor:
    """Return (T, T), True where a step would look ahead."""
    return torch.ones(T, T, dtype=torch.bool).triu(1)


def wrong(
    split: Callable = split,
    scale: Callable = lambda d, D, T: math.sqrt(d),
    mask: Callable = lambda scores: scores.masked_fill(future(scores.shape[-1]), -math.inf),
    weights: Callable = lambda scores: scores.softmax(dim=-1),
    look: Callable = lambda weights, v: weights @ v,
    joined: Callable = joined,
) -> Callable:
    """Return a `causal_attention` that departs from the right one in what is given."""

    def answer(q, k, v, num_heads):
        d, D, T = q.shape[2] // num_heads, q.shape[2], q.shape[1]
        q, k, v = (split(each, num_heads) for each in (q, k, v))
        scores = mask(q @ k.transpose(-2, -1) / scale(d, D, T))
        return joined(look(weights(scores), v), num_heads)

    return answer


def by_view(x: torch.Tensor, heads: int) -> torch.Tensor:
    """Read (B, T, D) as if the heads came before the steps."""
    B, T, D = x.shape
    return x.reshape(B, heads, T, D // heads)


def interleaved(x: torch.Tensor, heads: int) -> torch.Tensor:
    """Take every heads-th number for a head."""
    return x.unflatten(2, (-1, heads)).permute(0, 3, 1, 2)


def cut_and_divided(scores: torch.Tensor) -> torch.Tensor:
    """Return weights whose future is cut off after the softmax, and that sum to 1 again."""
    weights = scores.softmax(dim=-1).tril()
    return weights / weights.sum(dim=-1, keepdim=True)


def all_but_the_first(scores: torch.Tensor) -> torch.Tensor:
    """Mask the diagonal as well, where that leaves something."""
    hidden = torch.ones_like(scores).triu(0).bool()
    hidden[..., 0, 0] = False
    return scores.masked_fill(hidden, -math.inf)


def ahead_of(scores: torch.Tensor) -> torch.Tensor:
    return future(scores.shape[-1])


EXERCISE = Exercise(
    name="causal_attention",
    title="look back at everything, with several heads",
    points=4,
    difficulty=2,
    outputs={"outputs": "B T d", "learns": ""},
    cases=cases,
    drive=call_attention,
    reference=causal_attention,
    against="`F.scaled_dot_product_attention`",
    by_hand=frozenset({"scaled_dot_product_attention", "multi_head_attention_forward"}),
    mistakes=(
        Mistake(
            "The scores are not scaled. Divide them by the root of the numbers in a head.",
            wrong(scale=lambda d, D, T: 1.0),
        ),
        Mistake(
            "The scores are divided by the number of numbers in a head. It is its root.",
            wrong(scale=lambda d, D, T: d),
        ),
        Mistake(
            "The scores are divided by the root of D. A head has only D / num_heads numbers, and "
            "its own score is a sum of so many.",
            wrong(scale=lambda d, D, T: math.sqrt(D)),
            also=(wrong(scale=lambda d, D, T: D),),
        ),
        Mistake(
            "The scores are divided by the root of T. Only the numbers in a head count.",
            wrong(scale=lambda d, D, T: math.sqrt(T)),
        ),
        Mistake(
            "The scores are multiplied by the root. Divide: a sum of d products grows with it.",
            wrong(scale=lambda d, D, T: 1 / math.sqrt(d)),
        ),
        Mistake(
            "There is no mask: a step looks ahead.",
            wrong(mask=lambda scores: scores),
        ),
        Mistake(
            "The mask is the wrong way round: a step sees itself and the future, not the past.",
            wrong(
                mask=lambda s: s.masked_fill(torch.ones_like(s).tril(-1).bool(), -math.inf),
            ),
        ),
        Mistake(
            "The diagonal is masked, too. A step may look at itself.",
            wrong(mask=lambda s: s.masked_fill(torch.ones_like(s).triu(0).bool(), -math.inf)),
            also=(
                wrong(mask=lambda s: s.masked_fill(torch.ones_like(s).triu(0).bool(), -1e9)),
                wrong(mask=all_but_the_first),
            ),
        ),
        Mistake(
            "One step of the future is left in the mask.",
            wrong(mask=lambda s: s.masked_fill(torch.ones_like(s).triu(2).bool(), -math.inf)),
        ),
        Mistake(
            "Scores of exactly 0 are taken for masked ones. Query and key may be at right angles.",
            wrong(mask=lambda s: s.tril().masked_fill(s.tril() == 0, -math.inf).clamp(min=-1e30)),
            also=(wrong(mask=lambda s: s.tril().masked_fill(s.tril() == 0, -math.inf)),),
        ),
        Mistake(
            "Steps ahead have a low score and a small weight, which is not none: minus infinity.",
            wrong(mask=lambda s: s.masked_fill(ahead_of(s), -10.0)),
        ),
        Mistake(
            "The softmax comes first, then the mask, then a division by what is left: where a "
            "later score is much greater, nothing is left, and 0 / 0 is nan. Mask the scores.",
            wrong(mask=lambda s: s, weights=cut_and_divided),
        ),
        Mistake(
            "The weights are cut from the graph, so queries and keys cannot learn.",
            wrong(weights=lambda s: s.softmax(dim=-1).detach()),
        ),
        Mistake(
            "Masked scores are 0. The softmax turns 0 into something; minus infinity is what it "
            "turns into 0.",
            wrong(mask=lambda s: s.masked_fill(ahead_of(s), 0.0)),
            also=(wrong(mask=lambda s: s.tril()),),
        ),
        Mistake(
            "The mask comes after the softmax, so that what is left does not sum to 1.",
            wrong(mask=lambda s: s, weights=lambda s: s.softmax(dim=-1).tril()),
        ),
        Mistake(
            "The softmax runs over the queries. Each query's weights over the keys sum to 1: the "
            "last axis.",
            wrong(weights=lambda s: s.softmax(dim=-2)),
        ),
        Mistake(
            "The softmax runs over the heads. Each head has weights of its own.",
            wrong(weights=lambda s: s.softmax(dim=1).nan_to_num()),
        ),
        Mistake(
            "The weights are transposed: each value is sent where it looks from.",
            wrong(look=lambda w, v: w.transpose(-2, -1) @ v),
        ),
        Mistake(
            "The heads are mixed with the steps: a `view` or `reshape` does not move axes. Split "
            "D first, then transpose.",
            wrong(split=by_view),
            also=(
                wrong(joined=lambda x, heads: x.reshape(x.shape[0], x.shape[2], -1)),
                wrong(split=by_view, joined=lambda x, heads: x.reshape(len(x), x.shape[2], -1)),
            ),
        ),
        Mistake(
            "A head is made of every so-many-th number. It is D / num_heads numbers in a row.",
            wrong(
                split=interleaved,
                joined=lambda x, heads: x.permute(0, 2, 3, 1).flatten(2),
            ),
        ),
        Mistake(
            "There is one head, whatever `num_heads` is.",
            lambda q, k, v, num_heads: wrong()(q, k, v, 1),
        ),
        Mistake(
            "Queries and keys are exchanged: step t asks with its query, and the others answer "
            "with their keys.",
            lambda q, k, v, num_heads: wrong()(k, q, v, num_heads),
        ),
        Mistake(
            "There is no softmax: the weights are the scores themselves.",
            wrong(mask=lambda s: s.tril(), weights=lambda s: s),
        ),
        Mistake(
            "The weights come back, not what they are the weights of.",
            wrong(look=lambda w, v: w, joined=lambda x, heads: x),
        ),
    ),
)
