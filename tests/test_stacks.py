"""The networks of chapter 6: mixers look back only, and one step at a time they say the same."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises.chapter_06.delta_rule_step import delta_rule_step
from helpers.stacks import Keyed, Stack, delta_rule, linear_attention, turned
from tests import chapters
from tests.benchmarks._writing import Writer

(PATH,) = (path for path in chapters.SOLUTIONS if path.stem.startswith("06"))
CHAPTER = chapters.define(chapters.read(PATH))
ATTENTION = CHAPTER["causal_attention"]
MIXERS = {
    "LSTM": lambda: nn.LSTM(16, 16, batch_first=True),
    "minGRU": lambda: CHAPTER["MinGRU"](16, 16),
    "attention": lambda: Keyed(16, 4, ATTENTION),
    "attention, rotary": lambda: Keyed(16, 4, ATTENTION, rotary=True),
    "linear attention": lambda: Keyed(16, 4, linear_attention),
    "delta rule": lambda: Keyed(16, 4, delta_rule, rate_up_to=2.0),
}


def stack(name, **settings):
    torch.manual_seed(0)
    return Stack(5, 7, 16, MIXERS[name](), MIXERS[name](), **settings).eval()


@pytest.mark.parametrize("name", MIXERS)
@torch.no_grad()
def test_nothing_that_comes_later_changes_an_answer(name):
    ids = torch.randint(5, (3, 9), generator=torch.Generator().manual_seed(1))
    changed = ids.clone()
    changed[:, 6:] = 4 - ids[:, 6:] - (ids[:, 6:] == 2).long()  # another number in each place
    net = stack(name)
    before, after = net(ids), net(changed)
    assert before.shape == (3, 9, 7)
    torch.testing.assert_close(before[:, :6], after[:, :6])
    assert not torch.allclose(before[:, 6], after[:, 6])


@pytest.mark.parametrize("name", [name for name in MIXERS if name != "linear attention"])
@torch.no_grad()
def test_a_writer_says_what_the_stack_says(name):
    ids = torch.randint(5, (2, 9), generator=torch.Generator().manual_seed(1))
    net = stack(name)
    write = Writer(net, CHAPTER)
    one_at_a_time = torch.stack([write(ids[:, t]) for t in range(9)], dim=1)
    torch.testing.assert_close(one_at_a_time, net(ids), atol=1e-5, rtol=1e-4)


def test_the_delta_rule_at_once_is_that_of_every_step():
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 12, 6).double()
    beta = 2 * torch.rand(2, 12, 2).double()
    at_once = delta_rule(q, k, v, 2, beta)
    for head, part in enumerate((slice(0, 3), slice(3, 6))):
        S = torch.zeros(2, 3, 3).double()
        for t in range(12):
            unit_q, unit_k = (F.normalize(x[:, t, part], dim=1) for x in (q, k))
            output, S = delta_rule_step(S, unit_q, unit_k, v[:, t, part], beta[:, t, head])
            torch.testing.assert_close(at_once[:, t, part], output)


def test_turned_products_depend_on_the_distance_alone():
    torch.manual_seed(0)
    q, k = torch.randn(2, 1, 8).double().expand(2, 9, 8)[:, None]  # the same at all nine places
    scores = turned(q, 1) @ turned(k, 1).mT
    for distance in range(-8, 9):
        along = scores[0].diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along))
    torch.testing.assert_close(turned(q[:, 2:], 1, first=2), turned(q, 1)[:, 2:])


def test_places_are_drawn_in_training_only():
    ids = torch.zeros(1, 4, dtype=torch.long)
    net = stack("LSTM", positions=50)
    torch.testing.assert_close(net(ids), net(ids))
    net.train()
    assert any(not torch.allclose(net(ids), net(ids)) for _ in range(5))
