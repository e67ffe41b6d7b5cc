"""`by_convolution`: a recurrence with constant factors as a convolution, section 6.6.

h_t = a h_{t-1} + b_t with a (D,) and b (B, T, D), from h_0 = 0 on.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_06 import call_with_transforms
from helpers.exercises.contract import Exercise, Mistake


def by_convolution(a, b):
    """Return h (B, T, D), by the loop."""
    h, states = torch.zeros_like(b[:, 0]), []
    for b_t in b.unbind(1):
        h = a * h + b_t
        states.append(h)
    return torch.stack(states, dim=1)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw factors from -0.98 to 0.98; one length is no power of two, one is a single step.

    In the last case one factor is 0 and another fades so slowly that 600 steps back still count.
    """
    sizes = ((2, 16, 3), (1, 25, 2), (3, 1, 2), (2, 60, 4), (1, 600, 2))
    drawn = [
        {"a": rng.uniform(-0.98, 0.98, D), "b": rng.normal(size=(B, T, D))} for B, T, D in sizes
    ]
    drawn[-1]["a"][:] = 0.0, rng.uniform(0.995, 0.999)
    return drawn


def wrong(
    kernel: Callable = lambda a, T: a ** torch.arange(T)[:, None],
    length: Callable = lambda T: 2 * T,
    product: Callable = lambda of_kernel, of_b: of_kernel * of_b,
    back: Callable = lambda h, T: h[:, :T],
) -> Callable:
    """Return a `by_convolution` that departs from the right one in what is given."""

    def answer(a, b):
        T = b.shape[1]
        n = length(T)
        of_kernel = torch.fft.rfft(kernel(a, T), n=n, dim=0)
        h = torch.fft.irfft(product(of_kernel, torch.fft.rfft(b, n=n, dim=1)), n=n, dim=1)
        return back(h, T)

    return answer


def odd_and_not_told(a, b):
    """Make room for 2T - 1 steps, and leave out of `irfft` how many they were."""
    T, n = b.shape[1], 2 * b.shape[1] - 1
    kernel = a ** torch.arange(T)[:, None]
    product = torch.fft.rfft(kernel, n=n, dim=0) * torch.fft.rfft(b, n=n, dim=1)
    h = torch.fft.irfft(product, dim=1) if n > 1 else product.real
    return torch.nn.functional.pad(h[:, :T], (0, 0, 0, T - h[:, :T].shape[1]))


def end_to_end(a, b):
    in_one = wrong()(a, b.flatten(0, 1)[None])
    return in_one.view_as(b)


def along_the_units(a, b):
    T, n = b.shape[1], 2 * b.shape[2]
    kernel = a ** torch.arange(T)[:, None]
    product = torch.fft.rfft(kernel, n=n, dim=1) * torch.fft.rfft(b, n=n, dim=2)
    return torch.fft.irfft(product, n=n, dim=2)[:, :, : b.shape[2]]


EXERCISE = Exercise(
    name="by_convolution",
    title="a recurrence as a convolution",
    points=3,
    difficulty=2,
    outputs={"h": "B T d"},
    cases=cases,
    drive=call_with_transforms,
    returned=("h",),
    reference=by_convolution,
    against="the loop, in double precision,",
    tolerance=1e-10,
    mistakes=(
        Mistake(
            "The end of the sequence comes round to its beginning: an FFT of length T is a "
            "convolution on a circle. Fill up with zeros, to 2T - 1 at least.",
            wrong(length=lambda T: T),
        ),
        Mistake(
            "There is too little room: it must be 2T - 1 at least, or the end of the sequence "
            "comes round to its beginning. The power of two above T is not always enough.",
            wrong(length=lambda T: 1 << T.bit_length()),
            also=(
                wrong(length=lambda T: T + T // 2),
                wrong(length=lambda T: 1 << (T - 1).bit_length()),
            ),
        ),
        Mistake(
            "The result is transformed back to another length than it came from: `irfft` takes it "
            "for even unless it is told, n=….",
            odd_and_not_told,
        ),
        Mistake(
            "The sequences are laid end to end, so that one reaches into the next.",
            end_to_end,
        ),
        Mistake(
            "The transforms run along another axis than that of time.",
            along_the_units,
        ),
        Mistake(
            "Powers are made by way of the logarithm, which numbers below 0 do not have.",
            wrong(kernel=lambda a, T: (torch.arange(T)[:, None] * a.log()).exp()),
            also=(wrong(kernel=lambda a, T: (torch.arange(T)[:, None] * a.abs().log()).exp()),),
        ),
        Mistake(
            "All is computed in float32, whatever comes in. Leave the type as it is.",
            lambda a, b: wrong()(a.float(), b.float()).double(),
        ),
        Mistake(
            "The kernel is cut off: what came in long ago still counts where a is near 1.",
            wrong(kernel=lambda a, T: a ** torch.arange(min(T, 256))[:, None]),
            also=(
                wrong(kernel=lambda a, T: a ** torch.arange(min(T, 128))[:, None]),
                wrong(kernel=lambda a, T: a ** torch.arange(min(T, 512))[:, None]),
                wrong(kernel=lambda a, T: a ** torch.arange(min(T, 100))[:, None]),
            ),
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
