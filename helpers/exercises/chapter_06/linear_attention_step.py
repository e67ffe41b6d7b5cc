"""`linear_attention_step`: attention without the softmax, one step at a time, section 6.7.

S (B, V, K) is the state; q_t, k_t (B, K), v_t (B, V).
"""

import numpy as np
import torch
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_06 import call_with_a_state
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def linear_attention_step(S, q_t, k_t, v_t):
    """Return the output (B, V) and the new state: S and v k summed, and looked up by q.

    Source: A. Katharopoulos et al., Transformers are RNNs, ICML (2020).
    """
    S = S + torch.einsum("bv,bk->bvk", v_t, k_t)
    return torch.einsum("bvk,bk->bv", S, q_t), S


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw sequences whose keys and values have different sizes, and states, one of them large."""
    return [
        {
            "S": size * normal(rng, B, V, K),
            "q": normal(rng, B, T, K),
            "k": normal(rng, B, T, K),
            "v": normal(rng, B, T, V),
        }
        for size, B, T, V, K in ((1, 2, 5, 4, 3), (100, 1, 6, 2, 5), (1, 3, 3, 3, 3))
    ]


def outer(v: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    """Return (B, V, K), the products of all values with all keys."""
    return v[:, :, None] * k[:, None, :]


def looked_up(S: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Return (B, V), what a state says to a query."""
    return (S @ q[:, :, None])[..., 0]


def transposed(S, q_t, k_t, v_t):
    new = S.transpose(1, 2) + outer(k_t, v_t)  # (B, K, V)
    return looked_up(new.transpose(1, 2), q_t), new


EXERCISE = Exercise(
    name="linear_attention_step",
    title="attention whose past is one matrix",
    points=2,
    difficulty=2,
    outputs={"outputs": "B T v", "S": "B v k", "once more": "B v"},
    cases=cases,
    drive=call_with_a_state,
    reference=linear_attention_step,
    against="the whole past, written into one matrix by `torch.einsum`,",
    mistakes=(
        Mistake(
            "The output is read before the step's own pair is written. It belongs to the past "
            "that a step sees.",
            lambda S, q, k, v: (looked_up(S, q), S + outer(v, k)),
        ),
        Mistake(
            "The state is transposed: values are its rows, keys its columns, so that S q is a "
            "value.",
            transposed,
            also=(lambda S, q, k, v: linear_attention_step(S, q, v, k),),
        ),
        Mistake(
            "The old state is forgotten. What comes is added to it.",
            lambda S, q, k, v: (looked_up(outer(v, k), q), outer(v, k)),
        ),
        Mistake(
            "The state never changes. Write the step's pair into it.",
            lambda S, q, k, v: (looked_up(S, q), S),
        ),
        Mistake(
            "The query is written in place of the key.",
            lambda S, q, k, v: (looked_up(S + outer(v, q), q), S + outer(v, q)),
        ),
        Mistake(
            "The state is looked up by the key. It is the query that asks.",
            lambda S, q, k, v: (looked_up(S + outer(v, k), k), S + outer(v, k)),
        ),
        Mistake(
            "A softmax is applied to the query, or to the key. Without one it is that the past "
            "fits into one matrix.",
            lambda S, q, k, v: linear_attention_step(S, q.softmax(dim=1), k, v),
            also=(
                lambda S, q, k, v: linear_attention_step(S, q, k.softmax(dim=1), v),
                lambda S, q, k, v: linear_attention_step(S, q.softmax(dim=1), k.softmax(dim=1), v),
            ),
        ),
        Mistake(
            "The output is divided by the root of the key's size. Nothing is scaled here.",
            lambda S, q, k, v: linear_attention_step(S, q / k.shape[1] ** 0.5, k, v),
        ),
        Mistake(
            "The state is changed where it stands, so that nobody can go on from it twice. Make a "
            "new one.",
            lambda S, q, k, v: (looked_up(S.add_(outer(v, k)), q), S),
        ),
        Mistake(
            "Products are summed over the batch. Each sequence has a state of its own.",
            lambda S, q, k, v: (
                looked_up(S + outer(v, k).sum(dim=0), q),
                S + outer(v, k).sum(dim=0),
            ),
        ),
        Mistake(
            "The key is brought to length 1. The rule takes it as it comes.",
            lambda S, q, k, v: linear_attention_step(S, q, F.normalize(k, dim=1), v),
            also=(
                lambda S, q, k, v: linear_attention_step(
                    S, F.normalize(q, dim=1), F.normalize(k, dim=1), v
                ),
            ),
        ),
        Mistake(
            "The two come back in the wrong order: the output, then the state.",
            lambda S, q, k, v: linear_attention_step(S, q, k, v)[::-1],
        ),
        Mistake(
            "The pair is taken away from the state. It is added.",
            lambda S, q, k, v: (looked_up(S - outer(v, k), q), S - outer(v, k)),
        ),
    ),
)
