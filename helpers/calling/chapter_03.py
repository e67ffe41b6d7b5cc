"""The drivers of chapter 3: padded batches, the adding problem, biases set in place."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.calling.arrays import Given, as_arrays, named
from helpers.calling.models import set_weights


def call_encode_padded(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over a bidirectional GRU of the case's sizes, the padded batch and its lengths."""
    x, lengths = case.tensor("x"), case.tensor("lengths")  # (B, T, D), (B,)
    sizes = (x.shape[-1], case["hidden_size"], case["num_layers"])
    gru = nn.GRU(*sizes, batch_first=True, bidirectional=True)
    set_weights(gru, case["seed"])
    return {"encoding": answer(gru, x, lengths)}


def call_adding_problem_batch(answer: Callable, case: Given) -> dict[str, Any]:
    """Return x and y of a batch, x of a second with the same seed and of a third with another."""

    def batch(seed):
        return as_arrays(named(answer(case["batch_size"], case["T"], seed), "x", "y"))

    first, again = batch(case["seed"]), batch(case["seed"])
    other = batch((case["seed"] + 1) % 2**31)
    return {**first, "again": again["x"], "other": other["x"]}


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
