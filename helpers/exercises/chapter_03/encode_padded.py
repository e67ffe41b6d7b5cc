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
from helpers.exercises.chapter_03.last_hidden import last_hidden, padded_lengths, rows
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


@torch.no_grad()
def packed(
    gru: nn.GRU, x: torch.Tensor, lengths: torch.Tensor, enforce_sorted: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all states (B, T, 2H), zero in the padding, and the last states (2L, B, H)."""
    packed_x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=enforce_sorted)
    out, h_n = gru(packed_x)
    return pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])[0], h_n


def wrong(make: Callable, pack: bool = True) -> Callable:
    """Return an `encode_padded` that returns make(out, h_n, lengths) of a batch, packed or not."""

    @torch.no_grad()
    def answer(rnn, x, lengths):
        out, h_n = packed(rnn, x, lengths) if pack else rnn(x)  # (B, T, 2H), (2L, B, H)
        return make(out, h_n, lengths)

    return answer


def with_lengths(change: Callable) -> Callable:
    """Return an `encode_padded` that packs the batch at the lengths change(x, lengths)."""
    return lambda rnn, x, lengths: both_directions(packed(rnn, x, change(x, lengths))[1])


def in_order(into: bool, back: Callable | None = None) -> Callable:
    """Return an `encode_padded` that sorts lengths, and x too if `into`; `back` picks rows."""

    def answer(rnn, x, lengths):
        order = lengths.argsort(descending=True)
        encoding = both_directions(packed(rnn, x[order] if into else x, lengths[order])[1])
        return encoding[back(order)] if back else encoding

    return answer


def as_an_lstm(rnn, x, lengths):
    _, (h_n, _) = packed(rnn, x, lengths)
    return both_directions(h_n)


# What may be taken for the last state of a direction, of its states in time and its h_n (L, B, H).
TAKEN = {
    "h_n": lambda out, h_n, lengths: h_n[-1],
    "own last": lambda out, h_n, lengths: last_hidden(out, lengths),
    "own second": lambda out, h_n, lengths: last_hidden(out, lengths.clamp(max=2)),
    "first": lambda out, h_n, lengths: out[:, 0],
    "last": lambda out, h_n, lengths: out[:, -1],
    "time first": lambda out, h_n, lengths: out.transpose(0, 1)[rows(lengths), lengths - 1],
    "time first, step 0": lambda out, h_n, lengths: out.transpose(0, 1)[:, 0],
}


def halves(forwards: str, backwards: str, pack: bool = True) -> Callable:
    """Return an `encode_padded` that joins these of TAKEN, of a batch that is packed or not."""

    def make(out, h_n, lengths):
        parts = zip(out.chunk(2, dim=2), (h_n[::2], h_n[1::2]), (forwards, backwards), strict=True)
        return torch.cat([TAKEN[name](o, h, lengths) for o, h, name in parts], dim=1)

    return wrong(make, pack)


EXERCISE = Exercise(
    name="encode_padded",
    title="encode a padded batch in both directions",
    points=3,
    difficulty=2,
    outputs={"encoding": "B 2H"},
    cases=cases,
    drive=call_encode_padded,
    reference=encode_padded,
    against="the same network run on each sequence alone",
    mistakes=(
        Mistake(
            "`out[:, -1]` of a padded batch has read padding, and backwards one step. Take `h_n`.",
            wrong(lambda out, h_n, lengths: out[:, -1], pack=False),
        ),
        Mistake(
            "Packing expects the longest sequence first unless you say `enforce_sorted=False`.",
            lambda rnn, x, lengths: both_directions(packed(rnn, x, lengths, True)[1]),
        ),
        Mistake(
            "This averages over the steps, padding included. The last states are asked for.",
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
            halves("own last", "first", pack=False),
        ),
        Mistake(
            "Forwards this is right. But at its last step the backward network has only begun: "
            "it ends at step 0. Take `h_n`.",
            wrong(lambda out, h_n, lengths: last_hidden(out, lengths)),
        ),
        Mistake(
            "`out[:, -1]` of a packed batch is 0 after a sequence's end. Take `h_n`.",
            wrong(lambda out, h_n, lengths: out[:, -1]),
        ),
        Mistake(
            "Only one direction. Put `h_n[-2]`, forwards, and `h_n[-1]`, backwards, side by side.",
            wrong(lambda out, h_n, lengths: h_n[-1]),
            also=(wrong(lambda out, h_n, lengths: h_n[-2]),),
        ),
        Mistake(
            "`pack_padded_sequence` takes the batch for time unless you say `batch_first=True`.",
            lambda rnn, x, lengths: both_directions(
                rnn(pack_padded_sequence(x, lengths, enforce_sorted=False))[1]
            ),
        ),
        Mistake(
            "Forwards and backwards are joined along the batch. Name the features' axis, `dim=1`.",
            wrong(lambda out, h_n, lengths: h_n[-2:].flatten(0, 1)),
        ),
        Mistake(
            "A pair is returned. Join both directions in one tensor: `torch.cat(..., dim=1)`.",
            wrong(lambda out, h_n, lengths: tuple(h_n[-2:])),
        ),
        Mistake(
            "`h_n` is never batch first: its axes are (2 · layers, B, H). `h_n[-2]` is a direction "
            "of the top layer, `h_n[:, -2]` is a sequence.",
            wrong(lambda out, h_n, lengths: torch.cat([h_n[:, -2], h_n[:, -1]], dim=1)),
        ),
        Mistake(
            "A GRU returns its state alone, not a pair: `out, h_n = rnn(packed)`.",
            as_an_lstm,
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
            in_order(into=True),
        ),
        Mistake(
            "`reshape` mixes the sequences, since the batch is axis 1 of `h_n`. Put the two "
            "directions side by side with `torch.cat(..., dim=1)`.",
            wrong(lambda out, h_n, lengths: h_n[-2:].reshape(len(lengths), -1)),
            also=(wrong(lambda out, h_n, lengths: h_n.reshape(len(lengths), -1)),),
        ),
        Mistake(
            "The directions have an axis of their own. Join them by `torch.cat(..., dim=1)`.",
            wrong(lambda out, h_n, lengths: h_n[-2:]),
            also=(
                wrong(lambda out, h_n, lengths: torch.stack([h_n[-2], h_n[-1]], dim=1)),
                wrong(lambda out, h_n, lengths: torch.stack([h_n[-2], h_n[-1]], dim=2)),
            ),
        ),
        Mistake(
            "What comes out is sorted once more the same way. `order.argsort()` is the way back.",
            in_order(into=True, back=lambda order: order),
        ),
        Mistake(
            "`h_n` is read as (2, layers, B, H). Layers come first: `h_n.view(layers, 2, B, H)`.",
            wrong(lambda out, h_n, lengths: both_directions(h_n.unflatten(0, (2, -1))[:, -1])),
        ),
        Mistake(
            "The two directions are merged into H numbers. Put them side by side, (B, 2H).",
            wrong(lambda out, h_n, lengths: h_n[-2:].sum(dim=0)),
            also=(wrong(lambda out, h_n, lengths: h_n[-2:].mean(dim=0)),),
        ),
        Mistake(
            "The states of all layers are joined. The top layer's are the last two of `h_n`.",
            wrong(lambda out, h_n, lengths: h_n.transpose(0, 1).flatten(1)),
        ),
        Mistake(
            "Backwards this is right. Forwards the last column is 0 for shorter sequences.",
            halves("last", "h_n"),
        ),
        Mistake(
            "Forwards this is right. Backwards the last column is where the network begins, or 0.",
            halves("h_n", "last"),
        ),
        Mistake(
            "Backwards this is the state at step 1. At step 0 the network has read all.",
            halves("h_n", "own second"),
        ),
        Mistake(
            "Both halves are the same direction. `h_n[-2]` is forwards, `h_n[-1]` backwards.",
            wrong(lambda out, h_n, lengths: torch.cat([h_n[-1], h_n[-1]], dim=1)),
            also=(wrong(lambda out, h_n, lengths: torch.cat([h_n[-2], h_n[-2]], dim=1)),),
        ),
        Mistake(
            "The halves are of different layers. The top layer's are `h_n[-2]` and `h_n[-1]`.",
            wrong(lambda out, h_n, lengths: torch.cat([h_n[0], h_n[-1]], dim=1)),
        ),
        Mistake(
            "This is the largest value of each unit over the steps, not the last state.",
            wrong(lambda out, h_n, lengths: out.where(out != 0, -torch.inf).amax(dim=1)),
            also=(wrong(lambda out, h_n, lengths: out.amax(dim=1), pack=False),),
        ),
        Mistake(
            "Steps of zeros are taken for padding. Only `lengths` says where a sequence ends.",
            with_lengths(lambda x, lengths: (x != 0).any(dim=2).sum(dim=1).clamp(min=1)),
        ),
        Mistake(
            "Each sequence is packed without its last step: a length is no index.",
            with_lengths(lambda x, lengths: (lengths - 1).clamp(min=1)),
        ),
        Mistake(
            "`lengths` are sorted and the batch is not. Let `enforce_sorted=False` sort both.",
            in_order(into=False),
        ),
        Mistake(
            "What a network takes after `x` is its first state, not `lengths`. Pack the batch.",
            lambda rnn, x, lengths: rnn(x, lengths),
        ),
        Mistake(
            "What is indexed is a tuple, a packed batch or what `pad_packed_sequence` returns.",
            lambda rnn, x, lengths: rnn(pack_padded_sequence(x, lengths, True, False))[0][:, -1],
        ),
        Mistake(
            "`pad_packed_sequence` puts time first unless you say `batch_first=True`.",
            halves("time first", "time first"),
            also=(halves("time first", "time first, step 0"),),
        ),
    ),
)
