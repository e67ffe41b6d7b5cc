"""`by_convolution`: a recurrence with constant factors as a convolution, section 6.6.

h_t = a h_{t-1} + b_t with a (D,) and b (B, T, D), from h_0 = 0 on.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake


def by_convolution(a, b):
    """Return h (B, T, D), by the loop."""
    h, states = torch.zeros_like(b[:, 0]), []
    for b_t in b.unbind(1):
        h = a * h + b_t
        states.append(h)
    return torch.stack(states, dim=1)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw factors from -0.98 to 0.98; one length is no power of two, one is a single step."""
    sizes = ((2, 16, 3), (1, 25, 2), (3, 1, 2), (2, 60, 4))
    return [
        {"a": rng.uniform(-0.98, 0.98, D), "b": rng.normal(size=(B, T, D))} for B, T, D in sizes
    ]


def wrong(
    kernel: Callable = lambda a, T: a ** torch.arange(T)[:, None],
    length: Callable = lambda T: 2 * T,
    product: Callable = lambda of_kernel, of_b: of_kernel * of_b,
    back: Callable = lambda h, T: h[:, :T],
    axis: int = 1,
) -> Callable:
    """Return a `by_convolution` that departs from the right one in what is given."""

    def answer(a, b):
        T = b.shape[1]
        n = length(T)
        of_kernel = torch.fft.rfft(kernel(a, T), n=n, dim=0)
        if axis != 1:
            return torch.fft.irfft(of_kernel[: b.shape[0]] * b, n=T, dim=1)
        h = torch.fft.irfft(product(of_kernel, torch.fft.rfft(b, n=n, dim=1)), n=n, dim=1)
        return back(h, T)

    return answer


EXERCISE = Exercise(
    name="by_convolution",
    title="a recurrence as a convolution",
    points=3,
    difficulty=2,
    outputs={"h": "B T d"},
    cases=cases,
    drive=call,
    reference=by_convolution,
    against="the loop, in double precision,",
    tolerance=1e-10,
    mistakes=(
        Mistake(
            "The end of the sequence comes round to its beginning: an FFT of length T is a "
            "convolution on a circle. Fill up with zeros, to 2T at least.",
            wrong(length=lambda T: T),
        ),
        Mistake(
            "The kernel begins with a. What came in just now is not faded yet: a⁰ = 1.",
            wrong(kernel=lambda a, T: a ** torch.arange(1, T + 1)[:, None]),
        ),
        Mistake(
            "The kernel is the wrong way round: the newest is faded most.",
            wrong(kernel=lambda a, T: a ** torch.arange(T).flip(0)[:, None]),
        ),
        Mistake(
            "The kernel has only the sign or the size of a. It is a to the power of k, below 0 at "
            "every second k if a is.",
            wrong(kernel=lambda a, T: a.abs() ** torch.arange(T)[:, None]),
        ),
        Mistake(
            "The conjugate of one spectrum is taken: that is a correlation, and looks ahead.",
            wrong(product=lambda of_kernel, of_b: of_kernel.conj() * of_b),
            also=(wrong(product=lambda of_kernel, of_b: of_kernel * of_b.conj()),),
        ),
        Mistake(
            "The result has 2T steps. The first T are the states.",
            wrong(back=lambda h, T: h),
        ),
        Mistake(
            "These are the last T of the 2T steps. The first T are the states.",
            wrong(back=lambda h, T: h[:, -T:]),
        ),
        Mistake(
            "The kernel is multiplied with b step by step. A convolution is a product of spectra.",
            lambda a, b: a ** torch.arange(b.shape[1])[:, None] * b,
        ),
        Mistake(
            "What came in is added up without fading.",
            lambda a, b: b.cumsum(dim=1),
        ),
        Mistake(
            "The kernel is k·a in place of a to the power of k.",
            wrong(kernel=lambda a, T: a * torch.arange(T)[:, None]),
        ),
        Mistake(
            "All channels are faded by the first one's a. Each has its own.",
            lambda a, b: by_convolution(a[:1].expand_as(a), b),
        ),
    ),
)
