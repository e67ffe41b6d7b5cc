"""An LSTM without one of its units: step by step, and the wrong ways that `ablate_unit` knows."""

import copy
from collections.abc import Callable

import torch
from torch import nn


class Clamped(nn.Module):
    """Runs an LSTM step by step, and sets one number of its output before anything reads it."""

    def __init__(self, lstm: nn.LSTM, unit: int, value: float):
        super().__init__()
        self.lstm, self.unit, self.value = lstm, unit, value

    def forward(self, x, state=None):
        zeros = x.new_zeros(1, len(x), self.lstm.hidden_size)
        h, c = (zeros, zeros) if state is None else state
        outputs = []
        for x_t in x.split(1, dim=1):
            h = h.index_fill(2, torch.tensor(self.unit), self.value)
            out, (h, c) = self.lstm(x_t, (h, c))
            outputs.append(out.index_fill(2, torch.tensor(self.unit), self.value))
        return torch.cat(outputs, dim=1), (h, c)


def wrong(
    change: Callable,
    copied: Callable = copy.deepcopy,
    returned: Callable = lambda lstm, fc: (lstm, fc),
) -> Callable:
    """Return an `ablate_unit` that changes weights: change(lstm, fc, unit, value), of copies."""

    @torch.no_grad()
    def answer(lstm, fc, unit, value):
        lstm, fc = copied(lstm), copied(fc)
        change(lstm, fc, unit, value)
        return returned(lstm, fc)

    return answer


def in_the_gates(lstm, fc, unit, value):
    """Let the gates read `value` for the unit: a constant times a column is a part of the bias."""
    lstm.bias_hh_l0 += value * lstm.weight_hh_l0[:, unit]
    lstm.weight_hh_l0[:, unit] = 0


def in_the_output(lstm, fc, unit, value):
    """Let the linear layer read `value` for the unit."""
    fc.bias += value * fc.weight[:, unit]
    fc.weight[:, unit] = 0


def in_both(lstm, fc, unit, value):
    in_the_gates(lstm, fc, unit, value)
    in_the_output(lstm, fc, unit, value)


def without_the_bias(lstm, fc, unit, value):
    lstm.weight_hh_l0[:, unit] = 0
    fc.weight[:, unit] = 0


def bias_of_the_output_only(lstm, fc, unit, value):
    in_the_output(lstm, fc, unit, value)
    lstm.weight_hh_l0[:, unit] = 0


def bias_of_the_gates_only(lstm, fc, unit, value):
    in_the_gates(lstm, fc, unit, value)
    fc.weight[:, unit] = 0


def columns_stay(lstm, fc, unit, value):
    lstm.bias_hh_l0 += value * lstm.weight_hh_l0[:, unit]
    fc.bias += value * fc.weight[:, unit]


def columns_before_biases(lstm, fc, unit, value):
    without_the_bias(lstm, fc, unit, value)
    columns_stay(lstm, fc, unit, value)


def rows_of_the_gates(lstm, fc, unit, value):
    """Change what the unit reads, not who reads it."""
    lstm.weight_hh_l0[unit :: lstm.hidden_size] = 0
    in_the_output(lstm, fc, unit, value)


def one_row(lstm, fc, unit, value):
    lstm.weight_hh_l0[unit] = 0
    in_the_output(lstm, fc, unit, value)


def row_for_column(lstm, fc, unit, value):
    lstm.bias_hh_l0[unit] += (value * lstm.weight_hh_l0[unit]).sum()
    lstm.weight_hh_l0[unit] = 0
    in_the_output(lstm, fc, unit, value)


def input_column(lstm, fc, unit, value):
    lstm.weight_ih_l0[:, unit % lstm.input_size] = 0
    in_the_output(lstm, fc, unit, value)


def first_gate(lstm, fc, unit, value):
    H = lstm.hidden_size
    lstm.bias_hh_l0[:H] += value * lstm.weight_hh_l0[:H, unit]
    lstm.weight_hh_l0[:H, unit] = 0
    in_the_output(lstm, fc, unit, value)


def value_for_the_weights(lstm, fc, unit, value):
    lstm.weight_hh_l0[:, unit] = value
    fc.weight[:, unit] = value


def value_for_the_bias(lstm, fc, unit, value):
    without_the_bias(lstm, fc, unit, value)
    lstm.bias_hh_l0 += value
    fc.bias += value


def both_biases(lstm, fc, unit, value):
    lstm.bias_ih_l0 += value * lstm.weight_hh_l0[:, unit]
    in_both(lstm, fc, unit, value)


class OutputAlone(nn.Module):
    """Sets a unit in what the LSTM gives out, once it is through with all steps."""

    def __init__(self, lstm: nn.LSTM, unit: int, value: float):
        super().__init__()
        self.lstm, self.unit, self.value = lstm, unit, value

    def forward(self, x, state=None):
        out, state = self.lstm(x, state)
        return out.index_fill(2, torch.tensor(self.unit), self.value), state


class CellClamped(Clamped):
    """Sets the unit's memory c in place of its output h."""

    def forward(self, x, state=None):
        zeros = x.new_zeros(1, len(x), self.lstm.hidden_size)
        h, c = (zeros, zeros) if state is None else state
        outputs = []
        for x_t in x.split(1, dim=1):
            c = c.index_fill(2, torch.tensor(self.unit), self.value)
            out, (h, c) = self.lstm(x_t, (h, c))
            outputs.append(out)
        return torch.cat(outputs, dim=1), (h, c)


class FromTheSecondStep(Clamped):
    """Leaves the state that comes in as it is, and sets the unit from then on."""

    def forward(self, x, state=None):
        outputs = []
        for x_t in x.split(1, dim=1):
            out, (h, c) = self.lstm(x_t, state)
            state = h.index_fill(2, torch.tensor(self.unit), self.value), c
            outputs.append(out.index_fill(2, torch.tensor(self.unit), self.value))
        return torch.cat(outputs, dim=1), state
