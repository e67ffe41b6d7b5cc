"""Long memory: the adding problem over 50 and 100 steps, and recall of the first of 40 tokens.

Promised: GRU and LSTM below 0.01 on the adding problem after at most 2000 updates in each of 3
runs, over 50 and over 100 steps; over 100 steps the plain RNN not below 0.1 after 8000 in any. A
run ends when its error on 2000 new sequences, which tell it to 3 %, is below 0.005, or after 8000
updates; it is looked at every 50, and the smallest counts. Always answering 1 has 0.167. 32 units,
batches of 32, Adam at 0.01 where nothing else is said, gradients clipped at 1, one thread.
"""

import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers import data
from tests import chapters
from tests.benchmarks.machine import table

MOST, BETWEEN_TESTS = 8000, 50  # updates


class LastStep(nn.Module):
    def __init__(self, kind, input_size, output_size):
        super().__init__()
        self.rnn = getattr(nn, kind)(input_size, 32, batch_first=True)
        self.fc = nn.Linear(32, output_size)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1])


def updates(model, batch, loss_fn, lr):
    """Yield after each update of `model` on batch(i), i = 0, 1, 2, …"""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    i = 0
    while True:
        x, y = batch(i)
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        i += 1
        yield i


def adding(chapter, kind, T, seed, lr=0.01, forget_bias=None):
    """Return the smallest error of a run, its updates and its CPU seconds."""
    torch.manual_seed(seed)
    model = LastStep(kind, 2, 1)
    if forget_bias is not None:
        chapter["set_forget_bias"](model.rnn, forget_bias)
    batch = chapter["adding_problem_batch"]
    x_test, y_test = batch(2000, T, 999_999)
    best, started = math.inf, time.process_time()
    for i in updates(model, lambda i: batch(32, T, 100_000 * seed + i), F.mse_loss, lr):
        if i % BETWEEN_TESTS == 0:
            with torch.no_grad():
                best = min(best, F.mse_loss(model(x_test), y_test).item())
            if best < 0.005 or i == MOST:
                return best, i, time.process_time() - started


def recall(chapter, kind, seed, lr, forget_bias=None, T=40, n=600):
    """Return the accuracy on the first token of new sequences, the updates and the CPU seconds."""
    torch.manual_seed(seed)
    model = LastStep(kind, 5, 5)
    if forget_bias is not None:
        chapter["set_forget_bias"](model.rnn, forget_bias)
    started = time.process_time()
    for i in updates(
        model, lambda i: data.first_tokens(32, T, seed=1000 * seed + i), F.cross_entropy, lr
    ):
        if i == n:
            seconds = time.process_time() - started
            x, y = data.first_tokens(1000, T, seed=999_999)
            with torch.no_grad():
                accuracy = (model(x).argmax(dim=1) == y).float().mean().item()
            return accuracy, n, seconds


def main():
    torch.set_num_threads(1)
    (path,) = (p for p in chapters.SOLUTIONS if p.stem == "03_lstm_gru")
    chapter = chapters.define(chapters.read(path))
    settings = {"GRU": {"kind": "GRU"}, "LSTM": {"kind": "LSTM"}}
    settings |= {f"RNN, rate {lr}": {"kind": "RNN", "lr": lr} for lr in (0.003, 0.01, 0.03)}
    columns = "network | error ± sd:.4f | smallest:.4f | largest:.4f"
    columns += " | updates | at most | CPU s:.1f"
    with table("adding problem, means of 3 runs", columns) as row:
        for T in (50, 100):
            for name, setting in settings.items():
                runs = [adding(chapter, T=T, seed=seed, **setting) for seed in range(3)]
                errors, counts, seconds = map(list, zip(*runs, strict=True))
                work = counts, max(counts), seconds
                row(f"{name}, {T} steps", errors, min(errors), max(errors), *work)

    columns = f"LSTM | median | at most | not in {MOST} | updates | CPU s:.1f"
    with table("adding problem, 50 steps: updates until below 0.005, of 10 runs", columns) as row:
        for name, bias in {"0": 0.0, "1": 1.0, "2": 2.0, "ln 49": math.log(49), "5": 5.0}.items():
            runs = [adding(chapter, "LSTM", 50, seed, forget_bias=bias) for seed in range(10)]
            _, counts, seconds = map(list, zip(*runs, strict=True))
            until = [i if best < 0.005 else math.inf for best, i, _ in runs]
            late = until.count(math.inf)
            row(f"forget bias {name}", np.median(until), max(until), late, counts, seconds)

    settings = {
        "RNN, rate 0.003": ("RNN", 0.003),
        "RNN, rate 0.01": ("RNN", 0.01),
        "LSTM, rate 0.003": ("LSTM", 0.003),
        "LSTM, rate 0.01": ("LSTM", 0.01),
        "LSTM, rate 0.003, forget bias ln 39": ("LSTM", 0.003, math.log(39)),
    }
    title = "recall of the first of 40 tokens, means of 6 runs; chance is 0.2"
    with table(title, "network | updates | CPU s:.1f | accuracies") as row:
        for name, (kind, lr, *bias) in settings.items():
            runs = [recall(chapter, kind, seed, lr, *bias) for seed in range(6)]
            accuracies, counts, seconds = map(list, zip(*runs, strict=True))
            row(name, counts, seconds, " ".join(f"{accuracy:.2f}" for accuracy in accuracies))
