"""Time of one training epoch of the 7-6-1 sine network: forward, gradients and a plain update.

Promised: NumPy by hand is faster than the autograd loop, and `fast_gradients` at least 15 times as
fast. Medians of rounds in which all take turns, and how many times as fast as the loop that is, on
one thread.
"""

import time

import numpy as np
import torch

from helpers import data
from tests import chapters
from tests.benchmarks.machine import table

ROUNDS, EPOCHS = 15, 20


def main():
    torch.set_num_threads(1)
    (path,) = (p for p in chapters.SOLUTIONS if p.stem == "02_manual_bptt_sine")
    chapter = chapters.define(chapters.read(path))
    _, x, y = data.sine_points()
    rng = np.random.default_rng(0)
    start = rng.normal(0, 0.4, (7, 6)), rng.normal(0, 0.3, (6, 1))
    tensors = torch.tensor(x), torch.tensor(y)

    arrays, fast_arrays = ([w.copy() for w in start] for _ in range(2))
    leaves = [torch.tensor(w, requires_grad=True) for w in start]

    def by_hand(weights=arrays):
        predictions, contexts = chapter["sine_forward"](x, *weights)
        gradients = chapter["sine_backward"](x, y, predictions, contexts, *weights)
        for w, g in zip(weights, gradients[:2], strict=True):
            w -= 0.001 * g

    def fast(weights=fast_arrays):
        for w, g in zip(weights, chapter["fast_gradients"](x, y, *weights), strict=True):
            w -= 0.001 * g

    def update(loss, weights):
        loss.backward()
        with torch.no_grad():
            for w in weights:
                w -= 0.001 * w.grad
                w.grad = None

    def autograd(weights=leaves):
        h, loss = torch.zeros(6, dtype=torch.float64), 0.0
        for x_t, y_t in zip(*tensors, strict=True):
            h = torch.tanh(torch.cat([x_t.view(1), h]) @ weights[0])
            loss = loss + 0.5 * (h @ weights[1] - y_t).square().sum()
        update(loss, weights)

    rnn = torch.nn.RNN(1, 6, bias=False, batch_first=True).double()
    head = torch.nn.Linear(6, 1, bias=False).double()

    def module():
        predictions = head(rnn(tensors[0].view(1, -1, 1))[0]).flatten()
        update(
            0.5 * (predictions - tensors[1]).square().sum(), [*rnn.parameters(), *head.parameters()]
        )

    ways = {
        "autograd loop": autograd,
        "nn.RNN": module,
        "NumPy, by hand": by_hand,
        "NumPy, fast_gradients": fast,
    }
    seconds = {name: [] for name in ways}
    columns = "network | epochs | CPU s:.2f | ms an epoch:.3f | × as fast:.1f"
    with table(f"{ROUNDS} rounds of {EPOCHS} epochs", columns) as row:
        for _ in range(ROUNDS):
            for name, epoch in ways.items():
                started = time.process_time()
                for _ in range(EPOCHS):
                    epoch()
                seconds[name].append(time.process_time() - started)
        medians = {name: np.median(times) / EPOCHS for name, times in seconds.items()}
        for name, median in medians.items():
            times = medians["autograd loop"] / median
            row(name, ROUNDS * EPOCHS, sum(seconds[name]), 1000 * median, times)
