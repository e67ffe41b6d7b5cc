"""What can be told of the text that a `generate` has written: what the model has read.

B texts side by side, P characters in the prime, V characters in the vocabulary.
"""

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.writing import Reader
from helpers.exercises.contract import Arrays
from helpers.exercises.equality import equal_counts

SAME_SEED, OTHER_SEED = "the same seed writes the same", "another seed writes something else"


def measure(case: Case, returned: Arrays) -> Arrays:
    """Return the likeliest text, what seeds do, and how often each character came last.

    Beside what is compared: what `explain` needs of the case.
    """
    written, first, again, other, recorded = returned.values()
    last = np.concatenate([first, other])[:, -1]
    return {
        "written": written,
        SAME_SEED: np.array(float(np.array_equal(first, again))),
        OTHER_SEED: np.array(float(not np.array_equal(first, other))),
        "counts": np.bincount(last, minlength=case["letters"]),
        "gradients recorded": recorded,
        "prime": case["prime"],
        "of the model": np.array([case["letters"], case["seed"]]),
    }


def equal_writing(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Return whether texts are equal, or counts come from one distribution."""
    if got.ndim == 1:
        return equal_counts(got, expected, tolerance)
    return np.array_equal(got, expected)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return the first of what can be wrong: text, use of the seed, counts, or gradients."""
    if not np.array_equal(got["written"], expected["written"]):
        agree = got["written"] == expected["written"]
        step = int(np.flatnonzero(~agree.all(axis=0))[0])
        order = _order(got["written"], expected["written"])
        return (
            f"{order or _what_was_read(got, step)}\n"
            f"With `top_k=1`, where nothing is left to chance, character {step} is another than "
            "expected, counted from 0 behind the prime."
        ).strip()
    if not got[SAME_SEED] or not got[OTHER_SEED]:
        return "The seed does not decide what is written: hand `rng` on to `sample_next`, as it is."
    if not equal_counts(got["counts"], expected["counts"], 0.0):
        return "The characters are not drawn as `temperature` and `top_k` say: hand both on."
    return "Gradients are recorded while it writes, which costs memory: use `torch.no_grad()`."


FED_TO_ALL = "What one text drew is fed to all texts. Feed each its own, (B, 1)."
TOP_K_LOST = (
    "With `top_k=1` others than the likeliest character come. Hand `top_k` on to `sample_next`, as "
    "it is."
)


def _order(got: np.ndarray, expected: np.ndarray) -> str:
    """Return a sentence if all is there, in another order."""
    if np.array_equal(got[:, ::-1], expected):
        return "The new characters are in reverse order."
    if len(got) > 3 and sorted(got.tolist()) == sorted(expected.tolist()):
        return "The texts are right, but they stand in other rows than their beginnings."
    return ""


def _what_was_read(got: Arrays, step: int) -> str:
    """Return after which text a character is the likeliest, if the rows are enough to tell."""
    prime, written = got["prime"], got["written"]
    (B, P), (V, seed) = prime.shape, got["of the model"].tolist()
    if B < 4:
        return ""
    model = Reader(V, seed)

    def logits_after(text):
        with torch.no_grad():
            return model(torch.from_numpy(text))[0].numpy()  # (B, T, V)

    def explains(text):
        return np.array_equal(logits_after(text)[:, -1].argmax(axis=1), written[:, step])

    read = [r for r, text in _readings(prime, written[:, :step]).items() if explains(text)]
    if read == ["row 0's"]:
        return FED_TO_ALL
    if read:
        return (
            f"Character {step} is what the model says when it has read {read[0]}. It must have "
            "read all of the prime, then each character that was drawn, once."
        )
    logits = logits_after(np.concatenate([prime, written], axis=1))[:, P - 1 + step : -1]
    p = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    others = written[:, step:] != logits.argmax(axis=2)
    drawn = np.take_along_axis(p, written[:, step:, None], axis=2)[..., 0]
    if 8 <= others.sum() < 0.7 * others.size and np.log(drawn[others]).mean() > -2.6:
        return TOP_K_LOST
    return ""


def _readings(prime: np.ndarray, new: np.ndarray) -> dict[str, np.ndarray]:
    """Return texts that a model may have read by mistake when the characters `new` are drawn."""
    P, n = prime.shape[1], new.shape[1]
    text, last = np.c_[prime, new], np.s_[:, -1:]
    readings = {
        **{f"the last {i} of the {n} characters drawn alone": new[:, -i:] for i in range(1, n)},
        f"the {n} characters drawn alone, without the prime": new,
        "the prime alone": prime,
        **{f"the prime and the first {i} of the {n} drawn": text[:, : P + i] for i in range(1, n)},
        f"the prime and the last of the {n} drawn alone": np.c_[prime, new[last]],
        "the whole text and its last character once more": np.c_[text, text[last]],
        "the whole text twice": np.c_[text, text],
        "the prime twice": np.c_[prime, text],
        "the prime with its last character twice": np.c_[prime, prime[last], new],
        "the prime backwards": np.c_[prime[:, ::-1], new],
        "a 0 in place of the prime": np.c_[0 * prime[last], new],
        "a 0 and then the prime": np.c_[0 * prime[last], text],
        "the prime of row 0": np.c_[np.repeat(prime[:1], len(prime), axis=0), new],
        "the prime, then zeros in place of what was drawn": np.c_[prime, 0 * new],
        "the prime, then again and again all that was drawn so far": np.concatenate(
            [prime, *(new[:, :i] for i in range(1, n + 1))], axis=1
        ),
        "row 0's": np.c_[prime, new[:, :-1], np.repeat(new[:1, -1:], len(prime), axis=0)],
    }
    for i in range(1, P):
        readings[f"the last {i} of the {P} characters of the prime"] = np.c_[prime[:, -i:], new]
        readings[f"the first {i} of the {P} characters of the prime"] = np.c_[prime[:, :i], new]
        readings[f"the first {i} of the {P} characters of the prime alone"] = prime[:, :i]
    return {r: t for r, t in readings.items() if t.shape[1] and not np.array_equal(t, text)}
