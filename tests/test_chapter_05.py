"""What chapter 5 rests on: the test of samples is as strict and as fair as it says."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.calling.writing import DRAWS, Reader
from helpers.exercises import catalogue, equality
from helpers.exercises.chapter_05 import (
    ablate_unit,
    best_weights,
    generate,
    learn_language,
    longest_copy,
    network_probabilities,
    sample_next,
)
from helpers.exercises.chapter_05.parts.ablations import Clamped
from helpers.hashed import BUCKETS, NGramLSTM, hashed
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


def test_the_reference_writes_what_the_whole_text_read_again_would():
    reader, rng = Reader(7, seed=3), torch.Generator()
    text = prime = torch.tensor([[1, 2, 3], [4, 5, 6]])
    for _ in range(8):
        text = torch.cat([text, reader(text)[0][:, -1:].argmax(dim=2)], dim=1)
    assert torch.equal(generate.generate(reader, prime, 8, 1.0, 1, rng), text[:, 3:])


def test_bits_perplexity_and_network_probabilities_agree_with_cross_entropy():
    torch.manual_seed(0)
    model, ids = SOLVED["CharLSTM"](9, 4, 6), torch.randint(9, (200,))
    for answer in (SOLVED["network_probabilities"], network_probabilities.network_probabilities):
        p = np.asarray(answer(model, ids))
        bits = SOLVED["bits_per_char"](lambda train: lambda text: p[1:], "", "")  # noqa: B023
        with torch.no_grad():
            nats = F.cross_entropy(model(ids[None, :-1])[0][0], ids[1:]).item()
        assert bits == pytest.approx(nats / np.log(2), rel=1e-5)
        assert 2**bits == pytest.approx(np.exp(nats), rel=1e-5)
        assert p[0] == pytest.approx(1 / 9)


def test_the_best_weights_leave_nothing_to_gain():
    """No model's mean share of the probability is above its weight; without weight it is below."""
    p = np.random.default_rng(1).beta(0.6, 1.0, size=(4, 700))
    p[3] = p[:3].min(axis=0) / 2
    for answer in (SOLVED["best_weights"], best_weights.best_weights):
        w = answer(p)
        gains = np.exp(np.log(p) - np.log(w @ p)).mean(axis=1)
        assert gains[:3] == pytest.approx(np.ones(3), abs=1e-3)
        assert gains[3] < 1
        assert w[3] == pytest.approx(0, abs=1e-6)
        assert w.sum() == pytest.approx(1)


def test_the_state_of_the_lstm_with_groups_holds_all_that_it_needs():
    torch.manual_seed(0)
    model = NGramLSTM(11, 4, 6, dropout=0.2).eval()
    ids = torch.randint(11, (3, 20))
    whole, _ = model(ids)
    state, parts = None, []
    for part in ids.split([1, 2, 9, 8], dim=1):
        logits, state = model(part, state)
        parts.append(logits)
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-6)


def test_equal_groups_have_equal_numbers_and_others_seldom():
    ids = torch.randint(30, (1, 6000), generator=torch.Generator().manual_seed(0))
    numbers = hashed(ids, 3)[0]
    groups = [tuple(group) for group in ids[0].unfold(0, 3, 1).tolist()]
    of_group = dict(zip(groups, numbers.tolist(), strict=True))
    assert [of_group[group] for group in groups] == numbers.tolist()
    expected = BUCKETS * (1 - np.exp(-len(of_group) / BUCKETS))  # filled by chance
    assert len(set(of_group.values())) == pytest.approx(expected, rel=0.03)


def test_the_longest_copy_is_that_of_a_table_of_all_matches():
    random = np.random.default_rng(0)
    for _ in range(30):
        sample, text = ("".join(random.choice(list("abc"), size=n)) for n in (25, 90))
        lengths = np.zeros((26, 91), dtype=int)  # of the match that ends at both places
        for i, j in np.ndindex(25, 90):
            lengths[i + 1, j + 1] = lengths[i, j] + 1 if sample[i] == text[j] else 0
        assert longest_copy.longest_copy(sample, text) == lengths.max()
        assert SOLVED["longest_copy"](sample, text) == lengths.max()


def test_an_ablated_network_is_one_whose_unit_is_set_at_every_step():
    torch.manual_seed(0)
    lstm, fc, x = nn.LSTM(3, 6, batch_first=True), nn.Linear(6, 4), torch.randn(2, 9, 3)
    clamped = Clamped(lstm, 2, 0.4)
    for answer in (SOLVED["ablate_unit"], ablate_unit.ablate_unit):
        other, head = answer(lstm, fc, 2, 0.4)
        assert torch.allclose(head(other(x)[0]), fc(clamped(x)[0]), atol=1e-6)


@pytest.mark.notebook
def test_what_was_learned_of_a_language_earns_its_band(judged):
    exercise = catalogue.find("learn_language")

    def mixed(weight):
        def answer(text):
            exact, counted = learn_language.learn_language(text), learn_language.counting(text)
            return lambda beginnings: (
                weight * exact(beginnings) + (1 - weight) * counted(beginnings)
            )

        return answer

    shares = [judged(exercise, mixed(weight)).share for weight in (0.0, 0.1, 0.35)]
    assert shares == [0.25, 0.5, 0.75]
    assert judged(exercise, mixed(0.8)).status == "passed"
    shares = {m.message: judged(exercise, m.answer).share for m in exercise.mistakes}
    assert [shares[flaw] for flaw in learn_language.FLAWS[1:]] == [0, 0, 0]
