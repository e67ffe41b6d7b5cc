"""`scale_to_radius`: a matrix with a given spectral radius, section 1.7.

H hidden size.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake


def scale_to_radius(W, radius):
    """Return W (H, H), float64, times the number that makes its spectral radius `radius`.

    The eigenvalues are NumPy's.
    """
    return W * (radius / float(np.abs(np.linalg.eigvals(W.numpy())).max()))


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw matrices whose largest eigenvalues are complex, negative or positive, and radii."""
    sizes = [2, 3, 5, 1, *rng.integers(3, 9, size=5)]  # H
    drawn = [rng.normal(size=(H, H)) for H in sizes]
    drawn[0] = np.array([[0.3, -2.0], [1.0, 0.1]])  # a pair of complex ones
    drawn[1] = drawn[1] @ drawn[1].T * -1  # negative, and symmetric
    return [{"W": W, "radius": float(rng.uniform(0.3, 1.6))} for W in drawn]


def by(size: Callable) -> Callable:
    """Return a `scale_to_radius` that takes another size of the matrix for its radius."""
    return lambda W, radius: W * (radius / size(W))


EXERCISE = Exercise(
    name="scale_to_radius",
    title="a matrix with a given spectral radius",
    points=1,
    difficulty=1,
    outputs={"scaled": "H H"},
    cases=cases,
    drive=call,
    tolerance=1e-9,
    reference=scale_to_radius,
    against="NumPy's eigenvalues",
    mistakes=(
        Mistake(
            "The matrix is multiplied by `radius` and not divided by the radius that it has.",
            by(lambda W: 1.0),
        ),
        Mistake(
            "The matrix has radius 1: `radius` plays no part.",
            lambda W, radius: scale_to_radius(W, 1.0),
        ),
        Mistake(
            "Eigenvalues may be complex or negative: take the largest of their absolute values, "
            "not of their real parts.",
            by(lambda W: torch.linalg.eigvals(W).real.max()),
            also=(by(lambda W: torch.linalg.eigvals(W).real.abs().max()),),
        ),
        Mistake(
            "This is the largest singular value, by which a vector is stretched at most in one "
            "step. What counts over many steps are the eigenvalues.",
            by(lambda W: torch.linalg.matrix_norm(W, 2)),
        ),
        Mistake(
            "This is the Frobenius norm, the root of the sum of all squares. The spectral radius "
            "is the largest absolute value of an eigenvalue.",
            by(torch.linalg.matrix_norm),
        ),
        Mistake(
            "This is the largest entry. The spectral radius is the largest absolute value of an "
            "eigenvalue.",
            by(lambda W: W.abs().max()),
            also=(by(torch.max),),
        ),
        Mistake(
            "`eigvalsh` and `eigh` are for symmetric matrices. Take `torch.linalg.eigvals`.",
            by(lambda W: torch.linalg.eigvalsh(W).abs().max()),
        ),
        Mistake(
            "This is the smallest absolute value of an eigenvalue. Take the largest.",
            by(lambda W: torch.linalg.eigvals(W).abs().min()),
        ),
        Mistake(
            "This is the mean of the eigenvalues' absolute values. Take the largest.",
            by(lambda W: torch.linalg.eigvals(W).abs().mean()),
        ),
        Mistake(
            "The factor is upside down: `radius` divided by the radius that the matrix has.",
            lambda W, radius: W * (torch.linalg.eigvals(W).abs().max() / radius),
        ),
        Mistake(
            "The matrix is divided by its own radius, and by `radius` once more: multiply by it.",
            lambda W, radius: scale_to_radius(W, 1 / radius),
        ),
    ),
)
