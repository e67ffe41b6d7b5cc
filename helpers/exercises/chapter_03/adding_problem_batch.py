"""`adding_problem_batch`: two marked values in a sequence, and their sum, section 3.4.

B sequences in a batch, T time steps. Facts are compared, since answers draw as they like.
"""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch

from helpers.calling.arrays import Case, call_for_batches
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.facts import Fact, equal_facts, explain_with, extremes, facts_of
from helpers.exercises.shared import new_seed

ENOUGH = 8000  # sequences: a frequency is then right to 0.006, and 0.06 off is ten times that
TOLERANCE = 0.06


def adding_problem_batch(batch_size, T, seed):
    """Return x (B, T, 2), values and marks, and y (B, 1), the sums, both float32.

    All arguments are int. PyTorch's `multinomial` draws where the marks stand.
    """
    rng = torch.Generator().manual_seed(seed)
    values = torch.rand(batch_size, T, generator=rng)
    first = (torch.arange(T) < T // 2).float().expand(batch_size, T)
    places = [half.multinomial(1, generator=rng) for half in (first, 1 - first)]  # (B, 1) each
    marks = torch.zeros(batch_size, T).scatter(1, torch.cat(places, dim=1), 1.0)
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw seeds and a length. The middle step of an odd length belongs to the second half."""
    lengths = 10, 7, int(rng.integers(11, 15))
    return [{"batch_size": ENOUGH, "T": T, "seed": new_seed(rng)} for T in lengths]


FACTS = (
    Fact("shape of x", lambda b: b.x.shape, "shape", "axis"),
    Fact("shape of y", lambda b: b.y.shape, "shape", "axis"),
    Fact("the values that marks take", lambda b: np.unique(b.marks)[:3]),
    Fact("marks in the first half, fewest and most", lambda b: extremes(b.first.sum(axis=0))),
    Fact("marks in the second half, fewest and most", lambda b: extremes(b.second.sum(axis=0))),
    Fact("how often each step is marked", lambda b: b.marks.mean(axis=1), dimensions="t"),
    Fact(
        "steps from mark to mark, fewest and most",
        lambda b: extremes(b.T // 2 + b.second.argmax(axis=0) - b.first.argmax(axis=0)),
    ),
    Fact(
        "values: smallest, mean, greatest",
        lambda b: [b.values.min(), b.values.mean(), b.values.max()],
    ),
    Fact(
        "values: standard deviation between sequences, between steps",
        lambda b: [b.values.std(axis=axis).mean() for axis in (1, 0)],
    ),
    Fact(
        "largest distance of y from the sum of the two marked values",
        lambda b: np.abs(b.y[:, 0] - (b.values * b.marks).sum(axis=0)).max(),
    ),
    Fact("y: mean, standard deviation", lambda b: [b.y.mean(), b.y.std()]),
    Fact(
        "two calls with one seed give the same batch",
        lambda b: np.array_equal(b.x, b.again),
        "truth",
    ),
    Fact("another seed gives other values", lambda b: b.differs[..., 0].any(), "truth"),
    Fact("another seed gives other marks", lambda b: b.differs[..., 1].any(), "truth"),
)
# How the labels of facts begin -> what to do, where one of these is wrong.
REMEDIES: dict[str | tuple[str, ...], str] = {
    "shape of x": "Put values and marks side by side on a last axis, (B, T, 2).",
    "shape of y": "One sum for each sequence, with an axis for the one output, is (B, 1).",
    "the values that": "Put 0 and 1 beside the values: `torch.stack([values, marks], dim=2)`.",
    "marks in": "Every sequence has one mark in each half.",
    "how often": "Each step of a half is equally likely. (`randint` stops before `high`.)",
    "steps from": "Draw the second mark by itself.",
    "values": "Values are uniform between 0 and 1: `torch.rand(B, T)`.",
    ("largest distance", "y"): "Take the sum over time of value times mark.",
    "two calls": "Hand the seeded generator to every draw: `generator=random`.",
    "another seed": "Seed the generator with the argument.",
}


def facts_of_batch(case: Case, returned: Arrays) -> Arrays:
    """Return label -> fact. Where the shapes are wrong, all facts but these are 0."""
    B, T = case["batch_size"], case["T"]
    b = SimpleNamespace(T=T, **returned)
    fits = b.x.shape == b.other.shape == (B, T, 2) and b.y.shape == (B, 1)
    if fits:
        b.values, b.marks = np.ascontiguousarray(b.x.T)  # (T, B) each: fast to sum over time
        b.first, b.second = b.marks[: T // 2], b.marks[T // 2 :]  # the two halves
        b.differs = b.x != b.other  # (B, T, 2)
    return facts_of(FACTS, b, fits)


def draw(B: int, rng: torch.Generator, *ranges: tuple[int, int]) -> torch.Tensor:
    """Return places of marks (B, ranges), one drawn from each range of steps, low to high - 1."""
    return torch.cat([torch.randint(*steps, (B, 1), generator=rng) for steps in ranges], dim=1)


def between(a: int, b: int, c: int, d: int) -> Callable:
    """Return what draws a place in each half, whose ends are moved by a and b, by c and d."""
    return lambda B, T, rng: draw(B, rng, (a, T // 2 + b), (T // 2 + c, T + d))


def wrong(
    values=lambda B, T, rng: torch.rand(B, T, generator=rng),
    places=lambda B, T, rng: draw(B, rng, (0, T // 2), (T // 2, T)),
    x=lambda values, marks: torch.stack([values, marks]).permute(1, 2, 0),
    y=lambda values, marks: (values * marks).sum(dim=1, keepdim=True),
) -> Callable:
    """Return an `adding_problem_batch` that departs from the right one in what is given."""

    def answer(batch_size, T, seed):
        rng = torch.Generator().manual_seed(seed)
        v = values(batch_size, T, rng)  # (B, T)
        marks = torch.zeros(batch_size, T).scatter(1, places(batch_size, T, rng), 1.0)
        return x(v, marks), y(v, marks)

    return answer


# How the ends of the halves are moved -> what to tell.
ENDS = {
    (0, 0, 0, -1): "The last step is never marked: the upper end of `randint` is not included.",
    (0, -1, 0, 0): "The first half's last step is never marked: `randint` stops before `high`.",
    (0, -1, 0, -1): "The last step of each half is never marked: `randint` stops before `high`.",
    (0, 0, 1, 0): "The first step of the second half, T // 2, is never marked.",
    (1, 0, 0, 0): "The first step is never marked. Steps count from 0.",
    (0, 1, 0, 0): "The first mark may stand at step T // 2. That one belongs to the second half.",
    (0, 0, -1, 0): "The second mark may stand before step T // 2. Its half begins there.",
}
EXERCISE = Exercise(
    name="adding_problem_batch",
    title="a batch of the adding problem",
    points=2,
    difficulty=2,
    outputs={fact.label: fact.dimensions for fact in FACTS},
    cases=cases,
    drive=call_for_batches,
    returned=("x", "y", "again", "other"),
    measure=facts_of_batch,
    reference=adding_problem_batch,
    against=f"the description in every fact measured on {ENOUGH} sequences,",
    tolerance=TOLERANCE,
    equal=equal_facts,
    explain=explain_with(FACTS, REMEDIES, TOLERANCE),
    mistakes=(
        *(Mistake(told, wrong(places=between(*moved))) for moved, told in ENDS.items()),
        Mistake(
            "The marks are at the same places in every batch. Draw them anew for every seed.",
            wrong(places=lambda B, T, rng: draw(B, rng.manual_seed(0), (0, T // 2), (T // 2, T))),
        ),
        Mistake(
            "`y` has shape (B,). Keep an axis for the output, (B, 1), or a loss broadcasts.",
            wrong(y=lambda values, marks: (values * marks).sum(dim=1)),
        ),
        Mistake(
            "`y` is the sum of all values. Only the two marked ones count.",
            wrong(y=lambda values, marks: values.sum(dim=1, keepdim=True)),
        ),
        Mistake(
            "`y` is a mean. It is called the adding problem: sum the two marked values.",
            wrong(y=lambda values, marks: (values * marks).sum(dim=1, keepdim=True) / 2),
            also=(wrong(y=lambda values, marks: (values * marks).mean(dim=1, keepdim=True)),),
        ),
        Mistake(
            "`y` is the product of the two values. It is called the adding problem: take the sum.",
            wrong(y=lambda values, marks: values.where(marks > 0, 1.0).prod(dim=1, keepdim=True)),
        ),
        Mistake(
            "A mark is drawn from the whole sequence, so that both may fall into one half.",
            wrong(places=lambda B, T, rng: draw(B, rng, (0, T), (0, T))),
            also=(
                wrong(places=lambda B, T, rng: draw(B, rng, (0, T), (1, T)).cumsum(dim=1) % T),
                wrong(places=lambda B, T, rng: draw(B, rng, (0, T // 2), (0, T))),
                wrong(places=lambda B, T, rng: draw(B, rng, (0, T), (T // 2, T))),
            ),
        ),
        Mistake(
            "Both marks lie in the first half. The second goes from step T // 2 on.",
            wrong(places=lambda B, T, rng: draw(B, rng, (0, T // 2), (0, T // 2))),
        ),
        Mistake(
            "Where T is odd, the second half has one step more, from T // 2 to the last one.",
            wrong(places=lambda B, T, rng: draw(B, rng, (0, (T + 1) // 2), ((T + 1) // 2, T))),
            also=(wrong(places=lambda B, T, g: draw(B, g, (0, T // 2), (T // 2, T // 2 * 2))),),
        ),
        Mistake(
            "Every drawn step is marked in every row. Pair each row with its own step: "
            "`marks[torch.arange(B), places]`.",
            wrong(places=lambda B, T, rng: torch.arange(T).expand(B, T)),
        ),
        Mistake(
            "All sequences of the batch have their marks at the same steps. Draw them for each.",
            wrong(places=lambda B, T, rng: draw(1, rng, (0, T // 2), (T // 2, T)).expand(B, 2)),
        ),
        Mistake(
            "The marks do not move: they stand at fixed steps.",
            wrong(places=lambda B, T, rng: torch.tensor([[0, T // 2]]).expand(B, 2)),
        ),
        Mistake(
            "The second mark follows the first at one distance. Draw the second mark by itself.",
            wrong(places=lambda B, T, g: draw(B, g, (0, T - T // 2)) + torch.tensor([0, T // 2])),
            also=(
                wrong(places=lambda B, T, g: draw(B, g, (0, T // 2)) + torch.tensor([0, T // 2])),
                wrong(places=lambda B, T, g: draw(B, g, (0, T - 1)) + torch.tensor([0, 1])),
            ),
        ),
        Mistake(
            "Values are repeated, for all sequences or at all steps. Draw B times T of them.",
            wrong(values=lambda B, T, rng: torch.rand(T, generator=rng).expand(B, T)),
            also=(wrong(values=lambda B, T, rng: torch.rand(B, 1, generator=rng).expand(B, T)),),
        ),
        Mistake(
            "The values are made of normal numbers. They are uniform in 0 … 1: `torch.rand`.",
            wrong(values=lambda B, T, rng: torch.randn(B, T, generator=rng)),
            also=(wrong(values=lambda B, T, rng: torch.randn(B, T, generator=rng).sigmoid()),),
        ),
        Mistake(
            "The values go from -1 to 1. They are uniform between 0 and 1.",
            wrong(values=lambda B, T, rng: 2 * torch.rand(B, T, generator=rng) - 1),
        ),
        Mistake(
            "The values are whole numbers. They are uniform between 0 and 1: `torch.rand`.",
            wrong(values=lambda B, T, rng: torch.randint(2, (B, T), generator=rng).float()),
        ),
        Mistake(
            "The two channels are swapped: values come first, marks second.",
            wrong(x=lambda values, marks: torch.stack([marks, values], dim=2)),
        ),
        Mistake(
            "The axes of `x` are in another order than (B, T, 2): batch, time, channel.",
            wrong(x=lambda values, marks: torch.stack([values, marks], dim=1)),
            also=(
                wrong(x=lambda values, marks: torch.stack([values, marks])),
                wrong(x=lambda values, marks: torch.stack([values.T, marks.T], dim=2)),
            ),
        ),
        Mistake(
            "The values that are not marked are gone from `x`. They are what makes it hard.",
            wrong(x=lambda values, marks: torch.stack([values * marks, marks], dim=2)),
        ),
        Mistake(
            "The same seed gives another batch each time. Hand its generator to every draw.",
            lambda B, T, seed: wrong()(B, T, int(torch.randint(2**31, ()))),
        ),
        Mistake(
            "Values, at least, are the same whatever the seed. Seed the generator with it.",
            wrong(values=lambda B, T, rng: torch.rand(B, T, generator=torch.Generator())),
            also=(lambda B, T, seed: wrong()(B, T, 0),),
        ),
    ),
)
