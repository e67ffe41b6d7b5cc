"""Other right answers to chapter 4."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises.chapter_04.build_forecaster import two_sine_forecast


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


class SimpleRNN_by_last_state(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.cell = nn.RNN(input_size, hidden_size, batch_first=True)
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        return self.out(self.cell(x)[1].squeeze(0))


class SimpleRNN_time_first(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        nn.Module.__init__(self)
        self.net = nn.ModuleDict(
            {"fc": nn.Linear(hidden_size, output_size), "rnn": nn.RNN(input_size, hidden_size)}
        )

    def forward(self, x):
        h_0 = torch.zeros(1, len(x), self.net["rnn"].hidden_size)
        states, _ = self.net["rnn"](x.transpose(0, 1), h_0)
        return self.net["fc"](states[-1])


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


def build_forecaster_from_the_formula():
    class Shifted(nn.Module):
        def forward(self, x):
            return two_sine_forecast(x).double() + 0.005

    return Shifted()


def build_forecaster_with_an_error():
    class Inexact(nn.Module):
        def forward(self, x):
            return two_sine_forecast(x) + 0.01 * torch.sin(20 * x[:, -1])

    return Inexact().train()
