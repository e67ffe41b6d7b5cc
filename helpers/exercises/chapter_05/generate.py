"""`generate`: let a model write on from a beginning, section 5.6.

B texts side by side, P characters in a beginning, the prime, V characters in the vocabulary.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_generate
from helpers.exercises.chapter_05.sample_next import sample_next
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.equality import equal_counts
from helpers.exercises.shared import new_seed


def generate(model, prime, length, temperature, top_k, rng):
    """Return the numbers of `length` new characters behind `prime` (B, P), int64 (B, length).

    `logits, state = model(ids)`; for every character the whole text goes through it again.
    """
    with torch.no_grad():
        written = prime
        for _ in range(length):
            logits, _ = model(written)  # (B, characters so far, V)
            drawn = sample_next(logits[:, -1], temperature, top_k, rng)
            written = torch.cat([written, drawn[:, None]], dim=1)
    return written[:, prime.shape[1] :]


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw beginnings. One batch has a single text, and in one batch each has one character."""
    settings = [  # V, B, P, length, temperature, top_k
        (7, 8, 6, 12, 1.0, None),
        (5, 1, 8, 9, 0.5, None),
        (9, 6, 5, 15, 2.0, 3),
        (6, 8, 1, 10, 1.0, 4),
    ]
    return [
        {
            "prime": rng.integers(V, size=(B, P)),
            "length": length,
            "letters": V,
            "temperature": temperature,
            "top_k": top_k,
            "seed": new_seed(rng),
        }
        for V, B, P, length, temperature, top_k in settings
    ]


SAME_SEED, OTHER_SEED = "the same seed writes the same", "another seed writes something else"


def measure(case: Case, returned: Arrays) -> Arrays:
    """Return the likeliest text, what seeds do, and how often each character came last."""
    written, first, again, other, recorded = returned.values()
    last = np.concatenate([first, other])[:, -1]
    return {
        "written": written,
        SAME_SEED: np.array(float(np.array_equal(first, again))),
        OTHER_SEED: np.array(float(not np.array_equal(first, other))),
        "counts": np.bincount(last, minlength=case["letters"]),
        "gradients recorded": recorded,
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
        return (
            f"With `top_k=1`, where nothing is left to chance, character {step} is another than "
            "expected, counted from 0 behind the prime."
        )
    if not got[SAME_SEED] or not got[OTHER_SEED]:
        return "The seed does not decide what is written: hand `rng` on to `sample_next`, as it is."
    if not equal_counts(got["counts"], expected["counts"], 0.0):
        return "The characters are not drawn as `temperature` and `top_k` say: hand both on."
    return "Gradients are recorded while it writes, which costs memory: use `torch.no_grad()`."


def wrong(
    carry=lambda state: state,
    look=lambda logits: logits[:, -1],
    draw=sample_next,
    feed=lambda drawn, given: drawn[:, None],
    recorded=False,
) -> Callable:
    """Return a `generate` that departs from the right one in what is given."""

    def answer(model, prime, length, temperature, top_k, rng):
        given, state, written = prime, None, []
        with torch.set_grad_enabled(recorded):
            for _ in range(length):
                logits, state = model(given, carry(state))
                drawn = draw(look(logits), temperature, top_k, rng)
                written.append(drawn)
                given = feed(drawn, given)
        return torch.stack(written, dim=1)

    return answer


def begins_with(part: Callable) -> Callable:
    """Return a `generate` that feeds part(prime) in place of the prime."""
    return lambda model, prime, *rest: generate(model, part(prime), *rest)


def sets_a_seed(model, prime, length, temperature, top_k, rng):
    return generate(model, prime, length, temperature, top_k, torch.Generator().manual_seed(0))


def one_too_many(model, prime, length, *rest):
    return generate(model, prime, length + 1, *rest)


EXERCISE = Exercise(
    name="generate",
    title="let a model write on",
    points=3,
    outputs={
        "written": "B T",
        SAME_SEED: "",
        OTHER_SEED: "",
        "counts": "v",
        "gradients recorded": "",
    },
    cases=cases,
    drive=call_generate,
    returned=("written", "first", "again", "other", "gradients recorded"),
    measure=measure,
    reference=generate,
    against="the whole text run through the model again for every character (a right answer fails "
    "less than once in 100 000 checks)",
    equal=equal_writing,
    explain=explain,
    mistakes=(
        Mistake(
            "Only the last character of the prime is fed. What stands before it is what the model "
            "should go on from: feed all of it, and keep the state.",
            begins_with(lambda prime: prime[:, -1:]),
        ),
        Mistake(
            "The prime is not fed at all: this begins with character 0.",
            begins_with(lambda prime: torch.zeros_like(prime[:, :1])),
        ),
        Mistake(
            "The state is thrown away after each character, so the model knows one character only. "
            "Hand it on: `model(given, state)`.",
            wrong(carry=lambda state: None),
        ),
        Mistake(
            "The prime's last character goes in twice, once with the prime and once to start. The "
            "logits that came with the prime are already those of the next character.",
            begins_with(lambda prime: torch.cat([prime, prime[:, -1:]], dim=1)),
        ),
        Mistake(
            "The state already knows the text, and the whole text goes in again. Feed the new "
            "character alone, or everything without the state.",
            wrong(feed=lambda drawn, given: torch.cat([given, drawn[:, None]], dim=1)),
        ),
        Mistake(
            "The prime is returned, too. Return what is new, (B, length).",
            lambda model, prime, *rest: torch.cat([prime, generate(model, prime, *rest)], dim=1),
        ),
        Mistake(
            "The drawn character is not fed back: the model gets the prime again and again.",
            wrong(feed=lambda drawn, given: given),
            also=(wrong(feed=lambda drawn, given: given[:, -1:]),),
        ),
        Mistake(
            "This reads the logits of the first step. The next character is what the last step "
            "predicts: `logits[:, -1]`.",
            wrong(look=lambda logits: logits[:, 0]),
        ),
        Mistake(
            "The likeliest character is always taken. Draw it with `sample_next`.",
            wrong(draw=lambda logits, temperature, top_k, rng: logits.argmax(dim=1)),
        ),
        Mistake(
            "`temperature` is not handed on to `sample_next`.",
            wrong(draw=lambda logits, temperature, k, rng: sample_next(logits, 1.0, k, rng)),
        ),
        Mistake(
            "`top_k` is not handed on to `sample_next`.",
            wrong(draw=lambda logits, heat, k, rng: sample_next(logits, heat, None, rng)),
        ),
        Mistake(
            "Gradients are recorded while it writes, and the graph grows with every character. "
            "Put `torch.no_grad()` around it.",
            wrong(recorded=True),
        ),
        Mistake(
            "`rng` is not the one that was handed in, so the seed does not decide what is written: "
            "hand it on to `sample_next`.",
            wrong(draw=lambda z, heat, k, rng: sample_next(z, heat, k, torch.default_generator)),
        ),
        Mistake(
            "`rng` is made or set to a seed inside, so every text is the same. Hand on the one "
            "that comes in.",
            wrong(draw=lambda z, heat, k, rng: sample_next(z, heat, k, torch.Generator())),
            also=(sets_a_seed,),
        ),
        Mistake(
            "The prime goes in twice. Its logits are already those of the next character.",
            begins_with(lambda prime: torch.cat([prime, prime], dim=1)),
        ),
        Mistake("One character too many.", one_too_many),
        Mistake(
            "The first character drawn is lost. It belongs to the text like the others.",
            lambda *given: one_too_many(*given)[:, 1:],
        ),
        Mistake(
            "The shape is (length, B). Stack along axis 1: (B, length).",
            lambda *given: generate(*given).T,
        ),
    ),
)
