"""`recall_batch`: pairs of key and value, then the keys in another order, section 6.1.

B sequences in a batch, n pairs. Keys are the numbers 0 to 31, values 32 to 63. Facts are compared,
since answers draw as they like.
"""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch

from helpers.calling.arrays import Case, call_for_batches
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.facts import Fact, equal_facts, explain_with, extremes, facts_of
from helpers.exercises.shared import new_seed

KEYS = VALUES = 32
ENOUGH = 2000  # sequences: two frequencies are then apart by 0.016, and 0.08 is five times that
TOLERANCE = 0.08


def recall_batch(batch_size, n, seed):
    """Return x (B, 3n), the pairs and then the keys once more, and y (B, n), their values; int64.

    Each row's keys are the places of its n largest random numbers.
    """
    rng = torch.Generator().manual_seed(seed)
    keys = torch.rand(batch_size, KEYS, generator=rng).topk(n, dim=1).indices  # (B, n)
    values = torch.randint(KEYS, KEYS + VALUES, (batch_size, n), generator=rng)
    table = torch.zeros(batch_size, KEYS, dtype=torch.long).scatter(1, keys, values)
    order = torch.rand(batch_size, n, generator=rng).topk(n, dim=1).indices
    asked = keys.gather(1, order)
    pairs = torch.stack([keys, values], dim=2).flatten(1)  # (B, 2n)
    return torch.cat([pairs, asked], dim=1), table.gather(1, asked)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw seeds; once there is a single pair."""
    return [{"batch_size": ENOUGH, "n": n, "seed": new_seed(rng)} for n in (4, 1, 7)]


def looked_up(b: SimpleNamespace) -> np.ndarray:
    """Return the values (B, n) that stand beside the keys that are asked; 0 if none does."""
    same = b.asked[:, :, None] == b.keys[:, None, :]  # (B, n, n)
    return (same * b.values[:, None, :]).max(axis=2)


def in_turn(b: SimpleNamespace) -> float:
    """Return how often, of two questions in a row, the second is about the next pair."""
    if b.n == 1:
        return 0.0
    place = (b.asked[:, :, None] == b.keys[:, None, :]).argmax(axis=2)
    return float((np.diff(place, axis=1) == 1).mean())


def repeated(rows: np.ndarray) -> float:
    """Return how many rows have a number twice, as a share."""
    ordered = np.sort(rows, axis=1)
    return float((ordered[:, 1:] == ordered[:, :-1]).any(axis=1).mean())


FACTS = (
    Fact("shape of x", lambda b: b.x.shape, "shape", "axis"),
    Fact("shape of y", lambda b: b.y.shape, "shape", "axis"),
    Fact("types of x and y", lambda b: [b.x.dtype.num, b.y.dtype.num], "types"),
    Fact("keys, smallest and greatest", lambda b: extremes(b.keys)),
    Fact("values, smallest and greatest", lambda b: extremes(b.values)),
    Fact("sequences with a key twice", lambda b: repeated(b.keys)),
    Fact("sequences with a value twice", lambda b: repeated(b.values)),
    Fact(
        "sequences in which the keys of the pairs are asked, each once",
        lambda b: (np.sort(b.keys) == np.sort(b.asked)).all(axis=1).mean(),
    ),
    Fact(
        "how often each pair is asked first",
        lambda b: (b.keys == b.asked[:, :1]).mean(axis=0),
        dimensions="n",
    ),
    Fact(
        "how often each pair is asked last",
        lambda b: (b.keys == b.asked[:, -1:]).mean(axis=0),
        dimensions="n",
    ),
    Fact("mean of each pair's key, in 32", lambda b: b.keys.mean(axis=0) / KEYS, dimensions="n"),
    Fact("spread of the keys, in 32", lambda b: b.keys.std() / KEYS),
    Fact("spread of the values, in 32", lambda b: b.values.std() / VALUES),
    Fact("how often y is the key itself", lambda b: (b.y == b.asked).mean()),
    Fact("how often y is the value beside the key", lambda b: (b.y == looked_up(b)).mean()),
    Fact("each y is the value beside the key", lambda b: (b.y == looked_up(b)).all(), "truth"),
    Fact(
        "how often a greater key is asked next",
        lambda b: (np.diff(b.asked) > 0).mean() if b.n > 1 else 0.0,
    ),
    Fact("how often the pair that came next is asked next", lambda b: in_turn(b)),
    Fact(
        "two calls with one seed give the same batch",
        lambda b: np.array_equal(b.x, b.again),
        "truth",
    ),
    Fact("another seed gives other keys", lambda b: b.differs[:, : 2 * b.n : 2].any(), "truth"),
    Fact("another seed gives other values", lambda b: b.differs[:, 1 : 2 * b.n : 2].any(), "truth"),
)
REMEDIES: dict[str | tuple[str, ...], str] = {
    "shape of x": "n pairs and n questions are 3n numbers.",
    "shape of y": "One answer for each question: (B, n).",
    "types": "Numbers of embeddings and classes are int64.",
    "keys": "x begins key, value, key, value, …; keys are 0 to 31.",
    "values": "x begins key, value, key, value, …; values are 32 to 63.",
    "sequences with a key": "A key that stands twice has two values. Draw without replacement.",
    "sequences with a value": "Values are drawn by themselves, and may repeat.",
    "sequences in which": "After the pairs come the same keys, each once.",
    (
        "how often each",
        "how often a g",
        "how often the p",
    ): "The keys are asked in an order of their own, drawn for each sequence.",
    ("mean", "spread"): "All keys are equally likely at each place, and so are all values.",
    ("how often y", "each y"): "y is the value that stands beside the key that is asked.",
    "two calls": "Hand the seeded generator to every draw: `generator=rng`.",
    "another seed": "Seed the generator with the argument.",
}


def facts_of_batch(case: Case, returned: Arrays) -> Arrays:
    """Return label -> fact."""
    B, n = case["batch_size"], case["n"]
    b = SimpleNamespace(n=n, **returned)
    fits = b.x.shape == b.other.shape == (B, 3 * n) and b.y.shape == (B, n)
    if fits:
        b.keys, b.values, b.asked = b.x[:, : 2 * n : 2], b.x[:, 1 : 2 * n : 2], b.x[:, 2 * n :]
        b.differs = b.x != b.other
    return facts_of(FACTS, b, fits)


def drawn_keys(B: int, n: int, rng: torch.Generator) -> torch.Tensor:
    """Return n different numbers from 0 to 31 in each of B rows, in random order."""
    return torch.rand(B, KEYS, generator=rng).argsort(dim=1)[:, :n]


def wrong(
    keys: Callable = drawn_keys,
    values: Callable = lambda B, n, rng: torch.randint(KEYS, KEYS + VALUES, (B, n), generator=rng),
    order: Callable = lambda B, n, rng: torch.rand(B, n, generator=rng).argsort(dim=1),
    x: Callable = lambda k, v, asked: torch.cat([torch.stack([k, v], 2).flatten(1), asked], 1),
    y: Callable = lambda k, v, order: v.gather(1, order),
) -> Callable:
    """Return a `recall_batch` that departs from the right one in what is given."""

    def answer(batch_size, n, seed):
        rng = torch.Generator().manual_seed(seed)
        k, v, by = (draw(batch_size, n, rng) for draw in (keys, values, order))
        return x(k, v, k.gather(1, by)), y(k, v, by)

    return answer


def sorted_questions(descending: bool) -> Callable:
    """Return a `recall_batch` that asks for its keys in order of size."""

    def answer(batch_size, n, seed):
        rng = torch.Generator().manual_seed(seed)
        keys = drawn_keys(batch_size, n, rng)
        values = torch.randint(KEYS, KEYS + VALUES, (batch_size, n), generator=rng)
        asked, order = keys.sort(dim=1, descending=descending)
        pairs = torch.stack([keys, values], dim=2).flatten(1)
        return torch.cat([pairs, asked], dim=1), values.gather(1, order)

    return answer


EXERCISE = Exercise(
    name="recall_batch",
    title="a batch of the recall task",
    points=3,
    difficulty=2,
    outputs={fact.label: fact.dimensions for fact in FACTS},
    cases=cases,
    drive=call_for_batches,
    returned=("x", "y", "again", "other"),
    measure=facts_of_batch,
    reference=recall_batch,
    against=f"the description in every fact measured on {ENOUGH} sequences,",
    tolerance=TOLERANCE,
    equal=equal_facts,
    explain=explain_with(FACTS, REMEDIES, TOLERANCE),
    mistakes=(
        Mistake(
            "Keys are drawn with replacement, so that one may stand twice, with two values.",
            wrong(keys=lambda B, n, rng: torch.randint(KEYS, (B, n), generator=rng)),
        ),
        Mistake(
            "The keys are asked in the order in which they came. Draw another for each sequence.",
            wrong(order=lambda B, n, rng: torch.arange(n).expand(B, n)),
        ),
        Mistake(
            "The keys are asked in reversed order, always. Draw an order for each sequence.",
            wrong(order=lambda B, n, rng: torch.arange(n).flip(0).expand(B, n)),
        ),
        Mistake(
            "The keys are asked in ascending order. Draw an order for each sequence.",
            sorted_questions(False),
            also=(sorted_questions(True),),
        ),
        Mistake(
            "The keys are asked in the order in which they came, begun somewhere else. Draw an "
            "order: any of them.",
            wrong(
                order=lambda B, n, rng: (
                    (torch.arange(n) + torch.randint(n, (B, 1), generator=rng)) % n
                )
            ),
        ),
        Mistake(
            "All sequences ask in one order. Draw it for each.",
            wrong(order=lambda B, n, rng: torch.randperm(n, generator=rng).expand(B, n)),
        ),
        Mistake(
            "y has the values in the order of the pairs, not in that of the questions.",
            wrong(y=lambda k, v, order: v),
        ),
        Mistake(
            "y is found with the inverse of the order: the place where a key is *asked* is taken "
            "for the one where it *stands*.",
            wrong(y=lambda k, v, order: v.gather(1, order.argsort(dim=1))),
        ),
        Mistake(
            "y has the keys that are asked. Their values are asked for.",
            wrong(y=lambda k, v, order: k.gather(1, order)),
        ),
        Mistake(
            "y counts the values from 0. They are to be as they stand in x, 32 to 63.",
            wrong(y=lambda k, v, order: v.gather(1, order) - KEYS),
        ),
        Mistake(
            "First come all keys and then all values. They come in pairs: key, value, key, value.",
            wrong(x=lambda k, v, asked: torch.cat([k, v, asked], dim=1)),
        ),
        Mistake(
            "Each pair has its value first. The key comes first.",
            wrong(x=lambda k, v, a: torch.cat([torch.stack([v, k], 2).flatten(1), a], dim=1)),
        ),
        Mistake(
            "The questions are missing from x.",
            wrong(x=lambda k, v, asked: torch.stack([k, v], dim=2).flatten(1)),
        ),
        Mistake(
            "Values are drawn from 0 to 31, as the keys are, so that nobody can tell which is "
            "which. They are 32 to 63.",
            wrong(values=lambda B, n, rng: torch.randint(VALUES, (B, n), generator=rng)),
        ),
        Mistake(
            "There is a value too many: `randint` stops before `high`, so that is 64.",
            wrong(values=lambda B, n, rng: torch.randint(KEYS, 65, (B, n), generator=rng)),
        ),
        Mistake(
            "The largest value is missing: `randint` stops before `high`.",
            wrong(values=lambda B, n, rng: torch.randint(KEYS, 63, (B, n), generator=rng)),
        ),
        Mistake(
            "Values are drawn without replacement. Two keys may have the same value.",
            wrong(values=lambda B, n, rng: KEYS + drawn_keys(B, n, rng)),
        ),
        Mistake(
            "The keys stand in ascending order. Their order is random.",
            wrong(keys=lambda B, n, rng: drawn_keys(B, n, rng).sort(dim=1).values),
        ),
        Mistake(
            "Only the first n keys are ever used. All 32 are equally likely.",
            wrong(keys=lambda B, n, rng: torch.rand(B, n, generator=rng).argsort(dim=1)),
        ),
        Mistake(
            "All sequences of the batch have the same keys. Draw them for each.",
            wrong(
                keys=lambda B, n, rng: torch.randperm(KEYS, generator=rng)[:n].expand(B, n),
            ),
        ),
        Mistake(
            "The numbers are floats. An embedding and a loss over classes want int64.",
            lambda batch_size, n, seed: tuple(p.float() for p in wrong()(batch_size, n, seed)),
        ),
        Mistake(
            "The same seed gives another batch each time: hand `rng` to every draw.",
            wrong(values=lambda B, n, rng: torch.randint(KEYS, KEYS + VALUES, (B, n))),
            also=(
                wrong(keys=lambda B, n, rng: torch.rand(B, KEYS).argsort(dim=1)[:, :n]),
                wrong(order=lambda B, n, rng: torch.rand(B, n).argsort(dim=1)),
            ),
        ),
        Mistake(
            "Every seed gives the same batch. Seed the generator with the argument.",
            lambda batch_size, n, seed: wrong()(batch_size, n, 0),
        ),
    ),
)
