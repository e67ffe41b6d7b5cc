"""What chapter 5 rests on: the test of samples is as strict and as fair as it says."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.calling.writing import DRAWS, Reader
from helpers.exercises import equality
from helpers.exercises.chapter_05 import generate, sample_next
from tests.test_exercises import SOLVED


@pytest.mark.parametrize("letters", [2, 12, 100])
def test_false_alarms_are_no_more_frequent_than_stated(monkeypatch, letters):
    monkeypatch.setattr(equality, "FALSE_ALARM", 0.02)
    rng = np.random.default_rng(letters)
    p = rng.dirichlet(np.full(letters, 0.3))
    draws = rng.multinomial(2 * DRAWS, p, size=(2, 4000))
    alarms = [not equality.equal_counts(a, b, 0.0) for a, b in zip(*draws, strict=True)]
    assert np.mean(alarms) <= 0.02


def test_a_small_bias_is_found():
    rng = np.random.default_rng(0)
    fair, biased = np.array([0.5, 0.3, 0.2]), np.array([0.60, 0.24, 0.16])
    a, b = (rng.multinomial(2 * DRAWS, p) for p in (fair, biased))
    assert not equality.equal_counts(a, b, 0.0)


def test_the_reference_draws_from_the_softmax():
    logits = torch.linspace(-2, 2, 9)
    rng = torch.Generator().manual_seed(0)
    drawn = sample_next.sample_next(logits.repeat(200_000, 1), 0.7, 5, rng)
    p = torch.zeros(9)
    p[4:] = (logits[4:] / 0.7).softmax(dim=0)
    assert torch.bincount(drawn, minlength=9) / 200_000 == pytest.approx(p, abs=0.005)


def test_one_call_and_the_loop_have_the_same_loss_and_gradients():
    torch.manual_seed(0)
    model = SOLVED["CharLSTM"](11, 5, 8).double()
    ids = torch.randint(11, (3, 21))
    loss = F.cross_entropy(model(ids[:, :-1])[0].flatten(0, 1), ids[:, 1:].flatten())
    one_call = torch.autograd.grad(loss, list(model.parameters()))
    state, parts = None, []
    for t in range(20):
        logits, state = model(ids[:, t : t + 1], state)
        parts.append(F.cross_entropy(logits[:, 0], ids[:, t + 1]))
    in_a_loop = torch.autograd.grad(sum(parts) / 20, list(model.parameters()))
    assert loss.item() == pytest.approx(sum(parts).item() / 20, abs=1e-12)
    for a, b in zip(one_call, in_a_loop, strict=True):
        assert torch.allclose(a, b, atol=1e-12)


def test_the_model_of_the_drivers_remembers_every_character():
    reader = Reader(5, seed=0)
    ids = torch.tensor([[1, 2, 3, 4]])
    whole, _ = reader(ids)
    _, state = reader(ids[:, :2])
    assert torch.equal(reader(ids[:, 2:], state)[0], whole[:, 2:])
    for place in range(4):
        other = ids.clone()
        other[0, place] = 0
        changed = reader(other)[0]
        assert not torch.equal(changed[:, place:], whole[:, place:])
        assert torch.equal(changed[:, :place], whole[:, :place])


def test_generate_may_be_given_any_model():
    class Uniform(nn.Module):
        def forward(self, ids, state=None):
            return torch.zeros(*ids.shape, 4), None

    rng = torch.Generator().manual_seed(0)
    for write in (SOLVED["generate"], generate.generate):
        new = write(Uniform(), torch.zeros(2, 3, dtype=torch.int64), 5, 1.0, None, rng)
        assert new.shape == (2, 5)
