"""The drivers of chapter 4: losses that refuse, models that are watched, series that have gaps."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import (
    Given,
    Misfit,
    Returned,
    as_array,
    as_arrays,
    call,
    call_with_numpy,
    kind_of,
    named,
)
from helpers.calling.models import PlainSGD, StreamModel, holds_graph, set_weights, weights_of
from helpers.calling.pipelines import PIPELINES
from helpers.calling.watching import unwatched

ERROR_RETURNED = "An error, or its text, is returned, so that nothing stops. Raise it: `raise`."


def call_loss(answer: Callable, case: Given) -> dict[str, Any]:
    """Call a loss with the case's values in order, the first of which requires a gradient.

    The gradient comes back as one row, zeros if there is none.
    """
    given = [case.tensor(name) for name in case]
    prediction = given[0].requires_grad_()
    loss = answer(*given)
    if isinstance(loss, BaseException | str):
        raise Misfit(ERROR_RETURNED)
    gradient = torch.zeros_like(prediction)
    if holds_graph(loss):
        (gradient,) = torch.autograd.grad(loss.sum(), prediction, materialize_grads=True)
    return {"loss": loss, "gradient": gradient.flatten()}


def call_guarded_loss(answer: Callable, case: Given) -> dict[str, Any]:
    """Call a loss as `call_loss` does, on two arrays whose shapes may differ.

    "refused" says whether it raised a ValueError because they differ: 1 if the error names both
    shapes, a half if not. A ValueError about equal shapes is the answer's mistake, and goes
    through.
    """
    shapes = [value.shape for value in case.values()]
    try:
        return {"refused": 0.0, **call_loss(answer, case)}
    except ValueError as error:
        if len(set(shapes)) == 1:
            raise
        both = all(re.search(_pattern_of(shape), str(error)) for shape in shapes)
        zeros = torch.zeros(case["prediction"].size)
        return {"refused": 1.0 if both else 0.5, "loss": 0.0, "gradient": zeros}


def _pattern_of(shape: tuple) -> str:
    """Return a regular expression for a shape as people write it: (5, 1), [5, 1], 5 x 1 or 5×1."""
    return r"(?<!\d)" + r"\s*[,x×*]\s*".join(map(str, shape)) + r"(?!\d)"


class Doubling(nn.Module):
    """Makes everything twice as large, but in training."""

    def forward(self, x):
        return x if self.training else 2 * x


class Watched(nn.Module):
    """A linear model of the mean over time that notes how it was called.

    In evaluation mode its output is twice as large: that stands in for dropout, without its chance,
    in a layer that lies within another.
    """

    def __init__(self, seed: int):
        super().__init__()
        self.fc = nn.Linear(1, 1)
        self.head = nn.Sequential(nn.Sequential(Doubling()))
        set_weights(self, seed)
        self.recorded, self.in_order = False, True

    def forward(self, x):
        self.recorded |= torch.is_grad_enabled()
        self.in_order &= bool((x.diff(dim=1) >= 0).all())
        return self.head(self.fc(x.mean(dim=1)))  # (B, 1)


def call_train_epoch(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over a model left in evaluation mode, and batches of rising series, the last smaller."""
    x, y = case.tensor("x"), case.tensor("y")
    model = Watched(case["seed"]).eval()
    taken: list[int] = []
    optimizer = PlainSGD(model.parameters(), lr=0.2, taken=taken)
    size = case["batch_size"]
    loss = answer(model, list(zip(x.split(size), y.split(size), strict=True)), optimizer)
    return {
        "time in order": model.in_order,
        "loss": loss,
        "weights afterwards": weights_of(model),
        "optimizer steps": len(taken),
        "the loss still holds a graph": holds_graph(loss),
    }


def call_evaluate(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over a model left in training mode."""
    model = Watched(case["seed"]).train()
    error = answer(model, case.tensor("x"), case.tensor("y"))
    return {
        "mean squared error": error,
        "gradients recorded": model.recorded,
        "weights afterwards": weights_of(model),
        "weights can still learn": [p.requires_grad for p in model.parameters()],
    }


def call_make_windows(answer: Callable, case: Given) -> dict[str, Any]:
    """Return windows and targets, and how many bits their numbers have.

    Raises Misfit where one of them is no array.
    """
    return with_bits(named(call_with_numpy(answer, case).value, "x", "y"))


def call_value_and_mask(answer: Callable, case: Given) -> dict[str, Any]:
    """Return the inputs that were made of series with gaps, and how many bits their numbers have.

    Raises Misfit where they are no array.
    """
    return with_bits({"inputs": call(answer, case).value})


def with_bits(returned: dict[str, Any]) -> dict[str, Any]:
    """Return arrays or tensors, and how many bits the numbers of each have."""
    as_arrays(returned)
    bits = [torch.as_tensor(part).dtype.itemsize * 8 for part in returned.values()]
    return {**returned, "bits per number": bits}


def call_with_a_model(answer: Callable, case: Given) -> Returned:
    """Hand over a function, a small recurrent model of one step, and the case's values in order."""
    model = StreamModel(6)
    set_weights(model, case["seed"])

    def one_step(x):  # (B, T, 1) -> (B, 1)
        return model(x)[0][:, -1]

    values = {name: value for name, value in case.items() if name != "seed"}
    return call(lambda *given: answer(one_step, *given), case.with_values(**values))


def call_fill_gaps(answer: Callable, case: Given) -> dict[str, Any]:
    """Return whether the series was refused with a ValueError, and the filled series.

    A ValueError about a series that begins with a number is the answer's mistake, and goes through.
    """
    try:
        filled = answer(case.array("values"))
    except ValueError:
        if not np.isnan(case["values"][0]):
            raise
        return {"refused": True, "filled": np.zeros(0)}
    return {"refused": False, "filled": filled}


def call_split_and_scale(answer: Callable, case: Given) -> dict[str, Any]:
    """Return the three parts, and the first once more, after a change to the values that follow."""
    parts = named(call_with_numpy(answer, case).value, "train", "validation", "test")
    changed = case["values"].copy()
    changed[case["n_train"] :] = 7.0
    again = answer(changed, case["n_train"], case["n_val"])[0]
    return {**parts, "train, after the future was changed": again}


def call_rolling_origin(answer: Callable, case: Given) -> Returned:
    """Hand over a forecaster that goes by the length, mean and newest value of what it is given."""

    def forecaster(past, horizon):
        past = np.asarray(past)
        return past[-1] + np.arange(1, horizon + 1) * (past.mean() + 0.01 * len(past))

    return call_with_numpy(lambda *given: answer(forecaster, *given), case)


def call_leaking_origins(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over a pipeline, and return for each origin whether the answer lists it.

    Raises Misfit unless the answer is a list of origins.
    """
    first, T = case["first"], len(case["values"])
    pipeline = PIPELINES[case["pipeline"]]
    listed = answer(lambda values: pipeline(values, first), case.array("values"), first)
    origins = as_array(list(listed) if isinstance(listed, set | range) else listed, "the list")
    if origins.dtype.kind == "b" or origins.ndim != 1:
        raise Misfit("Return a list of origins, whole numbers t: places in `values`.")
    if outside := [t for t in origins.tolist() if t not in range(first, T)]:
        raise Misfit(f"{outside[0]!r} is no origin: these go from first = {first} to {T - 1}.")
    return {
        "depends on what came later": np.isin(np.arange(first, T), origins),
        "pipeline": case["pipeline"],
        "first": first,
    }


def call_forecaster(answer: Callable, case: Given) -> dict[str, Any]:
    """Have a model trained on `case["series"]`, and run it on `case["x"]` in evaluation mode.

    Which functions it calls is watched as it forecasts, not as it trains.
    """
    with unwatched():
        model = answer(case.tensor("series"))
    if not isinstance(model, nn.Module):
        raise Misfit(f"Return a trained model, an `nn.Module`; got {kind_of(model)}.")
    was_training = model.training
    with torch.no_grad():
        forecast = model.eval()(case.tensor("x"))
        alone = model(case.tensor("x")[:1])
    model.train(was_training)
    return {"forecast": forecast, "shape of one forecast": alone.shape}
