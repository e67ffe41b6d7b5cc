"""`ablate_unit`: an LSTM that reads a constant where it read one of its units.

E numbers per step in, H hidden size, V characters. `lstm` is an nn.LSTM (E, H) of one layer with
`batch_first=True`, `fc` an nn.Linear (H, V).
"""

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_ablate_unit
from helpers.exercises.chapter_05.parts.ablations import (
    CellClamped,
    FromTheSecondStep,
    OutputAlone,
    bias_of_the_gates_only,
    bias_of_the_output_only,
    both_biases,
    columns_before_biases,
    columns_stay,
    first_gate,
    in_both,
    in_the_gates,
    in_the_output,
    input_column,
    one_row,
    row_for_column,
    rows_of_the_gates,
    value_for_the_bias,
    value_for_the_weights,
    without_the_bias,
    wrong,
)
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed, normal


def ablate_unit(lstm, fc, unit, value):
    """Return layers of which one is told, by an input of its own, that the unit is `value`.

    The LSTM reads inputs (B, T, E + 1) whose last number is 1: what it multiplies is the column of
    the unit, times `value`.
    """
    H, gone = lstm.hidden_size, torch.arange(lstm.hidden_size) == unit
    wider = nn.LSTM(lstm.input_size + 1, H, batch_first=True)
    head = nn.Linear(H, fc.out_features)
    with torch.no_grad():
        column = value * lstm.weight_hh_l0[:, unit : unit + 1]
        wider.weight_ih_l0.copy_(torch.cat([lstm.weight_ih_l0, column], dim=1))
        wider.weight_hh_l0.copy_(lstm.weight_hh_l0.masked_fill(gone, 0.0))
        wider.bias_ih_l0.copy_(lstm.bias_ih_l0)
        wider.bias_hh_l0.copy_(lstm.bias_hh_l0)
        head.weight.copy_(fc.weight.masked_fill(gone, 0.0))
        head.bias.copy_(fc(value * gone.float()) - fc(torch.zeros(H)) + fc.bias)

    def run(x, state=None):
        return wider(torch.cat([x, torch.ones_like(x[..., :1])], dim=2), state)

    return run, head


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw inputs (B, T, E), a unit of H, and the value that it is to have; once it is 0."""
    settings = (
        (1, 6, 3, 5, 4, 0.5),
        (2, 8, 4, 6, 7, -0.7),
        (3, 5, 5, 3, 5, 0.9),
        (2, 7, 2, 4, 3, 0),
    )
    return [
        {
            "x": normal(rng, B, T, E),
            "hidden_size": H,
            "outputs": V,
            "unit": int(rng.integers(0 if number else 1, H)),
            "value": value,
            "seed": new_seed(rng),
        }
        for number, (B, T, E, H, V, value) in enumerate(settings)
    ]


EXERCISE = Exercise(
    name="ablate_unit",
    title="a network in which one unit says nothing",
    points=4,
    difficulty=3,
    outputs={"logits": "B T v", "the layers that were given have changed": ""},
    cases=cases,
    drive=call_ablate_unit,
    reference=ablate_unit,
    against="an LSTM that reads the constant as an input",
    mistakes=(
        Mistake(
            "Only the linear layer no longer reads the unit. The LSTM itself does, at its next "
            "step, and passes on what it read.",
            wrong(in_the_output),
            also=(lambda lstm, fc, unit, value: (OutputAlone(lstm, unit, value), fc),),
        ),
        Mistake(
            "Only the gates no longer read the unit. The linear layer still does.",
            wrong(in_the_gates),
        ),
        Mistake(
            "The unit is set to 0, whatever `value` is. What would a constant add to those that "
            "read it? (Ask before the columns are 0.)",
            wrong(without_the_bias),
            also=(wrong(columns_before_biases),),
        ),
        Mistake(
            "The linear layer reads `value`, but the gates read 0.",
            wrong(bias_of_the_output_only),
        ),
        Mistake(
            "The gates read `value`, but the linear layer reads 0.",
            wrong(bias_of_the_gates_only),
        ),
        Mistake(
            "The constant is added, and the unit's own value is read as well: its columns are "
            "still there.",
            wrong(columns_stay),
        ),
        Mistake(
            "The rows of the unit's own gates are changed: what the unit *reads*. Change what "
            "*reads the unit*: a column.",
            wrong(rows_of_the_gates),
            also=(wrong(one_row), wrong(row_for_column)),
        ),
        Mistake(
            "A column of `weight_ih` is changed: that reads the input. The state is read by "
            "`weight_hh`.",
            wrong(input_column),
        ),
        Mistake(
            "Only one of the four gates is changed. All 4 H rows of `weight_hh` read the unit.",
            wrong(first_gate),
        ),
        Mistake(
            "`value` is written into the weights. It is the unit that is to have it, whatever it "
            "is multiplied by.",
            wrong(value_for_the_weights),
        ),
        Mistake(
            "`value` is added to every bias. Those that read the unit multiply it by a weight "
            "first.",
            wrong(value_for_the_bias),
        ),
        Mistake(
            "The constant's share is added to both biases of the gates, so it counts twice.",
            wrong(both_biases),
        ),
        Mistake(
            "Another unit is changed, the next or the one before. Units are counted from 0.",
            lambda lstm, fc, unit, value: ablate_unit(
                lstm, fc, (unit + 1) % lstm.hidden_size, value
            ),
            also=(
                lambda lstm, fc, unit, value: ablate_unit(
                    lstm, fc, (unit - 1) % lstm.hidden_size, value
                ),
            ),
        ),
        Mistake(
            "The layers that were given are changed themselves, so that the whole network is no "
            "longer there to compare with. Change copies: `copy.deepcopy`.",
            wrong(in_both, copied=lambda layer: layer),
        ),
        Mistake(
            "It is the memory c that is set. The unit that others read is the output, h.",
            lambda lstm, fc, unit, value: (CellClamped(lstm, unit, value), fc),
        ),
        Mistake(
            "At the first step the unit is read as the state has it. It is to have `value` there, "
            "too.",
            lambda lstm, fc, unit, value: (FromTheSecondStep(lstm, unit, value), fc),
        ),
        Mistake(
            "Nothing is changed.",
            lambda lstm, fc, unit, value: (lstm, fc),
        ),
        Mistake(
            "The two layers come back in the wrong order: first the LSTM, then the linear layer.",
            wrong(in_both, returned=lambda lstm, fc: (fc, lstm)),
        ),
    ),
)
