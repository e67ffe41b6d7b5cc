"""The drivers of chapter 6: how its exercises are called.

B sequences in a batch, T time steps, D numbers per step.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Given, Misfit, as_array, named, whole

LINEAR = "to_a", "to_c"  # the layers that a MinGRU has


def call_attention_step(answer: Callable, case: Given) -> dict[str, Any]:
    """Go through (B, T, D) step by step, each with the cache that came back from the one before.

    The last step is taken twice, from one cache.
    """
    q, k, v = (case.tensor(name).unbind(1) for name in "qkv")
    outputs, cache = [], None
    for number, at_t in enumerate(zip(q, k, v, strict=True), 1):
        before = cache
        output, cache = named(answer(*at_t, before, case["num_heads"]), "output", "cache").values()
        outputs.append(_of_shape(output, "output", at_t[0].shape))
        if number == len(q):
            again, _ = answer(*at_t, before, case["num_heads"])
    return {"outputs": np.stack(outputs, axis=1), "once more": as_array(again, "output")}


def call_with_pairs(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over the case's two pairs."""
    a_1, b_1, a_2, b_2 = (case.tensor(name) for name in case)
    return named(answer((a_1, b_1), (a_2, b_2)), "a", "b")


def call_parallel_scan(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over pairs (B, T, D) and a way to join them, and count how often they are joined.

    Joined are lengths and highest points of paths one after the other, (a, b): a is how far a path
    leads up, b its highest point. That is associative and not commutative.
    """
    calls = 0

    def joined(first, second):
        nonlocal calls
        calls += 1
        (a, b), (more, peak) = first, second
        return a + more, torch.maximum(b, a + peak)

    a, b = named(answer(joined, case.tensor("a"), case.tensor("b")), "a", "b").values()
    return {"a": a, "b": b, "calls": calls}


def call_min_gru(answer: Callable, case: Given) -> dict[str, Any]:
    """Run a MinGRU over whole sequences, in two parts, and step by step from a state."""
    x, h_0 = case.tensor("x"), case.tensor("h_0")  # (B, T, D), (B, H)
    gate = getattr(torch, case["gate"])
    model = answer(x.shape[2], h_0.shape[1], gate)
    for name in LINEAR:
        layer = getattr(model, name, None)
        if not isinstance(layer, nn.Linear):
            raise Misfit(f"The model has no layer `{name}`, an `nn.Linear`.")
        shape = (h_0.shape[1], x.shape[2])
        if tuple(layer.weight.shape) != shape or layer.bias is None:
            raise Misfit(f"`{name}` must have a weight {shape} and a bias.")
        with torch.no_grad():
            layer.weight.copy_(case.tensor(f"{name}.weight"))
            layer.bias.copy_(case.tensor(f"{name}.bias"))

    def run(part, state):
        return named(model(part) if state is None else model(part, state), "outputs", "state")

    whole_run, half = run(x, None), x.shape[1] // 2
    first = run(x[:, :half], None)
    second = run(x[:, half:], first["state"])
    state, steps = h_0, []
    for x_t in x.split(1, dim=1):
        output, state = run(x_t, state).values()
        steps.append(_of_shape(output, "outputs", (*x_t.shape[:2], h_0.shape[1])))
    return {
        "outputs": whole_run["outputs"],
        "state": whole_run["state"],
        "second half": second["outputs"],
        "from a state": run(x, h_0)["outputs"],
        "step by step": np.concatenate(steps, axis=1),
    }


def call_with_a_state(answer: Callable, case: Given) -> dict[str, Any]:
    """Go through the case step by step, from the state S on; the last step is taken twice.

    What else the case has is (B, T, ...), and is handed over after S in its order.
    """
    state = case.tensor("S")
    steps = list(zip(*(case.tensor(n).unbind(1) for n in case if n != "S"), strict=True))
    outputs = []
    for at_t in steps:
        before = state
        output, state = named(answer(before, *at_t), "output", "S").values()
        outputs.append(_of_shape(output, "output", (len(before), before.shape[1])))
        _of_shape(state, "S", before.shape)
        state = torch.as_tensor(state)
    again, _ = answer(before, *steps[-1])
    return {
        "outputs": np.stack(outputs, axis=1),
        "S": state,
        "once more": as_array(again, "output"),
    }


def call_recall_learner(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over the batches to learn from, and ask what was learned about others."""
    x, y = case.tensor("x"), case.tensor("y")
    predict = answer(list(zip(x, y, strict=True)))
    if not callable(predict):
        raise Misfit("Return a function, `predict`; what came back cannot be called.")
    asked, name = case.tensor("asked"), "what `predict` returns"
    return {"said": whole(predict(asked), name), "said of one": whole(predict(asked[:1]), name)}


def _of_shape(value: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a value as an array of this shape. Raises Misfit."""
    array = as_array(value, name)
    if array.shape != tuple(shape):
        raise Misfit(f"`{name}` has shape {array.shape}; expected {tuple(shape)}.")
    return array
