"""`learn_recall`: learn a task of recall that was made up a moment ago, section 6.9.

B sequences, n pairs. Between a key and its value stands a number that tells nothing, and the
numbers of the answers are drawn anew: only who learns from the batches knows them.
"""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_06 import call_recall_learner
from helpers.exercises.bands import Bands
from helpers.exercises.chapter_06.recall_batch import KEYS, VALUES, recall_batch
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import new_seed

PAIRS, BATCH, BATCHES, ASKED = 16, 60, 200, 250
BETWEEN = KEYS + VALUES  # the number between a key and its value
FLAWS = (
    "",
    f"`predict` must return one whole number for each of the {PAIRS} questions: (B, {PAIRS}).",
    "With a single sequence `predict` loses an axis: (1, n) is asked for.",
    "One answer is given to everything. Does the loss fall at all?",
)
BANDS = Bands(
    to_pass=0.1,
    poor="with a quarter right",
    parts={
        "fewer than a quarter right (does the step that has a value know its key?)": (np.inf, 0.0),
        "a quarter right": (np.inf, 0.25),
        "half of the answers right": (0.5, 0.5),
        "three quarters right": (0.25, 0.75),
    },
    flaws=FLAWS,
    found=f"Of the answers to {ASKED} fresh sequences, a share of {{left}} is wrong: {{band}}. "
    "{bar} passes.",
)


def learn_recall(batches):
    """Return what whoever knows the task says, once the numbers of the answers are found."""
    x, y = (
        np.concatenate([np.asarray(part) for part in parts]) for parts in zip(*batches, strict=True)
    )
    names = np.zeros(BETWEEN + 1, dtype=int)
    names[looked_up(x)] = y
    return lambda asked: names[looked_up(np.asarray(asked))]


def looked_up(x: np.ndarray) -> np.ndarray:
    """Return the values (B, n) that stand two places behind the keys that are asked."""
    n = x.shape[1] // 4
    keys, values, asked = x[:, : 3 * n : 3], x[:, 2 : 3 * n : 3], x[:, 3 * n :]
    places = (asked[:, :, None] == keys[:, None, :]).argmax(axis=2)
    return np.take_along_axis(values, places, axis=1)


def drawn(batch_size: int, names: np.ndarray, rng: np.random.Generator) -> tuple:
    """Return x (B, 4n) and y (B, n) of this task, whose values have these names as answers."""
    x, y = (part.numpy() for part in recall_batch(batch_size, PAIRS, new_seed(rng)))
    pairs, asked = x[:, : 2 * PAIRS].reshape(-1, PAIRS, 2), x[:, 2 * PAIRS :]
    between = np.full_like(pairs[:, :, :1], BETWEEN)
    apart = np.concatenate([pairs[:, :, :1], between, pairs[:, :, 1:]], axis=2)
    return np.concatenate([apart.reshape(batch_size, -1), asked], axis=1), names[y - KEYS]


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw names for the answers, batches to learn from, and sequences to answer."""
    names = rng.permutation(VALUES)
    x, y = drawn(BATCHES * BATCH, names, rng)
    asked, right = drawn(ASKED, names, rng)
    return [
        {
            "x": x.reshape(BATCHES, BATCH, -1),
            "y": y.reshape(BATCHES, BATCH, -1),
            "asked": asked,
            "right": right,
        }
    ]


def measured(case: Case, returned: Arrays) -> Arrays:
    """Return the share of wrong answers, what it is with a quarter right, and a flaw's number."""
    said, right = returned["said"], case["right"]
    flaw = flaw_of(said, right.shape, returned["said of one"])
    return {
        "left": np.array(np.inf if flaw else (said != right).mean()),
        "with a quarter right": np.array(0.75),
        "flaw": np.array(flaw),
    }


def flaw_of(said: np.ndarray, shape: tuple[int, ...], of_one: np.ndarray) -> int:
    """Return the number of what makes answers incomparable, in FLAWS; 0 for nothing."""
    if said.shape != shape:
        return 1
    if of_one.shape != (1, PAIRS):
        return 2
    return 3 if np.ptp(said) == 0 else 0


def altered(change: Callable) -> Callable:
    """Return a `learn_recall` whose answers are changed."""
    return lambda batches: lambda asked: change(learn_recall(batches)(asked))


def by(said: Callable) -> Callable:
    """Return a `learn_recall` that learns nothing: its answers are made of what is asked, x."""
    return lambda batches: lambda asked: said(np.asarray(asked))


EXERCISE = Exercise(
    name="learn_recall",
    title="a task of recall that was made up a moment ago",
    points=5,
    difficulty=3,
    outputs={"left": "", "with a quarter right": "", "flaw": ""},
    cases=cases,
    kept=("right",),
    drive=call_recall_learner,
    returned=("said", "said of one"),
    measure=measured,
    reference=learn_recall,
    against=f"the answers to {ASKED} fresh sequences, of which at most {BANDS.to_pass:.0%} may be "
    "wrong",
    tolerance=0.01,
    equal=BANDS.equal,
    explain=BANDS.explain,
    share=BANDS.share,
    mistakes=(
        Mistake(
            "These are the values as they stand in x. Their answers have other numbers, which only "
            "the batches tell.",
            by(looked_up),
            also=(by(lambda x: looked_up(x) - KEYS),),
        ),
        Mistake(
            "Each question gets the answer of the pair at its own place: which key is asked does "
            "not count.",
            lambda batches: lambda asked: _in_order(batches, np.asarray(asked)),
        ),
        Mistake(
            FLAWS[1],
            by(lambda x: np.zeros((len(x), VALUES, PAIRS), dtype=int)),
            also=(by(np.zeros_like),),
        ),
        Mistake(FLAWS[2], altered(np.squeeze)),
        Mistake(FLAWS[3], by(lambda x: np.full((len(x), PAIRS), VALUES - 1))),
    ),
)


def _in_order(batches: list, asked: np.ndarray) -> np.ndarray:
    """Answer with the values in the order of the pairs."""
    n = asked.shape[1] // 4
    in_their_order = np.concatenate([asked[:, : 3 * n], asked[:, : 3 * n : 3]], axis=1)
    return learn_recall(batches)(in_their_order)
