"""The drivers of chapter 1: cells, states that are carried, gradients that are measured."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Given, Misfit, as_array, kind_of, named, once, plain
from helpers.calling.models import PlainSGD, StreamModel, holds_graph, set_weights, weights_of

WEIGHTS = {"W_xh": (1, 2), "W_hh": (2, 2), "b_h": (2,), "W_hy": (2, 1), "b_y": (1,)}


def call_parity_weights(answer: Callable, case: Given) -> dict[str, Any]:
    """Take the weights of a network of two units, in arrays of their shapes."""
    made = {n: as_array(w, n) for n, w in named(answer(), *WEIGHTS).items()}
    for name, shape in WEIGHTS.items():
        if made[name].shape != shape:
            raise Misfit(f"`{name}` has shape {made[name].shape}; expected {shape}.")
        if not np.isfinite(made[name]).all():
            raise Misfit(f"`{name}` has entries that are infinite or nan.")
    return made


def call_carry_state(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over a state that is tied to a graph: one tensor, or an LSTM's pair."""
    leaves = [leaf.requires_grad_() for leaf in case.tensor("parts")]
    parts = tuple(leaf * 1.0 for leaf in leaves)
    pair = len(parts) == 2
    result = answer(parts if pair else parts[0])
    if pair and not (isinstance(result, tuple | list) and len(result) == 2):
        raise Misfit("An LSTM's state is the pair (h, c): return a pair for a pair.")
    results = tuple(result) if pair else (result,)
    if not all(isinstance(part, torch.Tensor) for part in results):
        raise Misfit("The state that is carried on must consist of tensors.")
    for part in results:
        plain(part, "state")
    return {
        "state": torch.stack(results),
        "tied to a graph": [part.grad_fn is not None for part in results],
        "requires grad": [part.requires_grad for part in results],
    }


def call_train_on_stream(answer: Callable, case: Given) -> dict[str, Any]:
    """Train a small model on the windows `case["x"]`, `case["y"]`, both (n, B, W, 1)."""
    x, y = case.tensor("x"), case.tensor("y")
    model = StreamModel(case["hidden_size"])
    set_weights(model, case["seed"])
    taken: list[int] = []
    optimizer = PlainSGD(model.parameters(), lr=0.1, taken=taken)
    losses = answer(model, once(zip(x, y, strict=True)), optimizer)
    listed = losses if isinstance(losses, list) else []
    return {
        "losses": losses,
        "trained weights": weights_of(model),
        "calls of optimizer.step": len(taken),
        "losses hold on to their graphs": any(map(holds_graph, listed)),
    }


class LeakyCell(nn.Module):
    """A home-made cell: half of the old state and half of an RNN's new one."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNNCell(input_size, hidden_size)

    def forward(self, x_t, h):
        return 0.5 * h + 0.5 * self.rnn(x_t, h)  # (B, H)


CELLS = {"RNNCell": nn.RNNCell, "GRUCell": nn.GRUCell, "LeakyCell": LeakyCell}


def call_gradient_norms(answer: Callable, case: Given) -> dict[str, Any]:
    """Run an answer on the case's kind of cell and weights, with a loss that weighs h_T by v."""
    x, v = case.tensor("x"), case.tensor("v")  # (B, T, D), (H,)
    cell = CELLS[case["cell"]](x.shape[-1], v.shape[-1]).to(x.dtype)
    set_weights(cell, case["seed"])
    return {"norms": answer(cell, x, lambda h_T: (h_T * v).sum())}


KINDS, MOST_UNITS = 5, 32
OF_A_PLAIN_RNN = "W_x", "W_h", "b", "V", "c"
ONLY_WHILE_TRAINING = {"torch.nn.modules.loss", "torch.nn.modules.dropout"}


def call_remember_first(answer: Callable, case: Given) -> dict[str, Any]:
    """Take the weights out of a model of one plain `nn.RNN` and one `nn.Linear` on its last state.

    W_x (H, KINDS), W_h (H, H), b (H,), V (KINDS, H), c (KINDS,): the model itself is not run, so
    that the answer is what a plain network with these weights says.
    """
    model = answer(case["seed"])
    if not isinstance(model, nn.Module):
        raise Misfit(f"Return a model, an `nn.Module`; got {kind_of(model)}.")
    layers: list[Any] = [m for m in model.modules() if m is not model and not list(m.children())]
    layers = [m for m in layers if type(m).__module__ not in ONLY_WHILE_TRAINING]
    layers.sort(key=lambda layer: type(layer).__name__)
    if [type(layer).__name__ for layer in layers] != ["Linear", "RNN"]:
        raise Misfit("The model must consist of one `nn.RNN` and one `nn.Linear`: a `LastStepRNN`.")
    fc, rnn = layers
    plain_one = rnn.num_layers == 1 and not rnn.bidirectional and rnn.nonlinearity == "tanh"
    if not plain_one or rnn.input_size != KINDS or rnn.hidden_size > MOST_UNITS:
        ways = "both directions" if rnn.bidirectional else "one direction"
        raise Misfit(
            f"The `nn.RNN` must read {KINDS} numbers, with `tanh`, one layer, one direction, and "
            f"{MOST_UNITS} units at most. This one: {rnn.input_size} numbers, "
            f"`{rnn.nonlinearity}`, layers {rnn.num_layers}, {ways}, units {rnn.hidden_size}."
        )
    weights = dict(rnn.named_parameters()) | dict(fc.named_parameters())
    zero = torch.zeros(())
    b = weights.get("bias_ih_l0", zero) + weights.get("bias_hh_l0", zero)
    return {
        "W_x": weights["weight_ih_l0"],
        "W_h": weights["weight_hh_l0"],
        "b": b.expand(rnn.hidden_size),
        "V": weights["weight"],
        "c": weights.get("bias", zero).expand(KINDS),
    }


def call_clip_gradients(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over parameters with the case's gradients, and one without a gradient.

    In half of the cases the parameters can be gone through only once, as `model.parameters()` can.
    """
    parameters = [nn.Parameter(torch.zeros_like(torch.from_numpy(g))) for g in case["gradients"]]
    for parameter, gradient in zip(parameters, case["gradients"], strict=True):
        parameter.grad = torch.from_numpy(gradient.copy())
    unused = nn.Parameter(torch.zeros(2))
    given = [parameters[0], unused, *parameters[1:]]
    norm = answer(once(given) if case["as_generator"] else given, case["max_norm"])
    return {
        "gradients afterwards": torch.cat([p.grad.flatten() for p in parameters]),
        "returned norm": float("nan") if norm is None else norm,
    }
