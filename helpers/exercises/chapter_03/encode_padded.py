"""`encode_padded`: one vector for each sequence of a padded batch, section 3.3.

B sequences in a batch, T time steps of the longest, D input size, H hidden size in one direction,
L layers.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from helpers.calling.arrays import Case
from helpers.calling.chapter_03 import call_encode_padded
from helpers.exercises.chapter_03.last_hidden import last_hidden, padded_lengths
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed, normal


def encode_padded(rnn, x, lengths):
    """Return the encodings (B, 2H): `rnn`'s last states on each sequence alone, without padding.

    rnn a bidirectional `nn.GRU` with `batch_first=True`, x (B, T, D), lengths (B,) of dtype int64.
    """
    alone = [rnn(sequence[None, :n])[1] for sequence, n in zip(x, lengths, strict=True)]
    return torch.cat([both_directions(h_n) for h_n in alone])


def both_directions(h_n: torch.Tensor) -> torch.Tensor:
    """Return the top layer's last states, forwards and backwards, side by side, (B, 2H)."""
    return torch.cat([h_n[-2], h_n[-1]], dim=1)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw batches with zeros in the padding. One is in order of length, as packing prefers it.

    Some sequences end in a step that is zero and still theirs.
    """
    sizes = [(3, 5, 3, 4, 2), (4, 6, 2, 3, 1), (1, 5, 3, 2, 1), (3, 1, 3, 2, 2)]  # B, T, D, H, L
    sizes += [(*rng.integers(3, 7, size=4).tolist(), layers) for layers in (2, 1, 2)]
    drawn = []
    for number, (B, T, D, H, layers) in enumerate(sizes):
        lengths = padded_lengths(rng, B, T)
        if number == 4:
            lengths = np.sort(lengths)[::-1].copy()
        x = normal(rng, B, T, D)
        x[np.arange(T) >= lengths[:, None]] = 0
        if number == 5:
            x[np.arange(B), lengths - 1] = 0
        network = {"hidden_size": H, "num_layers": layers, "seed": new_seed(rng)}
        drawn.append({"x": x, "lengths": lengths, **network})
    return drawn


def packed(
    gru: nn.GRU, x: torch.Tensor, lengths: torch.Tensor, enforce_sorted: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all states (B, T, 2H), zero in the padding, and the last states (2L, B, H)."""
    packed_x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=enforce_sorted)
    out, h_n = gru(packed_x)
    return pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])[0], h_n


def wrong(make: Callable, pack: bool = True) -> Callable:
    """Return an `encode_padded` that returns make(out, h_n, lengths) of a batch, packed or not."""

    def answer(rnn, x, lengths):
        out, h_n = packed(rnn, x, lengths) if pack else rnn(x)  # (B, T, 2H), (2L, B, H)
        return make(out, h_n, lengths)

    return answer


def from_both_ends(out, h_n, lengths):
    forwards, backwards = out.chunk(2, dim=2)  # (B, T, H) each
    return torch.cat([last_hidden(forwards, lengths), backwards[:, 0]], dim=1)


def without_batch_first(rnn, x, lengths):
    return both_directions(rnn(pack_padded_sequence(x, lengths, enforce_sorted=False))[1])


def sorting_enforced(rnn, x, lengths):
    return both_directions(packed(rnn, x, lengths, enforce_sorted=True)[1])


def expects_a_pair(rnn, x, lengths):
    _, (h_n, _) = packed(rnn, x, lengths)
    return both_directions(h_n)


def left_in_order_of_length(rnn, x, lengths):
    order = lengths.argsort(descending=True)
    return both_directions(packed(rnn, x[order], lengths[order])[1])


def sorted_twice(rnn, x, lengths):
    order = lengths.argsort(descending=True)
    return both_directions(packed(rnn, x[order], lengths[order])[1])[order]


def directions_first(h_n):
    """Return the two states that stand last in each half of h_n (2L, B, H)."""
    return h_n.view(2, len(h_n) // 2, *h_n.shape[1:])[:, -1]


EXERCISE = Exercise(
    name="encode_padded",
    title="encode a padded batch in both directions",
    points=3,
    outputs={"encoding": "B 2H"},
    cases=cases,
    drive=call_encode_padded,
    reference=encode_padded,
    against="the same network run on each sequence alone",
    mistakes=(
        Mistake(
            "`out[:, -1]` of a padded batch: for shorter sequences this is a state that has read "
            "padding.",
            wrong(lambda out, h_n, lengths: out[:, -1], pack=False),
        ),
        Mistake(
            "`pack_padded_sequence` expects the longest sequence first unless you say "
            "`enforce_sorted=False`.",
            sorting_enforced,
        ),
        Mistake(
            "This is the mean over all steps, padding included.",
            wrong(lambda out, h_n, lengths: out.mean(dim=1), pack=False),
            also=(
                wrong(lambda out, h_n, lengths: out.mean(dim=1)),
                wrong(lambda out, h_n, lengths: out.sum(dim=1) / lengths[:, None], pack=False),
            ),
        ),
        Mistake(
            "This is the mean over the valid steps. Right about the padding, but the exercise asks "
            "for the last state of each direction.",
            wrong(lambda out, h_n, lengths: out.sum(dim=1) / lengths[:, None]),
        ),
        Mistake(
            "`h_n` of the padded batch: forwards it has read the padding last, backwards it has "
            "read it first. Pack the batch before the network reads it.",
            wrong(lambda out, h_n, lengths: both_directions(h_n), pack=False),
        ),
        Mistake(
            "Forwards this is right. The backward half has read the padding, and then a single "
            "step. Pack the batch, and take `h_n`.",
            wrong(lambda out, h_n, lengths: last_hidden(out, lengths), pack=False),
        ),
        Mistake(
            "Forwards this is right, and step 0 is where the backward network ends. But on its way "
            "there it has read the padding first. Pack the batch.",
            wrong(from_both_ends, pack=False),
        ),
        Mistake(
            "Forwards this is right. But at its last step the backward network has only begun: "
            "it ends at step 0. Take `h_n`.",
            wrong(lambda out, h_n, lengths: last_hidden(out, lengths)),
        ),
        Mistake(
            "`out[:, -1]` of a packed batch: for shorter sequences the filled-up states are 0.",
            wrong(lambda out, h_n, lengths: out[:, -1]),
        ),
        Mistake(
            "Only one direction. Put `h_n[-2]`, forwards, and `h_n[-1]`, backwards, side by side.",
            wrong(lambda out, h_n, lengths: h_n[-1]),
            also=(wrong(lambda out, h_n, lengths: h_n[-2]),),
        ),
        Mistake(
            "`pack_padded_sequence` takes the batch for time unless you say `batch_first=True`.",
            without_batch_first,
        ),
        Mistake(
            "This joins forwards and backwards one behind the other, (2B, H). Join them along the "
            "features: `torch.cat(..., dim=1)`.",
            wrong(lambda out, h_n, lengths: h_n[-2:].flatten(0, 1)),
        ),
        Mistake(
            "The two directions are returned as a pair. Join them: `torch.cat(..., dim=1)`.",
            wrong(lambda out, h_n, lengths: tuple(h_n[-2:])),
        ),
        Mistake(
            "`h_n` is never batch first: its axes are (2 · layers, B, H). `h_n[-2]` is a direction "
            "of the top layer, `h_n[:, -2]` is a sequence.",
            wrong(lambda out, h_n, lengths: torch.cat([h_n[:, -2], h_n[:, -1]], dim=1)),
        ),
        Mistake(
            "A GRU returns its state alone, not a pair: `out, h_n = rnn(packed)`.",
            expects_a_pair,
        ),
        Mistake(
            "The directions are swapped: forwards, `h_n[-2]`, comes first.",
            wrong(lambda out, h_n, lengths: torch.cat([h_n[-1], h_n[-2]], dim=1)),
        ),
        Mistake(
            "These are the states of the lowest layer. The top layer's are the last two of `h_n`.",
            wrong(lambda out, h_n, lengths: both_directions(h_n[:2])),
        ),
        Mistake(
            "The rows are in order of length. Bring them back into the order of the batch, or let "
            "`enforce_sorted=False` do both.",
            left_in_order_of_length,
        ),
        Mistake(
            "`reshape` mixes the sequences: it reads (2, B, H) row by row. Put the two directions "
            "side by side with `torch.cat(..., dim=1)`.",
            wrong(lambda out, h_n, lengths: h_n[-2:].reshape(len(lengths), -1)),
        ),
        Mistake(
            "The directions stand one behind the other, (2, B, H). Put them side by side, (B, 2H).",
            wrong(lambda out, h_n, lengths: h_n[-2:]),
        ),
        Mistake(
            "The batch is sorted by length, and what comes out is sorted once more the same way. "
            "Undo it: `order.argsort()` is the way back.",
            sorted_twice,
        ),
        Mistake(
            "`h_n` is read as (2, layers, B, H). Layers come first: `h_n.view(layers, 2, B, H)`.",
            wrong(lambda out, h_n, lengths: both_directions(directions_first(h_n))),
        ),
    ),
)
