"""`parity_batch`: bits, and at every step whether the ones so far are odd, section 6.1.

B sequences in a batch, T time steps. Facts are compared, since answers draw as they like.
"""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch

from helpers.calling.arrays import Case, call_for_batches
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.facts import Fact, equal_facts, explain_with, facts_of
from helpers.exercises.shared import new_seed

ENOUGH = 2000  # sequences: two frequencies are then apart by 0.016, and 0.08 is five times that
TOLERANCE = 0.08


def parity_batch(batch_size, T, seed):
    """Return x (B, T), bits, and y (B, T), 1 where those up to there have an odd sum; int64.

    No answer draws as this does: where one drew the opposite bits, frequencies were twice as far
    apart as chance has them.
    """
    rng = np.random.default_rng([seed, batch_size, T])
    x = torch.from_numpy(rng.integers(2, size=(batch_size, T)))
    odd, answers = torch.zeros_like(x[:, 0]), []
    for x_t in x.unbind(1):
        odd = odd ^ x_t
        answers.append(odd)
    return x, torch.stack(answers, dim=1)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw seeds and lengths. The last batch is long, too small for frequencies, and of seed 0."""
    drawn = [{"batch_size": ENOUGH, "T": T, "seed": new_seed(rng)} for T in (9, 1, 14)]
    return [*drawn, {"batch_size": 2, "T": 6000, "seed": 0}]


def so_far(x: np.ndarray) -> np.ndarray:
    """Return the parity (B, T) of bits (B, T) up to each step."""
    return x.cumsum(axis=1) % 2


def likeness(x: np.ndarray) -> float:
    """Return how alike bits x (B, T) are to those some places away, for the worst places.

    The places are counted along both axes, forwards and backwards. The least is 0, which chance
    departs from by 0.04 where T is 9; 1 is alike, or the opposite. One step says too little.
    """
    if x.shape[1] == 1:
        return 0.0
    signs, worst = 2.0 * x - 1, 0.0
    of_bits = np.fft.fft2(signs)
    for along_b, along_t in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        mirrored = np.fft.fft2(signs[::along_b, ::along_t])
        by_places = np.fft.ifft2(of_bits * mirrored.conj()).real / x.size
        if along_b == 1:  # a bit and itself, which meet at each place where T is mirrored
            by_places[0, slice(1) if along_t == 1 else slice(None)] = 0.0
        worst = max(worst, float(np.abs(by_places).max()))
    return worst


FACTS = (
    Fact("shape of x", lambda b: b.x.shape, "shape", "axis"),
    Fact("shape of y", lambda b: b.y.shape, "shape", "axis"),
    Fact("types of x and y", lambda b: [b.x.dtype.num, b.y.dtype.num], "types"),
    Fact("the values in x", lambda b: np.unique(b.x)[:3]),
    Fact("how often each step has a 1", lambda b: b.many * b.x.mean(axis=0), dimensions="t"),
    Fact(
        "ones in three bits",  # of all bits at once, so that the tolerance is five times its spread
        lambda b: b.many and b.x.shape[1] > 1 and 3 * b.x.mean(),
    ),
    Fact(
        "standard deviation of the ones in a sequence, over T",
        lambda b: b.many * b.x.sum(axis=1).std() / b.x.shape[1],
    ),
    Fact("likeness to bits some places away", lambda b: b.many and likeness(b.x)),
    Fact(
        "different sequences, of all that are drawn",
        lambda b: b.many and len(np.unique(b.x, axis=0)) / ENOUGH,
    ),
    Fact("largest y", lambda b: b.y.max()),
    Fact(
        "how often y is the parity up to its step, by step",
        lambda b: (b.y == so_far(b.x)).mean(axis=0),
        dimensions="t",
    ),
    Fact("each y is the parity up to its step", lambda b: (b.y == so_far(b.x)).all(), "truth"),
    Fact(
        "two calls with one seed give the same batch",
        lambda b: np.array_equal(b.x, b.again),
        "truth",
    ),
    Fact("another seed gives other bits", lambda b: (b.x != b.other).any(), "truth"),
)
REMEDIES: dict[str | tuple[str, ...], str] = {
    "shape of y": "There is an answer at every step: y is (B, T), as x is.",
    "types": "Classes and numbers of embeddings are int64: `torch.randint` gives them.",
    ("how often each", "ones"): "0 and 1 are equally likely, at every step and in every sequence.",
    ("standard deviation", "likeness", "different"): "Draw every bit by itself.",
    (
        "how often y",
        "largest",
        "each y",
    ): "y_t is 1 if the sum of x up to step t, with x_t, is odd.",
    "two calls": "Hand the seeded generator to the draw: `generator=rng`.",
    "another seed": "Seed the generator with the argument.",
}


def facts_of_batch(case: Case, returned: Arrays) -> Arrays:
    """Return label -> fact."""
    b, shape = SimpleNamespace(**returned), (case["batch_size"], case["T"])
    b.many = case["batch_size"] == ENOUGH  # or else nothing is asked of frequencies
    return facts_of(FACTS, b, b.x.shape == b.y.shape == b.other.shape == shape)


def wrong(
    bits: Callable = lambda B, T, rng: torch.randint(2, (B, T), generator=rng),
    y: Callable = lambda x: x.cumsum(dim=1) % 2,
) -> Callable:
    """Return a `parity_batch` that departs from the right one in what is given."""

    def answer(batch_size, T, seed):
        x = bits(batch_size, T, torch.Generator().manual_seed(seed))
        return x, y(x)

    return answer


EXERCISE = Exercise(
    name="parity_batch",
    title="a batch of the parity task",
    points=2,
    difficulty=1,
    outputs={fact.label: fact.dimensions for fact in FACTS},
    cases=cases,
    drive=call_for_batches,
    returned=("x", "y", "again", "other"),
    measure=facts_of_batch,
    reference=parity_batch,
    against=f"the description in every fact measured on {ENOUGH} sequences,",
    tolerance=TOLERANCE,
    equal=equal_facts,
    explain=explain_with(FACTS, REMEDIES, TOLERANCE),
    mistakes=(
        Mistake(
            "y is one answer for each sequence. The network is asked at every step: (B, T).",
            wrong(y=lambda x: x.sum(dim=1) % 2),
            also=(wrong(y=lambda x: x.sum(dim=1, keepdim=True) % 2),),
        ),
        Mistake(
            "y is the parity of the whole sequence at every step, which looks ahead.",
            wrong(y=lambda x: (x.sum(dim=1, keepdim=True) % 2).expand_as(x)),
        ),
        Mistake(
            "y_t leaves x_t out: it is the parity of the bits before. The bit of the step counts.",
            wrong(y=lambda x: (x.cumsum(dim=1) - x) % 2),
        ),
        Mistake(
            "y is the sum of the bits so far. Its remainder by 2 is asked for.",
            wrong(y=lambda x: x.cumsum(dim=1)),
        ),
        Mistake(
            "y is 1 where the ones so far are even. It is to be 1 where they are odd.",
            wrong(y=lambda x: (x.cumsum(dim=1) + 1) % 2),
        ),
        Mistake(
            "The sum runs over the batch, not over time. Time is `dim=1`.",
            wrong(y=lambda x: x.cumsum(dim=0) % 2),
        ),
        Mistake(
            "y compares a bit with the one before it only. The parity is of all so far.",
            wrong(y=lambda x: x ^ torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], dim=1)),
        ),
        Mistake(
            "y counts the zeros. It is the ones whose number is odd or even.",
            wrong(y=lambda x: (1 - x).cumsum(dim=1) % 2),
        ),
        Mistake(
            "x has numbers other than 0 and 1: `randint` stops before `high`, so that is 2.",
            wrong(bits=lambda B, T, rng: torch.randint(3, (B, T), generator=rng)),
            also=(
                wrong(bits=lambda B, T, rng: torch.randint(1, (B, T), generator=rng)),
                wrong(bits=lambda B, T, rng: torch.randint(1, 3, (B, T), generator=rng)),
            ),
        ),
        Mistake(
            "The sum is kept in a type that is too small for a long sequence, and forgets whether "
            "it is odd.",
            wrong(y=lambda x: (x.cumsum(dim=1, dtype=torch.float16) % 2).long()),
        ),
        Mistake(
            "A seed of 0 is taken for none. It is a seed like others.",
            lambda batch_size, T, seed: wrong()(
                batch_size, T, seed or int(torch.randint(1, 2**30, ()))
            ),
        ),
        Mistake(
            "The bits are floats. An embedding and a loss over classes want whole numbers, int64.",
            wrong(bits=lambda B, T, rng: torch.randint(2, (B, T), generator=rng).float()),
        ),
        Mistake(
            "The answers are no int64. A loss over classes takes no others.",
            wrong(y=lambda x: x.cumsum(dim=1) % 2 == 1),
            also=(
                wrong(y=lambda x: (x.cumsum(dim=1) % 2).int()),
                wrong(y=lambda x: (x.cumsum(dim=1) % 2).float()),
            ),
        ),
        Mistake(
            "All sequences of the batch are the same. Draw B times T bits.",
            wrong(bits=lambda B, T, rng: torch.randint(2, (T,), generator=rng).expand(B, T)),
        ),
        Mistake(
            "One bit is repeated along the sequence. Draw B times T bits.",
            wrong(bits=lambda B, T, rng: torch.randint(2, (B, 1), generator=rng).expand(B, T)),
        ),
        Mistake(
            "The count runs on from one sequence into the next. Each begins anew.",
            wrong(y=lambda x: (x.flatten().cumsum(dim=0) % 2).view_as(x)),
        ),
        Mistake(
            "0 and 1 are not equally likely.",
            wrong(bits=lambda B, T, rng: (torch.rand(B, T, generator=rng) < 0.3).long()),
            also=(
                wrong(bits=lambda B, T, rng: (torch.randn(B, T, generator=rng) > 1).long()),
                wrong(bits=lambda B, T, rng: (torch.rand(B, T, generator=rng) < 0.55).long()),
            ),
        ),
        Mistake(
            "The axes are (T, B). The batch comes first, (B, T).",
            lambda batch_size, T, seed: tuple(each.T for each in wrong()(batch_size, T, seed)),
        ),
        Mistake(
            "x and y come in the wrong order: first the bits, then the answers.",
            lambda batch_size, T, seed: wrong()(batch_size, T, seed)[::-1],
        ),
        Mistake(
            "The same seed gives another batch each time: `generator=rng` is missing.",
            wrong(bits=lambda B, T, rng: torch.randint(2, (B, T))),
        ),
        Mistake(
            "Every seed gives the same batch. Seed the generator with the argument.",
            wrong(bits=lambda B, T, rng: torch.randint(2, (B, T), generator=rng.manual_seed(0))),
        ),
    ),
)
