"""`attention_step`: one step of attention, with what earlier steps have left, section 6.3.

q_t, k_t, v_t (B, D) with num_heads heads; the cache is the answer's own, None at the beginning.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_06 import call_attention_step
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def attention_step(q_t, k_t, v_t, cache, num_heads):
    """Return the output (B, D) and keys and values (B, heads, t, D / heads) up to here."""
    q, k, v = (each.unflatten(1, (num_heads, 1, -1)) for each in (q_t, k_t, v_t))
    if cache is not None:
        k, v = (torch.cat(pair, dim=2) for pair in zip(cache, (k, v), strict=True))
    return F.scaled_dot_product_attention(q, k, v).flatten(1), (k, v)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw sequences that are read step by step; once there is one head, once they are long.

    In the long one the first value is large, so that it shows when it is no longer looked at.
    """
    settings = ((2, 6, 8, 2), (1, 5, 6, 1), (3, 4, 12, 4), (2, 7, 6, 3), (1, 150, 2, 1))
    drawn: list[Case] = [
        {
            "q": 2 * normal(rng, B, T, D),
            "k": normal(rng, B, T, D),
            "v": normal(rng, B, T, D),
            "num_heads": heads,
        }
        for B, T, D, heads in settings
    ]
    drawn[-1]["v"][:, 0] = 1000.0
    return drawn


def wrong(
    kept: Callable = lambda old, new: new if old is None else torch.cat([old, new], dim=2),
    scale: Callable = lambda d, D: math.sqrt(d),
    back: Callable = lambda k, v: (k, v),
    split: Callable = lambda x, heads: x.unflatten(1, (heads, 1, -1)),
    seen: Callable = lambda scores: scores,
) -> Callable:
    """Return an `attention_step` that departs from the right one in what is given."""

    def answer(q_t, k_t, v_t, cache, num_heads):
        q, k, v = (split(each, num_heads) for each in (q_t, k_t, v_t))
        old = (None, None) if cache is None else cache
        k, v = kept(old[0], k), kept(old[1], v)
        scores = q @ k.transpose(-2, -1) / scale(q.shape[-1], q_t.shape[1])
        weights = seen(scores).softmax(dim=-1)
        return (weights @ v[:, :, : weights.shape[-1]]).flatten(1), back(k, v)

    return answer


def in_place(q_t, k_t, v_t, cache, num_heads):
    """Change the cache where it stands."""
    cache = [] if cache is None else cache
    cache.append((k_t, v_t))
    k, v = (torch.stack(each, dim=1) for each in zip(*cache, strict=True))
    q, k, v = (each.unflatten(2, (num_heads, -1)).transpose(1, 2) for each in (q_t[:, None], k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(1), cache


def in_a_buffer(q_t, k_t, v_t, cache, num_heads):
    """Write into spare room that all caches share."""
    t, keys, values = cache or (0, *torch.zeros(2, len(q_t), 512, q_t.shape[1]))
    keys[:, t], values[:, t] = k_t, v_t
    at = (x[:, : t + 1].unflatten(2, (num_heads, -1)).transpose(1, 2) for x in (keys, values))
    q = q_t.unflatten(1, (num_heads, 1, -1))
    return F.scaled_dot_product_attention(q, *at).flatten(1), (t + 1, keys, values)


def without_itself(q_t, k_t, v_t, cache, num_heads):
    new = attention_step(q_t, k_t, v_t, cache, num_heads)[1]
    if cache is None:
        return torch.zeros_like(v_t), new
    q = q_t.unflatten(1, (num_heads, 1, -1))
    return F.scaled_dot_product_attention(q, *cache).flatten(1), new


def in_other_heads(q_t, k_t, v_t, cache, num_heads):
    """Take every num_heads-th number for a head."""
    q, k, v = (x.unflatten(1, (-1, num_heads)).transpose(1, 2).flatten(1) for x in (q_t, k_t, v_t))
    output, cache = attention_step(q, k, v, cache, num_heads)
    return output.unflatten(1, (num_heads, -1)).transpose(1, 2).flatten(1), cache


EXERCISE = Exercise(
    name="attention_step",
    title="attention, one step at a time",
    points=3,
    difficulty=2,
    outputs={"outputs": "B T d", "once more": "B d"},
    cases=cases,
    drive=call_attention_step,
    reference=attention_step,
    against="`F.scaled_dot_product_attention` with what was read so far",
    by_hand=frozenset({"multi_head_attention_forward"}),
    mistakes=(
        Mistake(
            "Nothing is kept: each step sees itself only. Hand back a cache that has grown.",
            wrong(kept=lambda old, new: new),
            also=(lambda q_t, k_t, v_t, cache, num_heads: (v_t, cache),),
        ),
        Mistake(
            "A step does not see itself. Its own key and value belong to what it looks at.",
            without_itself,
        ),
        Mistake(
            "The newest key is put before the others, and the newest value behind them, or the "
            "other way round: they no longer belong together.",
            wrong(back=lambda k, v: (torch.cat([k[:, :, -1:], k[:, :, :-1]], dim=2), v)),
        ),
        Mistake(
            "Only the last few steps are kept. Attention forgets nothing.",
            wrong(back=lambda k, v: (k[:, :, -2:], v[:, :, -2:])),
            also=(
                wrong(back=lambda k, v: (k[:, :, -1:], v[:, :, -1:])),
                wrong(back=lambda k, v: (k[:, :, -3:], v[:, :, -3:])),
                *(
                    wrong(back=lambda k, v, n=n: (k[:, :, -n:], v[:, :, -n:]))
                    for n in (32, 64, 128, 139)
                ),
            ),
        ),
        Mistake(
            "The first step comes into the cache twice, and has double the weight later.",
            wrong(kept=lambda old, new: torch.cat([new if old is None else old, new], dim=2)),
        ),
        Mistake(
            "The only query sees the first key and no other: `is_causal=True` takes it for the "
            "first step. A single query needs no mask, since nothing ahead of it is kept.",
            wrong(seen=lambda scores: scores[..., :1]),
        ),
        Mistake(
            "Steps are put together along the axis of the batch or of the heads. Give them an axis "
            "of their own.",
            wrong(kept=lambda old, new: new if old is None else torch.cat([old, new], dim=0)),
            also=(wrong(kept=lambda old, new: new if old is None else old + new),),
        ),
        Mistake(
            "Only the first step is kept.",
            wrong(back=lambda k, v: (k[:, :, :1], v[:, :, :1])),
        ),
        Mistake(
            "The cache is changed where it stands, so the same one cannot be gone on from twice. "
            "Make a longer one: `torch.cat`.",
            in_place,
            also=(in_a_buffer,),
        ),
        Mistake(
            "The cache keeps keys and values in the wrong order: values are compared, and keys are "
            "handed out.",
            wrong(back=lambda k, v: (v, k)),
        ),
        Mistake(
            "The scores are not scaled by the root of the numbers in a head.",
            wrong(scale=lambda d, D: 1.0),
            also=(wrong(scale=lambda d, D: math.sqrt(D)), wrong(scale=lambda d, D: d)),
        ),
        Mistake(
            "There is one head, whatever `num_heads` is.",
            lambda q_t, k_t, v_t, cache, num_heads: wrong()(q_t, k_t, v_t, cache, 1),
        ),
        Mistake(
            "A head is made of every so-many-th number. It is D / num_heads numbers in a row.",
            in_other_heads,
        ),
    ),
)
