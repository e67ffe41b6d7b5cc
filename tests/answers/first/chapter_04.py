"""Answers to the exercises of chapter 4, written before their checks were seen."""

import contextlib
import functools
import itertools
import math
import warnings

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers import data
from tests.answers import right, wrong


def _mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError(f"{tuple(prediction.shape)} is not {tuple(target.shape)}")
    return (prediction - target).square().mean()


# naive_forecast


@wrong("naive_forecast", "the feature axis is lost: (n,)")
def naive_forecast(x):
    return x[:, -1, 0]


@wrong("naive_forecast", "a slice keeps the time axis: (n, 1, 1)")
def naive_forecast(x):
    return x[:, -1:]


@wrong("naive_forecast", "the first value in place of the last")
def naive_forecast(x):
    return x[:, 0]


@wrong("naive_forecast", "the value before the last")
def naive_forecast(x):
    T = x.shape[1]
    return x[:, T - 2]


@wrong("naive_forecast", "the last series in place of the last step: (T, 1)")
def naive_forecast(x):
    return x[-1]


@wrong("naive_forecast", "the index 49 is hard-coded, whatever T is")
def naive_forecast(x):
    return x[:, min(49, x.size(1) - 1), :]


@wrong("naive_forecast", "squeeze() loses the series axis of a batch of one: (1,)")
def naive_forecast(x):
    last = x[:, -1].squeeze()
    return last.unsqueeze(-1)


@wrong("naive_forecast", "reshape for a transpose mixes series and steps; right for one series")
def naive_forecast(x):
    n, T, d = x.shape
    time_first = x.reshape(T, n, d)
    return time_first[-1]


@wrong("naive_forecast", "the last n numbers of the flattened batch, right for one series only")
def naive_forecast(x):
    return x.reshape(-1, 1)[-len(x) :]


@wrong("naive_forecast", "the last change is continued: last value plus last difference")
def naive_forecast(x):
    last, before = x[:, -1], x[:, -2]
    return last + (last - before)


@wrong("naive_forecast", "the mean of the last two values")
def naive_forecast(x):
    return x[:, -2:].mean(dim=1)


@wrong("naive_forecast", "the largest value, not the last")
def naive_forecast(x):
    values, _ = x.max(dim=1)
    return values


@wrong("naive_forecast", "a row (1, n) in place of a column (n, 1)")
def naive_forecast(x):
    return x[:, -1].T


@wrong(
    "naive_forecast",
    "the mean over the series",
    "one of two: the feature axis is lost: (n,)",
)
def naive_forecast(x):
    return x.mean(dim=(1, 2))


@wrong("naive_forecast", "the first value", "the result has three axes: (n, 1, 1)")
def naive_forecast(x):
    return x[:, :1]


@right("naive_forecast", "unbind along time, the last of the tuple")
def naive_forecast(x):
    *_, last = x.unbind(dim=1)
    return last


@right("naive_forecast", "einsum with a one-hot vector over time")
def naive_forecast(x):
    pick = F.one_hot(torch.tensor(x.shape[1] - 1), x.shape[1]).to(x.dtype)
    return torch.einsum("ntd,t->nd", x, pick)


@right("naive_forecast", "single entries in a nested list")
def naive_forecast(x):
    return torch.tensor([[series[-1].item()] for series in x], dtype=x.dtype)


@right("naive_forecast", "flipped in time, gathered at step 0")
def naive_forecast(x):
    index = torch.zeros(len(x), 1, 1, dtype=torch.long)
    return x.flip(1).gather(1, index).squeeze(1)


@right("naive_forecast", "every T-th entry of the flattened batch, from the T-th on")
def naive_forecast(x):
    flat, T = x.flatten(), x.size(1)
    return flat[T - 1 :: T].view(len(x), 1)


@right("naive_forecast", "recursion that halves the time axis")
def naive_forecast(x):
    def latest(part):
        if part.shape[1] == 1:
            return part[:, 0]
        return latest(part[:, part.shape[1] // 2 :])

    return latest(x)


# linear_forecast


def _with_ones(x):
    return torch.cat([x[:, :, 0], torch.ones(len(x), 1, dtype=x.dtype)], dim=1)


@wrong("linear_forecast", "no constant: the column of ones is missing")
def linear_forecast(x_train, y_train, x):
    w = torch.linalg.lstsq(x_train[:, :, 0], y_train).solution
    return x[:, :, 0] @ w


@wrong("linear_forecast", "the constant is fitted but not added to the forecast")
def linear_forecast(x_train, y_train, x):
    A = torch.cat([x_train[:, :, 0], torch.ones(len(x_train), 1, dtype=x_train.dtype)], dim=1)
    w = torch.linalg.lstsq(A, y_train).solution
    return x[:, :, 0] @ w[:-1]


@wrong("linear_forecast", "ones first in the training matrix, last in that of x")
def linear_forecast(x_train, y_train, x):
    one = torch.ones(len(x_train), 1, dtype=x_train.dtype)
    w = torch.linalg.lstsq(torch.hstack([one, x_train[:, :, 0]]), y_train).solution
    return torch.hstack([x[:, :, 0], torch.ones(len(x), 1, dtype=x.dtype)]) @ w


@wrong("linear_forecast", "a ridge penalty of 1 on all weights")
def linear_forecast(x_train, y_train, x):
    A = _with_ones(x_train)
    w = torch.linalg.solve(A.T @ A + torch.eye(A.shape[1], dtype=A.dtype), A.T @ y_train)
    return _with_ones(x) @ w


@wrong("linear_forecast", "the forecast is for the training series")
def linear_forecast(x_train, y_train, x):
    A = _with_ones(x_train)
    w = torch.linalg.lstsq(A, y_train).solution
    return A @ w


@wrong("linear_forecast", "the feature axis is lost: (n,)")
def linear_forecast(x_train, y_train, x):
    A, B = _with_ones(x_train).numpy(), _with_ones(x).numpy()
    w, *_ = np.linalg.lstsq(A, y_train[:, 0].numpy(), rcond=None)
    return torch.from_numpy(B @ w)


@wrong("linear_forecast", "x is centred by its own mean, not by that of the training series")
def linear_forecast(x_train, y_train, x):
    a, b = x_train[:, :, 0], x[:, :, 0]
    y_mean = y_train.mean()
    w = torch.linalg.lstsq(a - a.mean(dim=0), y_train - y_mean).solution
    return (b - b.mean(dim=0)) @ w + y_mean


@wrong("linear_forecast", "the constant is the targets' mean, though the inputs are not centred")
def linear_forecast(x_train, y_train, x):
    constant = y_train.mean()
    w = torch.linalg.lstsq(x_train.squeeze(-1), y_train - constant).solution
    return x.squeeze(-1) @ w + constant


@wrong("linear_forecast", "forecasts are clipped to the range of the training targets")
def linear_forecast(x_train, y_train, x):
    w = torch.linalg.lstsq(_with_ones(x_train), y_train).solution
    return (_with_ones(x) @ w).clamp(y_train.min(), y_train.max())


@wrong("linear_forecast", "each series is scaled by its own sd, the forecast is not scaled back")
def linear_forecast(x_train, y_train, x):
    def matrix(series):
        flat = series[:, :, 0]
        return torch.cat([flat / flat.std(1, keepdim=True), torch.ones_like(flat[:, :1])], 1)

    return matrix(x) @ torch.linalg.lstsq(matrix(x_train), y_train).solution


@wrong("linear_forecast", "the weights are fitted to the first half of the training series only")
def linear_forecast(x_train, y_train, x):
    half = (len(x_train) + 1) // 2
    w = torch.linalg.lstsq(_with_ones(x_train)[:half], y_train[:half]).solution
    return _with_ones(x) @ w


@wrong("linear_forecast", "only the last value of each series is used")
def linear_forecast(x_train, y_train, x):
    w = torch.linalg.lstsq(_with_ones(x_train[:, -1:]), y_train).solution
    return _with_ones(x[:, -1:]) @ w


@wrong("linear_forecast", "a hundred steps of gradient descent, which have not arrived")
def linear_forecast(x_train, y_train, x):
    A = _with_ones(x_train)
    w = torch.zeros(A.shape[1], 1, dtype=A.dtype)
    rate = 1 / torch.linalg.matrix_norm(A, 2).square()
    for _ in range(100):
        w = w - rate * A.T @ (A @ w - y_train)
    return _with_ones(x) @ w


_KEPT = {}


@wrong("linear_forecast", "the weights of the first fit are kept for all series of one length")
def linear_forecast(x_train, y_train, x):
    if (T := x_train.shape[1]) not in _KEPT:
        _KEPT[T] = torch.linalg.lstsq(_with_ones(x_train), y_train).solution
    return _with_ones(x) @ _KEPT[T].to(x.dtype)


@wrong("linear_forecast", "the weights' order in time is reversed for x")
def linear_forecast(x_train, y_train, x):
    w = torch.linalg.lstsq(_with_ones(x_train), y_train).solution
    return _with_ones(x.flip(1)) @ w


@wrong(
    "linear_forecast",
    "the constant column holds zeros",
    "one of two: the feature axis is lost: (n,)",
)
def linear_forecast(x_train, y_train, x):
    A = F.pad(x_train[:, :, 0], (0, 1))
    w = torch.linalg.lstsq(A, y_train, driver="gelsd").solution
    return (F.pad(x[:, :, 0], (0, 1)) @ w).squeeze(1)


@wrong("linear_forecast", "no constant", "the forecast is a row (1, n)")
def linear_forecast(x_train, y_train, x):
    w = torch.linalg.pinv(x_train[:, :, 0]) @ y_train
    return w.T @ x[:, :, 0].T


@right("linear_forecast", "NumPy's lstsq in float64, the ones first on both sides")
def linear_forecast(x_train, y_train, x):
    def design(series):
        return np.insert(np.asarray(series, dtype=np.float64)[:, :, 0], 0, 1.0, axis=1)

    w = np.linalg.lstsq(design(x_train), np.asarray(y_train, dtype=np.float64), rcond=None)[0]
    return torch.as_tensor(design(x) @ w).to(x.dtype)


@right("linear_forecast", "centred by the training means, singular values, constant from the means")
def linear_forecast(x_train, y_train, x):
    a, y, b = x_train.squeeze(-1).double(), y_train.double(), x.squeeze(-1).double()
    middle, y_bar = a.mean(0, keepdim=True), y.mean()
    U, S, Vh = torch.linalg.svd(a - middle, full_matrices=False)
    keep = S > S.max() * 1e-12
    w = Vh[keep].mH @ ((U[:, keep].mH @ (y - y_bar)) / S[keep, None])
    return ((b - middle) @ w + y_bar).to(x.dtype)


@right("linear_forecast", "one Newton step from zero weights, with autograd's gradient and Hessian")
def linear_forecast(x_train, y_train, x):
    A = _with_ones(x_train.double())
    y = y_train.double()[:, 0]

    def loss(w):
        return (A @ w - y).square().sum()

    start = torch.zeros(A.shape[1], dtype=torch.float64)
    with torch.enable_grad():
        hessian = torch.autograd.functional.hessian(loss, start)
        slope = torch.autograd.functional.jacobian(loss, start)
    w = -torch.linalg.solve(hessian, slope)
    return (_with_ones(x.double()) @ w).unsqueeze(1).to(x.dtype)


@right("linear_forecast", "QR and back substitution by a loop over single weights")
def linear_forecast(x_train, y_train, x):
    Q, R = torch.linalg.qr(_with_ones(x_train.double()))
    due = (Q.T @ y_train.double())[:, 0]
    w = torch.zeros_like(due)
    for k in reversed(range(len(due))):
        w[k] = (due[k] - R[k, k + 1 :] @ w[k + 1 :]) / R[k, k]
    return torch.einsum("nk,k->n", _with_ones(x.double()), w)[:, None].to(x.dtype)


@right("linear_forecast", "one column after the other is taken out of targets and later columns")
def linear_forecast(x_train, y_train, x):
    rest = _with_ones(x_train.double()).flip(1).clone()  # the ones first
    seen = _with_ones(x.double()).flip(1).clone()
    due, said = y_train.double().clone(), torch.zeros(len(x), 1, dtype=torch.float64)
    for k in range(rest.shape[1]):
        column, new = rest[:, k].clone(), seen[:, k].clone()
        size = column @ column
        share = column @ rest[:, k + 1 :] / size
        rest[:, k + 1 :] -= torch.outer(column, share)
        seen[:, k + 1 :] -= torch.outer(new, share)
        weight = (column @ due) / size
        due -= column[:, None] * weight
        said += new[:, None] * weight
    return said.to(x.dtype)


# mse


@wrong("mse", "no check of the shapes: they broadcast")
def mse(prediction, target):
    return ((prediction - target) ** 2).mean()


@wrong("mse", "only the numbers of entries are compared: (4,) and (4, 1) broadcast")
def mse(prediction, target):
    if prediction.numel() != target.numel():
        raise ValueError(f"{tuple(prediction.shape)} against {tuple(target.shape)}")
    return ((prediction - target) ** 2).mean()


@wrong("mse", "only the lengths are compared: (4,) and (4, 1) broadcast")
def mse(prediction, target):
    if len(prediction) != len(target):
        raise ValueError(f"shapes differ: {prediction.shape} and {target.shape}")
    return F.mse_loss(prediction, target)


@wrong("mse", "only the numbers of axes are compared: (4, 1) and (1, 4) broadcast")
def mse(prediction, target):
    if prediction.dim() != target.dim():
        raise ValueError(f"shapes differ: {prediction.shape} and {target.shape}")
    return (prediction - target).pow(2).mean()


@wrong("mse", "only shapes that cannot be broadcast are refused")
def mse(prediction, target):
    try:
        difference = prediction - target
    except RuntimeError:
        raise ValueError(f"{tuple(prediction.shape)} and {tuple(target.shape)}") from None
    return difference.square().mean()


@wrong("mse", "sizes are compared in any order: (4, 1) and (1, 4) broadcast")
def mse(prediction, target):
    if sorted(prediction.shape) != sorted(target.shape):
        raise ValueError(f"{tuple(prediction.shape)} is not {tuple(target.shape)}")
    return (prediction - target).square().mean()


@wrong("mse", "an AssertionError in place of a ValueError")
def mse(prediction, target):
    assert prediction.shape == target.shape, f"{prediction.shape} != {target.shape}"
    return torch.mean((prediction - target) ** 2)


@wrong("mse", "the error is returned, not raised")
def mse(prediction, target):
    if prediction.shape != target.shape:
        return ValueError(f"{tuple(prediction.shape)} is not {tuple(target.shape)}")
    return torch.mean((prediction - target) ** 2)


@wrong("mse", "a warning in place of an error")
def mse(prediction, target):
    if prediction.shape != target.shape:
        warnings.warn(f"{prediction.shape} is not {target.shape}", stacklevel=2)
    return torch.mean((prediction - target) ** 2)


@wrong("mse", "the message names one shape only")
def mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError(f"the prediction has the wrong shape {tuple(prediction.shape)}")
    return torch.mean((prediction - target) ** 2)


@wrong("mse", "the message names no shape")
def mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError("prediction and target must have the same shape")
    return F.mse_loss(prediction, target)


@wrong("mse", "other shapes are mended silently by a reshape")
def mse(prediction, target):
    return F.mse_loss(prediction.reshape(target.shape), target)


@wrong("mse", "the sum of squares over the number of series, not of entries")
def mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError(f"{tuple(prediction.shape)} is not {tuple(target.shape)}")
    return (prediction - target).square().sum() / len(prediction)


@wrong("mse", "the root of the mean squared error")
def mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError(f"{tuple(prediction.shape)} is not {tuple(target.shape)}")
    return (prediction - target).square().mean().sqrt()


@wrong("mse", "a float without a graph: it cannot be trained with")
def mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError(f"{tuple(prediction.shape)} is not {tuple(target.shape)}")
    return (prediction - target).square().mean().item()


@wrong("mse", "the prediction is changed in place")
def mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError(f"{tuple(prediction.shape)} is not {tuple(target.shape)}")
    prediction -= target
    return (prediction * prediction).mean()


@wrong("mse", "half the mean squared error", "a TypeError in place of a ValueError")
def mse(prediction, target):
    if prediction.shape != target.shape:
        raise TypeError(f"{tuple(prediction.shape)} is not {tuple(target.shape)}")
    return 0.5 * (prediction - target).square().mean()


@wrong("mse", "the mean absolute error", "the message names the target's shape only")
def mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError(f"expected {tuple(target.shape)}")
    return (prediction - target).abs().mean()


@right("mse", "inner product of the flattened difference with itself, over its length")
def mse(prediction, target):
    if (left := prediction.size()) != (other := target.size()):
        raise ValueError("prediction has the shape %s, target %s" % (tuple(left), tuple(other)))
    gap = torch.flatten(prediction - target)
    return torch.dot(gap, gap) / gap.numel()


@right("mse", "PyTorch's loss behind a comparison of lists")
def mse(prediction, target):
    shapes = [list(prediction.shape), list(target.shape)]
    if shapes[0] == shapes[1]:
        return F.mse_loss(input=prediction, target=target, reduction="sum") / target.numel()
    raise ValueError("shapes differ: {} and {}".format(*map(tuple, shapes)))


@right("mse", "a loop over single entries")
def mse(prediction, target):
    if not torch.Size.__eq__(prediction.shape, target.shape):
        raise ValueError(f"shapes differ: {prediction.shape} against {target.shape}")
    total, n = 0, 0
    for p, y in zip(prediction.reshape(-1), target.reshape(-1), strict=True):
        total, n = total + (p - y) * (p - y), n + 1
    return total / n


@right("mse", "the squared norm over the count, with a class of error of its own")
def mse(prediction, target):
    class ShapesDiffer(ValueError):
        pass

    if prediction.ndim != target.ndim or any(
        a != b for a, b in zip(prediction.shape, target.shape, strict=True)
    ):
        raise ShapesDiffer(f"{tuple(prediction.shape)} versus {tuple(target.shape)}")
    return torch.linalg.vector_norm(prediction - target) ** 2 / math.prod(target.shape)


@right("mse", "variance of the difference plus its squared mean, in float64 inside")
def mse(prediction, target):
    match tuple(prediction.shape), tuple(target.shape):
        case a, b if a != b:
            raise ValueError(f"prediction {a}, target {b}")
    gap = prediction.double() - target.double()
    return (gap.var(correction=0) + gap.mean() ** 2).to(prediction.dtype)


# train_epoch


@wrong("train_epoch", "the batches' losses are averaged without weights")
def train_epoch(model, batches, optimizer):
    model.train()
    losses = []
    for x, y in batches:
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@wrong("train_epoch", "weighted by the steps of a series, not by the series of a batch")
def train_epoch(model, batches, optimizer):
    model.train()
    total = count = 0.0
    for x, y in batches:
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * x.size(1)
        count += x.size(1)
    return total / count


@wrong("train_epoch", "divided as if all batches were as large as the first")
def train_epoch(model, batches, optimizer):
    model.train()
    total, n_batches, size = 0.0, 0, None
    for x, y in batches:
        size = size or len(x)
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
        n_batches += 1
    return total / (n_batches * size)


@wrong("train_epoch", "the gradients are never zeroed")
def train_epoch(model, batches, optimizer):
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
        count += len(x)
    return total / count


@wrong("train_epoch", "the gradients are zeroed once, before the first batch")
def train_epoch(model, batches, optimizer):
    model.train()
    optimizer.zero_grad()
    total, count = 0.0, 0
    for x, y in batches:
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


@right("train_epoch", "zeroed after each step: as good where no gradient is left from before")
def train_epoch(model, batches, optimizer):
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


@wrong("train_epoch", "zero_grad stands between backward and step: no update")
def train_epoch(model, batches, optimizer):
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


@wrong("train_epoch", "the training mode is not set")
def train_epoch(model, batches, optimizer):
    total, count = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


@wrong("train_epoch", "the training mode is set after the epoch, not before")
def train_epoch(model, batches, optimizer):
    total, count = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(x), count + len(x)
    model.train()
    return total / count


@wrong("train_epoch", "one update at the end of the epoch, not one for each batch")
def train_epoch(model, batches, optimizer):
    model.train()
    optimizer.zero_grad()
    total, count = 0.0, 0
    for x, y in batches:
        loss = _mse(model(x), y)
        loss.backward()
        total, count = total + loss.item() * len(x), count + len(x)
    optimizer.step()
    return total / count


@wrong("train_epoch", "the loss of the last batch is returned")
def train_epoch(model, batches, optimizer):
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
    return loss.item()


@wrong("train_epoch", "backward on the loss times the batch's size, which Adam hardly notices")
def train_epoch(model, batches, optimizer):
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = _mse(model(x), y) * len(x)
        loss.backward()
        optimizer.step()
        total, count = total + loss.item(), count + len(x)
    return total / count


@wrong("train_epoch", "the last batch is left out when it is smaller than the first")
def train_epoch(model, batches, optimizer):
    model.train()
    total, count, full = 0.0, 0, None
    for x, y in batches:
        full = full or len(x)
        if len(x) < full:
            continue
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


@wrong("train_epoch", "the sum over the series is not divided by their number")
def train_epoch(model, batches, optimizer):
    model.train()
    total = 0.0
    for x, y in batches:
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    return total


@wrong("train_epoch", "the losses are added with their graphs: a tensor that wants a gradient")
def train_epoch(model, batches, optimizer):
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        total, count = total + loss * len(x), count + len(x)
    return total / count


@wrong("train_epoch", "the error is measured after each update, not where the update came from")
def train_epoch(model, batches, optimizer):
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        _mse(model(x), y).backward()
        optimizer.step()
        with torch.no_grad():
            total += _mse(model(x), y).item() * len(x)
        count += len(x)
    return total / count


@wrong("train_epoch", "the prediction is squeezed to (B,), which broadcasts against (B, 1)")
def train_epoch(model, batches, optimizer):
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = F.mse_loss(model(x).squeeze(), y)
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


@wrong("train_epoch", "the gradient is clipped to norm 1, which nobody asked for")
def train_epoch(model, batches, optimizer):
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


@right("train_epoch", "F.mse_loss, where prediction and target have one shape")
def train_epoch(model, batches, optimizer):
    model.train()
    total, count = 0.0, 0
    with warnings.catch_warnings(action="ignore"):
        for x, y in batches:
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            total, count = total + loss.item() * len(x), count + len(x)
    return total / count


@wrong(
    "train_epoch",
    "the losses are averaged without weights",
    "one of two: the training mode is not set",
)
def train_epoch(model, batches, optimizer):
    losses = []
    for x, y in batches:
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses))


@wrong(
    "train_epoch",
    "one of two: the gradients are never zeroed",
    "a list of losses, not a number",
)
def train_epoch(model, batches, optimizer):
    model.train()
    losses = []
    for x, y in batches:
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@right("train_epoch", "np.average with the sizes as weights")
def train_epoch(model, batches, optimizer):
    model.train(True)
    record = []
    for inputs, targets in batches:
        optimizer.zero_grad(set_to_none=False)
        (loss := _mse(model(inputs), targets)).backward()
        optimizer.step()
        record.append((float(loss), targets.shape[0]))
    losses, sizes = zip(*record, strict=True)
    return float(np.average(losses, weights=sizes))


@right("train_epoch", "a running mean, gradients set to None by hand")
def train_epoch(model, batches, optimizer):
    mean, seen = 0.0, 0
    for x, y in batches:
        model.train()
        for parameter in model.parameters():
            parameter.grad = None
        loss = _mse(model(x), y)
        torch.autograd.backward(loss)
        optimizer.step()
        seen += len(y)
        mean += (loss.item() - mean) * len(y) / seen
    return mean


@right("train_epoch", "a generator of squared errors, one per series, summed by fsum")
def train_epoch(model, batches, optimizer):
    def errors():
        for x, y in batches:
            optimizer.zero_grad()
            prediction = model(x)
            _mse(prediction, y).backward()
            optimizer.step()
            yield from (prediction.detach() - y).square().flatten(1).mean(1).tolist()

    model.train()
    every = list(errors())
    return math.fsum(every) / len(every)


@right("train_epoch", "autograd.grad fills the .grad fields")
def train_epoch(model, batches, optimizer):
    wanted = [p for p in model.train().parameters() if p.requires_grad]
    sums = torch.zeros(2, dtype=torch.float64)
    for x, y in batches:
        loss = _mse(model(x), y)
        gradients = torch.autograd.grad(loss, wanted, allow_unused=True)
        for parameter, gradient in zip(wanted, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        sums += torch.tensor([loss.item() * len(x), len(x)], dtype=torch.float64)
    return (sums[0] / sums[1]).item()


@right("train_epoch", "functools.reduce over the batches")
def train_epoch(model, batches, optimizer):
    def update(sums, batch):
        x, y = batch
        optimizer.zero_grad()
        loss = _mse(model(x), y)
        loss.backward()
        optimizer.step()
        return sums[0] + loss.item() * x.size(0), sums[1] + x.size(0)

    model.train()
    total, count = functools.reduce(update, batches, (0.0, 0))
    return total / count


@right("train_epoch", "the optimizer is given a closure")
def train_epoch(model, batches, optimizer):
    model.train()
    weighted = []
    for x, y in batches:

        def closure(x=x, y=y):
            optimizer.zero_grad()
            loss = _mse(model(x), y)
            loss.backward()
            return loss

        weighted.append((optimizer.step(closure).item() * len(x), len(x)))
    return sum(w for w, _ in weighted) / sum(n for _, n in weighted)


# evaluate


@wrong("evaluate", "the evaluation mode is not set: dropout is on")
def evaluate(model, x, y):
    with torch.no_grad():
        return _mse(model(x), y).item()


@wrong("evaluate", "the computation is recorded: no torch.no_grad()")
def evaluate(model, x, y):
    model.eval()
    return _mse(model(x), y).item()


@wrong("evaluate", "eval() comes after the prediction")
def evaluate(model, x, y):
    with torch.no_grad():
        prediction = model(x)
        model.eval()
        return _mse(prediction, y).item()


@wrong("evaluate", "no_grad covers the loss only, the model's computation is recorded")
def evaluate(model, x, y):
    model.eval()
    prediction = model(x)
    with torch.no_grad():
        return _mse(prediction, y).item()


@wrong("evaluate", "gradients are switched off for the whole program and stay off")
def evaluate(model, x, y):
    model.eval()
    torch.set_grad_enabled(False)
    return _mse(model(x), y).item()


@wrong("evaluate", "the parameters are frozen and stay so: later training moves nothing")
def evaluate(model, x, y):
    model.eval()
    model.requires_grad_(False)
    with torch.no_grad():
        return _mse(model(x), y).item()


@wrong("evaluate", "train() in place of eval()")
def evaluate(model, x, y):
    model.train()
    with torch.no_grad():
        return _mse(model(x), y).item()


@wrong("evaluate", "only the direct children are put into evaluation mode")
def evaluate(model, x, y):
    model.training = False
    for child in model.children():
        child.training = False
    with torch.no_grad():
        return _mse(model(x), y).item()


@wrong("evaluate", "batches of 32 are averaged without weights")
def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        pairs = zip(x.split(32), y.split(32), strict=True)
        losses = [_mse(model(a), b).item() for a, b in pairs]
    return sum(losses) / len(losses)


@wrong("evaluate", "the root of the mean squared error")
def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return math.sqrt(_mse(model(x), y).item())


@wrong("evaluate", "the sum of squares, not their mean")
def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x) - y).square().sum().item()


@wrong("evaluate", "the squeezed prediction broadcasts against the targets")
def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return F.mse_loss(model(x).squeeze(-1), y).item()


@wrong("evaluate", "the error is rounded to four digits")
def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return round(_mse(model(x), y).item(), 4)


@wrong("evaluate", "only the first thousand series are measured")
def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return _mse(model(x[:1000]), y[:1000]).item()


@wrong("evaluate", "the evaluation mode is not set", "a tensor that wants a gradient is returned")
def evaluate(model, x, y):
    return _mse(model(x), y)


@wrong("evaluate", "the mean absolute error", "the computation is recorded")
def evaluate(model, x, y):
    model.eval()
    return (model(x) - y).abs().mean().item()


@right("evaluate", "no_grad as a decorator, mode by train(False)")
@torch.no_grad()
def evaluate(model, x, y):
    return float(_mse(model.train(False)(x), y))


@right("evaluate", "set_grad_enabled(False) as a context, the mean taken by NumPy")
def evaluate(model, x, y):
    with torch.set_grad_enabled(False):
        gap = model.eval()(x) - y
        _mse(gap, y)  # refuses shapes that differ
    return float(np.mean(np.square(gap.numpy(), dtype=np.float64)))


@right("evaluate", "an ExitStack that restores the model's mode in the end")
def evaluate(model, x, y):
    with contextlib.ExitStack() as stack:
        stack.callback(model.train, model.training)
        stack.enter_context(torch.no_grad())
        model.eval()
        return _mse(model(x), y).tolist()


@right("evaluate", "gradients off and on again by hand, in try and finally")
def evaluate(model, x, y):
    before = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        model.eval()
        return _mse(model(x), y).item()
    finally:
        torch.set_grad_enabled(before)


@right("evaluate", "batches of seven, each weighted by its size")
def evaluate(model, x, y):
    model.eval()
    sums = []
    with torch.no_grad():
        for start in range(0, len(x), 7):
            part = slice(start, start + 7)
            sums.append(_mse(model(x[part]), y[part]).item() * len(x[part]))
    return sum(sums) / len(x)


@right("evaluate", "inference_mode, which is no_grad and more")
def evaluate(model, x, y):
    for module in model.modules():
        module.training = False
    with torch.inference_mode():
        return _mse(model(x), y).item()


# make_windows


@wrong("make_windows", "the last window is missing")
def make_windows(series, window):
    series = torch.as_tensor(series)
    n = len(series) - window - 1
    x = torch.stack([series[i : i + window] for i in range(n)]).unsqueeze(-1).float()
    y = torch.stack([series[i + window] for i in range(n)]).unsqueeze(-1).float()
    return x, y


@wrong("make_windows", "the target is the last value of the window")
def make_windows(series, window):
    series = torch.as_tensor(series)
    n = len(series) - window
    x = torch.stack([series[i : i + window] for i in range(n)]).unsqueeze(-1).float()
    y = torch.stack([series[i + window - 1] for i in range(n)]).unsqueeze(-1).float()
    return x, y


@wrong("make_windows", "the windows do not overlap")
def make_windows(series, window):
    series = np.asarray(series, dtype=np.float32)
    starts = range(0, len(series) - window, window)
    x = np.stack([series[i : i + window] for i in starts])[:, :, None]
    y = np.stack([series[i + window] for i in starts])[:, None]
    return torch.from_numpy(x), torch.from_numpy(y)


@wrong("make_windows", "float64 is kept")
def make_windows(series, window):
    series = np.asarray(series, dtype=float)
    n = len(series) - window
    x = np.array([series[i : i + window] for i in range(n)])[:, :, None]
    return torch.from_numpy(x), torch.from_numpy(series[window:].copy()).unsqueeze(-1)


@wrong("make_windows", "x is converted to float32, y is not")
def make_windows(series, window):
    series = torch.as_tensor(series)
    n = len(series) - window
    x = torch.stack([series[i : i + window] for i in range(n)])
    return x.float().unsqueeze(-1), series[window:].clone().unsqueeze(-1)


@wrong("make_windows", "x has no feature axis: (n, window)")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    n = len(series) - window
    x = torch.stack([series[i : i + window] for i in range(n)])
    return x, series[window:].unsqueeze(-1).clone()


@wrong("make_windows", "y has no feature axis: (n,)")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    n = len(series) - window
    x = torch.stack([series[i : i + window] for i in range(n)]).unsqueeze(-1)
    return x, series[window:].clone()


@wrong("make_windows", "y skips one value: two steps after the window")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    n = len(series) - window - 1
    x = torch.stack([series[i : i + window] for i in range(n)]).unsqueeze(-1)
    y = torch.stack([series[i + window + 1] for i in range(n)]).unsqueeze(-1)
    return x, y


@wrong("make_windows", "y holds the window one step later, a target for every step")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    n = len(series) - window
    x = torch.stack([series[i : i + window] for i in range(n)]).unsqueeze(-1)
    y = torch.stack([series[i + 1 : i + window + 1] for i in range(n)]).unsqueeze(-1)
    return x, y


@wrong("make_windows", "stacked along time, then reshaped: the windows are mixed up")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    n = len(series) - window
    x = torch.stack([series[k : k + n] for k in range(window)])
    return x.reshape(n, window, 1), series[window:].reshape(n, 1).clone()


@wrong("make_windows", "the axes of x are swapped: (window, n, 1)")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    n = len(series) - window
    x = torch.stack([series[i : i + window] for i in range(n)], dim=1)
    return x.unsqueeze(-1), series[window:].unsqueeze(-1).clone()


@wrong("make_windows", "each window runs backwards in time")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    x = [series[i - window : i].flip(0) for i in range(window, len(series))]
    return torch.stack(x).unsqueeze(-1), series[window:].unsqueeze(-1).clone()


@wrong("make_windows", "the series is taken for a circle: T windows, the last ones go round")
def make_windows(series, window):
    series = np.asarray(series, dtype=np.float32)
    x = np.stack([np.roll(series, -k) for k in range(window)], axis=1)
    y = np.roll(series, -window)
    return torch.from_numpy(x).unsqueeze(-1), torch.from_numpy(y).unsqueeze(-1)


@wrong("make_windows", "the mean of each window is subtracted from it and its target")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    x = series[:-1].unfold(0, window, 1).clone()
    y = series[window:].clone()
    middle = x.mean(dim=1)
    return (x - middle[:, None]).unsqueeze(-1), (y - middle).unsqueeze(-1)


@wrong("make_windows", "one window too many in x, the last one without a target")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    x = series.unfold(0, window, 1).clone()
    return x.unsqueeze(-1), series[window:].unsqueeze(-1).clone()


@wrong("make_windows", "the windows come out shuffled, with their targets")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    x, y = series[:-1].unfold(0, window, 1), series[window:]
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(1))
    return x[order].unsqueeze(-1), y[order].unsqueeze(-1)


@wrong("make_windows", "the values pass through float16 on their way")
def make_windows(series, window):
    series = torch.as_tensor(series).half()
    n = len(series) - window
    x = torch.stack([series[i : i + window] for i in range(n)]).unsqueeze(-1).float()
    return x, series[window:].unsqueeze(-1).float()


@wrong("make_windows", "the first window is missing")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    starts = range(1, len(series) - window)
    x = torch.stack([series[i : i + window] for i in starts]).unsqueeze(-1)
    y = torch.stack([series[i + window : i + window + 1] for i in starts])
    return x, y


@wrong("make_windows", "one of two: y has no feature axis: (n,)", "x is float64")
def make_windows(series, window):
    series = torch.as_tensor(series).double()
    n = len(series) - window
    x = torch.stack([series[i : i + window] for i in range(n)]).unsqueeze(-1)
    return x, series[window:].float()


@wrong(
    "make_windows",
    "x lacks the feature axis",
    "one of two: the target is the last value of the window",
)
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    x = series[:-1].unfold(0, window, 1).clone()
    return x, x[:, -1:].clone()


@right("make_windows", "indices by broadcasting a column of starts against a row of steps")
def make_windows(series, window):
    values = torch.as_tensor(series).to(torch.float32)
    n = max(values.numel() - window, 0)
    index = torch.arange(n)[:, None] + torch.arange(window)
    return values[index, None], values[torch.arange(n) + window, None]


@right("make_windows", "NumPy's sliding_window_view of windows with their target, then split")
def make_windows(series, window):
    values = np.asarray(series, dtype=np.float32)
    if len(values) <= window:
        return torch.empty(0, window, 1), torch.empty(0, 1)
    both = np.lib.stride_tricks.sliding_window_view(values, window + 1).copy()
    x, y = np.split(both, [window], axis=1)
    return torch.tensor(x[..., None]), torch.tensor(y)


@right("make_windows", "single entries written into empty tensors by two loops")
def make_windows(series, window):
    n = max(len(series) - window, 0)
    x, y = torch.empty(n, window, 1), torch.empty(n, 1)
    for i in range(n):
        for k in range(window):
            x[i, k, 0] = float(series[i + k])
        y[i, 0] = float(series[i + window])
    return x, y


@right("make_windows", "one shifted column after the other, stacked along the last axis")
def make_windows(series, window):
    values = [float(value) for value in series]
    n = max(len(values) - window, 0)
    *columns, due = (torch.tensor(values[k : k + n]) for k in range(window + 1))
    return torch.stack(columns, -1).unsqueeze(-1).float(), due.float().view(-1, 1)


@right("make_windows", "a generator with a deque that slides over the series")
def make_windows(series, window):
    from collections import deque

    def pairs():
        seen = deque(maxlen=window)
        for value in map(float, series):
            if len(seen) == window:
                yield [[old] for old in seen], [value]
            seen.append(value)

    found = list(pairs())
    x = torch.tensor([x for x, _ in found], dtype=torch.float32).reshape(-1, window, 1)
    return x, torch.tensor([y for _, y in found], dtype=torch.float32).reshape(-1, 1)


@right("make_windows", "recursion: the windows of the rest of the series after the first")
def make_windows(series, window):
    def cut(values):
        if len(values) <= window:
            return torch.empty(0, window, 1), torch.empty(0, 1)
        if len(values) <= 256 + window:
            x = values[:-1].unfold(0, window, 1)
            return x[:, :, None].clone(), values[window:, None].clone()
        x, y = zip(cut(values[: 256 + window]), cut(values[256:]), strict=True)
        return torch.cat(x), torch.cat(y)

    return cut(torch.as_tensor(series).float())


# forecast_recursive


@wrong("forecast_recursive", "the given windows are changed in place")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            forecasts.append(y)
            x[:, :-1] = x[:, 1:].clone()
            x[:, -1] = y
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "a NumPy view shares the given memory, which is overwritten")
def forecast_recursive(model, x, steps):
    window = x.detach().numpy()
    out = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(torch.tensor(window)).numpy()
            window[:, :-1] = window[:, 1:].copy()
            window[:, -1] = y
            out.append(y)
    return torch.from_numpy(np.concatenate(out, axis=1))


@wrong("forecast_recursive", "the oldest value is not dropped: the window grows")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            forecasts.append(y)
            x = torch.cat([x, y.unsqueeze(1)], dim=1)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "the newest value is dropped in place of the oldest")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            forecasts.append(y)
            x = torch.cat([x[:, :-1], y.unsqueeze(1)], dim=1)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "the forecast is put before the window, the newest value dropped")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            forecasts.append(y)
            x = torch.cat([y.unsqueeze(1), x[:, :-1]], dim=1)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "three axes are returned: (B, steps, 1)")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x).unsqueeze(1)
            forecasts.append(y)
            x = torch.cat([x[:, 1:], y], dim=1)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "the axes are swapped: (steps, B)")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            forecasts.append(y[:, 0])
            x = torch.cat([x[:, 1:], y.unsqueeze(1)], dim=1)
    return torch.stack(forecasts)


@wrong("forecast_recursive", "every forecast is made from the given windows")
def forecast_recursive(model, x, steps):
    with torch.no_grad():
        return torch.cat([model(x) for _ in range(steps)], dim=1)


@wrong("forecast_recursive", "the last window is returned, which holds T forecasts at most")
def forecast_recursive(model, x, steps):
    with torch.no_grad():
        for _ in range(steps):
            x = torch.cat([x[:, 1:], model(x).unsqueeze(1)], dim=1)
    return x[:, -steps:, 0]


@wrong("forecast_recursive", "squeeze() at the end loses the axis of one series or one step")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            forecasts.append(y)
            x = torch.cat([x[:, 1:], y.unsqueeze(1)], dim=1)
    return torch.cat(forecasts, dim=1).squeeze()


@wrong("forecast_recursive", "model.eval() is called, which a plain function does not have")
def forecast_recursive(model, x, steps):
    model.eval()
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            forecasts.append(y)
            x = torch.cat([x[:, 1:], y.unsqueeze(1)], dim=1)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "one forecast too few: the first is only fed back")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        y = model(x)
        for _ in range(steps - 1):
            x = torch.cat([x[:, 1:], y.unsqueeze(1)], dim=1)
            y = model(x)
            forecasts.append(y)
    return torch.cat(forecasts, dim=1) if forecasts else x.new_zeros(len(x), 0)


@wrong("forecast_recursive", "the first forecast is missing, a later one comes after the end")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        y = model(x)
        for _ in range(steps):
            x = torch.cat([x[:, 1:], y.unsqueeze(1)], dim=1)
            y = model(x)
            forecasts.append(y)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "the last seen value is put first: one step late")
def forecast_recursive(model, x, steps):
    values = [x[:, -1]]
    with torch.no_grad():
        for _ in range(steps - 1):
            y = model(x)
            values.append(y)
            x = torch.cat([x[:, 1:], y.unsqueeze(1)], dim=1)
    return torch.cat(values, dim=1)


@wrong("forecast_recursive", "all series are continued by the first one's forecast")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            forecasts.append(y)
            x = torch.cat([x[:, 1:], y[:1].expand(len(x), 1).unsqueeze(1)], dim=1)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "the forecast is taken for a change and added to the last value")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = x[:, -1] + model(x)
            forecasts.append(y)
            x = torch.cat([x[:, 1:], y.unsqueeze(1)], dim=1)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "roll brings the oldest value to the end, and the forecast is lost")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            forecasts.append(model(x))
            x = torch.roll(x, -1, dims=1)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "the model is handed one new value, not the whole window")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            forecasts.append(y)
            x = y.unsqueeze(1)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "cat along the batch, then reshape: series and steps are mixed")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            forecasts.append(y)
            x = torch.cat([x[:, 1:], y.unsqueeze(1)], dim=1)
    return torch.cat(forecasts, dim=0).reshape(-1, steps)


@wrong("forecast_recursive", "only the last forecast is returned: (B, 1)")
def forecast_recursive(model, x, steps):
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            x = torch.cat([x[:, 1:], y.unsqueeze(1)], dim=1)
    return y


@wrong("forecast_recursive", "forecasts beyond the window's length are left zero")
def forecast_recursive(model, x, steps):
    out = torch.zeros(len(x), steps, dtype=x.dtype)
    with torch.no_grad():
        for k in range(min(steps, x.shape[1])):
            y = model(x)
            out[:, k : k + 1] = y
            x = torch.cat([x[:, 1:], y.unsqueeze(1)], dim=1)
    return out


@wrong(
    "forecast_recursive",
    "the window grows",
    "one of two: three axes are returned: (B, steps, 1)",
)
def forecast_recursive(model, x, steps):
    T = x.shape[1]
    with torch.no_grad():
        for _ in range(steps):
            x = torch.cat([x, model(x).unsqueeze(1)], dim=1)
    return x[:, T:]


@wrong(
    "forecast_recursive",
    "one of two: the given windows are changed in place",
    "one forecast too many",
)
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps + 1):
            y = model(x)
            forecasts.append(y)
            x.copy_(torch.cat([x[:, 1:], y.unsqueeze(1)], dim=1))
    return torch.cat(forecasts, dim=1)


@right("forecast_recursive", "one long buffer, over which the window slides")
def forecast_recursive(model, x, steps):
    B, T, _ = x.shape
    buffer = torch.cat([x.detach(), x.new_zeros(B, steps, 1)], dim=1)
    with torch.no_grad():
        for k in range(steps):
            buffer[:, T + k] = model(buffer[:, k : T + k].clone())
    return buffer[:, T:, 0].clone()


def _forecast_rest(model, x, steps):
    if steps < 1:
        return x.new_empty(len(x), 0)
    y = model(x)
    slid = torch.hstack([x[:, 1:], y[:, None]])
    return torch.hstack([y, _forecast_rest(model, slid, steps - 1)])


@right("forecast_recursive", "recursion in the word's own sense")
def forecast_recursive(model, x, steps):
    with torch.no_grad():
        return _forecast_rest(model, x, steps)


@right("forecast_recursive", "itertools.accumulate over windows, each ends in a forecast")
@torch.no_grad()
def forecast_recursive(model, x, steps):
    def slide(window, _):
        return torch.cat((window.narrow(1, 1, window.size(1) - 1), model(window)[:, None, :]), 1)

    windows = itertools.accumulate(range(steps), slide, initial=x)
    return torch.stack([w[:, -1, 0] for w in itertools.islice(windows, 1, None)], dim=-1)


@right("forecast_recursive", "roll on a copy, the last entry overwritten")
def forecast_recursive(model, x, steps):
    with torch.inference_mode():
        window, out = x.clone(), []
        for _ in range(steps):
            out += [y := model(window)]
            window = window.roll(shifts=-1, dims=1)
            window[:, -1, :] = y
    return torch.column_stack(out).clone()


@right("forecast_recursive", "a generator with the batch as a list of NumPy columns")
def forecast_recursive(model, x, steps):
    def ahead(columns):
        while True:
            with torch.no_grad():
                y = model(torch.from_numpy(np.stack(columns, axis=1)))
            yield y
            columns = [*columns[1:], y.numpy()]

    start = [column.numpy().copy() for column in x.detach().unbind(1)]
    return torch.cat(list(itertools.islice(ahead(start), steps)), dim=-1)


# pinball_loss


@wrong("pinball_loss", "the error has the wrong sign: prediction - target")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = prediction - target
    return torch.maximum(q * e, (q - 1) * e).mean()


@wrong("pinball_loss", "the smaller of the two is taken")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = target - prediction
    return torch.minimum(q * e, (q - 1) * e).mean()


@wrong("pinball_loss", "summed over the quantile levels, averaged over the series only")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = target - prediction
    return torch.maximum(q * e, (q - 1) * e).sum(dim=1).mean()


@wrong("pinball_loss", "averaged over the levels, summed over the series")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = target - prediction
    return torch.maximum(q * e, (q - 1) * e).mean(dim=1).sum()


@wrong("pinball_loss", "1 - q in place of q - 1: too high costs less than nothing")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = target - prediction
    return torch.maximum(q * e, (1 - q) * e).mean()


@wrong("pinball_loss", "the levels are sorted, their columns are not")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(sorted(quantiles), dtype=prediction.dtype)
    e = target - prediction
    return torch.maximum(q * e, (q - 1) * e).mean()


@wrong("pinball_loss", "crossing predictions are sorted first, whatever level they belong to")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = target - prediction.sort(dim=1).values
    return torch.maximum(q * e, (q - 1) * e).mean()


@wrong("pinball_loss", "the three levels of the chapter are hard-coded")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor([0.1, 0.5, 0.9], dtype=prediction.dtype)[: prediction.size(1)]
    e = target - prediction
    return torch.maximum(q * e, (q - 1) * e).mean()


@wrong("pinball_loss", "the squeezed target (B,) lies along the levels, right for B = 1 only")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = target.squeeze(-1) - prediction
    return torch.maximum(q * e, (q - 1) * e).mean()


@wrong("pinball_loss", "the mean is taken before the maximum")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = (target - prediction).mean(dim=0)
    return torch.maximum(q * e, (q - 1) * e).mean()


@wrong("pinball_loss", "one loss per level: (Q,)")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = target - prediction
    return torch.maximum(q * e, (q - 1) * e).mean(dim=0)


@wrong("pinball_loss", "no reduction: (B, Q)")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = target - prediction
    return torch.maximum(q * e, (q - 1) * e)


@wrong("pinball_loss", "twice the loss, so that the median's is the absolute error")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = target - prediction
    return 2 * torch.where(e >= 0, q * e, (q - 1) * e).mean()


@wrong("pinball_loss", "predictions that are too high cost nothing")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    return (q * F.relu(target - prediction)).mean()


@wrong("pinball_loss", "q and 1 - q are swapped between too low and too high")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = target - prediction
    return torch.where(e > 0, (1 - q) * e, -q * e).mean()


@wrong("pinball_loss", "a float without a graph: it cannot be trained with")
def pinball_loss(prediction, target, quantiles):
    total = 0.0
    for k, q in enumerate(quantiles):
        e = target[:, 0] - prediction[:, k]
        total += torch.maximum(q * e, (q - 1) * e).mean().item()
    return total / len(quantiles)


@wrong("pinball_loss", "only the last level counts: the sum is overwritten in the loop")
def pinball_loss(prediction, target, quantiles):
    for k, q in enumerate(quantiles):
        e = target[:, 0] - prediction[:, k]
        loss = torch.max(q * e, (q - 1) * e).mean()
    return loss


@wrong("pinball_loss", "column 0 is compared for every level")
def pinball_loss(prediction, target, quantiles):
    losses = []
    for q in quantiles:
        e = target - prediction[:, :1]
        losses.append(torch.max(q * e, (q - 1) * e).mean())
    return torch.stack(losses).mean()


@wrong("pinball_loss", "divided by three, however many levels there are")
def pinball_loss(prediction, target, quantiles):
    loss = 0.0
    for k, q in enumerate(quantiles):
        e = target[:, 0] - prediction[:, k]
        loss = loss + torch.max(q * e, (q - 1) * e).mean()
    return loss / 3


@wrong("pinball_loss", "the errors are squared")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = target - prediction
    return (torch.where(e >= 0, q, 1 - q) * e.square()).mean()


@wrong("pinball_loss", "the prediction is changed in place")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = prediction.mul_(-1).add_(target)
    return torch.maximum(q * e, (q - 1) * e).mean()


@wrong(
    "pinball_loss",
    "the error has the wrong sign",
    "one of two: one loss per level: (Q,)",
)
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles, dtype=prediction.dtype)
    e = prediction - target
    return torch.maximum(q * e, (q - 1) * e).mean(0)


@wrong("pinball_loss", "the levels are taken in reverse", "a float without a graph")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles[::-1], dtype=prediction.dtype)
    e = target - prediction
    return float(torch.maximum(q * e, (q - 1) * e).mean())


@right("pinball_loss", "(q - [e < 0]) e, a column at a time")
def pinball_loss(prediction, target, quantiles):
    columns = prediction.unbind(dim=1)
    errors = [target[:, 0] - column for column in columns]
    parts = [((q - (e < 0).to(e.dtype)) * e).mean() for q, e in zip(quantiles, errors, strict=True)]
    return sum(parts) / len(parts)


@right("pinball_loss", "half the absolute error plus (q - 1/2) e")
def pinball_loss(prediction, target, quantiles):
    tilt = torch.as_tensor(quantiles, dtype=prediction.dtype) - 0.5
    e = target.expand_as(prediction) - prediction
    return e.abs().mean() / 2 + torch.einsum("bq,q->", e, tilt) / e.numel()


@right("pinball_loss", "two relus, too low and too high")
def pinball_loss(prediction, target, quantiles):
    q = prediction.new_tensor(quantiles)
    low, high = F.relu(target - prediction), F.relu(prediction - target)
    return torch.mean(low @ q + high @ (1 - q)) / q.numel()


@right("pinball_loss", "lerp from the excess to the shortfall, by the level")
def pinball_loss(prediction, target, quantiles):
    levels = torch.tensor(quantiles).to(prediction).expand_as(prediction)
    shortfall = (target - prediction).clamp(min=0)
    excess = shortfall - (target - prediction)
    return torch.lerp(excess, shortfall, levels).mean()


@right("pinball_loss", "the larger of a stacked pair, single entries in a loop")
def pinball_loss(prediction, target, quantiles):
    losses = []
    for row, (y,) in zip(prediction, target, strict=True):
        for p, q in zip(row, quantiles, strict=True):
            losses.append(torch.stack([q * (y - p), (q - 1) * (y - p)]).amax())
    return torch.stack(losses).mean()


# fill_gaps


@wrong("fill_gaps", "the given array is changed")
def fill_gaps(values):
    if np.isnan(values[0]):
        raise ValueError("the series begins with NaN")
    for t in range(1, len(values)):
        if np.isnan(values[t]):
            values[t] = values[t - 1]
    return values


@wrong("fill_gaps", "np.asarray makes no copy: the given array is changed")
def fill_gaps(values):
    filled = np.asarray(values, dtype=float)
    if np.isnan(filled[0]):
        raise ValueError("the series begins with NaN")
    for t in np.flatnonzero(np.isnan(filled)):
        filled[t] = filled[t - 1]
    return filled


@wrong("fill_gaps", "the next known value in place of the last one")
def fill_gaps(values):
    filled = np.array(values, dtype=float)
    if np.isnan(filled[0]):
        raise ValueError("the series begins with NaN")
    for t in range(len(filled) - 2, -1, -1):
        if np.isnan(filled[t]):
            filled[t] = filled[t + 1]
    return filled


@wrong("fill_gaps", "a straight line over the gap, which uses the value after it")
def fill_gaps(values):
    values = np.array(values, dtype=float)
    known = ~np.isnan(values)
    if not known[0]:
        raise ValueError("the series begins with NaN")
    t = np.arange(len(values))
    return np.interp(t, t[known], values[known])


@wrong("fill_gaps", "a series that begins with NaN is accepted, its beginning stays NaN")
def fill_gaps(values):
    filled = np.array(values, dtype=float)
    for t in range(1, len(filled)):
        if np.isnan(filled[t]):
            filled[t] = filled[t - 1]
    return filled


@wrong("fill_gaps", "index -1 goes round: NaN at the beginning becomes the last value")
def fill_gaps(values):
    filled = np.array(values, dtype=float)
    for t in range(len(filled)):
        if np.isnan(filled[t]):
            filled[t] = filled[t - 1]
    return filled


@wrong("fill_gaps", "NaN at the beginning becomes the first known value")
def fill_gaps(values):
    filled = np.array(values, dtype=float)
    last = filled[~np.isnan(filled)][0]
    for t, value in enumerate(filled):
        if np.isnan(value):
            filled[t] = last
        else:
            last = value
    return filled


@wrong("fill_gaps", "the value before is read from the given series: longer gaps stay open")
def fill_gaps(values):
    if np.isnan(values[0]):
        raise ValueError("the series begins with NaN")
    filled = np.array(values, dtype=float)
    for t in range(1, len(values)):
        if np.isnan(values[t]):
            filled[t] = values[t - 1]
    return filled


@wrong("fill_gaps", "compared with == np.nan, which is never true: nothing is filled")
def fill_gaps(values):
    if np.isnan(values[0]):
        raise ValueError("the series begins with NaN")
    filled = np.array(values, dtype=float)
    for t in range(1, len(filled)):
        if filled[t] == np.nan:
            filled[t] = filled[t - 1]
    return filled


@wrong("fill_gaps", "an IndexError in place of a ValueError")
def fill_gaps(values):
    filled = []
    for value in values:
        filled.append(filled[-1] if np.isnan(value) else float(value))
    return np.array(filled)


@wrong("fill_gaps", "the largest value so far: right only for a series that never falls")
def fill_gaps(values):
    if np.isnan(values[0]):
        raise ValueError("the series begins with NaN")
    values = np.array(values, dtype=float)
    return np.where(np.isnan(values), np.fmax.accumulate(values), values)


@wrong("fill_gaps", "the mean of all known values")
def fill_gaps(values):
    if np.isnan(values[0]):
        raise ValueError("the series begins with NaN")
    return np.where(np.isnan(values), np.nanmean(values), values)


@wrong("fill_gaps", "the missing steps are dropped, so that the series gets shorter")
def fill_gaps(values):
    if np.isnan(values[0]):
        raise ValueError("the series begins with NaN")
    values = np.array(values, dtype=float)
    return values[~np.isnan(values)]


@wrong("fill_gaps", "zeros and negative values are taken for missing, too")
def fill_gaps(values):
    if np.isnan(values[0]):
        raise ValueError("the series begins with NaN")
    filled, last = [], values[0]
    for value in values:
        last = value if value > 0 else last
        filled.append(last)
    return np.array(filled, dtype=float)


@wrong("fill_gaps", "a gap at the end stays open")
def fill_gaps(values):
    filled = np.array(values, dtype=float)
    if np.isnan(filled[0]):
        raise ValueError("the series begins with NaN")
    known = np.flatnonzero(~np.isnan(filled))
    for start, stop in itertools.pairwise(known):
        filled[start:stop] = filled[start]
    return filled


@wrong("fill_gaps", "a gap is filled for four steps at most")
def fill_gaps(values):
    filled, run = np.array(values, dtype=float), 0
    if np.isnan(filled[0]):
        raise ValueError("the series begins with NaN")
    for t in range(1, len(filled)):
        run = run + 1 if np.isnan(values[t]) else 0
        if 0 < run <= 4:
            filled[t] = filled[t - 1]
    return filled


@wrong("fill_gaps", "the nearest known value, before or after")
def fill_gaps(values):
    values = np.array(values, dtype=float)
    if np.isnan(values[0]):
        raise ValueError("the series begins with NaN")
    known = np.flatnonzero(~np.isnan(values))
    nearest = np.abs(np.arange(len(values))[:, None] - known).argmin(axis=1)
    return values[known[nearest]]


@wrong("fill_gaps", "the error is raised only where the whole series is NaN")
def fill_gaps(values):
    filled = np.array(values, dtype=float)
    if np.isnan(filled).all():
        raise ValueError("no value is known")
    for t in range(1, len(filled)):
        if np.isnan(filled[t]):
            filled[t] = filled[t - 1]
    return filled


@wrong("fill_gaps", "the filled values are stored as whole numbers")
def fill_gaps(values):
    if np.isnan(values[0]):
        raise ValueError("the series begins with NaN")
    filled = np.zeros(len(values), dtype=int)
    for t, value in enumerate(values):
        filled[t] = filled[t - 1] if np.isnan(value) else round(value)
    return filled


@wrong(
    "fill_gaps",
    "one of two: the given array is changed",
    "NaN at the beginning becomes zero",
)
def fill_gaps(values):
    if np.isnan(values[0]):
        values[0] = 0.0
    for t in range(1, len(values)):
        if np.isnan(values[t]):
            values[t] = values[t - 1]
    return values


@wrong("fill_gaps", "a straight line over the gap", "NaN at the beginning is accepted")
def fill_gaps(values):
    filled = np.array(values, dtype=float)
    gap = np.isnan(filled)
    filled[gap] = np.interp(np.flatnonzero(gap), np.flatnonzero(~gap), filled[~gap])
    return filled


@right("fill_gaps", "index of the last known step by maximum.accumulate")
def fill_gaps(values):
    values = np.asarray(values, dtype=float)
    if values.size and np.isnan(values[0]):
        raise ValueError("nothing is known before the first gap")
    last = np.where(np.isnan(values), 0, np.arange(values.size))
    return values[np.maximum.accumulate(last)] if values.size else values.copy()


@right("fill_gaps", "itertools.accumulate, NaN known by being unequal to itself")
def fill_gaps(values):
    numbers = [float(value) for value in values]
    if numbers and numbers[0] != numbers[0]:
        raise ValueError("the series begins with NaN")
    return np.fromiter(
        itertools.accumulate(numbers, lambda last, new: last if new != new else new), dtype=float
    )


@right("fill_gaps", "known values repeated by the distance to the next known one")
def fill_gaps(values):
    array = np.array(values, dtype=float)
    known = np.flatnonzero(~np.isnan(array))
    if array.size and (not known.size or known[0]):
        raise ValueError(f"the first {known[0] if known.size else 'and every'} value is missing")
    return np.repeat(array[known], np.diff(known, append=array.size))


@right("fill_gaps", "gaps are filled in rounds, each from the value one step before")
def fill_gaps(values):
    filled = np.array(values, dtype=float, copy=True)
    if np.isnan(filled[:1]).any():
        raise ValueError("the series begins with NaN")
    while (gap := np.isnan(filled)).any():
        filled[gap] = np.roll(filled, 1)[gap]
    return filled


@right("fill_gaps", "searchsorted among the known steps")
def fill_gaps(values):
    array = np.asarray(values, dtype=float)
    steps = np.arange(len(array))
    known = steps[np.isfinite(array) | np.isinf(array)]
    before = np.searchsorted(known, steps, side="right") - 1
    if (before < 0).any():
        raise ValueError("the series begins with NaN")
    return array.take(known.take(before)) if len(array) else array.copy()


@right("fill_gaps", "a generator that raises at the first step and remembers later on")
def fill_gaps(values):
    def known(series):
        last = None
        for value in series:
            if not math.isnan(value):
                last = value
            if last is None:
                raise ValueError("the series begins with NaN")
            yield last

    return np.array(list(known(np.asarray(values).tolist())), dtype=float)


# split_and_scale


@wrong("split_and_scale", "mean and sd of the whole series, which contain the future")
def split_and_scale(values, n_train, n_val):
    scaled = (values - np.mean(values)) / np.std(values)
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "each part is scaled by its own mean and sd")
def split_and_scale(values, n_train, n_val):
    parts = np.split(np.asarray(values, dtype=float), [n_train, n_train + n_val])
    return tuple((part - part.mean()) / part.std() for part in parts)


@wrong("split_and_scale", "mean and sd of training and validation together")
def split_and_scale(values, n_train, n_val):
    known = values[: n_train + n_val]
    scaled = (values - known.mean()) / known.std()
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "divided by the variance, not by the sd")
def split_and_scale(values, n_train, n_val):
    train = values[:n_train]
    scaled = (values - train.mean()) / train.var()
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "the mean is not subtracted")
def split_and_scale(values, n_train, n_val):
    scaled = values / values[:n_train].std()
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "divided first, then the unscaled mean is subtracted")
def split_and_scale(values, n_train, n_val):
    train = values[:n_train]
    scaled = values / train.std() - train.mean()
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "the last part begins at n_train: it holds the validation part, too")
def split_and_scale(values, n_train, n_val):
    train = values[:n_train]
    scaled = (values - train.mean()) / train.std()
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train:]


@wrong("split_and_scale", "validation ends at index n_val in place of n_train + n_val")
def split_and_scale(values, n_train, n_val):
    train = values[:n_train]
    scaled = (values - train.mean()) / train.std()
    return scaled[:n_train], scaled[n_train:n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "one value between validation and test is lost")
def split_and_scale(values, n_train, n_val):
    train = values[:n_train]
    scaled = (values - train.mean()) / train.std()
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val + 1 :]


@wrong("split_and_scale", "validation and test are swapped")
def split_and_scale(values, n_train, n_val):
    train = values[:n_train]
    scaled = (values - train.mean()) / train.std()
    return scaled[:n_train], scaled[n_train + n_val :], scaled[n_train : n_train + n_val]


@wrong("split_and_scale", "a random split, not one in time")
def split_and_scale(values, n_train, n_val):
    values = np.random.default_rng(0).permutation(values)
    train = values[:n_train]
    scaled = (values - train.mean()) / train.std()
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "scaled to the range 0 to 1 of the training part")
def split_and_scale(values, n_train, n_val):
    low, high = values[:n_train].min(), values[:n_train].max()
    scaled = (values - low) / (high - low)
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "counted from the end: where no test is left, validation is empty")
def split_and_scale(values, n_train, n_val):
    n_test = len(values) - n_train - n_val
    train = values[:n_train]
    scaled = (values - train.mean()) / train.std()
    return scaled[:n_train], scaled[n_train:-n_test], scaled[len(values) - n_test :]


@wrong("split_and_scale", "validation is the last n_val before the test: for n_val = 0 too much")
def split_and_scale(values, n_train, n_val):
    train = values[:n_train]
    scaled = (values - train.mean()) / train.std()
    return scaled[:n_train], scaled[: n_train + n_val][-n_val:], scaled[n_train + n_val :]


@wrong("split_and_scale", "mean and sd are taken again after training was scaled in place")
def split_and_scale(values, n_train, n_val):
    values = np.array(values, dtype=float)
    cuts = (0, n_train, n_train + n_val, len(values))
    parts = [values[a:b] for a, b in itertools.pairwise(cuts)]
    for part in parts:
        part[:] = (part - parts[0].mean()) / parts[0].std()
    return tuple(parts)


@wrong("split_and_scale", "only the training part is scaled")
def split_and_scale(values, n_train, n_val):
    train, val, test = np.split(np.asarray(values, dtype=float), [n_train, n_train + n_val])
    return (train - train.mean()) / train.std(), val, test


@wrong("split_and_scale", "the root mean square of the values, not their sd about the mean")
def split_and_scale(values, n_train, n_val):
    train = values[:n_train]
    scaled = (values - train.mean()) / np.sqrt(np.mean(np.square(train)))
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "the mean absolute deviation in place of the sd")
def split_and_scale(values, n_train, n_val):
    centred = values - values[:n_train].mean()
    scaled = centred / np.abs(centred[:n_train]).mean()
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "the training median in place of the mean")
def split_and_scale(values, n_train, n_val):
    train = values[:n_train]
    scaled = (values - np.median(train)) / train.std()
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "values beyond three sd are clipped: the trend's end is cut off")
def split_and_scale(values, n_train, n_val):
    train = values[:n_train]
    scaled = np.clip((values - train.mean()) / train.std(), -3, 3)
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong("split_and_scale", "mean and sd of the whole series", "the test lacks its first value")
def split_and_scale(values, n_train, n_val):
    scaled = (values - np.mean(values)) / np.std(values)
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val + 1 :]


@wrong(
    "split_and_scale",
    "one of two: validation and test are swapped",
    "one of two: the mean is not subtracted",
)
def split_and_scale(values, n_train, n_val):
    scaled = np.asarray(values) / np.std(values[:n_train])
    return scaled[:n_train], scaled[n_train + n_val :], scaled[n_train : n_train + n_val]


@right("split_and_scale", "np.split at two places, the sd with n - 1")
def split_and_scale(values, n_train, n_val):
    parts = np.split(np.asarray(values, dtype=float), np.cumsum([n_train, n_val]))
    mean, sd = parts[0].mean(), parts[0].std(ddof=1)
    return [np.divide(part - mean, sd) for part in parts]


@right("split_and_scale", "one iterator over the values, islice for each part")
def split_and_scale(values, n_train, n_val):
    import statistics

    numbers = [float(value) for value in values]
    mean, sd = statistics.fmean(numbers[:n_train]), statistics.pstdev(numbers[:n_train])
    stream = ((number - mean) / sd for number in numbers)
    sizes = n_train, n_val, len(numbers) - n_train - n_val
    train, val, test = (np.array([*itertools.islice(stream, size)], dtype=float) for size in sizes)
    return train, val, test


@right("split_and_scale", "the part of every step by np.digitize, the sd by a dot product")
def split_and_scale(values, n_train, n_val):
    array = np.array(values, dtype=np.float64)
    steps = np.arange(array.size)
    array -= array[0]
    seen = array[steps < n_train]
    mean = seen.sum() / n_train
    array -= mean
    array /= math.sqrt(np.dot(seen - mean, seen - mean) / n_train)
    part = np.digitize(steps, [n_train, n_train + n_val])
    return tuple(array[part == k] for k in range(3))


@right("split_and_scale", "slices by a dict, in place on copies, training last")
def split_and_scale(values, n_train, n_val):
    cut = n_train + n_val
    where = {"test": slice(cut, None), "val": slice(n_train, cut), "train": slice(None, n_train)}
    parts = {name: np.array(values[span], dtype=float) for name, span in where.items()}
    for part in parts.values():  # the training part is the last to be changed
        part -= (base := parts["train"]).mean()
        part /= base.std()
    return parts["train"], parts["val"], parts["test"]


@right("split_and_scale", "torch inside: std_mean and split with sizes")
def split_and_scale(values, n_train, n_val):
    series = torch.tensor(np.asarray(values), dtype=torch.float64)
    sd, mean = torch.std_mean(series[:n_train])
    sizes = [n_train, n_val, len(series) - n_train - n_val]
    return tuple(part.numpy() for part in ((series - mean) / sd).split(sizes))
