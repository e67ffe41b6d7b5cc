"""What the chapters learn from: generators of series and tasks, each with its limit known.

Sequences come batch first; what is random takes a seed and is the same for the same seed.
"""

import math

import numpy as np
import torch


def leaky_sums(n: int, T: int, *, decay: float = 0.9, seed: int = 0):
    """Return `x` (n, T, 1) and `y` (n, 1), the leaky sum y = Σ_k decay^k x_{T-k}, k = 0 … T-1.

    x is standard normal. Whoever sees only the last w steps cannot get below a mean squared error
    of Σ_{k=w}^{T-1} decay^(2k); the recursion s_t = decay s_{t-1} + x_t is exact.

    >>> x, y = leaky_sums(1, 2, decay=0.5)
    >>> bool(torch.isclose(y[0, 0], x[0, 1, 0] + 0.5 * x[0, 0, 0]))
    True
    """
    x = torch.randn(n, T, 1, generator=torch.Generator().manual_seed(seed))
    weights = decay ** torch.arange(T - 1, -1, -1, dtype=x.dtype)
    return x, (x[:, :, 0] @ weights).unsqueeze(1)


def leaky_sum_floor(window: int, T: int, *, decay: float = 0.9) -> float:
    """Return the least error on `leaky_sums` for who sees only the last `window` of T steps."""
    return sum(decay ** (2 * k) for k in range(window, T))


def first_tokens(n: int, T: int, *, classes: int = 5, seed: int = 0):
    """Return one-hot `x` (n, T, classes) of random tokens and `y` (n,), the first token of each.

    Knowing the first step gives accuracy 1; knowing anything else gives chance, 1 / classes.
    """
    tokens = torch.randint(classes, (n, T), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.one_hot(tokens, classes).float(), tokens[:, 0]


def sine_points(n: int = 20):
    """Return `times` (n + 1,), `x` (n,) and `y` (n,): a sine from time 2 to 10, y one step on.

    NumPy arrays in float64. Two values determine the next: y_t = 2 cos(Δ) x_t - x_{t-1}, so the
    least error is 0, for least squares on two values as well.
    """
    times = np.linspace(2, 10, n + 1)
    return times, np.sin(times[:-1]), np.sin(times[1:])


def sine_cosine_windows(first: int, n: int, *, steps: int = 10):
    """Return `x`, `y` (n, 1, steps, 1): sine and cosine over consecutive half periods.

    Window k covers the angles from k π up to, not including, (k + 1) π; `first` is the first k.
    Each window is a batch of one, so that iterating gives (1, steps, 1), batch first.
    The mean of cos² is 1/2, the least error for who knows the current sine alone.
    """
    angles = math.pi * (first + torch.arange(n * steps, dtype=torch.float64) / steps)
    shape = (n, 1, steps, 1)
    return angles.sin().float().reshape(shape), angles.cos().float().reshape(shape)
