"""`count_parameters`: how many parameters an RNN, LSTM or GRU has, equation 3.8.

D input size, H hidden size, P size of the projected state, 0 without projection.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake


def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    """Return the number of parameters, counted in the module of `torch.nn` itself.

    kind "RNN", "LSTM" or "GRU"; bidirectional and bias bool; all others int, and so is the result.
    """
    settings = {"bidirectional": bidirectional, "bias": bias}
    settings |= {"proj_size": proj_size} if proj_size else {}  # only nn.LSTM takes it
    module = getattr(nn, kind)(input_size, hidden_size, num_layers, **settings)
    return sum(parameter.numel() for parameter in module.parameters())


ARGUMENTS = tuple(inspect.signature(count_parameters).parameters)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw sizes, never D = H. The plain cases come first, those with a projection last."""

    def case(kind, layers, bidirectional, bias, projected=False):
        D, H = rng.permutation(range(4, 20))[:2].tolist()
        P = int(rng.integers(2, H)) if projected else 0
        return dict(zip(ARGUMENTS, (kind, D, H, layers, bidirectional, bias, P), strict=True))

    plain = [case(kind, 1, False, True) for kind in ("RNN", "LSTM", "GRU")]
    deep = [
        case(kind, int(rng.integers(2, 4)), bidirectional, bool(rng.integers(2)))
        for kind in ("LSTM", "GRU")
        for bidirectional in (False, True)
    ]
    without_bias = [case("GRU", 1, False, False), case("RNN", 2, True, False)]
    projected = [
        case("LSTM", 1, False, True, projected=True),
        case("LSTM", 3, False, True, projected=True),
        case("LSTM", 2, True, False, projected=True),
    ]
    return plain + without_bias + deep + projected


def wrong(
    blocks=(1, 3, 4),
    biases=2,
    layers=lambda num_layers: num_layers,
    sets=lambda directions: directions,
    state=lambda H, P, directions: P or H,
    above=lambda D, H, P, directions: directions * (P or H),
) -> Callable:
    """Return a `count_parameters` that departs from the right one in what is given.

    blocks  of an RNN, a GRU and an LSTM
    layers  that count
    sets    of weights in a layer
    state   how many numbers come back to a layer
    above   how many numbers a layer above the first reads
    """

    def answer(kind, D, H, num_layers, bidirectional, bias, P):
        directions = 2 if bidirectional else 1
        G = dict(zip(("RNN", "GRU", "LSTM"), blocks, strict=True))[kind]
        total, inputs = 0, D
        for _ in range(layers(num_layers)):
            columns = inputs + state(H, P, directions) + (biases if bias else 0)
            total += sets(directions) * G * H * columns
            inputs = above(D, H, P, directions)
        return total + H * P * num_layers * directions

    return answer


def wrong_matrices(counted: Callable) -> Callable:
    """Return a `count_parameters` with counted(layers, directions) matrices of the projection."""

    def answer(kind, D, H, num_layers, bidirectional, bias, P):
        directions = 2 if bidirectional else 1
        right = count_parameters(kind, D, H, num_layers, bidirectional, bias, P)
        return right + H * P * (counted(num_layers, directions) - num_layers * directions)

    return answer


def ignoring(**fixed: Any) -> Callable:
    """Return a `count_parameters` that counts with these arguments, whatever it is given."""
    return lambda *given: count_parameters(**dict(zip(ARGUMENTS, given, strict=True)) | fixed)


EXERCISE = Exercise(
    name="count_parameters",
    title="the number of parameters of an RNN, LSTM or GRU",
    points=2,
    outputs={"number of parameters": ""},
    cases=cases,
    drive=call,
    tolerance=0.0,
    reference=count_parameters,
    by_hand=frozenset({"Module"}),
    against="the modules themselves, with and without layers, directions, bias and projection,",
    mistakes=(
        Mistake(
            "PyTorch has two biases per gate, `bias_ih` and `bias_hh`: count both.",
            wrong(biases=1),
        ),
        Mistake(
            "With `bias=False` there is no bias at all.",
            ignoring(bias=True),
        ),
        Mistake(
            "The biases are missing: two of gates times H numbers per layer and direction.",
            ignoring(bias=False),
        ),
        Mistake(
            "A GRU has three blocks, two gates and the candidate.",
            wrong(blocks=(1, 2, 4)),
            also=(wrong(blocks=(1, 4, 4)),),
        ),
        Mistake(
            "An LSTM has four blocks, three gates and the candidate.",
            wrong(blocks=(1, 3, 3)),
        ),
        Mistake(
            "Every block has H rows, and there are three of them in a GRU, four in an LSTM: "
            "multiply by the number of blocks.",
            wrong(blocks=(1, 1, 1)),
        ),
        Mistake(
            "Three and four are swapped: a GRU has three blocks, an LSTM four.",
            wrong(blocks=(1, 4, 3)),
        ),
        Mistake(
            "Gates are counted without the candidate: an LSTM has four blocks, a GRU three.",
            wrong(blocks=(1, 2, 3)),
        ),
        Mistake(
            "The second layer reads the states below it, not `x`: its input size is that of a "
            "state.",
            wrong(above=lambda D, H, P, directions: D),
        ),
        Mistake(
            "Above a bidirectional layer the input is twice as wide: both directions, side by "
            "side.",
            wrong(above=lambda D, H, P, directions: P or H),
        ),
        Mistake(
            "`bidirectional` is ignored: a second set of weights reads backwards.",
            wrong(sets=lambda directions: 1, above=lambda D, H, P, directions: P or H),
        ),
        Mistake(
            "The layers above read both directions, as you say. But there are two sets of weights "
            "in every layer then: count each layer twice.",
            wrong(sets=lambda directions: 1),
        ),
        Mistake(
            "Each direction has a state of its own, of H numbers. Only the layer above reads both.",
            wrong(state=lambda H, P, directions: directions * (P or H)),
        ),
        Mistake(
            "Only the first layer is counted.",
            wrong(layers=lambda num_layers: 1),
        ),
        Mistake(
            "The projection's own matrix is missing: P times H per layer and direction.",
            wrong_matrices(lambda layers, directions: 0),
        ),
        Mistake(
            "The projection's matrix, P times H, is counted once. Each layer and direction has "
            "one.",
            wrong_matrices(lambda layers, directions: 1),
            also=(
                wrong_matrices(lambda layers, directions: layers),
                wrong_matrices(lambda layers, directions: directions),
            ),
        ),
        Mistake(
            "The projection's matrix is counted, but the states are still taken for H numbers: "
            "they have P then, for `weight_hh` and for the layer above.",
            wrong(
                state=lambda H, P, directions: H,
                above=lambda D, H, P, directions: directions * H,
            ),
        ),
        Mistake(
            "With a projection the state that comes back has P numbers, so `weight_hh` has P "
            "columns.",
            wrong(state=lambda H, P, directions: H),
        ),
        Mistake(
            "With a projection the layer above reads P numbers per direction, not H.",
            wrong(above=lambda D, H, P, directions: directions * H),
        ),
        Mistake(
            "`proj_size` is ignored. It shortens the states to P numbers and brings a matrix.",
            ignoring(proj_size=0),
        ),
    ),
)
