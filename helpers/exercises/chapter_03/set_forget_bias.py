"""`set_forget_bias`: the forget bias of every layer and direction, set in place, section 3.4.

H hidden size. A bias (4H,) has four blocks, in PyTorch's order i, f, g, o.
"""

import copy
from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_03 import call_set_forget_bias
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed


def set_forget_bias(lstm, value):
    """Set the forget bias of an `nn.LSTM`, the sum of PyTorch's two, to `value`, a float.

    `state_dict` gives the parameters without their gradients, so that they may be written into.
    """
    for name, bias in lstm.state_dict().items():
        if "bias" in name:
            bias.chunk(4)[1].fill_(value if "bias_ih" in name else 0.0)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw sizes, a value and a seed for every combination of layers and directions.

    The last network projects its states to fewer numbers than its gates have.
    """
    kinds = [(1, False, 0), (2, False, 0), (1, True, 0), (2, True, 0), (1, False, 2)]
    return [
        {
            "input_size": int(rng.integers(1, 5)),
            "hidden_size": int(rng.integers(3, 6)),
            "num_layers": layers,
            "bidirectional": bidirectional,
            "proj_size": projected,
            "value": float(rng.uniform(0.5, 5)),
            "seed": new_seed(rng),
        }
        for layers, bidirectional, projected in kinds
    ]


def wrong(
    which=lambda name: True,
    part=lambda bias: bias.chunk(4)[1],
    write=lambda part, value, name: part.fill_(value if "bias_ih" in name else 0.0),
) -> Callable:
    """Return a `set_forget_bias` that departs from the right one in what is given."""

    @torch.no_grad()
    def answer(lstm, value):
        for name, bias in lstm.named_parameters():
            if "bias" in name and which(name):
                write(part(bias), value, name)

    return answer


def without_no_grad(lstm, value):
    H = lstm.hidden_size
    for name, bias in lstm.named_parameters():
        if "bias" in name:
            bias[H : 2 * H] = value if "bias_ih" in name else 0.0


def replaces_them(lstm, value):
    for name, bias in list(lstm.named_parameters()):
        if "bias" in name:
            new = bias.detach().clone()
            new.chunk(4)[1].fill_(value if "bias_ih" in name else 0.0)
            setattr(lstm, name, torch.nn.Parameter(new))


def whole_bias_hh(lstm, value):
    set_forget_bias(lstm, value)
    with torch.no_grad():
        for name, bias in lstm.named_parameters():
            if "bias_hh" in name:
                bias.zero_()


EXERCISE = Exercise(
    name="set_forget_bias",
    title="set the forget bias of every layer and direction",
    points=2,
    outputs={
        "forget bias": "layer H",
        "biases of the other gates": "layer gate H",
        "matrices": "entry",
        "requires grad": "parameter",
        "parameters replaced": "",
    },
    cases=cases,
    drive=call_set_forget_bias,
    reference=set_forget_bias,
    against="the sum of both biases of every layer and direction",
    mistakes=(
        Mistake(
            "`bias_ih` and `bias_hh` both hold the value, so the forget bias, which is their sum, "
            "is twice as large. Set one to the value and the other to 0.",
            wrong(write=lambda part, value, name: part.fill_(value)),
        ),
        Mistake(
            "`bias_hh` keeps its old values, and it is added to `bias_ih`. Set its forget part "
            "to 0.",
            wrong(which=lambda name: "bias_ih" in name),
        ),
        Mistake(
            "This sets the first quarter, the input gate's. The order is i, f, g, o.",
            wrong(part=lambda bias: bias.chunk(4)[0]),
        ),
        Mistake(
            "This sets the third quarter, the candidate's. The order is i, f, g, o.",
            wrong(part=lambda bias: bias.chunk(4)[2]),
        ),
        Mistake(
            "This sets the last quarter, the output gate's. The order is i, f, g, o.",
            wrong(part=lambda bias: bias.chunk(4)[3]),
        ),
        Mistake(
            "All four blocks are set. Only the second quarter belongs to the forget gate.",
            wrong(part=lambda bias: bias),
        ),
        Mistake(
            "Only the first layer is set. Go through all layers.",
            wrong(which=lambda name: "_l0" in name),
        ),
        Mistake(
            "The backward direction is left out: its biases end in `_reverse`.",
            wrong(which=lambda name: "reverse" not in name),
        ),
        Mistake(
            "Only the first layer, forwards, is set. Go through all biases, for instance by "
            "`named_parameters()`.",
            wrong(which=lambda name: name.endswith("_l0")),
        ),
        Mistake(
            "The value is added to what was there. Set it, so that the caller knows what it is.",
            wrong(write=lambda part, value, name: part.add_(value if "bias_ih" in name else 0.0)),
        ),
        Mistake(
            "PyTorch does not let you write into a parameter whose gradient it tracks. Write under "
            "`with torch.no_grad():`.",
            without_no_grad,
        ),
        Mistake(
            "The biases are replaced by new parameters. An optimizer that was made before holds "
            "the old ones, and would train those: write into what is there.",
            replaces_them,
        ),
        Mistake(
            "The whole of `bias_hh` is set to 0. Only its second quarter belongs to the forget "
            "gate.",
            whole_bias_hh,
        ),
        Mistake(
            "Nothing is set: the network is as it was. Change it in place, not a copy; and look at "
            "the names of its parameters, such as `bias_ih_l0`.",
            lambda lstm, value: set_forget_bias(copy.deepcopy(lstm), value),
        ),
    ),
)
