"""Every known mistake is recognised as itself, and no answer breaks a check."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers import check
from helpers.exercises import catalogue, judging, recognition
from helpers.exercises.known import Known
from tests.plugin import draws

EXERCISES = [exercise for chapter in catalogue.chapters().values() for exercise in chapter]


@pytest.mark.parametrize("seed", draws(3))
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_every_mistake_gets_its_own_message(judged, known_of, exercise, seed):
    """It is called once more, as an answer is, on the first cases, or on all if it draws itself."""
    for mistake in exercise.mistakes:
        for way in (mistake.answer, *mistake.also):
            if seed == 0 or exercise.measure:
                result = judged(exercise, way, seed)
            else:
                known = known_of(exercise, seed)
                result = judging.judge(known, known.of(way))
            assert result.status == "wrong", (mistake.message, result.message)
            assert result.message.startswith(mistake.message)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_two_mistakes_in_different_outputs_are_both_told(known_of, exercise):
    known = known_of(exercise)
    shown = [(mistake, *outputs_that_show(known, mistake)) for mistake in exercise.mistakes]
    first_with = {frozenset(shows): (one, theirs) for one, theirs, shows in reversed(shown)}
    for (one, theirs, shows), also in itertools.product(shown, first_with):
        other, others = first_with[also]
        if shows and also and not shows & also:
            both = [
                replace(a, outputs=a.outputs | {name: b.outputs[name] for name in also})
                for a, b in zip(theirs, others, strict=True)
            ]
            found, explained = recognition.mistakes_by_output(known, both)
            whole = recognition.the_mistake(known, both)  # some pairs have a sentence of their own
            assert whole or {one.message, other.message} <= {m.message for m in found}
            assert whole or explained == shows | also


def test_a_mistake_is_tried_no_further_than_the_case_that_rules_it_out():
    exercise, called = catalogue.find("rnn_step"), []

    def drive(answer, case):
        called.append(answer)
        return exercise.drive(answer, case)

    counted = replace(exercise, drive=drive)
    known = Known(counted, counted.cases(np.random.default_rng(0)))
    assert judging.judge(known, known.collected(lambda *_: 1 / 0)).status == "raised"
    assert len(known.cases) > 1
    assert {called.count(mistake.answer) for mistake in exercise.mistakes} == {1}


def outputs_that_show(known, mistake):
    """Return the outcomes of a mistake, and the outputs in which it shows if none is a failure."""
    theirs = known.of(mistake.answer)
    changes = any(outcome.changed for outcome in theirs)
    return theirs, set() if changes else known.shows(mistake.answer)


@pytest.mark.parametrize(
    ("name", "mistake", "disguise", "how"),
    [
        ("rnn_step", "The bias `b_h` is missing", lambda h: h.T, "in the order (H, B)"),
        ("rnn_step", "This squashes with ReLU", lambda h: h[None], "an axis of length 1 too many"),
        ("rnn_step", "The old state is not used", torch.squeeze, "An axis of length 1 is missing"),
        (
            "naive_forecast",
            "This is the mean",
            lambda f: f.flatten(),
            "An axis of length 1 is missing",
        ),
        ("forecast_recursive", "The forecast is not fed back", lambda f: f.T, "order (steps, B)"),
    ],
)
def test_a_mistake_is_seen_in_another_shape(judged, name, mistake, disguise, how):
    exercise = catalogue.find(name)
    (known,) = (m for m in exercise.mistakes if m.message.startswith(mistake))
    message = judged(exercise, lambda *a: disguise(known.answer(*a)), 0).message
    assert message.startswith(f"{judging.MORE_THAN_ONE}\n{known.message}\n")
    assert how in message


def stops_in_its_own_words(values):
    if np.isnan(values[0]):
        raise RuntimeError("nothing was measured before the first gap")
    return catalogue.find("fill_gaps").reference(values)


def refuses_in_its_own_words(prediction, target):
    raise ValueError(f"I want {prediction.shape} and {target.shape} to be one")


def multiplies_what_does_not_fit(x, h, W_xh, W_hh, b):
    return torch.tanh(x @ W_xh * h @ W_hh.reshape(-1, 1))


def test_own_words_of_an_exception_may_be_any_and_those_of_a_library_are_its_reason(judged):
    def said(name, answer):
        return judged(catalogue.find(name), answer, 0).message

    assert said("fill_gaps", stops_in_its_own_words).startswith("It stops, but not with a Value")
    assert said("mse", refuses_in_its_own_words).startswith("Shapes that agree are refused")
    assert said("rnn_step", multiplies_what_does_not_fit).startswith("RuntimeError")


def exits(*_):
    raise SystemExit


def interrupted(*_):
    raise KeyboardInterrupt


HORRORS = [
    None,
    5,
    torch.zeros(2),
    lambda x: x,
    "rnn_step",
    exits,
    interrupted,
    lambda *_: object(),
    lambda *_: [torch.zeros(2), torch.zeros(3)],
    lambda *_: (i for i in range(3)),
    lambda *_: {"a": 1},
    lambda: None,
    torch.nn.Linear,
    print,
]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_no_answer_breaks_a_check(judged, exercise):
    for horror in filter(callable, HORRORS):
        assert judged(exercise, horror, 0).status in ("wrong", "raised")


@pytest.mark.parametrize("horror", HORRORS, ids=range(len(HORRORS)))
def test_check_never_raises(horror, capsys):
    check(horror)
