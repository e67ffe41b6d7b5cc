"""`count_parameters`: how many parameters an RNN, LSTM or GRU has, equation 3.8.

D input size, H hidden size, P size of the projected state, 0 without projection.
"""

import functools
import inspect
import itertools
from collections.abc import Callable
from types import SimpleNamespace
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
        case("LSTM", 2, True, True, projected=True),
    ]
    return plain + without_bias + deep + projected


# What `wrong` departs from. All are counted from sizes s: G blocks, d directions, L layers, S
# numbers of a state, and the number and the inputs of the layer that it is about.
PARTS = {
    "layers": lambda s: s.L,
    "sets": lambda s: s.d,  # of weights in a layer
    "rows": lambda s: s.H,  # of a block
    "state": lambda s: s.S,  # how many numbers come back to a layer
    "above": lambda s: s.d * s.S,  # how many numbers a layer above the first reads
    "more": lambda s: 0,  # numbers in a set of weights
    "matrices": lambda s: s.L * s.d,  # of the projection
}


def wrong(blocks=(1, 3, 4), biases=2, **slips: Callable) -> Callable:
    """Return a `count_parameters` that departs from the right one in what is given.

    blocks  of an RNN, a GRU and an LSTM
    slips   in place of those of PARTS
    """
    parts = PARTS | slips

    def answer(kind, D, H, num_layers, bidirectional, bias, P):
        G = dict(zip(("RNN", "GRU", "LSTM"), blocks, strict=True))[kind]
        s = SimpleNamespace(kind=kind, G=G, H=H, P=P, S=P or H, L=num_layers, inputs=D)
        s.D, s.d, s.bias = D, 2 if bidirectional else 1, int(bias)
        total = 0
        for layer in range(parts["layers"](s)):
            s.layer = layer
            columns = s.inputs + parts["state"](s) + biases * s.bias
            total += parts["sets"](s) * (G * parts["rows"](s) * columns + parts["more"](s))
            s.inputs = parts["above"](s)
        return total + H * P * parts["matrices"](s)

    return answer


def first_layer_only(s):
    return 1 if s.layer else s.d


def as_one_wide_network(kind, D, H, num_layers, bidirectional, bias, P, wider=2):
    d = 2 if bidirectional else 1
    return count_parameters(kind, D, d * H, num_layers, False, bias, min(wider, d) * P)


IGNORED = {"num_layers": 1, "bidirectional": False, "bias": True, "proj_size": 0}


def ignoring(names: tuple[str, ...], **fixed: Any) -> Callable:
    """Return a `count_parameters` that does not look at these arguments, or has others."""
    fixed |= {name: IGNORED[name] for name in names}
    return lambda *given: count_parameters(**dict(zip(ARGUMENTS, given, strict=True)) | fixed)


EXERCISE = Exercise(
    name="count_parameters",
    title="the number of parameters of an RNN, LSTM or GRU",
    points=2,
    difficulty=2,
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
            ignoring(("bias",)),
        ),
        Mistake(
            "The biases are missing: two per block, of H numbers each, per layer and direction.",
            ignoring((), bias=False),
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
            "The second layer reads the states below it, not `x`: its input has their size.",
            wrong(above=lambda s: s.D),
        ),
        Mistake(
            "Above a bidirectional layer the input is twice as wide: both directions, side by "
            "side.",
            wrong(above=lambda s: s.S),
        ),
        Mistake(
            "`bidirectional` is ignored: a second set of weights reads backwards.",
            ignoring(("bidirectional",)),
            also=(wrong(sets=lambda s: 1, above=lambda s: s.S),),
        ),
        Mistake(
            "The layers above read both directions, as you say. But there are two sets of weights "
            "in every layer then: count each layer twice.",
            wrong(sets=lambda s: 1),
            also=(wrong(sets=lambda s: 1, matrices=lambda s: s.L),),
        ),
        Mistake(
            "Each direction reads its own state alone. Only the layer above reads both.",
            wrong(state=lambda s: s.d * s.S),
        ),
        Mistake(
            "Only the first layer is counted.",
            wrong(layers=lambda s: 1),
            also=(ignoring(("num_layers",)),),
        ),
        Mistake(
            "The projection's own matrix is missing: P times H per layer and direction.",
            wrong(matrices=lambda s: 0),
        ),
        Mistake(
            "The projection's matrix, P times H, is not counted often enough: each layer and "
            "direction has one.",
            wrong(matrices=lambda s: 1),
            also=(wrong(matrices=lambda s: s.L), wrong(matrices=lambda s: s.d)),
        ),
        Mistake(
            "The projection's matrix is counted, but the states are still taken for H numbers: "
            "they have P then, for `weight_hh` and for the layer above.",
            wrong(state=lambda s: s.H, above=lambda s: s.d * s.H),
        ),
        Mistake(
            "With a projection the state that comes back has P numbers, so `weight_hh` has P "
            "columns.",
            wrong(state=lambda s: s.H),
        ),
        Mistake(
            "With a projection the layer above reads P numbers per direction, not H.",
            wrong(above=lambda s: s.d * s.H),
        ),
        Mistake(
            "`proj_size` is ignored. It shortens the states to P numbers and brings a matrix.",
            ignoring(("proj_size",)),
        ),
        Mistake(
            "`bias=False` takes away both biases, `bias_ih` and `bias_hh`. Here one stays.",
            wrong(more=lambda s: s.G * s.H * (1 - s.bias)),
        ),
        Mistake(
            "The projection has no bias: the matrix, P times H, is all that it brings.",
            wrong(more=lambda s: s.P * s.bias),
            also=(wrong(more=lambda s: 2 * s.P * s.bias), wrong(more=lambda s: s.P)),
        ),
        Mistake(
            "The gates of a GRU have two biases as well, although PyTorch only adds them: count "
            "both for all three blocks.",
            wrong(more=lambda s: -2 * s.H * s.bias * (s.kind == "GRU")),
        ),
        Mistake(
            "Every block has biases: twice the number of blocks times H, not twice H.",
            wrong(more=lambda s: 2 * s.H * (1 - s.G) * s.bias),
            also=(wrong(more=lambda s: s.H * (1 - 2 * s.G) * s.bias),),
        ),
        Mistake(
            "Every layer has biases of its own, in each direction. Here some are not counted.",
            wrong(more=lambda s: -2 * s.G * s.H * s.bias * (s.layer > 0)),
            also=(
                wrong(more=lambda s: -s.G * s.H * s.bias * (2 if s.layer else s.d - 1)),
                wrong(more=lambda s: -s.G * s.H * s.bias * (s.d - 1)),
            ),
        ),
        Mistake(
            "Two directions are not one network of 2H units: each has weights of its own, for its "
            "own H units.",
            as_one_wide_network,
            also=(functools.partial(as_one_wide_network, wider=1),),
        ),
        Mistake(
            "Every layer has two directions, not only the first.",
            wrong(sets=first_layer_only, matrices=lambda s: s.d + s.L - 1),
            also=(
                wrong(sets=first_layer_only),
                wrong(sets=first_layer_only, above=lambda s: s.S),
            ),
        ),
        Mistake(
            "The directions are multiplied in twice.",
            wrong(sets=lambda s: s.d**2, matrices=lambda s: s.L * s.d**2),
            also=(wrong(sets=lambda s: s.d**2),),
        ),
        Mistake(
            "With a projection the blocks have H rows as before. Only the state has P numbers.",
            wrong(rows=lambda s: s.S),
        ),
        Mistake(
            "The projection is one matrix in each layer and direction, not one for every block.",
            wrong(matrices=lambda s: s.L * s.d * s.G),
        ),
        Mistake(
            "The projection's matrix takes H numbers to P. It has P times H entries, not P².",
            wrong(more=lambda s: s.P * (s.P - s.H)),
        ),
        Mistake(
            "`weight_hh` is missing: each row has a weight for every number of the state, too.",
            wrong(state=lambda s: 0),
        ),
        Mistake(
            "This is one layer too many: above the first there are `num_layers` - 1.",
            wrong(layers=lambda s: s.L + 1),
            also=(wrong(layers=lambda s: s.L + 1, matrices=lambda s: (s.L + 1) * s.d),),
        ),
        Mistake(
            "The first layer is not counted. It reads `input_size` numbers.",
            wrong(sets=lambda s: s.d * (s.layer > 0)),
            also=(wrong(sets=lambda s: s.d * (s.layer > 0), matrices=lambda s: s.d * (s.L - 1)),),
        ),
        Mistake("A plain RNN has one block, as it has no gates.", wrong(blocks=(2, 3, 4))),
        Mistake(
            "A layer above reads both directions only where there are two.",
            wrong(above=lambda s: 2 * s.S),
        ),
        *(
            Mistake(
                f"These are ignored: {', '.join(f'`{name}`' for name in some)}.", ignoring(some)
            )
            for n in (2, 3, 4)
            for some in itertools.combinations(IGNORED, n)
        ),
    ),
)
