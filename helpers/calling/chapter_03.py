"""The drivers of chapter 3: padded batches, the adding problem, biases set in place."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Given, Misfit, as_array, named
from helpers.calling.models import set_weights

MOST_UNITS = 4  # of a network whose weights are set by hand
OF_AN_LSTM = "weight_ih", "weight_hh", "bias", "W_hy", "b_y"
OF_AN_RNN = "W_xh", "W_hh", "b_h", "W_hy", "b_y"


def call_adding_lstm(answer: Callable, case: Given) -> dict[str, Any]:
    """Take the weights of an LSTM of H units that reads two numbers, H being its bias's quarter."""
    made = {n: as_array(w, n) for n, w in named(answer(), *OF_AN_LSTM).items()}
    H = made["bias"].size // 4
    shapes = [(4 * H, 2), (4 * H, H), (4 * H,), (H, 1), (1,)]
    return _by_hand(made, dict(zip(OF_AN_LSTM, shapes, strict=True)), H)


def call_adding_rnn(answer: Callable, case: Given) -> dict[str, Any]:
    """Take the weights of a plain network of H units that reads two numbers."""
    made = {n: as_array(w, n) for n, w in named(answer(), *OF_AN_RNN).items()}
    H = made["b_h"].size
    shapes = [(2, H), (H, H), (H,), (H, 1), (1,)]
    return _by_hand(made, dict(zip(OF_AN_RNN, shapes, strict=True)), H)


def _by_hand(
    made: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]], H: int
) -> dict[str, np.ndarray]:
    """Return weights of the shapes that H units have. Raises Misfit: that is told at once."""
    if not 1 <= H <= MOST_UNITS:
        raise Misfit(f"The biases are those of H = {H} units; take 1 to {MOST_UNITS}.")
    for name, shape in shapes.items():
        if made[name].shape != shape:
            raise Misfit(f"`{name}` has shape {made[name].shape}; for H = {H} it has {shape}.")
        if not np.isfinite(made[name]).all():
            raise Misfit(f"`{name}` has entries that are infinite or nan.")
    return made


def call_reach(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over a network of the case's kind and sizes, in float64, and its input."""
    x = case.tensor("x")  # (B, T, D)
    sizes = x.shape[-1], case["hidden_size"], case["num_layers"]
    rnn = getattr(nn, case["kind"])(*sizes, batch_first=True).double()
    set_weights(rnn, case["seed"])
    with torch.no_grad():
        rnn.weight_hh_l0.mul_(case["stretch"])
    return {"relative": answer(rnn, x)}


def call_encode_padded(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over a bidirectional GRU of the case's sizes, the padded batch and its lengths."""
    x, lengths = case.tensor("x"), case.tensor("lengths")  # (B, T, D), (B,)
    sizes = (x.shape[-1], case["hidden_size"], case["num_layers"])
    gru = nn.GRU(*sizes, batch_first=True, bidirectional=True)
    set_weights(gru, case["seed"])
    return {"encoding": answer(gru, x, lengths)}


def call_set_forget_bias(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over an LSTM of the case's sizes, and look at what is in it afterwards.

    A gate's bias is the sum of PyTorch's two, for every layer and direction.
    """
    sizes = (case["input_size"], case["hidden_size"], case["num_layers"])
    lstm = nn.LSTM(*sizes, bidirectional=case["bidirectional"], proj_size=case["proj_size"])
    set_weights(lstm, case["seed"])
    before = list(lstm.parameters())
    answer(lstm, case["value"])
    parameters = dict(lstm.named_parameters())
    firsts = [name for name in parameters if "bias_ih" in name]
    sums = [parameters[name] + parameters[name.replace("_ih", "_hh")] for name in firsts]
    gates = torch.stack(sums).unflatten(1, (4, case["hidden_size"])).detach()  # (layers, 4, H)
    matrices = [p.flatten() for name, p in parameters.items() if "weight" in name]
    return {
        "forget bias": gates[:, 1],
        "biases of the other gates": gates[:, [0, 2, 3]],
        "matrices": torch.cat(matrices),
        "requires grad": [p.requires_grad for p in parameters.values()],
        "parameters replaced": sum(
            p is not q for p, q in zip(lstm.parameters(), before, strict=True)
        ),
    }
