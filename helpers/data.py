"""What the chapters learn from: series and tasks, each with a known limit, and real data.

Sequences come batch first. Whatever is random takes a seed; the same seed gives the same values.
Functions that take an array refuse one that would silently spoil a result: see `checked`.
"""

import csv
import math
from pathlib import Path

import numpy as np
import torch
from matplotlib.cbook import get_sample_data

DATASETS = Path(__file__).parent / "datasets"


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
    return x, (x[:, :, 0] @ weights).unsqueeze(1)  # (n, T) @ (T,), then (n, 1)


def leaky_sum_floor(window: int, T: int, *, decay: float = 0.9) -> float:
    """Return the least error on `leaky_sums` for whoever sees only the last `window` of T steps."""
    return sum(decay ** (2 * k) for k in range(window, T))


def first_tokens(n: int, T: int, *, classes: int = 5, seed: int = 0):
    """Return one-hot `x` (n, T, classes) of random tokens and `y` (n,), the first token of each.

    Knowing the first step gives accuracy 1; knowing anything else gives chance, 1 / classes.
    """
    tokens = torch.randint(classes, (n, T), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.one_hot(tokens, classes).float(), tokens[:, 0]


def sine_points(n: int = 20):
    """Return `times` (n + 1,), `x` (n,) and `y` (n,): a sine from time 2 to 10, y one step ahead.

    NumPy arrays in float64. Two values determine the next: y_t = 2 cos(Δ) x_t - x_{t-1}, so the
    least error is 0, for least squares on two values as well.
    """
    times = np.linspace(2, 10, n + 1)
    return times, np.sin(times[:-1]), np.sin(times[1:])


def sine_cosine_windows(
    first: int, n: int, *, steps: int = 10, phase: float = 0.0, frequency: float = 1.0
):
    """Return `x`, `y` (n, 1, steps, 1): sine and cosine over consecutive half periods.

    Window k covers the angles from k π up to, not including, (k + 1) π; `first` is the first k.
    With a frequency they are so many times as large, and a phase, in radians, is added.
    Each window is a batch of one, so that iterating gives (1, steps, 1), batch first.
    The mean of cos² is 1/2, the least error for whoever knows only the current sine.
    """
    half_periods = first + torch.arange(n * steps, dtype=torch.float64) / steps
    angles = phase + frequency * math.pi * half_periods
    shape = (n, 1, steps, 1)
    return angles.sin().float().reshape(shape), angles.cos().float().reshape(shape)


NOISE_FLOOR = 0.1**2 / 12  # the variance of the noise below, which is uniform over a width of 0.1


def generate_time_series(
    n: int, T: int, *, seed: int = 0, step: float | None = None
) -> torch.Tensor:
    """Return `n` series of `T` steps, (n, T, 1) in float32: two sines and noise.

    At time t a series is 0.5 sin(u (t - a)) + 0.2 sin(v (t - b)) + noise. Drawn anew for each
    series, a and b are uniform on (0, 1), u on (10, 20) and v on (20, 40); drawn anew at each step,
    the noise is uniform on (-0.05, 0.05). Nobody can forecast the noise, so the least error is
    NOISE_FLOOR, 0.000833.
    Time starts at 0 and goes on by `step`, by default 1 / (T - 1), so that it ends at 1.
    Source: A. Géron, Hands-On Machine Learning, 2nd edition (2019), chapter 15.

    Raises ValueError for fewer than one series or two steps.
    """
    _check_sizes(n, T)
    random = torch.Generator().manual_seed(seed)
    a, b, u, v = torch.rand(4, n, 1, generator=random, dtype=torch.float64)  # (n, 1) each
    t = torch.arange(T, dtype=torch.float64) * (step or 1 / (T - 1))  # (T,)
    noise = 0.1 * (torch.rand(n, T, generator=random, dtype=torch.float64) - 0.5)
    slow = 0.5 * torch.sin((10 + 10 * u) * (t - a))  # (n, T): (n, 1) against (T,)
    fast = 0.2 * torch.sin((20 + 20 * v) * (t - b))
    return (slow + fast + noise).float().unsqueeze(-1)


def _check_sizes(n: int, T: int) -> None:
    if n < 1 or T < 2:
        raise ValueError(f"n={n}, T={T}: ask for at least one series of two steps.")


def bent_waves(n: int, T: int, *, kind: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return `n` series of `T` steps and the same without their noise, (n, T, 1) each, float32.

    All series of a kind are a slow wave that is bent, a fast one, and noise, and share what `kind`
    draws: how fast, how large, how bent, how noisy. At time t, a series is

        A (sin(p) + c sin(3 p)) + B sin(v (t - b)) + noise,  with p = u (t - a)

    where A is in (0.4, 0.6), B in (0.15, 0.3), c in (-0.3, -0.15) or (0.15, 0.3), and the noise is
    uniform over a width in (0.06, 0.14). Drawn anew for each series, a and b are uniform on (0, 1),
    u goes from a lowest value in (8, 12) to twice as much, v from one in (16, 24) to twice as much.
    Time goes on by 1/50.

    Raises ValueError for fewer than one series or two steps.
    """
    _check_sizes(n, T)
    of_the_kind = torch.rand(7, generator=torch.Generator().manual_seed(kind)).double()
    lowest = torch.tensor([8, 16, 0.4, 0.15, 0.15, 0.06, 0], dtype=torch.float64)
    width = torch.tensor([4, 8, 0.2, 0.15, 0.15, 0.08, 1], dtype=torch.float64)
    slow, fast, large, small, bend, noise, side = lowest + width * of_the_kind
    bend = bend * (1 if side > 0.5 else -1)
    random = torch.Generator().manual_seed(seed)
    a, b, u, v = torch.rand(4, n, 1, generator=random, dtype=torch.float64)  # (n, 1) each
    t = torch.arange(T, dtype=torch.float64) / 50  # (T,)
    p = slow * (1 + u) * (t - a)  # (n, T)
    clean = large * (p.sin() + bend * (3 * p).sin()) + small * (fast * (1 + v) * (t - b)).sin()
    noisy = clean + noise * (torch.rand(n, T, generator=random, dtype=torch.float64) - 0.5)
    return noisy.float().unsqueeze(-1), clean.float().unsqueeze(-1)


def minibatches(x, y, batch_size: int, *, seed: int, epochs: int = 1) -> list[tuple]:
    """Return batches (x, y) of whole sequences, shuffled anew for every epoch.

    x (n, …) and y (n, …) are floating-point tensors; sequence i belongs to target i, and nothing
    within a sequence moves. The last batch of an epoch holds what is left over.

    Raises TypeError and ValueError as `checked` does, and ValueError where x and y differ in n.
    """
    checked(x, "x")
    checked(y, "y")
    if len(x) != len(y):
        raise ValueError(f"x holds {len(x)} sequences, y {len(y)} targets: give one to each.")
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: a batch holds at least one sequence.")
    random = torch.Generator().manual_seed(seed)
    orders = (torch.randperm(len(x), generator=random) for _ in range(epochs))
    return [(x[rows], y[rows]) for order in orders for rows in order.split(batch_size)]


def co2_weekly() -> tuple[np.ndarray, np.ndarray]:
    """Return `dates` (2284,) and `ppm` (2284,): CO₂ in the air over Mauna Loa, week by week.

    Parts per million by volume, from 1958-03-29 to 2001-12-29; the 59 weeks without a measurement
    are NaN. Source: C. D. Keeling and T. P. Whorf (2004), public domain; see the file's head.
    """
    return _columns(DATASETS / "co2_mauna_loa_weekly.csv", "co2_ppm")


def stock_prices(name: str = "IBM") -> tuple[np.ndarray, np.ndarray]:
    """Return `dates` and `prices` of a stock or index, month by month from 1990 to June 2022.

    In dollars, adjusted for splits and dividends. name: IBM, AAPL, MSFT, XRX, AMZN, DELL, GOOGL,
    ADBE, ^GSPC (S&P 500) or ^IXIC (Nasdaq); some begin later. Source: the file Stocks.csv that
    comes with matplotlib, from Yahoo Finance.

    Raises ValueError for another name.
    """
    dates, prices = _columns(get_sample_data("Stocks.csv", asfileobj=False), name)
    # Only rows dated the first of a month: June 2022 comes once more, with a later day.
    known = np.isfinite(prices) & (dates == dates.astype("datetime64[M]"))
    return dates[known], prices[known]


def _columns(path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the dates, column 0 of a CSV file, and column `name`; an empty cell is NaN."""
    with open(path, encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(line for line in file if not line.startswith("#"))
    if name not in header[1:]:
        raise ValueError(f"There is no {name!r} in {Path(path).name}: {', '.join(header[1:])}.")
    column = header.index(name)
    dates = np.array([row[0] for row in rows], dtype="datetime64[D]")
    return dates, np.array([float(row[column] or "nan") for row in rows])


def checked(values, name: str, axes: tuple | None = None, *, least: int = 1) -> np.ndarray:
    """Return `values`, an array or tensor, as an array of float64.

    name   what an error calls it
    axes   its axes, if they matter: a number where the size is fixed, else a letter; T is time
    least  how many time steps there must be

    Raises TypeError for anything but floating-point numbers (whole numbers would be rounded in what
    follows), ValueError for another shape, a series too short, and values that are not finite.
    """
    array = np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values)
    if array.dtype.kind != "f":
        raise TypeError(
            f"`{name}` holds {array.dtype}, not floating-point numbers: use {name}.float() on a "
            f"tensor, {name}.astype(float) on an array."
        )
    if axes is not None:
        _check_shape(array.shape, name, axes, least)
    if bad := int((~np.isfinite(array)).sum()):
        first = ", ".join(map(str, np.argwhere(~np.isfinite(array))[0]))
        raise ValueError(
            f"`{name}` has {bad} of {array.size} values that are NaN or infinite, the first at "
            f"[{first}]. Fill or drop them first."
        )
    return array.astype(np.float64)


def _check_shape(shape: tuple, name: str, axes: tuple, least: int) -> None:
    pairs = list(zip(shape, axes, strict=False))
    if len(shape) != len(axes) or any(size != a for size, a in pairs if isinstance(a, int)):
        raise ValueError(f"`{name}` has shape {shape}; needed is ({', '.join(map(str, axes))}).")
    steps = dict(zip(axes, shape, strict=True)).get("T", least)  # no time axis: long enough
    if steps < least:
        raise ValueError(f"`{name}` has {steps} time steps; at least {least} are needed.")
