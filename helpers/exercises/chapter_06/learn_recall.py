"""`learn_recall`: learn a task of recall that was made up a moment ago, section 6.9.

B sequences, n pairs. After each key come three numbers, and one of them is its value. Which one,
under which other names keys are asked, and by which numbers values are answered, is drawn anew:
only who learns from the batches knows it.
"""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_06 import call_recall_learner
from helpers.exercises.bands import Bands
from helpers.exercises.chapter_06.recall_batch import KEYS, VALUES, recall_batch
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import new_seed

PAIRS, AFTER, BATCH, BATCHES, ASKED = 16, 3, 60, 200, 250
LONG = PAIRS * (1 + AFTER)  # steps before the first question
FLAWS = (
    "",
    f"`predict` must return one whole number for each of the {PAIRS} questions: (B, {PAIRS}).",
    "With a single sequence `predict` loses an axis: (1, n) is asked for.",
    "One answer is given to everything. Does the loss fall at all?",
    f"There are answers that y never has: it is 0 to {VALUES - 1}.",
    "The answers come in the order of the pairs: which key is asked does not count.",
)
BANDS = Bands(
    to_pass=0.1,
    poor="with a quarter right",
    parts={
        "fewer than a quarter right": (np.inf, 0.0),
        "a quarter right": (np.inf, 0.25),
        "half of the answers right": (0.5, 0.5),
        "three quarters right": (0.25, 0.75),
    },
    flaws=FLAWS,
    found=f"Of the answers to {ASKED} fresh sequences, a share of {{left}} is wrong: {{band}}. "
    "{bar} passes.",
)


def learn_recall(batches):
    """Return what can be said by counting.

    A key is in every sequence in which it is asked, and other keys are not; of the three numbers
    after a key, the value is the one that has one answer throughout.
    """
    x, y = (
        np.concatenate([np.asarray(part) for part in parts]) for parts in zip(*batches, strict=True)
    )
    keys, asked = x[:, : LONG : 1 + AFTER], x[:, LONG:]
    together = _among(asked, KEYS).T @ _among(keys, KEYS)  # (asked as, key)
    key_of = together.argmax(axis=1)
    tables = []
    for place in range(1, 1 + AFTER):
        counts = np.zeros((KEYS + VALUES, VALUES), dtype=int)
        np.add.at(counts, (looked_up(x, key_of, place), y), 1)
        tables.append((counts.max(axis=1).sum(), place, counts.argmax(axis=1)))
    _, place, names = max(tables, key=lambda table: table[0])
    return lambda asked: names[looked_up(np.asarray(asked), key_of, place)]


def _among(numbers: np.ndarray, size: int) -> np.ndarray:
    """Return (B, size): 1 where a row has a number."""
    present = np.zeros((len(numbers), size), dtype=int)
    np.put_along_axis(present, numbers, 1, axis=1)
    return present


def looked_up(x: np.ndarray, key_of: np.ndarray, place: int) -> np.ndarray:
    """Return the numbers (B, n) that stand so many places behind the keys that are asked."""
    pairs, asked = x[:, :LONG].reshape(len(x), PAIRS, 1 + AFTER), x[:, LONG:]
    where = (key_of[asked][:, :, None] == pairs[:, None, :, 0]).argmax(axis=2)
    return np.take_along_axis(pairs[:, :, place], where, axis=1)


def drawn(batch_size: int, task: dict, rng: np.random.Generator) -> tuple:
    """Return x (B, 5n), y (B, n) of a task, and its answers in the order of the pairs."""
    x, y = (part.numpy() for part in recall_batch(batch_size, PAIRS, new_seed(rng)))
    pairs, asked = x[:, : 2 * PAIRS].reshape(-1, PAIRS, 2), x[:, 2 * PAIRS :]
    after = rng.integers(KEYS, KEYS + VALUES, size=(batch_size, PAIRS, AFTER))
    after[:, :, task["place"] - 1] = pairs[:, :, 1]
    long = np.concatenate([pairs[:, :, :1], after], axis=2).reshape(batch_size, LONG)
    answers, in_order = task["answers"][y - KEYS], task["answers"][pairs[:, :, 1] - KEYS]
    return np.concatenate([long, task["asked as"][asked]], axis=1), answers, in_order


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw a task, batches to learn it from, and sequences to answer. The value is not next."""
    task = {
        "place": int(rng.integers(2, 1 + AFTER)),
        "asked as": rng.permutation(KEYS),
        "answers": rng.permutation(VALUES),
    }
    x, y, _ = drawn(BATCHES * BATCH, task, rng)
    asked, right, in_order = drawn(ASKED, task, rng)
    return [
        {
            "x": x.reshape(BATCHES, BATCH, -1),
            "y": y.reshape(BATCHES, BATCH, -1),
            "asked": asked,
            "right": right,
            "in order": in_order,
        }
    ]


def measured(case: Case, returned: Arrays) -> Arrays:
    """Return the share of wrong answers, what it is with a quarter right, and a flaw's number."""
    said, right = returned["said"], case["right"]
    flaw = flaw_of(said, case, returned["said of one"])
    return {
        "left": np.array(np.inf if flaw else (said != right).mean()),
        "with a quarter right": np.array(0.75),
        "flaw": np.array(flaw),
    }


def flaw_of(said: np.ndarray, case: Case, of_one: np.ndarray) -> int:
    """Return the number of what makes answers incomparable, in FLAWS; 0 for nothing."""
    if said.shape != case["right"].shape:
        return 1
    if of_one.shape != (1, PAIRS):
        return 2
    if said.min() < 0 or said.max() >= VALUES:
        return 4
    if np.ptp(said) == 0:
        return 3
    return 5 if (said == case["in order"]).mean() > 0.5 else 0


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
    kept=("right", "in order"),
    drive=call_recall_learner,
    returned=("said", "said of one"),
    measure=measured,
    reference=learn_recall,
    against=f"the answers to {ASKED} fresh sequences, of which at most {BANDS.to_pass:.0%} may be "
    "wrong",
    tolerance=0.01,
    **BANDS.judging,
    mistakes=(
        Mistake(
            FLAWS[1],
            by(lambda x: np.zeros((len(x), VALUES, PAIRS), dtype=int)),
            also=(by(np.zeros_like),),
        ),
        Mistake(FLAWS[2], altered(np.squeeze)),
        Mistake(FLAWS[3], by(lambda x: np.full((len(x), PAIRS), VALUES - 1))),
        Mistake(
            FLAWS[4],
            altered(lambda said: said + KEYS),
            also=(by(lambda x: x[:, 2 : LONG : 1 + AFTER]), altered(lambda said: said - 1)),
        ),
        Mistake(FLAWS[5], lambda batches: lambda asked: _in_order(batches, np.asarray(asked))),
    ),
)


def _in_order(batches: list, asked: np.ndarray) -> np.ndarray:
    """Answer as if the keys were asked in the order in which they came."""
    x = np.concatenate([np.asarray(part) for part, _ in batches])
    keys, questions = x[:, : LONG : 1 + AFTER], x[:, LONG:]
    name_of = (_among(keys, KEYS).T @ _among(questions, KEYS)).argmax(axis=1)  # key -> asked as
    in_turn = name_of[asked[:, : LONG : 1 + AFTER]]
    return learn_recall(batches)(np.concatenate([asked[:, :LONG], in_turn], axis=1))
