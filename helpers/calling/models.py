"""What the drivers of several chapters hand to an answer: weights, an optimizer, small models."""

import contextlib
import copy
import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Given, plain


def set_weights(model: nn.Module, seed: int, run: Callable[[nn.Module], Any] | None = None) -> None:
    """Set every parameter from its shape and `seed`, whatever the modules are called.

    Two models with the same modules get the same weights, in whatever order they make them: of
    parameters of one shape an embedding's come first, a linear layer's last, and those of layers of
    one kind in the order in which `run`, which calls the model, uses the layers.
    """
    order = _order_of_use(model, run) if run and _are_alike(model) else {}
    owners = [(name, module) for name, module in model.named_modules()]
    parameters = [
        (_kind(module), order.get(name, len(owners)), parameter)
        for name, module in owners
        for parameter in module.parameters(recurse=False)
    ]
    drawn: dict[tuple, np.random.Generator] = {}
    with torch.no_grad():
        for _, _, parameter in sorted(parameters, key=lambda entry: entry[:2]):
            shape = tuple(parameter.shape)
            rng = drawn.setdefault(shape, np.random.default_rng([seed, *shape]))
            values = rng.normal(size=shape) / np.sqrt(shape[-1] if shape else 1)
            parameter.copy_(torch.as_tensor(values))


def _kind(module: nn.Module) -> int:
    """Return where a layer's parameters come among those of the same shape."""
    return 0 if isinstance(module, nn.Embedding) else 2 if isinstance(module, nn.Linear) else 1


def _are_alike(model: nn.Module) -> bool:
    """Return whether shape and kind do not tell parameters of two layers apart, or not yet."""
    if _is_lazy(model):
        return True
    owned = [
        (_kind(module), shape)
        for module in model.modules()
        for shape in {parameter.shape for parameter in module.parameters(recurse=False)}
    ]
    return len(owned) > len(set(owned))


def _is_lazy(model: nn.Module) -> bool:
    return any(isinstance(p, nn.parameter.UninitializedParameter) for p in model.parameters())


def _order_of_use(model: nn.Module, run: Callable[[nn.Module], Any]) -> dict[str, int]:
    """Return name of a layer -> its place in the order in which the layers are used.

    The model runs for it once: itself, if it has lazy layers, which take their sizes from that;
    else as a copy, which may fail, since nothing is judged here.
    """
    lazy = _is_lazy(model)
    used: dict[str, int] = {}

    def note(name: str, *_: Any) -> None:  # what a hook returns would be the layer's input
        used.setdefault(name, len(used))

    with contextlib.nullcontext() if lazy else contextlib.suppress(Exception):
        runs = model if lazy else copy.deepcopy(model)
        hooks = [
            module.register_forward_pre_hook(functools.partial(note, name))
            for name, module in runs.named_modules()
        ]
        with torch.no_grad():
            run(runs)
        for hook in hooks:
            hook.remove()
    return used


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

    step: Callable[..., Any]

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, taken: list[int]):
        self.defaults: dict[str, Any] = {"lr": lr}
        self.param_groups: list[dict[str, Any]] = [{"params": list(parameters), "lr": lr}]
        self.state: dict[nn.Parameter, dict[str, Any]] = {}

        def step(closure: Callable[[], Any] | None = None) -> Any:
            with torch.enable_grad():
                loss = closure() if closure else None
            taken.append(len(taken) + 1)
            self._move()
            return loss

        self.step = step

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        for parameter in self._parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = torch.zeros_like(parameter)

    def _parameters(self) -> list[nn.Parameter]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    @torch.no_grad()
    def _move(self) -> None:
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.sub_(group["lr"] * parameter.grad)


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


def call_module(answer: Callable, case: Given) -> dict[str, Any]:
    """Build a module of the case's sizes, set its weights, and run it twice on `case["x"]`.

    The gradients are the norms of what the first output sends to the parameters, in ascending
    order, so that it does not matter in which order a class makes its modules.
    """
    x = case.tensor("x")
    model = answer(case["input_size"], case["hidden_size"], case["output_size"])
    set_weights(model, case["seed"], lambda model: model(x))
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
