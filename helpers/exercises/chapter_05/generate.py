"""`generate`: let a model write on from a beginning, section 5.6.

B texts side by side, P characters in a beginning, the prime, V characters in the vocabulary.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.writing import call_generate
from helpers.exercises.chapter_05.parts.written import (
    FED_TO_ALL,
    OTHER_SEED,
    SAME_SEED,
    TOP_K_LOST,
    equal_writing,
    explain,
    measure,
)
from helpers.exercises.chapter_05.sample_next import sample_next
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed


def generate(model, prime, length, temperature, top_k, rng):
    """Return the numbers of `length` new characters behind `prime` (B, P), int64 (B, length).

    `logits, state = model(ids, state)`; each character of `prime` is read by itself, and then what
    was drawn.
    """
    state, written = None, prime
    with torch.no_grad():
        for t in range(prime.shape[1] + length - 1):
            logits, state = model(written[:, t : t + 1], state)  # (B, 1, V)
            if t >= prime.shape[1] - 1:
                drawn = sample_next(logits[:, 0], temperature, top_k, rng)
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


def draw_quickly(logits, temperature, top_k, rng):
    """Draw as `sample_next` does, without its work where nothing is left to chance."""
    likeliest = logits.argmax(dim=1)
    return likeliest if top_k == 1 else sample_next(logits, temperature, top_k, rng)


def wrong(
    carry=lambda state: state,
    look=lambda logits: logits[:, -1],
    draw=draw_quickly,
    feed=lambda drawn, given: drawn[:, None],
    begin=lambda prime: prime,
    finish=lambda new: new,
    recorded=False,
    more=0,
) -> Callable:
    """Return a `generate` that departs from the right one in what is given."""

    def answer(model, prime, length, temperature, top_k, rng):
        given, state, written = begin(prime), None, []
        with torch.set_grad_enabled(recorded):
            for _ in range(length + more):
                logits, state = model(given, carry(state))
                drawn = draw(look(logits), temperature, top_k, rng)
                written.append(drawn)
                given = feed(drawn, given)
        return finish(torch.stack(written, dim=1))

    return answer


def never_filled(column: int, value: int) -> Callable:
    """Return a `generate` that leaves a column as it was made."""

    def finish(new):
        new[:, column] = value
        return new

    return wrong(finish=finish)


def stays_at_the_prime(model, prime, length, temperature, top_k, rng):
    with torch.no_grad():
        logits, state = model(prime)
        written = [draw_quickly(logits[:, -1], temperature, top_k, rng)]
        for _ in range(length - 1):
            logits, _ = model(written[-1][:, None], state)
            written.append(draw_quickly(logits[:, -1], temperature, top_k, rng))
    return torch.stack(written, dim=1)


EXERCISE = Exercise(
    name="generate",
    title="let a model write on",
    points=3,
    difficulty=2,
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
    against="a loop of one character per call, with a model that forgets nothing (a right answer "
    "fails less than once in 100 000 checks),",
    equal=equal_writing,
    explain=explain,
    mistakes=(
        Mistake(
            "Only the last character of the prime is fed. What stands before it is what the model "
            "should go on from: feed all of it, and keep the state.",
            wrong(begin=lambda prime: prime[:, -1:]),
        ),
        Mistake(
            "The prime is not fed at all: this begins with character 0.",
            wrong(begin=lambda prime: torch.zeros_like(prime[:, :1])),
        ),
        Mistake(
            "The state is thrown away after each character, so the model knows one character only. "
            "Hand it on: `model(given, state)`.",
            wrong(carry=lambda state: None),
        ),
        Mistake(
            "The prime's last character goes in twice, once with the prime and once to start. The "
            "logits that came with the prime are already those of the next character.",
            wrong(begin=lambda prime: torch.cat([prime, prime[:, -1:]], dim=1)),
        ),
        Mistake(
            "The state already knows the text, and the whole text goes in again. Feed the new "
            "character alone, or everything without the state.",
            wrong(feed=lambda drawn, given: torch.cat([given, drawn[:, None]], dim=1)),
        ),
        Mistake(
            "The prime is returned, too. Return what is new, (B, length).",
            lambda model, prime, *rest: torch.cat([prime, wrong()(model, prime, *rest)], dim=1),
        ),
        Mistake(
            "The drawn character is not fed back: the model gets the prime again, or its end.",
            wrong(feed=lambda drawn, given: given),
            also=(wrong(feed=lambda drawn, given: given[:, -1:]),),
        ),
        Mistake(
            "All characters are drawn after the prime alone. Feed each that was drawn, and draw "
            "the next from the new logits.",
            wrong(carry=lambda state: None, feed=lambda drawn, given: given),
        ),
        Mistake(
            "The state stays that of the prime. After each character keep the new one.",
            stays_at_the_prime,
        ),
        Mistake(
            "This reads the logits of the first step. The next character is what the last step "
            "predicts: `logits[:, -1]`.",
            wrong(look=lambda logits: logits[:, 0]),
        ),
        Mistake(
            "The likeliest is always taken. Draw by `sample_next`, with `temperature` and `top_k`.",
            wrong(draw=lambda logits, temperature, top_k, rng: logits.argmax(dim=1)),
        ),
        Mistake(
            "`temperature` is not handed on to `sample_next`.",
            wrong(draw=lambda logits, temperature, k, rng: draw_quickly(logits, 1.0, k, rng)),
        ),
        Mistake(
            TOP_K_LOST,
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
            wrong(draw=lambda z, heat, k, rng: draw_quickly(z, heat, k, torch.default_generator)),
        ),
        Mistake(
            "`rng` is made or set to a seed inside, so every text is the same. Hand on the one "
            "that comes in.",
            wrong(draw=lambda z, heat, k, rng: draw_quickly(z, heat, k, torch.Generator())),
            also=(
                lambda model, prime, length, temperature, top_k, rng: wrong()(
                    model, prime, length, temperature, top_k, torch.Generator().manual_seed(0)
                ),
            ),
        ),
        Mistake(
            "The prime goes in twice. Its logits are already those of the next character.",
            wrong(begin=lambda prime: torch.cat([prime, prime], dim=1)),
        ),
        Mistake("One character too many.", wrong(more=1)),
        Mistake("One character too few.", wrong(more=-1)),
        Mistake(
            "The first character drawn is lost. It belongs to the text like the others.",
            wrong(more=1, finish=lambda new: new[:, 1:]),
        ),
        Mistake(
            "The shape is (length, B). Stack along axis 1: (B, length).",
            wrong(finish=lambda new: new.T),
        ),
        Mistake(
            "`reshape` in place of a transpose: it reads (length, B) in its old order, so that it "
            "mixes the texts. Stack along axis 1.",
            wrong(finish=lambda new: new.T.reshape(new.shape)),
        ),
        Mistake(FED_TO_ALL, wrong(feed=lambda drawn, given: drawn[:1].expand(len(drawn))[:, None])),
        Mistake(
            "The prime's last character is not fed. It belongs to what the model goes on from.",
            wrong(begin=lambda prime: prime[:, : max(prime.shape[1] - 1, 1)]),
            also=(wrong(begin=lambda prime: prime[:, :-1]),),
        ),
        Mistake(
            "The prime's first character is not fed. It belongs to what the model goes on from.",
            wrong(begin=lambda prime: prime[:, min(prime.shape[1] - 1, 1) :]),
            also=(wrong(begin=lambda prime: prime[:, 1:]),),
        ),
        Mistake(
            "Only the first character of the prime is fed. Feed all of it, and keep the state.",
            wrong(begin=lambda prime: prime[:, :1]),
        ),
        Mistake(
            "Part of what is returned was never filled in. Write each of the `length` columns.",
            never_filled(-1, torch.iinfo(torch.int64).max),
            also=(never_filled(-1, 0), never_filled(0, 0)),
        ),
        Mistake(
            "The temperature works twice: `sample_next` divides by it already. Give it the logits "
            "as they are.",
            wrong(draw=lambda logits, heat, k, rng: draw_quickly(logits / heat, heat, k, rng)),
        ),
        Mistake(
            "`sample_next` gets probabilities and takes their softmax. Give it the logits.",
            wrong(draw=lambda z, heat, k, rng: draw_quickly(z.softmax(dim=1), heat, k, rng)),
        ),
        Mistake(
            "The logits are averaged over the steps. The next character is what the last step "
            "predicts: `logits[:, -1]`.",
            wrong(look=lambda logits: logits.mean(dim=1)),
        ),
        Mistake(
            "Only the first text is returned. Each row of the prime goes on: (B, length).",
            wrong(finish=lambda new: new[0]),
        ),
    ),
)
