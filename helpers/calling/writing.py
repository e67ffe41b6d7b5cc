"""The drivers of chapter 5 for what writes: characters that are drawn, and texts that go on."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Given, Misfit, as_array, whole

DRAWS = 2000  # characters that an answer draws at once; samples are compared by their counts
SHORT_CALLS = 20  # of one draw from each row


def call_sample_next(answer: Callable, case: Given) -> dict[str, Any]:
    """Draw from the same rows of logits, DRAWS times at once: twice, and once from the first seed.

    Then they are drawn from once each, in a few calls more: what one draw for all rows gives there.

    The rows lie by turns: row i of what is drawn belongs to row i modulo their number.
    """
    rows = case["logits"]  # (rows, V), which differ
    many = np.tile(rows, (DRAWS // len(rows), 1))  # (DRAWS, V), by turns

    def draw(logits, rng):
        lent = case.with_values(logits=logits).tensor("logits")
        ids = answer(lent, case["temperature"], case["top_k"], rng)
        return _drawn(ids, (len(logits),), logits.shape[1])

    rng = torch.Generator().manual_seed(case["seed"])
    draw(rows[:1], rng)  # a batch of one has its own mistakes
    rng.manual_seed(case["seed"])
    first, second = draw(many, rng), draw(many, rng)
    again = draw(many, torch.Generator().manual_seed(case["seed"]))
    calls = np.stack([draw(rows, rng) for _ in range(SHORT_CALLS)])  # (calls, rows)
    return {"first": first, "second": second, "again": again, "calls": calls}


def _drawn(ids: Any, shape: tuple, letters: int) -> np.ndarray:
    """Return ids as an array of the shape that is expected. Raises Misfit."""
    array = as_array(ids, "ids")
    if array.shape != shape:
        raise Misfit(f"`ids` has shape {array.shape}; expected {shape}.")
    array = whole(array, "ids")
    if array.min() < 0 or array.max() >= letters:
        raise Misfit(f"`ids` runs from {array.min()} to {array.max()}; V is {letters}.")
    return array


class Reader(nn.Module):
    """A model of text that forgets nothing: its logits depend on every character it has read.

    The state (1, B), a number made of all of them, picks a row of a table of random logits.
    """

    ROWS = 9973  # a prime, so that texts seldom meet in one row
    normal = staticmethod(lru_cache(8)(lambda seed, n: np.random.default_rng(seed).normal(0, 2, n)))

    def __init__(self, letters: int, seed: int):
        super().__init__()
        table = self.normal(seed, (self.ROWS, letters))
        self.table = nn.Parameter(torch.from_numpy(table).float())
        self.recorded = False

    def forward(self, ids, state=None):
        self.recorded |= torch.is_grad_enabled()
        read = ids.new_zeros(len(ids)) if state is None else state[0]  # (B,)
        logits = []
        for ids_t in ids.unbind(dim=1):
            read = (31 * read + ids_t + 1) % self.ROWS
            logits.append(self.table[read])  # (B, V)
        return torch.stack(logits, dim=1), read[None]


def call_generate(answer: Callable, case: Given) -> dict[str, Any]:
    """Have an answer continue `case["prime"]` (B, P) with a small model, in two ways.

    "written" is what it writes where only the likeliest character is allowed; the others, each
    (DRAWS / 2, 2), are drawn from the first prime with the case's temperature and top_k, twice from
    one seed and once from another.
    """
    letters, length = case["letters"], case["length"]
    model = Reader(letters, case["seed"])
    prime = case["prime"]
    many = np.repeat(prime[:1], DRAWS // 2, axis=0)

    def write(prime, length, temperature, top_k, seed):
        rng = torch.Generator().manual_seed(seed)
        lent = case.with_values(prime=prime).tensor("prime")
        ids = answer(model, lent, length, temperature, top_k, rng)
        return _drawn(ids, (len(prime), length), letters)

    chance = (case["temperature"], case["top_k"])
    with torch.enable_grad():
        return {
            "written": write(prime, length, 1.0, 1, case["seed"]),
            "first": write(many, 2, *chance, case["seed"]),
            "again": write(many, 2, *chance, case["seed"]),
            "other": write(many, 2, *chance, case["seed"] + 1),
            "gradients recorded": model.recorded,
        }
