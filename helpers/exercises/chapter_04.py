"""The exercises of chapter 4, forecasting time series.

Symbols: n series, T time steps, W steps in a window, Q quantiles. A forecast of one step has the
shape (n, 1).
"""

import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers import data
from helpers.exercises import drivers
from helpers.exercises.chapter_01 import (
    LAST_STEP_RNN,
    RNNWithHead,
    explain_module,
    module_cases,
    module_outputs,
    normal,
    variant,
)
from helpers.exercises.checking import Exercise, Mistake

# --- naive_forecast -------------------------------------------------------------------------------


def naive_forecast(x):
    return x.select(1, -1)


def series_cases(rng):
    sizes = [(4, 6), (1, 5), (5, 5), (3, 2)]  # n, T
    sizes += [tuple(rng.integers(3, 9, size=2)) for _ in range(6)]
    return [{"x": normal(rng, n, T, 1)} for n, T in sizes]


NAIVE_FORECAST = Exercise(
    name="naive_forecast",
    title="the naive forecast",
    points=1,
    outputs={"forecast": "n 1"},
    cases=series_cases,
    drive=drivers.call,
    reference=naive_forecast,
    against="the last value of each series",
    mistakes=(
        Mistake(
            "This is the last value but one. The naive forecast repeats the last: `x[:, -1]`.",
            lambda x: x[:, -2],
        ),
        Mistake(
            "This is the first value of each series. The newest comes last: `x[:, -1]`.",
            lambda x: x[:, 0],
        ),
        Mistake(
            "`x[-1]` is the last series, all of it. Time is axis 1: `x[:, -1]`.",
            lambda x: x[-1],
        ),
        Mistake(
            "The feature axis is gone. A forecast has the shape (n, 1), as the target has; (n,) "
            "would broadcast against it.",
            lambda x: x[:, -1, 0],
            also=(lambda x: x[:, -1].squeeze(),),
        ),
        Mistake(
            "The time axis is still there, (n, 1, 1). Take `x[:, -1]`, not `x[:, -1:]`.",
            lambda x: x[:, -1:],
        ),
        Mistake(
            "This is the mean of each series. The naive forecast is its last value.",
            lambda x: x.mean(dim=1),
        ),
        Mistake(
            "This continues the last change. That is another baseline, the drift; the naive "
            "forecast is the last value itself.",
            lambda x: 2 * x[:, -1] - x[:, -2],
        ),
    ),
)

# --- linear_forecast ------------------------------------------------------------------------------


def linear_forecast(x_train, y_train, x):
    weights = torch.linalg.lstsq(with_ones(x_train), y_train.double()).solution
    return with_ones(x) @ weights


def with_ones(x):
    """Return the series as rows, with a column of ones for the intercept, (n, T + 1)."""
    return torch.cat([x.flatten(1), x.new_ones(len(x), 1)], dim=1).double()


def linear_cases(rng):
    sizes = [(30, 4, 6), (40, 3, 1), (25, 6, 8)]  # n_train, T, n
    sizes += [(int(rng.integers(30, 60)), *rng.integers(3, 8, size=2).tolist()) for _ in range(5)]
    cases = []
    for n_train, T, n in sizes:
        x_train, x = (3 + normal(rng, k, T, 1) for k in (n_train, n))
        y_train = x_train[:, :, 0] @ normal(rng, T, 1) + 5 + 0.3 * normal(rng, n_train, 1)
        cases.append({"x_train": x_train, "y_train": y_train, "x": 1 + 2 * x})
    return cases


def without_intercept(x_train, y_train, x):
    return x.flatten(1) @ torch.linalg.lstsq(x_train.flatten(1), y_train).solution


def intercept_left_out_later(x_train, y_train, x):
    weights = torch.linalg.lstsq(with_ones(x_train), y_train.double()).solution
    return x.flatten(1).double() @ weights[:-1]


def centred_by_itself(x_train, y_train, x):
    weights = torch.linalg.lstsq(
        x_train.flatten(1) - x_train.flatten(1).mean(0), y_train - y_train.mean()
    ).solution
    return (x.flatten(1) - x.flatten(1).mean(0)) @ weights + y_train.mean()


def mean_not_added_back(x_train, y_train, x):
    return linear_forecast(x_train, y_train, x) - y_train.mean()


def on_last_value_only(x_train, y_train, x):
    return linear_forecast(x_train[:, -1:], y_train, x[:, -1:])


def ones_elsewhere(x_train, y_train, x):
    weights = torch.linalg.lstsq(with_ones(x_train), y_train.double()).solution
    return with_ones(x).roll(1, dims=1) @ weights


def ridge(x_train, y_train, x):
    A, b = with_ones(x_train), y_train.double()
    identity = torch.eye(A.shape[1], dtype=A.dtype)
    return with_ones(x) @ torch.linalg.solve(A.T @ A + identity, A.T @ b)


LINEAR_FORECAST = Exercise(
    name="linear_forecast",
    title="the linear forecast, by least squares",
    points=2,
    outputs={"forecast": "n 1"},
    cases=linear_cases,
    drive=drivers.call,
    tolerance=3e-4,
    reference=linear_forecast,
    against="`torch.linalg.lstsq` in double precision",
    mistakes=(
        Mistake(
            "There is no intercept: append a column of ones, in the fit and in the forecast.",
            without_intercept,
        ),
        Mistake(
            "The intercept is fitted and then left out of the forecast: append the ones to `x` as "
            "well.",
            intercept_left_out_later,
        ),
        Mistake(
            "`x` is centred with its own mean, the training series with theirs. What the weights "
            "meet later must be treated as in the fit, by the training set's mean.",
            centred_by_itself,
        ),
        Mistake(
            "The mean of the targets was taken off and not put back.",
            mean_not_added_back,
        ),
        Mistake(
            "These are the forecasts for the training series. Apply the weights to `x`.",
            lambda x_train, y_train, x: linear_forecast(x_train, y_train, x_train),
        ),
        Mistake(
            "Time runs backwards in `x` but not in the fit: every weight meets another step.",
            lambda x_train, y_train, x: linear_forecast(x_train, y_train, x.flip(1)),
        ),
        Mistake(
            "These are the weights. Multiply `x`, with its column of ones, by them.",
            lambda x_train, y_train, x: (
                torch.linalg.lstsq(with_ones(x_train), y_train.double()).solution
            ),
        ),
        Mistake(
            "The ones come last in one place and first in the other: the intercept is multiplied "
            "by a value, and every value meets another step's weight.",
            ones_elsewhere,
        ),
        Mistake(
            "Only the last value is used. All T values are inputs of the linear model.",
            on_last_value_only,
        ),
        Mistake(
            "The weights are shrunk (ridge). Plain least squares is asked for.",
            ridge,
        ),
        Mistake(
            "The forecast has lost its axis: (n, 1) is asked for, as the targets have.",
            lambda *a: linear_forecast(*a)[:, 0],
        ),
    ),
)

# --- mse ------------------------------------------------------------------------------------------


def mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError(f"prediction {tuple(prediction.shape)}, target {tuple(target.shape)}")
    return F.mse_loss(prediction, target)


def refuses_in_silence(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError("shapes differ")
    return F.mse_loss(prediction, target)


def mse_cases(rng):
    shapes = [((5, 1), (5, 1)), ((4, 3, 1), (4, 3, 1)), ((6,), (6,))]
    shapes += [((5,), (5, 1)), ((5, 1), (5,)), ((4, 3, 1), (4, 1, 1)), ((4, 1), (4,))]
    shapes += [((3, 4), (1, 4)), ((1, 6), (1, 6)), ((6, 1), (1, 6))]
    shapes = [shapes[0], shapes[3], *(shapes[i] for i in rng.permutation([1, 2, *range(4, 10)]))]
    return [{"prediction": normal(rng, *p), "target": normal(rng, *t)} for p, t in shapes]


def refusing(
    differ=lambda p, t: p.shape != t.shape,
    error=ValueError,
    loss=F.mse_loss,
):
    """Return an `mse` with another rule when to refuse, or another loss."""

    def answer(prediction, target):
        if differ(prediction, target):
            raise error(f"{prediction.shape} {target.shape}")
        return loss(prediction, target)

    return answer


CARRIES_NO_GRADIENT = (
    "The value is right, but it carries no gradient, so nothing can learn from it. Return the "
    "tensor: no `.item()`, no `detach()`, no NumPy."
)
NO_VALUE_ERROR = (
    "It stops, but not with a ValueError, which is what a caller expects for a wrong value. (An "
    "`assert` disappears when Python runs with -O.)"
)

MSE = Exercise(
    name="mse",
    title="a mean squared error that does not broadcast",
    points=2,
    outputs={"refused": "", "loss": "", "gradient": "entry"},
    cases=mse_cases,
    drive=drivers.call_guarded_loss,
    reference=mse,
    against="`F.mse_loss`, with its gradient, where shapes agree",
    mistakes=(
        Mistake(
            "Shapes that differ go through, and are stretched to fit. Compare "
            "`prediction.shape` and `target.shape` first, and raise a ValueError.",
            F.mse_loss,
            also=(lambda p, t: ((p - t) ** 2).mean(),),
        ),
        Mistake(
            "This mends the shapes without a word. The caller whose shapes differ has a mistake "
            "elsewhere, and should hear of it: raise a ValueError.",
            lambda p, t: F.mse_loss(p.reshape(-1), t.reshape(-1)),
            also=(
                lambda p, t: F.mse_loss(p.squeeze(), t.squeeze()),
                lambda p, t: F.mse_loss(p.reshape(t.shape), t),
                lambda p, t: F.mse_loss(p, t.reshape(p.shape)),
                lambda p, t: F.mse_loss(p.view_as(t), t),
            ),
        ),
        Mistake(
            "It refuses, but the message does not name both shapes. Who reads it has to look for "
            "them: put `prediction.shape` and `target.shape` into it.",
            refuses_in_silence,
        ),
        Mistake(
            NO_VALUE_ERROR,
            refusing(error=AssertionError),
            also=tuple(refusing(error=e) for e in (TypeError, RuntimeError, Exception, IndexError)),
        ),
        Mistake(
            "Only the number of axes is compared: (4, 3, 1) against (4, 1, 1) still broadcasts.",
            refusing(lambda p, t: p.ndim != t.ndim),
        ),
        Mistake(
            "Only the length is compared: (5,) against (5, 1) still broadcasts.",
            refusing(lambda p, t: len(p) != len(t)),
        ),
        Mistake(
            "Only the number of values is compared: (5,) and (5, 1) have as many.",
            refusing(lambda p, t: p.numel() != t.numel()),
        ),
        Mistake(
            "The numbers of axes and of values are compared, not the shapes: (6, 1) and (1, 6) "
            "have as many of both, and broadcast to (6, 6).",
            refusing(lambda p, t: p.ndim != t.ndim or p.numel() != t.numel()),
        ),
        Mistake(
            "The condition is upside down: this refuses shapes that agree.",
            refusing(lambda p, t: p.shape == t.shape),
        ),
        Mistake(
            "This is the sum of the squares. Take their mean.",
            refusing(loss=lambda p, t: F.mse_loss(p, t, reduction="sum")),
        ),
        Mistake(
            "This is the root of the mean squared error. Leave the root away.",
            refusing(loss=lambda p, t: F.mse_loss(p, t).sqrt()),
        ),
        Mistake(
            "This is the mean absolute error. Square the differences.",
            refusing(loss=F.l1_loss),
        ),
        Mistake(
            CARRIES_NO_GRADIENT,
            refusing(loss=lambda p, t: F.mse_loss(p, t).item()),
        ),
    ),
)

# --- SimpleRNN ------------------------------------------------------------------------------------


class SimpleRNN(RNNWithHead):
    def head(self, out, h_n):
        return self.fc(h_n[-1])


class WantsAState(RNNWithHead):
    def forward(self, x, h_0):
        out, _ = self.rnn(x, h_0)
        return self.fc(out[:, -1])


class OneOutput(SimpleRNN):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__(input_size, hidden_size, 1)


class TwentyUnits(SimpleRNN):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__(input_size, 20, output_size)


class ReluInside(SimpleRNN):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__(input_size, hidden_size, output_size)
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True, nonlinearity="relu")


SIMPLE_RNN = Exercise(
    name="SimpleRNN",
    title="the model that the program uses and never defines",
    points=2,
    outputs=module_outputs("B O"),
    cases=module_cases,
    drive=drivers.call_module,
    explain=explain_module,
    reference=SimpleRNN,
    against="`nn.RNN` and `nn.Linear` with the same weights",
    mistakes=(
        Mistake(
            "`forward` asks for a state that nobody hands over. Call the network as `self.rnn(x)`: "
            "it starts from zeros then.",
            WantsAState,
        ),
        Mistake(
            "This returns the output and the state. Return the output alone.",
            variant(lambda self, out, h_n: (self.fc(out[:, -1]), h_n)),
        ),
        Mistake(
            "`squeeze(-1)` takes away the axis of the output where it is 1, and the loss "
            "broadcasts. Leave the output at (B, output_size).",
            variant(lambda self, out, h_n: self.fc(out[:, -1]).squeeze(-1)),
        ),
        Mistake(
            "The linear layer has one output, whatever is asked for. Give it `output_size`.",
            OneOutput,
        ),
        Mistake(
            "There are 20 units, whatever is asked for. Use `hidden_size`.",
            TwentyUnits,
        ),
        Mistake(
            "The network uses ReLU inside. The plain one uses `tanh`, `nn.RNN`'s default.",
            ReluInside,
        ),
        *LAST_STEP_RNN.mistakes,
    ),
)

# --- train_epoch ----------------------------------------------------------------------------------


def train_epoch(model, batches, optimizer):
    model.train()
    parameters = list(model.parameters())
    squares = count = 0
    for x, y in batches:
        loss = F.mse_loss(model(x), y)
        gradients = torch.autograd.grad(loss, parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        squares, count = squares + loss.item() * len(x), count + len(x)
    return squares / count


def rising(rng, n, T):
    """Return series (n, T, 1) whose values rise with time, so that a driver sees their order."""
    return np.sort(normal(rng, n, T, 1), axis=1)


def epoch_cases(rng):
    sizes = [(3, 4, 5), (2, 4, 3), (4, 3, 6)]  # full batches, their size, T; one smaller batch more
    return [
        {
            "x": rising(rng, full * size + 1, T),
            "y": normal(rng, full * size + 1, 1),
            "batch_size": size,
            "seed": int(rng.integers(2**31)),
        }
        for full, size, T in sizes
    ]


def epoch_by(
    mode=lambda model: model.train(),
    zero=True,
    backward=True,
    step=True,
    see=lambda x: x,
    output=lambda prediction: prediction,
    report=lambda losses, sizes: (
        sum(loss.item() * n for loss, n in zip(losses, sizes, strict=True)) / sum(sizes)
    ),
    late=False,
):
    """Return a `train_epoch` that departs from the right one in one place."""

    def answer(model, batches, optimizer):
        mode(model)
        losses, sizes = [], []
        for x, y in batches:
            loss = F.mse_loss(output(model(see(x))), y)
            if late:
                optimizer.step()
            if zero:
                optimizer.zero_grad()
            if backward:
                loss.backward()
            if step and not late:
                optimizer.step()
            losses.append(loss)
            sizes.append(len(x))
        return report(losses, sizes)

    return answer


def shuffled_in_time(x):
    return x[:, torch.randperm(x.shape[1])]


def returns_after_one_batch(model, batches, optimizer):
    return train_epoch(model, batches[:1], optimizer)


def one_step_at_the_end(model, batches, optimizer):
    loss = epoch_by(step=False)(model, batches, optimizer)
    optimizer.step()
    return loss


def zeroed_too_late(model, batches, optimizer):
    model.train()
    squares = count = 0
    for x, y in batches:
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        squares, count = squares + loss.item() * len(x), count + len(x)
    return squares / count


TRAIN_EPOCH = Exercise(
    name="train_epoch",
    title="one epoch of training",
    points=3,
    outputs={
        "time in order": "",
        "loss": "",
        "weights afterwards": "parameter",
        "optimizer steps": "",
        "the loss still holds a graph": "",
    },
    cases=epoch_cases,
    drive=drivers.call_train_epoch,
    reference=train_epoch,
    against="gradients by `torch.autograd.grad` and the same optimizer",
    mistakes=(
        Mistake(
            "Gradients add up from batch to batch: call `optimizer.zero_grad()` in each.",
            epoch_by(zero=False),
        ),
        Mistake(
            "The weights never change: `optimizer.step()` is missing.",
            epoch_by(step=False),
        ),
        Mistake(
            "There is no gradient to step along. Is `loss.backward()` there, and "
            "`optimizer.zero_grad()` before it, not between it and the step?",
            epoch_by(backward=False),
            also=(zeroed_too_late,),
        ),
        Mistake(
            "`optimizer.step()` comes before `backward`: each step uses the gradients of the batch "
            "before, and the last batch is lost.",
            epoch_by(late=True),
        ),
        Mistake(
            "`squeeze` takes an axis from the prediction, and it broadcasts against the target: "
            "section 4.3. Leave it (B, 1), and use `mse`.",
            epoch_by(output=lambda prediction: prediction.squeeze(-1)),
            also=(epoch_by(output=lambda prediction: prediction.squeeze()),),
        ),
        Mistake(
            "The function returns after the first batch. Put the `return` behind the loop.",
            returns_after_one_batch,
        ),
        Mistake(
            "There is one step at the end of the epoch. Step after each batch, inside the loop.",
            one_step_at_the_end,
        ),
        Mistake(
            "`model.train()` is missing. The model may come out of an evaluation, with its dropout "
            "switched off.",
            epoch_by(mode=lambda model: None),
        ),
        Mistake(
            "The loss of the last batch is reported as the epoch's. Report the mean over all.",
            epoch_by(report=lambda losses, sizes: losses[-1].item()),
        ),
        Mistake(
            "The last batch is smaller, and counts here as much as a full one. Weigh each batch's "
            "loss by its number of series.",
            epoch_by(report=lambda losses, sizes: sum(v.item() for v in losses) / len(losses)),
        ),
        Mistake(
            "This is the sum of the batches' losses. Report the mean squared error per series.",
            epoch_by(report=lambda losses, sizes: sum(v.item() for v in losses)),
        ),
        Mistake(
            "The weighted losses are added and not divided by the number of series.",
            epoch_by(
                report=lambda losses, sizes: sum(
                    v.item() * n for v, n in zip(losses, sizes, strict=True)
                )
            ),
        ),
        Mistake(
            "The weighted losses are divided by the number of batches. Divide by that of series.",
            epoch_by(
                report=lambda losses, sizes: (
                    sum(v.item() * n for v, n in zip(losses, sizes, strict=True)) / len(losses)
                )
            ),
        ),
        Mistake(
            "The losses of the batches are returned one by one. Return one number, their mean.",
            epoch_by(report=lambda losses, sizes: [v.item() for v in losses]),
        ),
        Mistake(
            "The mean drags the graphs of all batches along. Add numbers: `loss.item()`.",
            epoch_by(
                report=lambda losses, sizes: (
                    sum(v * n for v, n in zip(losses, sizes, strict=True)) / sum(sizes)
                )
            ),
        ),
        Mistake(
            "The model sees the steps of a series in another order. Shuffle series, never the time "
            "inside them.",
            epoch_by(see=shuffled_in_time),
            also=(epoch_by(see=lambda x: x.flip(1)),),
        ),
        Mistake(
            "The epoch is trained, but nothing is returned.",
            epoch_by(report=lambda losses, sizes: None),
        ),
    ),
)

# --- evaluate -------------------------------------------------------------------------------------


def evaluate(model, x, y):
    model.eval()
    with torch.inference_mode():
        return F.mse_loss(model(x), y).item()


def evaluate_cases(rng):
    return [
        {"x": rising(rng, n, T), "y": normal(rng, n, 1), "seed": int(rng.integers(2**31))}
        for n, T in [(7, 5), (4, 3), (1, 6), (149, 2)]
    ]


def evaluate_by(eval_mode=True, grad=False, loss=F.mse_loss, squeeze=False):
    """Return an `evaluate` that departs from the right one in one place."""

    def answer(model, x, y):
        model.train(not eval_mode)
        with torch.set_grad_enabled(grad):
            prediction = model(x)
            return loss(prediction.squeeze(-1) if squeeze else prediction, y).detach()

    return answer


def mean_of_batch_means(model, x, y):
    losses = [evaluate(model, *batch) for batch in zip(x.split(32), y.split(32), strict=True)]
    return sum(losses) / len(losses)


def freezes(model, x, y):
    model.requires_grad_(False)
    return evaluate_by(grad=True)(model, x, y)


def freezes_under_no_grad(model, x, y):
    model.requires_grad_(False)
    return evaluate(model, x, y)


def evaluate_with_steps(model, x, y):
    model.eval()
    loss = F.mse_loss(model(x), y)
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= 0.1 * parameter.grad
    return loss.item()


EVALUATE = Exercise(
    name="evaluate",
    title="measure a model without changing it",
    points=2,
    outputs={
        "mean squared error": "",
        "gradients recorded": "",
        "weights afterwards": "parameter",
        "weights can still learn": "parameter",
    },
    cases=evaluate_cases,
    drive=drivers.call_evaluate,
    reference=evaluate,
    against="`F.mse_loss` of the model in evaluation mode",
    mistakes=(
        Mistake(
            "`model.eval()` is missing: the model may come out of training, with its dropout on.",
            evaluate_by(eval_mode=False),
        ),
        Mistake(
            "The value is right, but PyTorch records a graph for a gradient that nobody asks for, "
            "which costs time and memory. Run the model under `with torch.no_grad():`.",
            evaluate_by(grad=True),
            also=(lambda model, x, y: evaluate_by(grad=True)(model, x, y).item(),),
        ),
        Mistake(
            "`model.eval()` and `torch.no_grad()` are both missing. They do different things: the "
            "first switches dropout off, the second the recording of gradients.",
            evaluate_by(eval_mode=False, grad=True),
        ),
        Mistake(
            "`squeeze` makes the prediction (n,), and the target is (n, 1): they broadcast.",
            evaluate_by(squeeze=True),
        ),
        Mistake(
            "This is the root of the mean squared error. Leave the root away.",
            evaluate_by(loss=lambda p, t: F.mse_loss(p, t).sqrt()),
        ),
        Mistake(
            "This is the sum of the squares. Take their mean.",
            evaluate_by(loss=lambda p, t: F.mse_loss(p, t, reduction="sum")),
        ),
        Mistake(
            "This is the mean absolute error. Square the differences.",
            evaluate_by(loss=F.l1_loss),
        ),
        Mistake(
            "This is the mean of batches of 32, of which the last is smaller and counts as much. "
            "Take the mean over all series.",
            mean_of_batch_means,
        ),
        Mistake(
            "The weights are frozen for good: `requires_grad` is switched off in them. Use "
            "`with torch.no_grad():`, which leaves them as they are.",
            freezes,
            also=(freezes_under_no_grad,),
        ),
        Mistake(
            "The weights are changed. Whoever is measured must not learn from it.",
            evaluate_with_steps,
        ),
    ),
)

# --- make_windows ---------------------------------------------------------------------------------


def make_windows(series, window):
    rows = torch.as_tensor(series).float().unfold(0, window + 1, 1)
    return rows[:, :-1].unsqueeze(-1), rows[:, -1:]


def window_cases(rng):
    sizes = [(9, 3), (6, 1), (5, 4)] + [(int(rng.integers(10, 20)), int(w)) for w in range(2, 6)]
    return [{"series": rng.normal(size=T), "window": W} for T, W in sizes]  # float64, as NumPy has


def windows_by(
    gap=0,
    lost=0,
    step=1,
    first=0,
    shape_x=lambda x: x[..., None],
    shape_y=lambda y: y[:, None],
    dtype=torch.float32,
    extra=0,
):
    """Return a `make_windows` that departs from the right one in one place."""

    def answer(series, window):
        series = torch.as_tensor(series)
        starts = range(first, len(series) - window - max(gap, 0) - lost, step)
        x = torch.stack([series[i : i + window + extra] for i in starts])
        y = torch.stack([series[i + window + gap] for i in starts])
        return shape_x(x).to(dtype), shape_y(y).to(dtype)

    return answer


MAKE_WINDOWS = Exercise(
    name="make_windows",
    title="cut a series into windows and their targets",
    points=2,
    outputs={"x": "n W 1", "y": "n 1", "bits per number": "array"},
    cases=window_cases,
    drive=drivers.call_make_windows,
    reference=make_windows,
    against="slices taken by `torch.Tensor.unfold`",
    mistakes=(
        Mistake(
            "The target is the window's own last value: whoever has the window has the answer. The "
            "target of window i is `series[i + window]`.",
            windows_by(gap=-1),
        ),
        Mistake(
            "The target lies two steps behind the window. That of window i is "
            "`series[i + window]`.",
            windows_by(gap=1),
        ),
        Mistake(
            "The last window is lost: there are `len(series) - window` of them.",
            windows_by(lost=1),
        ),
        Mistake(
            "The first window is lost: windows start at 0.",
            windows_by(first=1),
        ),
        Mistake(
            "The windows hold their target as well: one value too many.",
            windows_by(extra=1),
        ),
        Mistake(
            "The numbers are float64, as NumPy makes them; the weights of a network are float32, "
            "and the two do not mix. Convert with `.float()`.",
            windows_by(dtype=torch.float64),
        ),
        Mistake(
            "The feature axis is missing: a network takes (n, window, 1). Add it with "
            "`unsqueeze(-1)` or `[..., None]`.",
            windows_by(shape_x=lambda x: x),
        ),
        Mistake(
            "The targets have the shape (n,). Give them (n, 1), that of a prediction.",
            windows_by(shape_y=lambda y: y),
        ),
        Mistake(
            "The feature axis is missing from `x` and the last axis from `y`: (n, window, 1) and "
            "(n, 1).",
            windows_by(shape_x=lambda x: x, shape_y=lambda y: y),
        ),
        Mistake(
            "`y` has an axis too many: (n, 1) is asked for.",
            windows_by(shape_y=lambda y: y[:, None, None]),
        ),
        Mistake(
            "The windows do not overlap here. Start one at every step of the series.",
            lambda series, window: windows_by(step=window)(series, window),
        ),
        Mistake(
            "Time runs backwards in the windows: the oldest value comes first.",
            windows_by(shape_x=lambda x: x.flip(1)[..., None]),
        ),
        Mistake(
            "`x` has time before the windows, (window, n, 1). Batch first: (n, window, 1).",
            windows_by(shape_x=lambda x: x.T[..., None]),
        ),
    ),
)

# --- forecast_recursive ---------------------------------------------------------------------------


def forecast_recursive(model, x, steps):
    known, T = x, x.shape[1]
    with torch.no_grad():
        for _ in range(steps):
            known = torch.cat([known, model(known.narrow(1, known.shape[1] - T, T))[:, None]], 1)
    return known[:, T:, 0]


def recursive_cases(rng):
    sizes = [(3, 5, 4), (1, 4, 3), (4, 3, 6), (2, 6, 1)]  # B, T, steps
    sizes += [tuple(rng.integers(2, 7, size=3)) for _ in range(3)]
    return [
        {"x": normal(rng, B, T, 1), "steps": int(steps), "seed": int(rng.integers(2**31))}
        for B, T, steps in sizes
    ]


def recursive_by(
    move=lambda window, y: torch.cat([window[:, 1:], y[:, None]], dim=1),
    finish=lambda made: torch.cat(made, dim=1),
    first=lambda x: [],
    see=lambda model, window: model(window),
):
    """Return a `forecast_recursive` that departs from the right one in one place."""

    def answer(model, x, steps):
        made, window = first(x), x
        with torch.no_grad():
            while len(made) < steps:
                y = see(model, window)
                made.append(y)
                window = move(window, y)
        return finish(made)

    return answer


def overwrites_its_input(model, x, steps):
    made = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            made.append(y)
            x[:, :-1] = x[:, 1:].clone()
            x[:, -1] = y
    return torch.cat(made, dim=1)


FORECAST_RECURSIVE = Exercise(
    name="forecast_recursive",
    title="a forecast of many steps from a model of one",
    points=3,
    outputs={"forecast": "B T"},
    cases=recursive_cases,
    drive=drivers.call_forecast_recursive,
    reference=forecast_recursive,
    against="the model run on windows cut from the joined series",
    mistakes=(
        Mistake(
            "The forecast is not fed back: every step repeats the first. Append it to the window.",
            recursive_by(move=lambda window, y: window),
        ),
        Mistake(
            "The window grows: the oldest value stays. The model was trained on windows of T "
            "steps, so drop one for each that you append.",
            recursive_by(move=lambda window, y: torch.cat([window, y[:, None]], dim=1)),
        ),
        Mistake(
            "The newest value is dropped instead of the oldest. Time runs along axis 1: keep "
            "`window[:, 1:]`.",
            recursive_by(move=lambda window, y: torch.cat([window[:, :-1], y[:, None]], dim=1)),
        ),
        Mistake(
            "The forecast is put in front of the window. It is the newest value: append it.",
            recursive_by(move=lambda window, y: torch.cat([y[:, None], window[:, 1:]], dim=1)),
            also=(
                recursive_by(move=lambda window, y: torch.cat([y[:, None], window[:, :-1]], dim=1)),
            ),
        ),
        Mistake(
            "The last known value is counted as the first forecast. Begin with what the model "
            "says.",
            recursive_by(first=lambda x: [x[:, -1]]),
        ),
        Mistake(
            "Only the last forecast is returned. Return all, (B, steps).",
            recursive_by(finish=lambda made: made[-1]),
        ),
        Mistake(
            "`squeeze()` takes away every axis of size 1, also that of a batch of one series. Name "
            "the axis: `squeeze(-1)`.",
            recursive_by(finish=lambda made: torch.stack(made, dim=1).squeeze()),
        ),
        Mistake(
            "The result is (B, steps, 1). Drop the feature axis: (B, steps).",
            recursive_by(finish=lambda made: torch.stack(made, dim=1)),
        ),
        Mistake(
            "The result is (steps, B). Put the steps side by side: `torch.cat(..., dim=1)`.",
            recursive_by(finish=lambda made: torch.cat(made, dim=1).T),
            also=(recursive_by(finish=lambda made: torch.stack(made)[..., 0]),),
        ),
        Mistake(
            "The forecasts come in reverse order: the nearest step comes first.",
            recursive_by(finish=lambda made: torch.cat(made[::-1], dim=1)),
        ),
        Mistake(
            "The model sees only the newest value. Hand it the whole window.",
            recursive_by(see=lambda model, window: model(window[:, -1:])),
        ),
        Mistake(
            "Your function changed its argument `x` in place: the caller's series is overwritten "
            "with forecasts. Make a new window in every step.",
            overwrites_its_input,
        ),
    ),
)

# --- pinball_loss ---------------------------------------------------------------------------------


def pinball_loss(prediction, target, quantiles):
    q = torch.as_tensor(quantiles, dtype=prediction.dtype)
    error = target - prediction
    return torch.where(error >= 0, q * error, (q - 1) * error).mean()


def pinball_cases(rng):
    settings = [(5, [0.1, 0.5, 0.9]), (4, [0.25, 0.75]), (1, [0.1, 0.5, 0.9]), (6, [0.9])]
    return [
        {
            "prediction": np.sort(normal(rng, B, len(q)), axis=1),
            "target": normal(rng, B, 1),
            "quantiles": q,
        }
        for B, q in [*settings, (3, [0.05, 0.5, 0.6]), (8, [0.2, 0.4, 0.8])]
    ]


def pinball_by(
    weigh=lambda q, e: torch.maximum(q * e, (q - 1) * e),
    reduce=torch.mean,
    error=lambda prediction, target: target - prediction,
    levels=lambda q: q,
):
    """Return a `pinball_loss` that departs from the right one in one place."""

    def answer(prediction, target, quantiles):
        q = levels(torch.tensor(quantiles))
        return reduce(weigh(q, error(prediction, target)))

    return answer


def refuses_to_broadcast(prediction, target, quantiles):
    if prediction.shape != target.shape:
        raise ValueError(f"{tuple(prediction.shape)} {tuple(target.shape)}")
    return pinball_loss(prediction, target, quantiles)


PINBALL_LOSS = Exercise(
    name="pinball_loss",
    title="the loss whose best answer is a quantile",
    points=2,
    outputs={"loss": "", "gradient": "entry"},
    cases=pinball_cases,
    drive=drivers.call_loss,
    reference=pinball_loss,
    against="its definition by cases, with the gradient",
    mistakes=(
        Mistake(
            "q and 1 - q are swapped: for q = 0.9 it is a prediction too *low* that costs 0.9 per "
            "unit. The error is target minus prediction.",
            pinball_by(error=lambda prediction, target: prediction - target),
        ),
        Mistake(
            "This is the absolute error: both sides cost the same, and every quantile would become "
            "the median.",
            pinball_by(weigh=lambda q, e: e.abs()),
            also=(pinball_by(weigh=lambda q, e: e.abs() / 2),),
        ),
        Mistake(
            "Both sides are weighed by q. Above the prediction the weight is q, below it 1 - q.",
            pinball_by(weigh=lambda q, e: q * e.abs()),
        ),
        Mistake(
            "The smaller of the two is taken. Equation 4.5 takes the larger, so that the loss is "
            "never negative.",
            pinball_by(weigh=lambda q, e: torch.minimum(q * e, (q - 1) * e)),
        ),
        Mistake(
            "Below the prediction the error is negative. 1 - q keeps the sign, and the loss "
            "rewards it; equation 4.5 has q - 1.",
            pinball_by(weigh=lambda q, e: torch.where(e >= 0, q * e, (1 - q) * e)),
        ),
        Mistake(
            "The larger of q e and (1 - q) e is taken. Equation 4.5 has (q - 1) e, which is "
            "positive where the error is negative.",
            pinball_by(weigh=lambda q, e: torch.maximum(q * e, (1 - q) * e)),
        ),
        Mistake(
            "(B, Q) against (B, 1) is refused here. In this loss broadcasting is meant: one target "
            "for all quantiles.",
            refuses_to_broadcast,
        ),
        Mistake(
            "Only errors above the prediction are counted. Below it the weight is 1 - q.",
            pinball_by(weigh=lambda q, e: q * e.clamp(min=0)),
        ),
        Mistake(
            "The errors are squared. That leads to means; quantiles come from absolute errors.",
            pinball_by(weigh=lambda q, e: torch.where(e >= 0, q, 1 - q) * e**2),
        ),
        Mistake(
            "This is the sum. Take the mean over series and quantiles.",
            pinball_by(reduce=torch.sum),
        ),
        Mistake(
            "This adds up the quantiles. Take the mean over them as well.",
            pinball_by(reduce=lambda loss: loss.sum(dim=1).mean()),
        ),
        Mistake(
            "The quantiles meet the predictions in reverse order.",
            pinball_by(levels=lambda q: q.flip(0)),
        ),
        Mistake(
            "The first quantile is used for all of them. Let (B, Q) meet a tensor of shape (Q,).",
            pinball_by(levels=lambda q: q[:1]),
        ),
        Mistake(
            CARRIES_NO_GRADIENT,
            pinball_by(reduce=lambda loss: loss.mean().item()),
        ),
    ),
)

# --- fill_gaps ------------------------------------------------------------------------------------


def fill_gaps(values):
    known = np.flatnonzero(np.isfinite(values))
    if not np.isfinite(values[0]):
        raise ValueError("the series begins with a gap: there is nothing to carry forward")
    return values[known[np.searchsorted(known, np.arange(len(values)), side="right") - 1]]


def gap_cases(rng):
    cases = []
    for gaps in ([3], [4, 5, 6], [2, 7, 8], [11], [], [0, 1, 5]):
        values = 300 + rng.normal(size=12).cumsum()
        values[gaps] = np.nan
        cases.append({"values": values})
    return [cases[i] for i in (1, *rng.permutation([0, 2, 3, 4, 5]))]


def filled_by(fill):
    """Return a `fill_gaps` that refuses what it should and fills in another way."""

    def answer(values):
        if np.isnan(values[0]):
            raise ValueError("a gap at the start")
        return fill(values.copy(), np.flatnonzero(np.isnan(values)))

    return answer


def by_interpolation(values, gaps):
    known = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(len(values)), known, values[known])


def from_the_next(values, gaps):
    if np.isnan(values[-1]):
        values[-1] = values[np.isfinite(values)][-1]
    for i in gaps[::-1]:
        values[i] = values[min(i + 1, len(values) - 1)]
    return values


def with_value(value):
    def fill(values, gaps):
        values[gaps] = value(values)
        return values

    return fill


def only_one_step(values, gaps):
    values[gaps] = values[gaps - 1]
    return values


def carried_on(values, start=np.nan):
    values = values.copy()
    last = start
    for i, value in enumerate(values):
        last = last if np.isnan(value) else value
        values[i] = last
    return values


def loops_from_one(values):
    values = values.copy()
    for i in range(1, len(values)):
        if np.isnan(values[i]):
            values[i] = values[i - 1]
    return values


def wraps_around(values):
    values = values.copy()
    for i in np.flatnonzero(np.isnan(values)):
        values[i] = values[i - 1]
    return values


def starts_with_the_first_known(values):
    return carried_on(values, start=values[np.isfinite(values)][0])


def refuses_every_gap(values):
    if np.isnan(values).any():
        raise ValueError("a gap")
    return values.copy()


def asserts(values):
    assert not np.isnan(values[0])
    return fill_gaps(values)


def in_place(values):
    filled = fill_gaps(values)
    values[:] = filled
    return values


FILL_GAPS = Exercise(
    name="fill_gaps",
    title="fill gaps without looking ahead",
    points=1,
    outputs={"refused": "", "filled": "T"},
    cases=gap_cases,
    drive=drivers.call_fill_gaps,
    reference=fill_gaps,
    against="the last known value, found by `np.searchsorted`",
    mistakes=(
        Mistake(
            "This draws a line to the next measured value, which nobody knew during the gap: a "
            "leak from the future. Carry the last known value forward.",
            filled_by(by_interpolation),
        ),
        Mistake(
            "This takes the next measured value, which nobody knew during the gap: a leak from the "
            "future. Carry the last known value forward.",
            filled_by(from_the_next),
        ),
        Mistake(
            "The gaps are filled with 0, far from every measurement.",
            filled_by(with_value(lambda values: 0.0)),
        ),
        Mistake(
            "The gaps are filled with the mean of the whole series, the future included: a leak.",
            filled_by(with_value(np.nanmean)),
            also=(filled_by(with_value(np.nanmedian)),),
        ),
        Mistake(
            "The gaps are dropped, so that every later week moves: week i is no longer week i.",
            filled_by(lambda values, gaps: values[np.isfinite(values)]),
        ),
        Mistake(
            "Only the first week of a longer gap is filled. Go through time, so that a filled "
            "value can be carried on.",
            filled_by(only_one_step),
        ),
        Mistake(
            "Nothing is filled. (A NaN is not equal to anything, not even to itself: ask "
            "`np.isnan`.)",
            filled_by(lambda values, gaps: values),
        ),
        Mistake(
            "A series that begins with a gap comes back with NaN in it. There is nothing to carry "
            "forward: raise a ValueError.",
            carried_on,
            also=(loops_from_one,),
        ),
        Mistake(
            "Every gap is refused. Only one at the very start is: the others have a value before "
            "them.",
            refuses_every_gap,
        ),
        Mistake(
            NO_VALUE_ERROR,
            asserts,
        ),
        Mistake(
            "A gap at the start is filled from the other end of the series: in Python, index -1 is "
            "the last. Raise a ValueError there.",
            wraps_around,
        ),
        Mistake(
            "A gap at the start is filled with a value measured later. Raise a ValueError there.",
            starts_with_the_first_known,
        ),
        Mistake(
            "Your function changed its argument `values` in place. Fill a copy: `values.copy()`.",
            in_place,
        ),
    ),
)

# --- split_and_scale ------------------------------------------------------------------------------


def split_and_scale(values, n_train, n_val):
    parts = np.split(values, [n_train, n_train + n_val])
    return tuple((part - parts[0].mean()) / parts[0].std() for part in parts)


def split_cases(rng):
    sizes = [(500, 60, 80), (450, 50, 50)]
    sizes += [(*rng.integers(450, 600, size=1).tolist(), *rng.integers(40, 90, size=2).tolist())]
    cases = []
    for n_train, n_val, n_test in sizes:
        n = n_train + n_val + n_test
        values = 300 + 0.05 * np.arange(n) + 3 * np.sin(np.arange(n) / 8) + rng.normal(size=n)
        cases.append({"values": values, "n_train": n_train, "n_val": n_val})
    return cases


def split_by(
    mean=lambda parts, values: parts[0].mean(),
    sd=lambda parts, values: parts[0].std(),
    cut=lambda values, n_train, n_val: np.split(values, [n_train, n_train + n_val]),
    order=(0, 1, 2),
    scale=lambda part, mean, sd: (part - mean) / sd,
):
    """Return a `split_and_scale` that departs from the right one in one place."""

    def answer(values, n_train, n_val):
        parts = cut(values, n_train, n_val)
        m, s = mean(parts, values), sd(parts, values)
        scaled = [scale(part, m, s) for part in parts]
        return tuple(scaled[i] for i in order)

    return answer


def each_by_itself(values, n_train, n_val):
    parts = np.split(values, [n_train, n_train + n_val])
    return tuple((part - part.mean()) / part.std() for part in parts)


def at_random(values, n_train, n_val):
    order = np.random.default_rng(0).permutation(len(values))
    return split_and_scale(values[order], n_train, n_val)


def of_differences(values, n_train, n_val):
    return split_and_scale(np.diff(values, prepend=values[0]), n_train, n_val)


SPLIT_AND_SCALE = Exercise(
    name="split_and_scale",
    title="split in time, scale by the past",
    points=2,
    outputs={
        "train": "T",
        "validation": "T",
        "test": "T",
        "train, after the future was changed": "T",
    },
    cases=split_cases,
    drive=drivers.call_split_and_scale,
    reference=split_and_scale,
    against="`np.split` and the mean and standard deviation of the first part",
    tolerance=3e-4,
    mistakes=(
        Mistake(
            "Mean and standard deviation come from the whole series, validation and test included: "
            "a leak from the future. Take those of the training part.",
            split_by(lambda parts, values: values.mean(), lambda parts, values: values.std()),
        ),
        Mistake(
            "Mean and standard deviation come from training and validation together. Take those "
            "of the training part alone.",
            split_by(
                lambda parts, values: np.concatenate(parts[:2]).mean(),
                lambda parts, values: np.concatenate(parts[:2]).std(),
            ),
        ),
        Mistake(
            "Every part is scaled by its own mean and standard deviation. The forecaster never "
            "sees those of the future: scale all three by the training part's.",
            each_by_itself,
        ),
        Mistake(
            "The split is random: the training part then holds weeks from after the test. Cut in "
            "time, the oldest part for training.",
            at_random,
            also=(split_by(cut=lambda values, n, k: np.split(values[::-1], [n, n + k])),),
        ),
        Mistake(
            "These are the parts of the series of differences. Scale the values themselves.",
            of_differences,
        ),
        Mistake(
            "The values are scaled to between 0 and 1. Subtract the mean and divide by the "
            "standard deviation.",
            split_by(lambda parts, values: parts[0].min(), lambda parts, values: np.ptp(parts[0])),
        ),
        Mistake(
            "Validation and test are swapped: the test comes last.",
            split_by(order=(0, 2, 1)),
        ),
        Mistake(
            "The mean is not subtracted.",
            split_by(mean=lambda parts, values: 0.0),
        ),
        Mistake(
            "The standard deviation is not divided by.",
            split_by(sd=lambda parts, values: 1.0),
        ),
        Mistake(
            "Divided by the variance. Its root is the standard deviation.",
            split_by(sd=lambda parts, values: parts[0].var()),
        ),
        Mistake(
            "`values - mean / sd` divides first. Put brackets around the difference.",
            split_by(scale=lambda part, mean, sd: part - mean / sd),
        ),
        Mistake(
            "The parts are not scaled.",
            split_by(scale=lambda part, mean, sd: part),
        ),
        Mistake(
            "The second cut is at `n_val`. It is at `n_train + n_val`.",
            split_by(cut=lambda values, n, k: [values[:n], values[n:k], values[k:]]),
        ),
        Mistake(
            "The test begins where the validation does. It begins at `n_train + n_val`.",
            split_by(cut=lambda values, n, k: [values[:n], values[n : n + k], values[n:]]),
        ),
    ),
)

# --- build_forecaster -----------------------------------------------------------------------------

ENOUGH = 0.28 * data.NOISE_FLOOR  # mean squared distance from the fit of the true form


class Fixed(nn.Module):
    """A forecaster that has learned nothing: a rule on the series x (n, T, 1)."""

    def __init__(self, rule):
        super().__init__()
        self.rule = rule

    def forward(self, x):
        return self.rule(x)


def build_forecaster():
    return Fixed(data.two_sine_forecast)


def forecaster_cases(rng):
    seed = int(rng.integers(2**31))
    return [{"x": data.generate_time_series(400, 51, seed=seed)[:, :50].numpy()}]


def near(got, expected, tolerance):
    """Return whether two forecasts are as near to each other as a good model is to the formula."""
    return got.shape == expected.shape and bool(np.square(got - expected).mean() <= ENOUGH)


# Measured on 20 000 series, four networks like those of sections 4.5 and 4.10 (the benchmark
# `forecasting` has two): the error on the next value is the squared distance from the fit plus 1.13
# to 1.17 times the noise floor.
OF_THE_FIT = 1.15
EVERY_STEP = "This returns a forecast for every step. Return the last, (n, 1)."


def error_over_floor(got, expected):
    """Return the error on the next value, as a multiple of the noise floor."""
    distance = np.square(got["forecast"] - expected["forecast"]).mean()
    return OF_THE_FIT + float(distance) / data.NOISE_FLOOR


BANDS = {  # what is reached -> below which multiple of the floor, and the share of the points
    "no better than the naive forecast": (np.inf, 0.0),
    "better than the naive forecast, not than least squares": (20.0, 0.25),
    "better than least squares and the best published stacked RNN": (3.0, 0.5),
    "near the LSTM of section 4.5": (2.0, 0.75),
}


def flaw(got, expected):
    """Return what makes forecasts incomparable, or nothing."""
    forecast = got["forecast"]
    if forecast.ndim == 3:
        return EVERY_STEP
    if forecast.shape != expected["forecast"].shape:
        return f"The forecast has the shape {forecast.shape}; expected (n, 1)."
    if not np.isfinite(forecast).all():
        return "Some forecasts are NaN or infinite. Did the training diverge?"
    return ""


def band(got, expected):
    error = error_over_floor(got, expected)
    return [name for name, (below, _) in BANDS.items() if error < below][-1]


def explain_band(got, expected):
    return flaw(got, expected) or (
        f"On 400 fresh series the error is about {error_over_floor(got, expected):.2f} times the "
        f"noise floor: {band(got, expected)}. Passed is what gets below about 1.43."
    )


def share_of_band(got, expected):
    return 0.0 if flaw(got, expected) else BANDS[band(got, expected)][1]


@functools.cache
def linear_weights():
    series = data.generate_time_series(7000, 51, seed=0)
    return torch.linalg.lstsq(with_ones(series[:, :50]), series[:, 50].double()).solution


def forecasting(rule):
    return lambda: Fixed(rule)


BUILD_FORECASTER = Exercise(
    name="build_forecaster",
    title="a forecaster of your own",
    points=4,
    outputs={"forecast": "n 1"},
    cases=forecaster_cases,
    drive=drivers.call_forecaster,
    reference=build_forecaster,
    against="the fit of the true form, to within 0.28 of the noise floor",
    same=near,
    explain=explain_band,
    share=share_of_band,
    mistakes=(
        Mistake(
            "This is the naive forecast.",
            forecasting(lambda x: x[:, -1]),
        ),
        Mistake(
            "This is the linear forecast, and no more.",
            forecasting(lambda x: with_ones(x) @ linear_weights()),
        ),
        Mistake(
            "This forecasts the mean of all series, whatever it sees. Was it trained with a loss "
            "that broadcasts (section 4.3)?",
            forecasting(lambda x: 0 * x[:, -1]),
        ),
        Mistake(
            EVERY_STEP,
            forecasting(lambda x: x),
        ),
        Mistake(
            "The forecast has lost its axis: (n, 1) is asked for.",
            forecasting(lambda x: x[:, -1, 0]),
        ),
        Mistake(
            "This is the change from the last value. Add the last value to it.",
            forecasting(lambda x: data.two_sine_forecast(x) - x[:, -1]),
        ),
    ),
)

EXERCISES = (
    NAIVE_FORECAST,
    LINEAR_FORECAST,
    MSE,
    SIMPLE_RNN,
    TRAIN_EPOCH,
    EVALUATE,
    MAKE_WINDOWS,
    FORECAST_RECURSIVE,
    PINBALL_LOSS,
    FILL_GAPS,
    SPLIT_AND_SCALE,
    BUILD_FORECASTER,
)
