"""Other right answers to chapter 4."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises.chapter_04.build_forecaster import fit_of_the_bent_form


def naive_forecast_by_slice(x):
    return x[:, -1:].flatten(1)


def naive_forecast_in_numpy(x):
    return np.asarray(x)[:, -1].astype(np.float64)


def linear_forecast_in_numpy(x_train, y_train, x):
    A, b, new = (np.asarray(v, dtype=float).reshape(len(v), -1) for v in (x_train, y_train, x))
    A, new = (np.column_stack([np.ones(len(v)), v]) for v in (A, new))
    return new @ np.linalg.lstsq(A, b, rcond=None)[0]


def linear_forecast_by_normal_equations(x_train, y_train, x):
    A = torch.cat([x_train[..., 0], torch.ones(len(x_train), 1)], dim=1).double()
    weights = torch.linalg.solve(A.T @ A, A.T @ y_train.double())
    return (torch.cat([x[..., 0], torch.ones(len(x), 1)], dim=1).double() @ weights).float()


def linear_forecast_centred_by_the_training_set(x_train, y_train, x):
    mean, level = x_train[..., 0].mean(dim=0), y_train.mean()
    weights = torch.linalg.pinv(x_train[..., 0] - mean) @ (y_train - level)
    return (x[..., 0] - mean) @ weights + level


def mse_by_hand(prediction, target):
    if not prediction.shape == target.shape:
        raise ValueError(f"{list(prediction.shape)} is not {list(target.shape)}")
    difference = prediction - target
    return (difference * difference).sum() / difference.numel()


def mse_in_float64(prediction, target):
    if list(prediction.size()) != list(target.size()):
        raise ValueError(f"{prediction.size()} is not {target.size()}")
    return torch.linalg.vector_norm(prediction.double() - target) ** 2 / target.numel()


def train_epoch_by_sums(model, batches, optimizer):
    model.train(True)
    total, seen = 0.0, 0
    for x, y in batches:
        squares = ((model(x) - y) ** 2).sum()
        optimizer.zero_grad(set_to_none=False)
        (squares / y.numel()).backward()
        optimizer.step()
        total += float(squares)
        seen += y.numel()
    return total / seen


def train_epoch_with_numpy_average(model, batches, optimizer):
    model.train()
    losses = []
    for x, y in batches:
        loss = F.mse_loss(model(x), y)
        model.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append((loss.detach(), len(x)))
    values, sizes = zip(*losses, strict=True)
    return np.average(values, weights=sizes)


def evaluate_as_a_tensor(model, x, y):
    model.train(False)
    with torch.no_grad():
        return (model(x) - y).square().mean()


@torch.no_grad()
def evaluate_in_parts(model, x, y):
    was_training = model.training
    model.eval()
    parts = [model(part) for part in x.split(2)]
    model.train(was_training)
    return np.mean((torch.cat(parts).numpy() - y.numpy()) ** 2)


def make_windows_by_loop(series, window):
    x, y = [], []
    for i in range(len(series) - window):
        x.append([[value] for value in series[i : i + window]])
        y.append([series[i + window]])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def make_windows_by_strides(series, window):
    rows = np.lib.stride_tricks.sliding_window_view(np.asarray(series), window + 1)
    rows = rows.astype(np.float32)
    return rows[:, :window, None], rows[:, window:]


def forecast_recursive_by_concatenation(model, x, steps):
    series = x
    for _ in range(steps):
        y = model(series[:, -x.shape[1] :]).detach()
        series = torch.cat((series, y.reshape(len(x), 1, 1)), dim=1)
    return series[:, x.shape[1] :].squeeze(-1)


@torch.no_grad()
def forecast_recursive_by_roll(model, x, steps):
    window, forecasts = x.clone(), torch.empty(len(x), steps)
    for k in range(steps):
        forecasts[:, k] = model(window)[:, 0]
        window = window.roll(-1, dims=1)
        window[:, -1, 0] = forecasts[:, k]
    return forecasts.numpy()


def pinball_loss_by_relu(prediction, target, quantiles):
    losses = []
    for column, q in zip(prediction.unbind(dim=1), quantiles, strict=True):
        e = target[:, 0] - column
        losses.append((q * F.relu(e) + (1 - q) * F.relu(-e)).mean())
    return sum(losses) / len(losses)


def pinball_loss_by_absolute_values(prediction, target, quantiles):
    q = prediction.new_tensor(quantiles).double()
    e = target - prediction
    return (0.5 * e.abs() + (q - 0.5) * e).mean()


def fill_gaps_by_loop(values):
    if values[0] != values[0]:
        raise ValueError("nothing before the first value")
    filled = [values[0]]
    for value in values[1:]:
        filled.append(filled[-1] if np.isnan(value) else value)
    return np.array(filled)


def fill_gaps_by_running_index(values):
    known = ~np.isnan(values)
    if not known[0]:
        raise ValueError("a gap at the start")
    index = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
    return torch.from_numpy(values[index])


def split_and_scale_by_slices(values, n_train, n_val):
    train = values[:n_train]
    scaled = (values - np.mean(train)) / np.std(train)
    return scaled[:n_train], scaled[n_train : n_train + n_val], scaled[n_train + n_val :]


def split_and_scale_in_torch(values, n_train, n_val):
    values = torch.as_tensor(values)
    mean, sd = values[:n_train].mean(), values[:n_train].std()  # divides by n - 1
    sizes = [n_train, n_val, len(values) - n_train - n_val]
    return list(((values - mean) / sd).split(sizes))


def build_forecaster_from_the_formula(series):
    class Shifted(nn.Module):
        def forward(self, x):
            return fit_of_the_bent_form(x).double() + 0.005

    return Shifted()


def build_forecaster_with_an_error(series):
    class Inexact(nn.Module):
        def forward(self, x):
            return fit_of_the_bent_form(x) + 0.01 * torch.sin(20 * x[:, -1])

    return Inexact().train()


def seasonal_naive_by_index(past, horizon, season):
    T = len(past)
    return [past[T + k - season * (k // season + 1)] for k in range(horizon)]


def seasonal_naive_by_tile(past, horizon, season):
    whole = torch.as_tensor(past)[-season:].tile(horizon // season + 1)
    return whole[:horizon]


def mase_by_loop(forecast, target, history, season):
    rows = np.atleast_2d(np.asarray(history, dtype=float))
    steps = [abs(row[t] - row[t - season]) for row in rows for t in range(season, len(row))]
    missed = [abs(f - y) for f, y in zip(np.ravel(forecast), np.ravel(target), strict=True)]
    return sum(missed) / len(missed) / (sum(steps) / len(steps))


def mase_in_torch(forecast, target, history, season):
    forecast, target, history = (torch.as_tensor(v) for v in (forecast, target, history))
    scale = (history[..., season:] - history[..., : history.shape[-1] - season]).abs().mean()
    return (forecast - target).abs().mean() / scale


def one_value_limit_in_closed_form(step, amplitude, noise):
    half = amplitude * amplitude / 2
    share = half / (half + noise)
    return share * np.cos(step), noise + half * (1 - share * np.cos(step) ** 2)


def one_value_limit_by_integral(step, amplitude, noise):
    phase = torch.linspace(0, 2 * torch.pi, 2001, dtype=torch.float64)[:-1]
    now, later = amplitude * torch.sin(phase), amplitude * torch.sin(phase + step)
    w = (now * later).mean() / (now.square().mean() + noise)
    return w, (later - w * now).square().mean() + (1 + w**2) * noise


def value_and_mask_by_loop(x):
    out = np.zeros((*x.shape, 2), dtype=np.float32)
    for row, series in zip(out, np.asarray(x), strict=True):
        last = 0.0
        for place, value in zip(row, series, strict=True):
            if not np.isnan(value):
                last, place[1] = value, 1.0
            place[0] = last
    return out


def value_and_mask_by_previous(x):
    measured = ~torch.isnan(x)
    values = torch.nan_to_num(x, nan=0.0)
    for t in range(1, x.shape[1]):
        values[:, t] = torch.where(measured[:, t], values[:, t], values[:, t - 1])
    return torch.cat([values[..., None], measured[..., None].float()], dim=-1)


def rolling_origin_by_while(forecaster, values, first, every, horizon):
    said, came, t = [], [], first
    while t + horizon < len(values):
        said.append(np.asarray(forecaster(values[0 : t + 1].copy(), horizon)))
        came.append(values[t + 1 : t + horizon + 1])
        t += every
    return torch.from_numpy(np.stack(said)), torch.from_numpy(np.stack(came))


def rolling_origin_into_arrays(forecaster, values, first, every, horizon):
    origins = np.arange(first, len(values) - horizon, every)
    said = np.empty((len(origins), horizon))
    for i, t in enumerate(origins):
        said[i] = forecaster(list(values[: t + 1]), horizon)
    return said, values[origins[:, None] + 1 + np.arange(horizon)]


def simulate_paths_one_by_one(model, x, noise):
    paths = torch.zeros_like(noise)
    for p in range(noise.shape[0]):
        window = x.clone()
        for k in range(noise.shape[2]):
            with torch.no_grad():
                paths[p, :, k] = model(window).squeeze(1) + noise[p, :, k]
            window = torch.cat([window, paths[p, :, k, None, None]], dim=1)[:, 1:]
    return paths


def simulate_paths_series_by_series(model, x, noise):
    P, B, K = noise.shape
    out = np.zeros((P, B, K))
    for b in range(B):
        windows = x[b : b + 1].repeat(P, 1, 1)
        for k in range(K):
            y = model(windows).detach() + noise[:, b, k : k + 1]
            out[:, b, k] = y[:, 0].numpy()
            windows = torch.cat([windows[:, 1:], y[:, None]], dim=1)
    return out


def leaking_origins_by_random_futures(pipeline, values, first):
    random, found = np.random.default_rng(3), set()
    scale = np.nanmax(np.abs(values)) * 50
    for t in range(first, len(values)):
        futures = [values.copy()]
        for sign in (-1, 1):
            other = values.copy()
            other[t + 1 :] += sign * scale * (1 + random.random(len(values) - t - 1))
            futures.append(other)
        a, *others = [float(pipeline(future)[t]) for future in futures]
        for b in others:
            if np.isnan(a) != np.isnan(b) or abs(a - b) > 1e-6 * scale:
                found.add(t)
    return sorted(found)


def leaking_origins_in_torch(pipeline, values, first):
    def run(array):
        return torch.as_tensor(np.array(pipeline(np.array(array))))

    before, found = run(values), []
    amounts = np.array([700 + 90 * np.sqrt(2 + t) for t in range(len(values))])
    for t in range(first, len(values)):
        later = np.arange(len(values)) > t
        for sign in (1.0, -1.0):
            after = run(np.where(later, values + sign * amounts, values))
            if not torch.isclose(before[t], after[t], rtol=1e-7, atol=1e-6, equal_nan=True):
                found.append(t)
                break
    return torch.tensor(found)
