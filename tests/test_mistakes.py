"""Every known mistake is recognised as itself, and no answer breaks a check."""

import pytest
import torch

from helpers import check
from helpers.exercises import catalogue

EXERCISES = [exercise for chapter in catalogue.chapters().values() for exercise in chapter]
SEEDS = range(3)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_every_mistake_gets_its_own_message(judged, exercise):
    for mistake in exercise.mistakes:
        for way in (mistake.answer, *mistake.also):
            for seed in SEEDS:
                result = judged(exercise, way, seed)
                assert result.status == "wrong", (mistake.message, result.message)
                assert result.message.startswith(mistake.message)


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
