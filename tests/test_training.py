"""The training loop and its progress: same losses as by hand, an end that stays, a clear stop."""

import pytest
import torch
from torch.nn import functional as F

from helpers import plotting, training


@pytest.fixture
def lines(monkeypatch):
    """Collect the texts of progress lines."""
    written = []
    monkeypatch.setattr(training.Line, "write", lambda self, text: written.append(text))
    return written


def linear_model():
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def test_fit_is_the_loop_by_hand(lines):
    batches = [(torch.randn(4, 2), torch.randn(4, 1)) for _ in range(5)]
    model, optimizer = linear_model()
    losses = training.fit(model, batches, F.mse_loss, optimizer=optimizer, max_norm=0.5)
    by_hand, optimizer = linear_model()
    expected = []
    for x, y in batches:
        loss = F.mse_loss(by_hand(x), y)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(by_hand.parameters(), 0.5)
        optimizer.step()
        expected.append(loss.item())
    assert losses == expected
    assert torch.equal(model.weight, by_hand.weight)
    assert lines[-1].startswith("training: 5 of 5, ")


def test_fit_stops_at_a_loss_that_is_not_finite():
    model, optimizer = linear_model()
    batches = [
        (torch.ones(1, 2), torch.ones(1, 1)),
        (torch.full((1, 2), float("nan")), torch.ones(1, 1)),
    ]
    with pytest.raises(FloatingPointError, match=r"The loss is nan at step 2\. Lower the learning"):
        training.fit(model, batches, F.mse_loss, optimizer=optimizer, label=None)


def test_progress_ends_with_the_total_also_when_broken_off(lines):
    for item in training.progress(range(10), "counting"):
        if item == 3:
            break
    assert lines[-1].startswith("counting: 3 of 10, ")
    list(training.progress(iter("ab"), "letters"))
    assert lines[-1].startswith("letters: 2 of unknown, ")


def test_watch_draws_every_few_and_at_the_end(monkeypatch):
    drawn = []
    monkeypatch.setattr(plotting.Picture, "show", lambda self, fig, caption: drawn.append(caption))
    assert list(training.watch(range(5), lambda n: (None, n), every=2)) == [0, 1, 2, 3, 4]
    assert drawn == [2, 4, 5]
