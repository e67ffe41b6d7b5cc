"""`set_forget_bias`: the forget bias of every layer and direction, set in place, section 3.4.

H hidden size. A bias (4H,) has four blocks, in PyTorch's order i, f, g, o.
"""

import copy
import functools
from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_03 import call_set_forget_bias
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.equality import equal_arrays
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
    which=lambda name, lstm: True,
    part=lambda bias, lstm: bias.chunk(4)[1],
    write=lambda part, value, name: part.fill_(value if "bias_ih" in name else 0.0),
) -> Callable:
    """Return a `set_forget_bias` that departs from the right one in what is given."""

    @torch.no_grad()
    def answer(lstm, value):
        for name, bias in lstm.named_parameters():
            if "bias" in name and which(name, lstm):
                write(part(bias, lstm), value, name)

    return answer


def afterwards(change: Callable) -> Callable:
    """Return a `set_forget_bias` that changes every parameter, by its name, once all is set."""

    @torch.no_grad()
    def answer(lstm, value):
        set_forget_bias(lstm, value)
        for name, parameter in lstm.named_parameters():
            change(name, parameter)

    return answer


def without_no_grad(lstm, value):
    H = lstm.hidden_size
    for name, bias in lstm.named_parameters():
        if "bias" in name:
            bias[H : 2 * H] = value if "bias_ih" in name else 0.0


def replaces_them(lstm, value, by=torch.nn.Parameter):
    for name, bias in list(lstm.named_parameters()):
        if "bias" in name:
            new = bias.detach().clone()
            new.chunk(4)[1].fill_(value if "bias_ih" in name else 0.0)
            setattr(lstm, name, by(new))


def asks_for_reverse(lstm, value):
    set_forget_bias(lstm, value)
    return lstm.bias_ih_l0_reverse


def zero_other_gates(name, parameter):
    for k in (0, 2, 3) if "bias" in name else ():
        parameter.chunk(4)[k].zero_()


def zero_rows_of(*kinds: str) -> Callable:
    """Return what sets the forget gate's rows to 0 in parameters of these kinds."""

    def change(name, parameter):
        if name.startswith(kinds):
            parameter.chunk(4)[1].zero_()

    return change


def explain_changes(got: Arrays, expected: Arrays) -> str:
    """Return what is changed besides the forget biases, if these are right."""
    right = {name: equal_arrays(got[name], expected[name], 1e-5) for name in expected}
    others = "biases of the other gates"
    if not right["forget bias"] or (right[others] and right["matrices"]):
        return ""
    gates = zip("igo", got[others].swapaxes(0, 1), expected[others].swapaxes(0, 1), strict=True)
    changed = [gate for gate, mine, theirs in gates if not equal_arrays(mine, theirs, 1e-5)]
    parts = [f"the biases of {', '.join(changed)}"] if changed else []
    parts += [] if right["matrices"] else ["the matrices"]
    return (
        f"The forget bias is set, but {' and '.join(parts)} are changed, too. Leave all else as it "
        "is."
    )


EXERCISE = Exercise(
    name="set_forget_bias",
    title="set the forget bias of every layer and direction",
    points=2,
    difficulty=2,
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
    explain=explain_changes,
    mistakes=(
        Mistake(
            "`bias_ih` and `bias_hh` both hold the value, so the forget bias, which is their sum, "
            "is twice as large. Set one to the value and the other to 0.",
            wrong(write=lambda part, value, name: part.fill_(value)),
        ),
        Mistake(
            "`bias_hh` keeps its old values, and it is added to `bias_ih`. Set its forget part "
            "to 0.",
            wrong(which=lambda name, lstm: "bias_ih" in name),
        ),
        Mistake(
            "This sets the first quarter, the input gate's. The order is i, f, g, o.",
            wrong(part=lambda bias, lstm: bias.chunk(4)[0]),
        ),
        Mistake(
            "This sets the third quarter, the candidate's. The order is i, f, g, o.",
            wrong(part=lambda bias, lstm: bias.chunk(4)[2]),
        ),
        Mistake(
            "This sets the last quarter, the output gate's. The order is i, f, g, o.",
            wrong(part=lambda bias, lstm: bias.chunk(4)[3]),
        ),
        Mistake(
            "All four blocks are set. Only the second quarter belongs to the forget gate.",
            wrong(part=lambda bias, lstm: bias),
        ),
        Mistake(
            "Only the first layer is set. Go through all layers.",
            wrong(which=lambda name, lstm: "_l0" in name),
        ),
        Mistake(
            "The backward direction is left out: its biases end in `_reverse`.",
            wrong(which=lambda name, lstm: "reverse" not in name),
        ),
        Mistake(
            "Only the first layer, forwards, is set. Go through all biases, for instance by "
            "`named_parameters()`.",
            wrong(which=lambda name, lstm: name.endswith("_l0")),
        ),
        Mistake(
            "The value is added to what was there. Set it, so that the caller knows what it is.",
            wrong(write=lambda part, value, name: part.add_(value if "bias_ih" in name else 0.0)),
            also=(wrong(write=lambda part, value, name: part.add_(value)),),
        ),
        Mistake(
            "PyTorch does not let you write into a parameter whose gradient it tracks. Write under "
            "`with torch.no_grad():`.",
            without_no_grad,
            also=(
                lambda lstm, value: lstm.bias_ih_l0.fill_(value),
                lambda lstm, value: lstm.bias_ih_l0.chunk(4)[1].fill_(value),
            ),
        ),
        Mistake(
            "The biases are replaced by new parameters. An optimizer that was made before holds "
            "the old ones, and would train those: write into what is there.",
            replaces_them,
        ),
        Mistake(
            "The whole of `bias_hh` is set to 0. Only its second quarter belongs to the forget "
            "gate.",
            afterwards(lambda name, p: p.zero_() if "bias_hh" in name else None),
        ),
        Mistake(
            "The forget biases are as they were. Change them in place, and look at the names of "
            "the LSTM's parameters, such as `bias_ih_l0`.",
            lambda lstm, value: set_forget_bias(copy.deepcopy(lstm), value),
        ),
        Mistake(
            "Some parameters no longer ask for a gradient, so they would never learn. Write under "
            "`with torch.no_grad():`, which ends with its block.",
            afterwards(lambda name, p: p.requires_grad_("bias" not in name)),
            also=(
                afterwards(lambda name, p: p.requires_grad_(False)),
                afterwards(lambda name, p: p.requires_grad_("bias_ih" not in name)),
            ),
        ),
        Mistake(
            "With a projection, H is not the size of a state, which has `proj_size` numbers. The "
            "blocks have `hidden_size`.",
            wrong(part=lambda bias, lstm: bias.split(lstm.proj_size or lstm.hidden_size)[1]),
        ),
        Mistake(
            "`bias_ih` keeps its old values, which are added. Set its forget part to 0.",
            wrong(
                which=lambda name, lstm: "bias_hh" in name,
                write=lambda part, value, name: part.fill_(value),
            ),
        ),
        Mistake(
            "The last unit is left out: the end of a slice is not included.",
            wrong(part=lambda bias, lstm: bias.chunk(4)[1][:-1]),
        ),
        Mistake(
            "The first unit is left out: the forget gate's part begins at H.",
            wrong(part=lambda bias, lstm: bias.chunk(4)[1][1:]),
        ),
        Mistake(
            "The slice is one entry too long. The forget gate's part goes from H to 2H, which is "
            "not included.",
            wrong(part=lambda bias, lstm: bias[lstm.hidden_size : 2 * lstm.hidden_size + 1]),
            also=(
                wrong(part=lambda bias, lstm: bias[lstm.hidden_size - 1 : 2 * lstm.hidden_size]),
            ),
        ),
        Mistake(
            "A single entry is set in each bias. The forget gate has H of them, one for each unit.",
            wrong(part=lambda bias, lstm: bias.chunk(4)[1][:1]),
            also=(wrong(part=lambda bias, lstm: bias[1:2]),),
        ),
        Mistake(
            "The blocks lie one behind the other, H entries each, not by turns.",
            wrong(part=lambda bias, lstm: bias[1::4]),
        ),
        Mistake(
            "More than one block is set. The forget gate's part goes from H to 2H.",
            wrong(part=lambda bias, lstm: bias[lstm.hidden_size :]),
            also=(wrong(part=lambda bias, lstm: bias[: 2 * lstm.hidden_size]),),
        ),
        Mistake(
            "Only the last layer is set. Go through all layers.",
            wrong(which=lambda name, lstm: f"_l{lstm.num_layers - 1}" in name),
        ),
        Mistake(
            "The value is made a whole number. Take it as it is.",
            lambda lstm, value: set_forget_bias(lstm, int(value)),
            also=(lambda lstm, value: set_forget_bias(lstm, round(value)),),
        ),
        Mistake(
            "The biases of the other gates are set to 0. Leave them as they are.",
            afterwards(zero_other_gates),
        ),
        Mistake(
            "Rows of the matrices are set to 0 as well.",
            afterwards(zero_rows_of("weight_hh")),
            also=(
                afterwards(zero_rows_of("weight_ih")),
                afterwards(zero_rows_of("weight_ih", "weight_hh")),
            ),
        ),
        Mistake(
            "A tensor cannot replace a parameter. Write into it, under `with torch.no_grad():`.",
            functools.partial(replaces_them, by=lambda new: new),
        ),
        Mistake(
            "Layers count from 0, as in `bias_ih_l0`, so that none has the number `num_layers`.",
            lambda lstm, value: getattr(lstm, f"bias_ih_l{lstm.num_layers}"),
        ),
        Mistake(
            "Only a bidirectional network has biases whose names end in `_reverse`.",
            asks_for_reverse,
        ),
    ),
)
