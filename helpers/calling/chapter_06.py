"""The drivers of chapter 6: how its exercises are called.

B sequences in a batch, T time steps, D numbers per step.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Given, Misfit, Returned, as_array, named, whole
from helpers.calling.watching import watched

TRANSFORMS = frozenset({"fft_rfft", "fft_irfft", "fft_fft", "fft_ifft"})
FIRST = 8  # steps, after which another one is taken
LINEAR = "to_a", "to_c"  # the layers that a MinGRU has


def call_attention(answer: Callable, case: Given) -> dict[str, Any]:
    """Call with q, k, v (B, T, D), and send a gradient back through what comes out."""
    inputs = [case.tensor(name).requires_grad_() for name in "qkv"]
    outputs = answer(*inputs, case["num_heads"])
    array = _of_shape(outputs, "outputs", inputs[0].shape)
    return {"outputs": array, "learns": _reached(outputs, inputs)}


def call_attention_step(answer: Callable, case: Given) -> dict[str, Any]:
    """Go through (B, T, D) step by step, each with the cache that came back from the one before.

    From each of the first caches another step is taken as well, which must leave no trace; the last
    step is taken twice from one cache.
    """
    q, k, v = (case.tensor(name).unbind(1) for name in "qkv")
    outputs, heads = [], case["num_heads"]
    cache: Any = None
    before: Any = None
    for number, at_t in enumerate(zip(q, k, v, strict=True)):
        before = cache
        output, cache = named(answer(*at_t, before, heads), "output", "cache").values()
        outputs.append(_of_shape(output, "output", at_t[0].shape))
        if number < FIRST:
            answer(*(-part for part in at_t), before, heads)
    again, _ = answer(*at_t, before, heads)
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
        found = named(model(part) if state is None else model(part, state), "outputs", "state")
        _of_shape(found["outputs"], "outputs", (*part.shape[:2], h_0.shape[1]))
        _of_shape(found["state"], "state", tuple(h_0.shape))
        return found

    whole_run, half = run(x, None), x.shape[1] // 2
    first = run(x[:, :half], None)
    second = run(x[:, half:], first["state"])
    state, steps = h_0, []
    for x_t in x.split(1, dim=1):
        output, state = run(x_t, state).values()
        steps.append(as_array(output, "outputs"))
    weights = [getattr(model, name).weight for name in LINEAR]
    return {
        "learns": _reached(whole_run["outputs"], weights),
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


def call_with_transforms(answer: Callable, case: Given) -> Any:
    """Call with a and b. Raises Misfit if the answer, not one of ours, makes no Fourier transform.

    Others than the course's own are watched.
    """
    a, b = case.tensor("a"), case.tensor("b")
    if str(getattr(answer, "__module__", "")).startswith("helpers.exercises"):
        return Returned(answer(a, b))
    with watched(TRANSFORMS) as called:
        states = answer(a, b)
    if not called & TRANSFORMS:
        raise Misfit("No Fourier transform is made: go through `torch.fft.rfft` and `irfft`.")
    return Returned(states)


def _reached(outputs: Any, inputs: list[torch.Tensor]) -> np.ndarray:
    """Return for each input whether a gradient reaches it from the outputs, 1.0 or 0.0.

    Raises Misfit where nothing can.
    """
    if not isinstance(outputs, torch.Tensor) or not outputs.requires_grad:
        raise Misfit(
            "Nothing can be learned through what comes back: no gradient goes through it. Stay in "
            "PyTorch all the way, without `detach`, `no_grad` or NumPy."
        )
    sent = torch.linspace(-1, 1, outputs.numel(), dtype=outputs.dtype).view_as(outputs)
    found = torch.autograd.grad(outputs, inputs, sent, materialize_grads=True)
    return np.array([float((gradient.abs() > 1e-4).any()) for gradient in found])


def _of_shape(value: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a value as an array of this shape. Raises Misfit."""
    array = as_array(value, name)
    if array.shape != tuple(shape):
        raise Misfit(f"`{name}` has shape {array.shape}; expected {tuple(shape)}.")
    return array
