"""`remember_first`: a plain network that recalls its first token after 60 steps, section 1.8.

n sequences, T time steps, H hidden size. An answer's weights are taken out of its model and used
here, so that nothing but a plain recurrent network can answer.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case
from helpers.calling.chapter_01 import KINDS, MOST_UNITS, OF_A_PLAIN_RNN, call_remember_first
from helpers.exercises.contract import Arrays, Exercise, Mistake

T, N = 60, 1000
TO_PASS = 0.95
BANDS = {  # share of right answers -> the share of the points; guessing is right in 0.2
    0.0: 0.0,
    0.3: 0.25,
    0.6: 0.5,
    0.85: 0.75,
}


class PlainRNN(nn.Module):
    """A plain recurrent network with a linear layer on its last state."""

    def __init__(self, units: int):
        super().__init__()
        self.rnn = nn.RNN(KINDS, units, batch_first=True)
        self.fc = nn.Linear(units, KINDS)


def remember_first(seed):
    """Return a model (n, T, 5) -> (n, 5) that was never trained: one unit holds on to each kind.

    From 0 the first token decides where a unit goes; from there its own weight, 16, is more than
    any token, 8 at most, can turn over.
    """
    model = PlainRNN(KINDS)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.rnn.weight_ih_l0.copy_(8 * torch.eye(KINDS))
        model.rnn.weight_hh_l0.copy_(16 * torch.eye(KINDS))
        model.rnn.bias_ih_l0.fill_(-4)
        model.fc.weight.copy_(torch.eye(KINDS))
    return model


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw a seed and sequences of tokens, as their numbers, twice: one lucky run is no method."""
    seeds = rng.permutation(100)[:2].tolist()
    return [{"seed": seed, "tokens": rng.integers(0, KINDS, (N, T))} for seed in seeds]


def told_by(case: Case, weights: Arrays) -> Arrays:
    """Return the token that a network with these weights tells for each sequence, or -1."""
    W_x, W_h, b, V, c = (weights[name].astype(float) for name in OF_A_PLAIN_RNN)
    H, tokens = b.size, case["tokens"]
    shapes = [(H, KINDS), (H, H), (H,), (KINDS, H), (KINDS,)]
    if H > MOST_UNITS or [w.shape for w in (W_x, W_h, b, V, c)] != shapes:
        return {"told": np.full(len(tokens), -1)}
    h = np.zeros((len(tokens), H))
    with np.errstate(all="ignore"):
        for token in tokens.T:
            h = np.tanh(W_x.T[token] + h @ W_h.T + b)  # (n, H)
        scores = h @ V.T + c  # (n, KINDS)
    return {"told": np.where(np.isfinite(scores).all(axis=1), scores.argmax(axis=1), -1)}


def right_share(got: np.ndarray, expected: np.ndarray) -> float:
    """Return the share of sequences for which what is told is what is expected."""
    return float((got == expected).mean()) if got.shape == expected.shape else 0.0


def equal_told(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Return whether as many agree as it takes to pass."""
    return right_share(got, expected) >= TO_PASS


def explain_band(got: Arrays, expected: Arrays) -> str:
    """Return the share of right answers, and the bar."""
    right = right_share(got["told"], expected["told"])
    points = share_of_band(got, expected) * EXERCISE.points
    return (
        f"It tells the first token of {right:.2f} of {N} fresh sequences of length {T}. Guessing "
        f"gets 0.20, and {TO_PASS} passes; this earns {points:.0f} of {EXERCISE.points} points. "
        "Of two seeds the worse one counts."
    )


def share_of_band(got: Arrays, expected: Arrays) -> float:
    """Return the part of the points that a wrong answer earns."""
    right = right_share(got["told"], expected["told"])
    return max(share for least, share in BANDS.items() if right >= least)


def wrong(own: float = 16.0, fc: Callable = lambda V: V, bias: int | None = None) -> Callable:
    """Return a `remember_first` made of the reference, with other weights.

    own    what a unit's own weight is
    fc     changes the matrix from units to answers
    bias   a kind that is told whatever comes
    """

    def answer(seed):
        model = remember_first(seed)
        with torch.no_grad():
            model.rnn.weight_hh_l0.copy_(own * torch.eye(KINDS))
            model.fc.weight.copy_(fc(torch.eye(KINDS)))
            if bias is not None:
                model.fc.bias[bias] = 10.0
        return model

    return answer


def last_but_one(seed):
    model = PlainRNN(2 * KINDS)
    unit, nothing = torch.eye(KINDS), torch.zeros(KINDS, KINDS)
    with torch.no_grad():
        model.rnn.weight_ih_l0.copy_(torch.cat([unit, nothing]))
        model.rnn.weight_hh_l0.copy_(torch.cat([0 * torch.eye(5, 10), torch.eye(5, 10)]))
        model.rnn.bias_ih_l0.zero_()
        model.rnn.bias_hh_l0.zero_()
        model.fc.weight.copy_(torch.cat([nothing, unit], dim=1))
        model.fc.bias.zero_()
    return model


EXERCISE = Exercise(
    name="remember_first",
    title="a plain network that recalls over sixty steps",
    points=4,
    difficulty=3,
    outputs={"told": "n"},
    cases=cases,
    drive=call_remember_first,
    returned=OF_A_PLAIN_RNN,
    measure=told_by,
    reference=remember_first,
    against=f"the first tokens, in at least {TO_PASS} of {N} sequences",
    equal=equal_told,
    explain=explain_band,
    share=share_of_band,
    mistakes=(
        Mistake(
            "It tells the last token: nothing of the past is in its state.",
            wrong(own=0.0),
        ),
        Mistake(
            "It tells the last token but one: its state holds two tokens, and hands none on.",
            last_but_one,
        ),
        Mistake(
            "It tells the same token, whatever comes: its answer does not depend on the sequence.",
            wrong(bias=0),
            also=tuple(wrong(bias=kind) for kind in range(1, KINDS)),
        ),
        Mistake(
            "It tells the first token's number plus 1, or minus 1: which entry belongs to which?",
            wrong(fc=lambda V: V.roll(1, dims=0)),
            also=(wrong(fc=lambda V: V.roll(-1, dims=0)),),
        ),
        Mistake(
            "It knows the first token and tells another one: the output has the wrong sign.",
            wrong(fc=lambda V: -V),
        ),
    ),
)
