"""`lstm_shapes`: the shapes of the three tensors that `nn.LSTM` returns, section 3.2.

B sequences in a batch, T time steps, D input size, H hidden size, P size of the projection.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake


def lstm_shapes(input_size, hidden_size, num_layers, bidirectional, proj_size, T, B):
    """Return the shapes of `out`, `h_n` and `c_n`, from an `nn.LSTM` that is run on zeros.

    `batch_first` is True; proj_size is 0 where there is no projection.
    """
    lstm = nn.LSTM(
        input_size,
        hidden_size,
        num_layers,
        batch_first=True,
        bidirectional=bidirectional,
        proj_size=proj_size,
    )
    with torch.no_grad():
        out, (h_n, c_n) = lstm(torch.zeros(B, T, input_size))
    return tuple(out.shape), tuple(h_n.shape), tuple(c_n.shape)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw sizes that all differ, with and without a projection, in one direction and in two."""

    def case(bidirectional, projected):
        P, D, B, T, H = np.sort(rng.permutation(np.arange(2, 12))[:5]).tolist()
        D, B, T = rng.permutation([D, B, T]).tolist()
        return {
            "input_size": D,
            "hidden_size": H,
            "num_layers": int(rng.integers(2, 4)),
            "bidirectional": bidirectional,
            "proj_size": P if projected else 0,
            "T": T,
            "B": B,
        }

    return [case(both, projected) for projected in (False, True) for both in (False, True)] * 2


def wrong(
    out=lambda H, P, d, L, T, B: (B, T, d * P),
    h_n=lambda H, P, d, L, T, B: (d * L, B, P),
    c_n=lambda H, P, d, L, T, B: (d * L, B, H),
) -> Callable:
    """Return an `lstm_shapes` that departs from the right one in what is given.

    Each makes a shape of H, of P, which is H without a projection, of the number of directions, of
    the number of layers, of T and of B.
    """

    def answer(input_size, hidden_size, num_layers, bidirectional, proj_size, T, B):
        sizes = (hidden_size, proj_size or hidden_size, 1 + bidirectional, num_layers, T, B)
        return out(*sizes), h_n(*sizes), c_n(*sizes)

    return answer


EXERCISE = Exercise(
    name="lstm_shapes",
    title="the shapes that `nn.LSTM` returns",
    points=2,
    difficulty=1,
    outputs={"out": "axis", "h_n": "axis", "c_n": "axis"},
    cases=cases,
    drive=call,
    reference=lstm_shapes,
    against="`nn.LSTM` itself",
    by_hand=frozenset({"Module"}),
    mistakes=(
        Mistake(
            "The memory is not projected: `c_n` keeps H numbers.",
            wrong(c_n=lambda H, P, d, L, T, B: (d * L, B, P)),
        ),
        Mistake(
            "With a projection `out` and `h_n` have `proj_size` numbers, not H.",
            wrong(
                out=lambda H, P, d, L, T, B: (B, T, d * H),
                h_n=lambda H, P, d, L, T, B: (d * L, B, H),
            ),
        ),
        Mistake(
            "With a projection `out` has `proj_size` numbers in each direction.",
            wrong(out=lambda H, P, d, L, T, B: (B, T, d * H)),
        ),
        Mistake(
            "With a projection `h_n` has `proj_size` numbers: it holds what `out` shows.",
            wrong(h_n=lambda H, P, d, L, T, B: (d * L, B, H)),
        ),
        Mistake(
            "The projection goes to the memory, and the states keep H: it is the other way round.",
            wrong(
                out=lambda H, P, d, L, T, B: (B, T, d * H),
                h_n=lambda H, P, d, L, T, B: (d * L, B, H),
                c_n=lambda H, P, d, L, T, B: (d * L, B, P),
            ),
        ),
        Mistake(
            "Both directions stand side by side in the last axis of `out`.",
            wrong(out=lambda H, P, d, L, T, B: (B, T, P)),
        ),
        Mistake(
            "`h_n` and `c_n` have one entry for each layer *and* direction in their first axis.",
            wrong(
                h_n=lambda H, P, d, L, T, B: (L, B, P),
                c_n=lambda H, P, d, L, T, B: (L, B, H),
            ),
        ),
        Mistake(
            "`h_n` has one entry for each layer *and* direction in its first axis.",
            wrong(h_n=lambda H, P, d, L, T, B: (L, B, P)),
        ),
        Mistake(
            "`c_n` has one entry for each layer *and* direction in its first axis.",
            wrong(c_n=lambda H, P, d, L, T, B: (L, B, H)),
        ),
        Mistake(
            "`h_n` and `c_n` hold the last state of every layer, not of the top one only.",
            wrong(
                h_n=lambda H, P, d, L, T, B: (d, B, P),
                c_n=lambda H, P, d, L, T, B: (d, B, H),
            ),
        ),
        Mistake(
            "Directions are apart in `h_n` and `c_n`, in the first axis: the last one does not "
            "double.",
            wrong(
                h_n=lambda H, P, d, L, T, B: (L, B, d * P),
                c_n=lambda H, P, d, L, T, B: (L, B, d * H),
            ),
            also=(
                wrong(
                    h_n=lambda H, P, d, L, T, B: (d * L, B, d * P),
                    c_n=lambda H, P, d, L, T, B: (d * L, B, d * H),
                ),
            ),
        ),
        Mistake(
            "`batch_first` does not reach `h_n` and `c_n`: layers come first in them.",
            wrong(
                h_n=lambda H, P, d, L, T, B: (B, d * L, P),
                c_n=lambda H, P, d, L, T, B: (B, d * L, H),
            ),
        ),
        Mistake(
            "With `batch_first` the batch is the first axis of `out`, and time the second.",
            wrong(out=lambda H, P, d, L, T, B: (T, B, d * P)),
        ),
        Mistake(
            "`out` holds the states of the top layer only: `num_layers` does not widen it.",
            wrong(out=lambda H, P, d, L, T, B: (B, T, d * L * P)),
        ),
    ),
)
