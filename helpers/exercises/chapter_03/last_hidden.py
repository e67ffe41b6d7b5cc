"""`last_hidden`: the last valid state of every sequence of a padded batch, section 3.3.

B sequences in a batch, T time steps of the longest, H hidden size.
"""

import numpy as np
import torch
from torch.nn.utils.rnn import unpad_sequence

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def last_hidden(out, lengths):
    """Return the last valid states (B, H), cut out by PyTorch's `unpad_sequence`.

    out (B, T, H), lengths (B,) of dtype int64.
    """
    return torch.stack([states[-1] for states in unpad_sequence(out, lengths, batch_first=True)])


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw states and lengths. Where B = T, swapped indices go through.

    In the last batch no sequence is as long as the padding, in the one before the padding is 0.
    """
    sizes = [(3, 5, 4), (4, 6, 4), (4, 4, 3), (1, 4, 3), (5, 3, 2), (2, 1, 3)]  # B, T, H
    sizes += [tuple(rng.integers(3, 8, size=3)) for _ in range(6)]
    drawn = [
        {"out": normal(rng, B, T, H), "lengths": padded_lengths(rng, B, T)} for B, T, H in sizes
    ]
    out, lengths = drawn[-1].values()
    out[np.arange(out.shape[1]) >= lengths[:, None]] = 0
    return [*drawn, {"out": normal(rng, 4, 7, 3), "lengths": padded_lengths(rng, 4, 5)}]


def padded_lengths(rng: np.random.Generator, B: int, T: int) -> np.ndarray:
    """Return B lengths from 1 to T; from B = 2 on, a shortest one stands before a longest."""
    lengths = rng.integers(1, T + 1, size=B)
    if B > 1:
        lengths[np.sort(rng.permutation(B)[:2])] = 1, T
    return lengths


def rows(out: torch.Tensor) -> torch.Tensor:
    """Return the index of every sequence, (B,)."""
    return torch.arange(len(out))


def valid(out, lengths):
    """Return 1 for each step of a sequence, 0 for its padding, (B, T, 1)."""
    return (torch.arange(out.shape[1]) < lengths[:, None])[:, :, None].float()


def flat(out: torch.Tensor) -> torch.Tensor:
    """Return all states of a batch one below the other, (B T, H)."""
    return out.flatten(0, 1)


def gathered(out, steps):
    """Return what `gather` gives for one step per sequence, (B, 1, H)."""
    return out.gather(1, steps[:, None, None].expand(-1, 1, out.shape[2]))


EXERCISE = Exercise(
    name="last_hidden",
    title="the last state of every sequence of a padded batch",
    points=1,
    difficulty=1,
    outputs={"last": "B H"},
    cases=cases,
    drive=call,
    reference=last_hidden,
    against="PyTorch's `unpad_sequence` and the last row of each part",
    mistakes=(
        Mistake(
            "`out[:, -1]` is the last step of the padded batch. For a shorter sequence that is "
            "padding.",
            lambda out, lengths: out[:, -1],
        ),
        Mistake(
            "Off by one: the last step of a sequence of length n has the index n - 1.",
            lambda out, lengths: out[rows(out), lengths],
            also=(
                lambda out, lengths: out[rows(out), lengths.clamp(max=out.shape[1] - 1)],
                lambda out, lengths: gathered(out, lengths)[:, 0],
                lambda out, lengths: out[rows(out), lengths % out.shape[1]],
            ),
        ),
        Mistake(
            "Off by one: this is the step before the last.",
            lambda out, lengths: out[rows(out), lengths - 2],
            also=(lambda out, lengths: out[rows(out), (lengths - 2).clamp(min=0)],),
        ),
        Mistake(
            "`out[:, lengths - 1]` takes every sequence at the length of every other, (B, B, H). "
            "Index both axes: `out[torch.arange(B), lengths - 1]`.",
            lambda out, lengths: out[:, lengths - 1],
        ),
        Mistake(
            "`out[lengths - 1]` picks sequences, not steps. Time is axis 1.",
            lambda out, lengths: out[lengths - 1],
        ),
        Mistake(
            "This is the mean over the valid steps. Only the last is asked for.",
            lambda out, lengths: (out * valid(out, lengths)).sum(dim=1) / lengths[:, None],
        ),
        Mistake(
            "This is the mean over all steps, padding included.",
            lambda out, lengths: out.mean(dim=1),
        ),
        Mistake(
            "This takes every sequence at the length of the first.",
            lambda out, lengths: out[:, lengths[0] - 1],
        ),
        Mistake(
            "This is the first step of every sequence.",
            lambda out, lengths: out[:, 0],
        ),
        Mistake(
            "`gather` was given one index per sequence, so it took one of the H numbers only. "
            "Expand the index to (B, 1, H).",
            lambda out, lengths: out.gather(1, (lengths - 1)[:, None, None])[:, 0],
        ),
        Mistake(
            "The time axis is still there, (B, 1, H). Take it out: `[:, 0]`.",
            lambda out, lengths: gathered(out, lengths - 1),
        ),
        Mistake(
            "The two indices are swapped: the batch is axis 0 of `out`, time is axis 1.",
            lambda out, lengths: out[lengths - 1, rows(out)],
        ),
        Mistake(
            "This takes every sequence at the length of the longest. For the shorter ones that is "
            "padding.",
            lambda out, lengths: out[:, lengths.max() - 1],
        ),
        Mistake(
            "This is the largest value of each unit over the steps. Only the last step is asked "
            "for.",
            lambda out, lengths: out.where(valid(out, lengths) > 0, -torch.inf).amax(dim=1),
            also=(lambda out, lengths: out.amax(dim=1),),
        ),
        Mistake(
            "This is the sum over the steps. Only the last is asked for.",
            lambda out, lengths: (out * valid(out, lengths)).sum(dim=1),
            also=(lambda out, lengths: out.sum(dim=1),),
        ),
        Mistake(
            "The rows are in order of length. Leave them in the order of the batch.",
            lambda out, lengths: last_hidden(out, lengths)[lengths.argsort(descending=True)],
            also=(lambda out, lengths: last_hidden(out, lengths)[lengths.argsort()],),
        ),
        Mistake(
            "The lengths are sorted and the sequences are not, so that each is cut at another's.",
            lambda out, lengths: out[rows(out), lengths.sort(descending=True).values - 1],
            also=(lambda out, lengths: out[rows(out), lengths.sort().values - 1],),
        ),
        Mistake(
            "These are all valid states one below the other. Take the last of each sequence.",
            lambda out, lengths: out[valid(out, lengths)[:, :, 0] > 0],
        ),
        Mistake(
            "The state of a single sequence is returned. Collect them all: `torch.stack`.",
            lambda out, lengths: last_hidden(out, lengths)[-1],
            also=(lambda out, lengths: last_hidden(out, lengths)[0],),
        ),
        Mistake(
            "`out[:, :, -1]` is the last unit at every step. Time is axis 1.",
            lambda out, lengths: out[:, :, -1],
        ),
        Mistake(
            "The end is looked for in `out`, as the last state that is not 0. Only `lengths` says "
            "where a sequence ends.",
            lambda out, lengths: out[
                rows(out), (out.any(dim=2) * torch.arange(out.shape[1])).amax(dim=1)
            ],
        ),
        Mistake(
            "This counts the steps backwards from the end of the padded batch. The last step of a "
            "sequence of length n has the index n - 1.",
            lambda out, lengths: out[rows(out), -lengths],
        ),
        Mistake(
            "The padding is made 0, and then the last column is taken: 0 for shorter sequences.",
            lambda out, lengths: (out * valid(out, lengths))[:, -1],
        ),
        Mistake(
            "In `out` as flat rows, (B T, H), sequences lie T = `out.shape[1]` apart. The longest "
            "length may be less.",
            lambda out, lengths: flat(out)[rows(out) * lengths.max() + lengths - 1],
        ),
        Mistake(
            "In `out` as flat rows, (B T, H), sequences lie T = `out.shape[1]` apart, since their "
            "padding is there, too.",
            lambda out, lengths: flat(out)[lengths.cumsum(0) - 1],
        ),
        Mistake(
            "Of `out` as flat rows, (B T, H), these all belong to the first sequence: add T for "
            "each sequence before.",
            lambda out, lengths: flat(out)[lengths - 1],
        ),
        Mistake(
            "`reshape` and `view` do not bring time to the front: they leave all numbers in their "
            "order. Index `out` as it is, or `transpose` it.",
            lambda out, lengths: out.reshape(out.shape[1], -1, out.shape[2])[
                lengths - 1, rows(out)
            ],
        ),
        Mistake(
            "`gather` gives as many steps as its index has. Give it one for each sequence, "
            "(B, 1, H), and take that axis out.",
            lambda out, lengths: out.gather(1, (lengths - 1)[:, None, None].expand_as(out)),
        ),
    ),
)
