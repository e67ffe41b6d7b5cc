"""More answers to the exercises of chapter 4, written when the first had been used for mends."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.answers import right, wrong


def _same_shape_mse(prediction, target):
    """What other exercises need of `mse`."""
    if prediction.shape != target.shape:
        raise ValueError(f"shapes {tuple(prediction.shape)} and {tuple(target.shape)} differ")
    return ((prediction - target) ** 2).mean()


# naive_forecast


@wrong("naive_forecast", "the feature axis is lost, shape (n,)")
def naive_forecast(x):
    return x[:, -1, 0]


@wrong("naive_forecast", "the time axis is kept, shape (n, 1, 1)")
def naive_forecast(x):
    return x[:, -1:]


@wrong("naive_forecast", "the last series is returned, not the last step")
def naive_forecast(x):
    return x[-1]


@wrong("naive_forecast", "the mean of all steps is returned")
def naive_forecast(x):
    # the best guess without a model: the average of the series
    return torch.mean(x, dim=1)


@wrong("naive_forecast", "step 49 is taken, whatever the length of the series")
def naive_forecast(x):
    return x[:, 49]


@wrong("naive_forecast", "the step before the last one is taken", "the shape is (n,)")
def naive_forecast(x):
    T = x.shape[1]
    return x[:, T - 2].squeeze(-1)


@right("naive_forecast", "unpacking all time steps with a star")
def naive_forecast(x):
    *_, last = torch.unbind(x, dim=1)
    return last


# linear_forecast


@wrong("linear_forecast", "there is no constant")
def linear_forecast(x_train, y_train, x):
    A = x_train[:, :, 0]
    w = torch.linalg.lstsq(A, y_train).solution
    return x[:, :, 0] @ w


@wrong("linear_forecast", "the ones stand first when fitting and last when forecasting")
def linear_forecast(x_train, y_train, x):
    A = torch.cat([torch.ones_like(x_train[:, :1, 0]), x_train[:, :, 0]], dim=1)
    weights = torch.linalg.lstsq(A, y_train).solution
    B = torch.cat([x[:, :, 0], torch.ones_like(x[:, :1, 0])], dim=1)
    return B @ weights


@wrong("linear_forecast", "ridge regression: a penalty of 0.1 shrinks the weights")
def linear_forecast(x_train, y_train, x):
    A = F.pad(x_train[:, :, 0], (0, 1), value=1.0)
    gram = A.T @ A + 0.1 * torch.eye(A.shape[1], dtype=A.dtype)  # so that it can be inverted
    w = torch.linalg.solve(gram, A.T @ y_train)
    return F.pad(x[:, :, 0], (0, 1), value=1.0) @ w


@wrong("linear_forecast", "the training series are forecast, not x")
def linear_forecast(x_train, y_train, x):
    ones = torch.ones(len(x_train), 1, dtype=x_train.dtype)
    A = torch.cat([x_train[:, :, 0], ones], dim=1)
    weights = torch.linalg.lstsq(A, y_train).solution
    return A @ weights


@wrong("linear_forecast", "the forecast has the shape (n,)")
def linear_forecast(x_train, y_train, x):
    def design(series):
        return torch.cat([series.squeeze(-1), torch.ones_like(series[:, 0])], dim=1)

    w = torch.linalg.lstsq(design(x_train), y_train.squeeze(-1)).solution
    return design(x) @ w


@wrong("linear_forecast", "x is centred by its own mean, not the training's", "the shape is (n,)")
def linear_forecast(x_train, y_train, x):
    A = x_train[:, :, 0] - x_train[:, :, 0].mean(dim=0)
    b = y_train - y_train.mean()
    w = torch.linalg.lstsq(A, b).solution
    centred = x[:, :, 0] - x[:, :, 0].mean(dim=0)
    return (centred @ w + y_train.mean()).squeeze(1)


@right("linear_forecast", "NumPy in float64, one dot product per series, the constant kept apart")
def linear_forecast(x_train, y_train, x):
    past = np.asarray(x_train.detach(), dtype=np.float64)[..., 0]
    due = np.asarray(y_train.detach(), dtype=np.float64)
    solution, *_ = np.linalg.lstsq(np.insert(past, 0, 1.0, axis=1), due[:, 0], rcond=None)
    constant, slopes = solution[0], solution[1:]
    said = [[constant + float(np.dot(row, slopes))] for row in x[..., 0].detach().double().numpy()]
    return torch.tensor(said, dtype=x.dtype).reshape(len(x), 1)


# mse


@wrong("mse", "shapes are not compared, so that they broadcast")
def mse(prediction, target):
    return torch.mean((prediction - target) ** 2)


@wrong("mse", "an assertion fails in place of a ValueError")
def mse(prediction, target):
    assert prediction.shape == target.shape, f"{prediction.shape} is not {target.shape}"
    return F.mse_loss(prediction, target)


@wrong("mse", "only the lengths of the first axis are compared")
def mse(prediction, target):
    if len(prediction) != len(target):
        raise ValueError(f"shapes differ: {tuple(prediction.shape)} and {tuple(target.shape)}")
    return ((prediction - target) ** 2).mean()


@wrong("mse", "the error does not name the shapes")
def mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError("prediction and target must have the same shape")
    return ((prediction - target) ** 2).mean()


@wrong("mse", "the sum is divided by the first axis only, not by the number of values")
def mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError(f"prediction {prediction.shape} and target {target.shape} differ")
    n = len(target)
    return torch.sum((prediction - target) ** 2) / n


@wrong("mse", "the root of the mean squared error", "the error names the prediction's shape only")
def mse(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError(f"prediction has the wrong shape {tuple(prediction.shape)}")
    return torch.sqrt(torch.mean((prediction - target) ** 2))


@right("mse", "one dot product of the flat difference with itself")
def mse(prediction, target):
    shapes = [tuple(tensor.shape) for tensor in (prediction, target)]
    if len(set(shapes)) > 1:
        raise ValueError(" is not ".join(map(str, shapes)))
    flat = torch.flatten(prediction - target)
    return torch.dot(flat, flat).div(flat.numel())


# train_epoch


@wrong("train_epoch", "the mean of the batches' losses: a small batch counts as much as a full one")
def train_epoch(model, batches, optimizer):
    model.train()
    losses = []
    for x, y in batches:
        optimizer.zero_grad()
        loss = _same_shape_mse(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@wrong("train_epoch", "the gradients are never zeroed")
def train_epoch(model, batches, optimizer):
    model.train()
    total, n = 0.0, 0
    for x, y in batches:
        loss = _same_shape_mse(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
        n += len(x)
    return total / n


@wrong("train_epoch", "the model is not put into training mode")
def train_epoch(model, batches, optimizer):
    total = 0.0
    count = 0
    for x, y in batches:
        optimizer.zero_grad()
        prediction = model(x)
        loss = _same_shape_mse(prediction, y)
        loss.backward()
        optimizer.step()
        total += loss.item() * x.size(0)
        count += x.size(0)
    return total / count


@wrong("train_epoch", "a tensor with a graph is returned, not a number")
def train_epoch(model, batches, optimizer):
    model.train()
    total, n = 0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = _same_shape_mse(model(x), y)
        loss.backward()
        optimizer.step()
        total = total + loss * len(x)
        n = n + len(x)
    return total / n


@wrong("train_epoch", "one update at the end of the epoch, from the gradients of all batches")
def train_epoch(model, batches, optimizer):
    model.train()
    total, n = 0.0, 0
    optimizer.zero_grad()
    for x, y in batches:
        loss = _same_shape_mse(model(x), y)
        loss.backward()
        total += loss.item() * len(x)
        n += len(x)
    optimizer.step()
    return total / n


@wrong("train_epoch", "the mode is left as it was", "the last batch's loss is returned")
def train_epoch(model, batches, optimizer):
    for x, y in batches:
        optimizer.zero_grad()
        loss = _same_shape_mse(model(x), y)
        loss.backward()
        optimizer.step()
    return loss.item()


@right("train_epoch", "a generator that trains while np.average weighs what it yields")
def train_epoch(model, batches, optimizer):
    def updates():
        for x, y in iter(batches):
            error = _same_shape_mse(model(x), y)
            optimizer.zero_grad()
            torch.autograd.backward([error])
            optimizer.step()
            yield error.detach().double().item(), y.shape[0]

    model.train(mode=True)
    errors, sizes = zip(*updates())
    return float(np.average(errors, weights=sizes))


# evaluate


@wrong("evaluate", "the model is not put into evaluation mode")
def evaluate(model, x, y):
    with torch.no_grad():
        prediction = model(x)
        return _same_shape_mse(prediction, y).item()


@wrong("evaluate", "the computation is recorded for a gradient")
def evaluate(model, x, y):
    model.eval()
    prediction = model(x)
    return _same_shape_mse(prediction, y).item()


@wrong("evaluate", "the mean over batches of 32, of which a smaller last one counts as much")
def evaluate(model, x, y):
    model.eval()
    losses = []
    with torch.no_grad():
        for xb, yb in zip(x.split(32), y.split(32)):
            losses.append(_same_shape_mse(model(xb), yb).item())
    return sum(losses) / len(losses)


@wrong("evaluate", "the forecast is squeezed to (n,) and broadcasts against (n, 1)")
def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        prediction = model(x).squeeze()
        return ((prediction - y) ** 2).mean().item()


@wrong("evaluate", "evaluation mode comes after the forecast", "the graph is recorded")
def evaluate(model, x, y):
    prediction = model(x)
    model.eval()
    with torch.no_grad():
        loss = _same_shape_mse(prediction, y)
    return loss.item()


@right("evaluate", "train(False), set_grad_enabled(False) and a loop over single series in NumPy")
def evaluate(model, x, y):
    squares = []
    with torch.set_grad_enabled(mode=False):
        said = model.train(False)(x)
        if said.shape != y.shape:
            raise ValueError(f"{tuple(said.shape)} is not {tuple(y.shape)}")
        for one, due in zip(said.numpy().ravel().tolist(), y.detach().numpy().ravel().tolist()):
            squares.append((one - due) ** 2)
    return float(np.mean(squares))


# make_windows


@wrong("make_windows", "the last window is missing")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    x, y = [], []
    for i in range(len(series) - window - 1):
        x.append(series[i : i + window])
        y.append(series[i + window])
    return torch.stack(x).unsqueeze(-1), torch.stack(y).unsqueeze(-1)


@wrong("make_windows", "the target is the last value of the window")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    n = len(series) - window
    x = torch.stack([series[i : i + window] for i in range(n)]).unsqueeze(-1)
    y = torch.stack([series[i + window - 1] for i in range(n)]).unsqueeze(-1)
    return x, y


@wrong("make_windows", "both keep the float64 of NumPy")
def make_windows(series, window):
    series = np.asarray(series, dtype=float)
    n = len(series) - window
    x = np.array([series[i : i + window] for i in range(n)])
    y = np.array([series[i + window] for i in range(n)])
    return torch.from_numpy(x).unsqueeze(-1), torch.from_numpy(y).unsqueeze(-1)


@wrong("make_windows", "y has the shape (n,)")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    n = len(series) - window
    x = torch.stack([series[i : i + window] for i in range(n)]).unsqueeze(-1)
    y = series[window:]
    return x, y


@wrong("make_windows", "the windows do not overlap")
def make_windows(series, window):
    series = torch.as_tensor(series).float()
    starts = range(0, len(series) - window, window)
    x = torch.stack([series[i : i + window] for i in starts]).unsqueeze(-1)
    y = torch.stack([series[i + window : i + window + 1] for i in starts])
    return x, y


@wrong("make_windows", "x has the shape (n, 1, window)", "y keeps the float64 of NumPy")
def make_windows(series, window):
    series = np.asarray(series, dtype=np.float64)
    n = len(series) - window
    x = np.stack([series[i : i + window] for i in range(n)])
    x = torch.tensor(x, dtype=torch.float32).view(n, 1, window)
    y = torch.tensor(series[window:]).view(-1, 1)
    return x, y


@right("make_windows", "a table of places: starts in a column, steps in a row")
def make_windows(series, window):
    values = np.array(series, dtype=np.float32).reshape(-1, 1)
    places = np.add.outer(np.arange(len(values) - window), np.arange(window + 1))
    x, y = np.split(values[places], [window], axis=1)
    return torch.from_numpy(x.copy()), torch.from_numpy(y[:, 0].copy())


# forecast_recursive


@wrong("forecast_recursive", "the given series are overwritten")
def forecast_recursive(model, x, steps):
    forecasts = []
    with torch.no_grad():
        for _ in range(steps):
            y = model(x)
            forecasts.append(y)
            x[:, :-1] = x[:, 1:].clone()
            x[:, -1] = y
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "the oldest value is not dropped, so that the window grows")
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
    window, forecasts = x.clone(), []
    with torch.no_grad():
        for _ in range(steps):
            y = model(window)
            window = torch.cat([window[:, :-1], y.unsqueeze(1)], dim=1)
            forecasts.append(y)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "the forecasts have the shape (B, steps, 1)")
def forecast_recursive(model, x, steps):
    window, forecasts = x, []
    with torch.no_grad():
        for _ in range(steps):
            y = model(window).unsqueeze(1)
            forecasts.append(y)
            window = torch.cat([window[:, 1:], y], dim=1)
    return torch.cat(forecasts, dim=1)


@wrong("forecast_recursive", "the forecasts are read from the last window: at most T of them")
def forecast_recursive(model, x, steps):
    window = x
    with torch.no_grad():
        for _ in range(steps):
            y = model(window)
            window = torch.cat([window, y.unsqueeze(1)], dim=1)[:, 1:]
    return window[:, -steps:, 0]


@wrong("forecast_recursive", "the window never moves on", "the shape is (steps, B)")
def forecast_recursive(model, x, steps):
    forecasts = torch.zeros(steps, x.shape[0])
    window = x.clone()
    with torch.no_grad():
        for k in range(steps):
            y = model(window)
            torch.cat([window[:, 1:], y.unsqueeze(1)], dim=1)
            forecasts[k] = y[:, 0]
    return forecasts


@right("forecast_recursive", "a queue of time steps that drops the oldest by itself")
def forecast_recursive(model, x, steps):
    from collections import deque

    queue = deque(torch.unbind(x, dim=1), maxlen=x.shape[1])
    said = [x.new_empty(len(x), 0)]
    with torch.no_grad():
        while len(said) <= steps:
            said.append(model(torch.stack(tuple(queue), dim=1)))
            queue.append(said[-1])
    return torch.hstack(said)


# pinball_loss


@wrong("pinball_loss", "the error has the wrong sign, prediction minus target")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles)
    error = prediction - target
    return torch.maximum(q * error, (q - 1) * error).mean()


@wrong("pinball_loss", "the losses of the quantile levels are added up, not averaged")
def pinball_loss(prediction, target, quantiles):
    loss = 0.0
    for k, q in enumerate(quantiles):
        e = target[:, 0] - prediction[:, k]
        loss = loss + torch.max(q * e, (q - 1) * e).mean()
    return loss


@wrong("pinball_loss", "1 - q in place of q - 1")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles)
    error = target - prediction
    return torch.maximum(q * error, (1 - q) * error).mean()


@wrong("pinball_loss", "a column (B,) against the target (B, 1): every series meets every target")
def pinball_loss(prediction, target, quantiles):
    losses = []
    for k, q in enumerate(quantiles):
        error = target - prediction[:, k]
        losses.append(torch.maximum(q * error, (q - 1) * error).mean())
    return torch.stack(losses).mean()


@wrong("pinball_loss", "summed over the series, averaged over the levels only")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles)
    error = target - prediction
    return torch.maximum(q * error, (q - 1) * error).sum() / len(quantiles)


@wrong("pinball_loss", "the smaller of the two terms is taken", "the levels are added up")
def pinball_loss(prediction, target, quantiles):
    q = torch.tensor(quantiles).view(1, -1)
    error = target - prediction
    loss = torch.minimum(q * error, (q - 1) * error)
    return loss.sum(dim=1).mean()


@right("pinball_loss", "half the absolute error and a tilt of q - 1/2")
def pinball_loss(prediction, target, quantiles):
    tilt = prediction.new_tensor(list(quantiles)) - 0.5
    errors = target.expand_as(prediction) - prediction
    per_level = errors.abs().mean(dim=0) / 2 + tilt * errors.mean(dim=0)
    return per_level.mean()


# fill_gaps


@wrong("fill_gaps", "the given array is changed")
def fill_gaps(values):
    if np.isnan(values[0]):
        raise ValueError("the series begins with NaN")
    filled = values
    for t in range(1, len(filled)):
        if np.isnan(filled[t]):
            filled[t] = filled[t - 1]
    return filled


@wrong("fill_gaps", "the value before is read from the original, where it may be missing itself")
def fill_gaps(values):
    if np.isnan(values[0]):
        raise ValueError("the series begins with NaN")
    filled = values.copy()
    for t in range(1, len(values)):
        if np.isnan(values[t]):
            filled[t] = values[t - 1]
    return filled


@wrong("fill_gaps", "a NaN at the start takes the last value of the series; no error is raised")
def fill_gaps(values):
    filled = np.array(values, dtype=float)
    for i in range(len(filled)):
        if np.isnan(filled[i]):
            filled[i] = filled[i - 1]
    return filled


@wrong("fill_gaps", "gaps are filled by a straight line to the value after")
def fill_gaps(values):
    missing = np.isnan(values)
    if missing[0]:
        raise ValueError("the first value is missing")
    filled = values.copy()
    t = np.arange(len(values))
    filled[missing] = np.interp(t[missing], t[~missing], values[~missing])
    return filled


@wrong("fill_gaps", "a NaN at the start fails an assertion, in place of a ValueError")
def fill_gaps(values):
    assert not np.isnan(values[0]), "the series must not begin with NaN"
    filled = np.copy(values)
    for i, value in enumerate(filled):
        if np.isnan(value):
            filled[i] = filled[i - 1]
    return filled


@wrong(
    "fill_gaps",
    "the given array is filled itself",
    "a gap at the start gets the first known value, without an error",
)
def fill_gaps(values):
    known = values[~np.isnan(values)]
    last = known[0]
    for t in range(len(values)):
        if np.isnan(values[t]):
            values[t] = last
        else:
            last = values[t]
    return values


@right("fill_gaps", "itertools.accumulate; NaN is what does not equal itself")
def fill_gaps(values):
    from itertools import accumulate

    carried = list(accumulate(values, lambda last, value: value if value == value else last))
    if any(value != value for value in carried[:1]):
        raise ValueError("nothing is known before the first value")
    return np.array(carried, dtype=np.asarray(values).dtype)


# split_and_scale


@wrong("split_and_scale", "mean and standard deviation of the whole series")
def split_and_scale(values, n_train, n_val):
    scaled = (values - np.mean(values)) / np.std(values)
    train = scaled[:n_train]
    val = scaled[n_train : n_train + n_val]
    test = scaled[n_train + n_val :]
    return train, val, test


@wrong("split_and_scale", "every part is scaled by its own mean and standard deviation")
def split_and_scale(values, n_train, n_val):
    def scale(part):
        return (part - part.mean()) / part.std()

    train, val, test = np.split(values, [n_train, n_train + n_val])
    return scale(train), scale(val), scale(test)


@wrong("split_and_scale", "the validation part ends at n_val, not at n_train + n_val")
def split_and_scale(values, n_train, n_val):
    train = values[:n_train]
    mean, std = train.mean(), train.std()
    val = values[n_train:n_val]
    test = values[n_train + n_val :]
    return (train - mean) / std, (val - mean) / std, (test - mean) / std


@wrong("split_and_scale", "divided by the variance")
def split_and_scale(values, n_train, n_val):
    train, rest = values[:n_train], values[n_train:]
    val, test = rest[:n_val], rest[n_val:]
    mean, scale = np.mean(train), np.var(train)
    return tuple((part - mean) / scale for part in (train, val, test))


@wrong("split_and_scale", "mean and standard deviation of training and validation together")
def split_and_scale(values, n_train, n_val):
    known = values[: n_train + n_val]  # everything but the test
    scaled = (values - known.mean()) / known.std()
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


@wrong(
    "split_and_scale",
    "in validation a bracket is missing: only the mean is divided by the standard deviation",
    "the test part begins one value late",
)
def split_and_scale(values, n_train, n_val):
    mean = values[:n_train].mean()
    std = values[:n_train].std()
    train = (values[:n_train] - mean) / std
    val = values[n_train : n_train + n_val] - mean / std
    test = (values[n_train + n_val + 1 :] - mean) / std
    return train, val, test


@right("split_and_scale", "one iterator is emptied part by part, with sums by math.fsum")
def split_and_scale(values, n_train, n_val):
    from itertools import islice
    from math import fsum

    rest = iter(np.asarray(values, dtype=float).tolist())
    parts = [list(islice(rest, count)) for count in (n_train, n_val, None)]
    centre = fsum(parts[0]) / n_train
    spread = (fsum((value - centre) ** 2 for value in parts[0]) / n_train) ** 0.5
    return tuple(np.array([(value - centre) / spread for value in part]) for part in parts)
