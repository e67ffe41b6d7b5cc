"""The drivers of chapter 2, whose answers take NumPy arrays in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from helpers.calling.arrays import Given, Misfit, as_array, call_with_numpy, named
from helpers.calling.models import holds_graph

DRAWN_STEPS = 6


def call_sine_backward(answer: Callable, case: Given) -> dict[str, Any]:
    """Return what an answer gives as dw1, dw2, dh."""
    return named(call_with_numpy(answer, case).value, "dw1", "dw2", "dh")


def call_numerical_gradient(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over a smooth function of the array `case["w"]`; then once more, with a large step."""
    w, a, b = (case[name].copy() for name in ("w", "a", "b"))

    def loss(w):
        return float(np.sum(a * np.sin(b * w)) + np.prod(np.cos(w)))

    gradient, afterwards = answer(loss, w), w.copy()
    rough = as_array(answer(loss, case["w"].copy(), 0.2), "gradient")
    fine = as_array(gradient, "gradient")
    return {
        "gradient": gradient,
        "w afterwards": afterwards,
        "`eps` has an effect": rough.shape != fine.shape or not np.allclose(rough, fine, rtol=1e-5),
    }


def call_errors_reach(answer: Callable, case: Given) -> dict[str, Any]:
    """Read three drawings, of a row of letters for each step, as arrays of 0 and 1."""
    return {name: _as_drawn(text, name) for name, text in named(answer(), "k1", "k2", "k5").items()}


def _as_drawn(text: Any, name: str) -> np.ndarray:
    if not isinstance(text, str):
        raise Misfit(f"`{name}` is {text!r:.40}; it must be a drawing, a text of rows of letters.")
    rows = ["".join(row.split()) for row in text.strip().splitlines()]
    rows = [row for row in rows if row]
    if [len(row) for row in rows] != [DRAWN_STEPS] * DRAWN_STEPS:
        lengths = ", ".join(str(len(row)) for row in rows[:12]) or "none"
        raise Misfit(
            f"`{name}` must have {DRAWN_STEPS} rows of {DRAWN_STEPS} letters; the lengths of its "
            f"rows: {lengths}."
        )
    letters = "".join(rows).lower()
    if strange := sorted(set(letters) - {"x", "."}):
        raise Misfit(f"`{name}` has {strange[0]!r} in it. Draw with x and . only.")
    return (np.array(list(letters)) == "x").astype(int).reshape(DRAWN_STEPS, DRAWN_STEPS)


def call_sgd_step(answer: Callable, case: Given) -> dict[str, Any]:
    """Take three steps in a row; return all weights, and all velocities, as one array each."""
    weights, velocities = case["weights"], case["velocities"]
    settings = {name: case[name] for name in ("lr", "momentum", "max_norm")}
    for gradients in (case["gradients"], case["gradients_2"], case["gradients_3"]):
        arrays = {"weights": weights, "gradients": gradients, "velocities": velocities}
        step = case.with_values(**arrays, **settings)
        returned = named(call_with_numpy(answer, step).value, "weights", "velocities")
        weights, velocities = ([np.asarray(part) for part in parts] for parts in returned.values())
    return {
        "weights": np.concatenate([part.ravel() for part in weights]),
        "velocities": np.concatenate([part.ravel() for part in velocities]),
    }


def call_epoch_today(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over tensors, the weights as leaves that require gradients."""
    x, y = case.tensor("x"), case.tensor("y")
    w1, w2 = torch.from_numpy(case["w1"]), torch.from_numpy(case["w2"])
    w1.requires_grad_()
    w2.requires_grad_()
    total = answer(x, y, w1, w2, case["lr"])
    return {
        "total loss": total,
        "w1 afterwards": w1,
        "w2 afterwards": w2,
        "the total holds on to its graph": holds_graph(total),
        "weights require gradients": [w.requires_grad for w in (w1, w2)],
    }
