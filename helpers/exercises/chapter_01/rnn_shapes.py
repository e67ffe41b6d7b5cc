"""`rnn_shapes`: the shapes of the two tensors that `nn.RNN` returns, section 1.4.

B sequences in a batch, T time steps, D input size, H hidden size, L layers.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake


def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    """Return the shapes of `out` and `h_n`, two tuples, from an `nn.RNN` that is run on zeros.

    B is None for a sequence without a batch axis.
    """
    rnn = nn.RNN(
        input_size, hidden_size, num_layers, bidirectional=bidirectional, batch_first=batch_first
    )
    lengths = (T,) if B is None else (B, T) if batch_first else (T, B)
    with torch.no_grad():
        out, h_n = rnn(torch.zeros(*lengths, input_size))
    return tuple(out.shape), tuple(h_n.shape)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw sizes for every kind of network. They all differ, so that no two can be confused.

    In the last two cases the batch has one sequence, and there is one state, and both have axes.
    """

    def case(bidirectional, batch_first, batched, fewest_layers):
        D, H, T, B = rng.permutation(np.arange(2, 9))[:4].tolist()
        return {
            "input_size": D,
            "hidden_size": H,
            "num_layers": int(rng.integers(fewest_layers, 4)),
            "bidirectional": bidirectional,
            "batch_first": batch_first,
            "T": T,
            "B": B if batched else None,
        }

    kinds = [(False, True, True), (False, False, True), (True, True, True), (True, False, True)]
    kinds += [(False, True, False), (False, False, False), (True, True, False)]
    # The number of layers tells nothing where it is 1, so the first round has two or three.
    drawn = [case(*kind, 2) for kind in kinds] + [case(*kind, 1) for kind in kinds[:5]]
    return [*drawn, case(*kinds[0], 1) | {"B": 1}, case(*kinds[5], 1) | {"num_layers": 1}]


def wrong(
    widths=lambda directions, layers: directions,
    states=lambda directions, layers: directions * layers,
) -> Callable:
    """Return a `rnn_shapes` that departs from the right one in what is given.

    widths: by how much the last axis of `out` is wider than H; states: the first axis of `h_n`
    """

    def answer(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
        directions = 2 if bidirectional else 1
        lengths = (T,) if B is None else (B, T) if batch_first else (T, B)
        batch = () if B is None else (B,)
        out = (*lengths, hidden_size * widths(directions, num_layers))
        return out, (states(directions, num_layers), *batch, hidden_size)

    return answer


right = wrong()


def batch_first_in_h_n(D, H, L, bidirectional, batch_first, T, B):
    out, h_n = rnn_shapes(D, H, L, bidirectional, batch_first, T, B)
    return out, (B, h_n[0], H) if batch_first and B else h_n


def axis_of_one_in_h_n(D, H, L, bidirectional, batch_first, T, B):
    out, h_n = rnn_shapes(D, H, L, bidirectional, batch_first, T, B)
    return out, (h_n[0], B or 1, H)


def side_by_side_in_h_n(D, H, L, bidirectional, batch_first, T, B):
    out, h_n = rnn_shapes(D, H, L, bidirectional, batch_first, T, B)
    return out, (L, *h_n[1:-1], out[-1])


def doubled_twice_in_h_n(D, H, L, bidirectional, batch_first, T, B):
    out, h_n = rnn_shapes(D, H, L, bidirectional, batch_first, T, B)
    return out, (*h_n[:-1], out[-1])


def without_batch(shapes: Callable) -> Callable:
    """Return a `rnn_shapes` that is wrong without a batch axis: shapes(out, h_n, directions, L)."""

    def answer(D, H, L, bidirectional, batch_first, T, B):
        out, h_n = right(D, H, L, bidirectional, batch_first, T, B)
        return shapes(out, h_n, 1 + bidirectional, L) if B is None else (out, h_n)

    return answer


def reshaped(out=lambda out, directions: out, h_n=lambda h_n, directions, T: h_n) -> Callable:
    """Return a `rnn_shapes` that changes the right shapes."""

    def answer(D, H, L, bidirectional, batch_first, T, B):
        shapes = right(D, H, L, bidirectional, batch_first, T, B)
        return out(shapes[0], 1 + bidirectional), h_n(shapes[1], 1 + bidirectional, T)

    return answer


def none_stays(out: bool, h_n: bool) -> Callable:
    """Return a `rnn_shapes` that keeps None as an axis of one shape or of both."""

    def answer(D, H, L, bidirectional, batch_first, T, B):
        states = right(D, H, L, bidirectional, batch_first, T, B)
        first = (B, T) if batch_first else (T, B)
        stays = (*first, states[0][-1]), (states[1][0], B, H)
        return (stays[0] if out else states[0]), (stays[1] if h_n else states[1])

    return answer


EXERCISE = Exercise(
    name="rnn_shapes",
    title="the shapes that `nn.RNN` returns",
    points=2,
    difficulty=2,
    outputs={"out": "axis", "h_n": "axis"},
    cases=cases,
    drive=call,
    reference=rnn_shapes,
    against="`nn.RNN` itself",
    by_hand=frozenset({"Module"}),
    mistakes=(
        Mistake(
            "A bidirectional network returns both directions side by side: "
            "`out` has 2 H features then.",
            wrong(widths=lambda directions, layers: 1),
        ),
        Mistake(
            "A bidirectional network has one last state per layer and direction: "
            "the first axis of `h_n` is 2 x `num_layers` then.",
            wrong(states=lambda directions, layers: layers),
        ),
        Mistake(
            "Bidirectional is forgotten in both: it doubles the features of `out` "
            "and the first axis of `h_n`.",
            lambda D, H, L, bidirectional, *rest: rnn_shapes(D, H, L, False, *rest),
        ),
        Mistake(
            "`num_layers` does not change `out`: it holds the states of the top layer only, in "
            "each direction.",
            wrong(widths=lambda directions, layers: directions * layers),
            also=(wrong(widths=lambda directions, layers: layers),),
        ),
        Mistake(
            "`h_n` has one state per layer: its first axis is `num_layers` (times directions).",
            wrong(states=lambda directions, layers: directions),
            also=(wrong(states=lambda directions, layers: 1),),
        ),
        Mistake(
            "`batch_first` does not reach `h_n`: layers come first in it whatever the setting.",
            batch_first_in_h_n,
            also=(reshaped(h_n=lambda h_n, directions, T: (*h_n[1:-1], h_n[0], h_n[-1])),),
        ),
        Mistake(
            "`batch_first=False` is ignored: `out` is (T, B, ...) then.",
            lambda D, H, L, bidirectional, _, T, B: rnn_shapes(D, H, L, bidirectional, True, T, B),
        ),
        Mistake(
            "`batch_first=True` is ignored: `out` is (B, T, ...) then.",
            lambda D, H, L, bidirectional, _, T, B: rnn_shapes(D, H, L, bidirectional, False, T, B),
        ),
        Mistake(
            "Unbatched input, `B` = None, gives outputs without a batch axis, not with one of "
            "size 1.",
            lambda D, H, L, bidirectional, first, T, B: rnn_shapes(
                D, H, L, bidirectional, first, T, B or 1
            ),
        ),
        Mistake(
            "Unbatched input gives `h_n` without a batch axis too, (layers, H).",
            axis_of_one_in_h_n,
        ),
        Mistake(
            "`out` puts the features of both directions side by side, in its last axis; `h_n` "
            "keeps them apart, in its first. The last axis of `h_n` is always H.",
            side_by_side_in_h_n,
        ),
        Mistake(
            "The states have `hidden_size` features; this uses `input_size`.",
            lambda D, H, *rest: rnn_shapes(D, D, *rest),
        ),
        Mistake(
            "Of a bidirectional network `h_n` has one state per direction, in its first axis, and "
            "each has H features: they are not doubled as well.",
            doubled_twice_in_h_n,
        ),
        Mistake(
            "`batch_first` is read the wrong way round: True means (B, T, ...), False (T, B, ...).",
            lambda D, H, L, bidirectional, first, *rest: right(
                D, H, L, bidirectional, not first, *rest
            ),
        ),
        Mistake(
            "The second direction adds one state to `h_n`. It adds one for every layer: the first "
            "axis is 2 x `num_layers` then.",
            wrong(states=lambda directions, layers: layers + directions - 1),
        ),
        Mistake(
            "One direction is counted as two. Double only where `bidirectional` is True.",
            lambda D, H, L, bidirectional, *rest: right(D, H, L, True, *rest),
        ),
        Mistake(
            "The directions have no axis of their own. They double the last axis of `out` and the "
            "first of `h_n`.",
            reshaped(h_n=lambda h_n, d, T: (h_n[0] // d, *[d] * (d == 2), *h_n[1:])),
            also=(
                reshaped(h_n=lambda h_n, d, T: (h_n[0] // d, d, *h_n[1:])),
                reshaped(
                    out=lambda out, d: (*out[:-1], *[d] * (d == 2), out[-1] // d),
                    h_n=lambda h_n, d, T: (h_n[0] // d, *[d] * (d == 2), *h_n[1:]),
                ),
            ),
        ),
        Mistake(
            "A batch of one sequence is a batch. Only where `B` is None the axis is gone.",
            lambda D, H, L, bidirectional, first, T, B: right(
                D, H, L, bidirectional, first, T, None if B == 1 else B
            ),
        ),
        Mistake(
            "`h_n` has an axis for the batch, after that for layers and directions.",
            reshaped(h_n=lambda h_n, directions, T: (h_n[0], h_n[-1])),
        ),
        Mistake(
            "`h_n` keeps its first axis, also where it holds a single state.",
            reshaped(h_n=lambda h_n, directions, T: h_n[h_n[0] == 1 :]),
        ),
        Mistake(
            "Without a batch axis `h_n` still has a state for every layer and direction: its first "
            "axis is what it is with a batch.",
            without_batch(lambda out, h_n, directions, layers: (out, (directions, h_n[-1]))),
            also=(
                without_batch(lambda out, h_n, directions, layers: (out, (layers, h_n[-1]))),
                without_batch(lambda out, h_n, directions, layers: (out, (1, h_n[-1]))),
                without_batch(lambda out, h_n, directions, layers: (out, h_n[1:])),
            ),
        ),
        Mistake(
            "Without a batch axis `out` still has the features of both directions.",
            without_batch(lambda out, h_n, directions, layers: ((out[0], h_n[-1]), h_n)),
        ),
        Mistake(
            "`None` stays in a shape. Without a batch axis there is one axis fewer.",
            none_stays(out=True, h_n=True),
            also=(none_stays(out=True, h_n=False), none_stays(out=False, h_n=True)),
        ),
        Mistake(
            "The two shapes are in the wrong order: that of `out` comes first.",
            lambda *given: right(*given)[::-1],
        ),
        Mistake(
            "`out` holds the states of every step: T is one of its axes.",
            lambda D, H, L, bidirectional, first, T, B: (
                (*[B] * (B is not None), H * (1 + bidirectional)),
                right(D, H, L, bidirectional, first, T, B)[1],
            ),
        ),
        Mistake(
            "`h_n` has no axis of time: it holds last states only.",
            reshaped(h_n=lambda h_n, directions, T: (h_n[0], T, h_n[-1])),
            also=(
                reshaped(h_n=lambda h_n, directions, T: (h_n[0], *[T] * (len(h_n) - 2), h_n[-1])),
                reshaped(h_n=lambda h_n, directions, T: (*h_n[:-1], T, h_n[-1])),
                reshaped(h_n=lambda h_n, directions, T: (h_n[0], T, *h_n[1:])),
            ),
        ),
    ),
)
