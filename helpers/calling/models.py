"""What the drivers of several chapters hand to an answer: weights, an optimizer, small models."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case, plain


def set_weights(model: nn.Module, seed: int) -> None:
    """Set every parameter from its shape and `seed`, whatever the modules are called.

    So two models with the same modules under different names get the same weights.
    """
    drawn: dict[tuple, np.random.Generator] = {}
    with torch.no_grad():
        for parameter in model.parameters():
            shape = tuple(parameter.shape)
            rng = drawn.setdefault(shape, np.random.default_rng([seed, *shape]))
            values = rng.normal(size=shape) / np.sqrt(shape[-1])
            parameter.copy_(torch.as_tensor(values))


def weights_of(model: nn.Module) -> torch.Tensor:
    """Return all parameters of a model in one row, without their graph."""
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def holds_graph(value: Any) -> bool:
    """Return whether something is a tensor that drags a graph along. Raises Misfit: see `plain`."""
    return isinstance(value, torch.Tensor) and plain(value, "what is kept").requires_grad


def parts_of(state: Any) -> tuple:
    """Return the parts of a recurrent state: both of an LSTM's pair, else the one that there is."""
    return tuple(state) if isinstance(state, tuple | list) else (state,)


class PlainSGD:
    """Gradient descent that adds each step to the list `taken`, which it does not hand on.

    The first optimizer of `torch.optim` in a process costs a second (it imports a compiler), which
    is longer than an answer to an exercise may take.
    """

    step: Callable[[], None]

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, taken: list[int]):
        self.param_groups: list[dict[str, Any]] = [{"params": list(parameters), "lr": lr}]

        def step() -> None:
            taken.append(len(taken) + 1)
            self._move()

        self.step = step

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None if set_to_none else torch.zeros_like(parameter)

    @torch.no_grad()
    def _move(self) -> None:
        """Move every parameter that has a gradient."""
        for parameter in self.param_groups[0]["params"]:
            if parameter.grad is not None:
                parameter.sub_(self.param_groups[0]["lr"] * parameter.grad)


class StreamModel(nn.Module):
    """The smallest model that carries a state: `prediction, state = model(x, state)`.

    x (B, T, 1), prediction (B, T, 1).
    """

    def __init__(self, hidden_size: int):
        super().__init__()
        self.rnn = nn.RNN(1, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, 1)

    def forward(self, x, state=None):
        out, state = self.rnn(x, state)  # (B, T, H), (1, B, H)
        return self.fc(out), state


def call_module(answer: Callable, case: Case) -> dict[str, Any]:
    """Build a module of the case's sizes, set its weights, and run it twice on `case["x"]`.

    The gradients are the norms of what the first output sends to the parameters, in ascending
    order, so that it does not matter in which order a class makes its modules.
    """
    x = torch.from_numpy(case["x"])
    model = answer(case["input_size"], case["hidden_size"], case["output_size"])
    set_weights(model, case["seed"])
    first, again = model(x), model(x)
    parameters = list(model.parameters())
    norms = [torch.zeros(())] * len(parameters)
    if parameters and holds_graph(first):
        loss = first.square().sum()
        gradients = torch.autograd.grad(loss, parameters, materialize_grads=True)
        norms = sorted(torch.linalg.vector_norm(gradient) for gradient in gradients)
    return {
        "number of parameters": sum(parameter.numel() for parameter in parameters),
        "output": first,
        "output on the same x again": again,
        "gradients of the weights": norms,
    }
