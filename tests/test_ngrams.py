"""Counting models against numbers worked out by hand, and against what every model must obey."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from helpers.grammars import ANIMALS
from helpers.ngrams import KneserNey, WittenBell, learning_on

TEXT = ANIMALS.text(200, seed=3)


def test_witten_bell_by_hand():
    # After "a": a twice, b twice. Of all: a 4, b 2, c nothing.
    model = WittenBell("aabaab"[:6], 2, "abc")
    a, b, c = (Fraction(n, 6 + 2) + Fraction(2, 6 + 2) / 3 for n in (4, 2, 0))
    after_a = [Fraction(n, 4 + 2) + Fraction(2, 4 + 2) * p for n, p in ((2, a), (2, b), (0, c))]
    assert model.distribution("a") == pytest.approx([float(p) for p in after_a])
    assert model.distribution("c") == pytest.approx([float(p) for p in (a, b, c)])


def test_kneser_ney_counts_neighbours_below_the_highest_order():
    # "f" comes after "s" only, however often; "o" after three different characters.
    model = KneserNey("sfsfsfsfaobodo" * 3, 2, "abdfos")
    p = dict(zip(model.vocab, model.distribution(""), strict=True))
    assert p["o"] > 1.5 * p["f"]
    assert WittenBell("sfsfsfsfaobodo" * 3, 1, "abdfos").probabilities("f") > p["f"]


def test_kneser_ney_discounts_by_hand():
    # Order 1: counts 1 twice (c, d), 2 once (b), 3 once (a), so y = 2 / (2 + 2·1) = 1/2.
    model = KneserNey("aaabbcd", 1, "abcde")
    d1, d2, d3 = 1 - 2 * 0.5 * 1 / 2, 2 - 3 * 0.5 * 1 / 1, 3 - 4 * 0.5 * 1 / 1
    rest = (2 * d1 + d2 + d3) / 7
    expected = [(3 - d3) / 7, (2 - d2) / 7, (1 - d1) / 7, (1 - d1) / 7, 0.0]
    assert model.distribution("") == pytest.approx([e + rest / 5 for e in expected])


@pytest.mark.parametrize("kind", [WittenBell, KneserNey])
@pytest.mark.parametrize("order", [1, 2, 5, 9])
def test_probabilities_sum_to_one_and_agree_with_each_other(kind, order):
    vocab = sorted(set(TEXT) | {"z"})
    model = kind(TEXT, order, vocab)
    p = model.probabilities(TEXT[:60])
    assert (p > 0).all()
    for i in range(0, 60, 7):
        distribution = model.distribution(TEXT[:i])
        assert distribution.sum() == pytest.approx(1.0)
        assert distribution[vocab.index(TEXT[i])] == pytest.approx(p[i])
    assert model.distribution("never seen: zzz").sum() == pytest.approx(1.0)


def by_definition(kind, text, order, vocab, context):
    """Return the distribution after a context, each number looked up in the text itself."""

    def seen(gram):
        return sum(text.startswith(gram, i) for i in range(len(text)))

    def count(gram):
        if kind is WittenBell or len(gram) == order:
            return seen(gram)
        return sum(seen(c + gram) > 0 for c in vocab)

    p = np.full(len(vocab), 1 / len(vocab))
    for n in range(min(len(context), order - 1) + 1):
        counts = np.array([count(context[len(context) - n :] + c) for c in vocab])
        if not counts.any():
            continue
        if kind is WittenBell:
            different = (counts > 0).sum()
            p = (counts + different * p) / (counts.sum() + different)
            continue
        of_all = [count("".join(gram)) for gram in itertools.product(vocab, repeat=n + 1)]
        n1, n2, n3, n4 = (max(of_all.count(k), 1) for k in (1, 2, 3, 4))
        y = n1 / (n1 + 2 * n2)
        raw = 0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3
        taken = np.array([np.clip(d, 0.1 * k, 0.9 * k) for k, d in enumerate(raw)])
        taken = taken[counts.clip(max=3)]
        p = (counts - taken + taken.sum() * p) / counts.sum()
    return p


@pytest.mark.parametrize("kind", [WittenBell, KneserNey])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_counting_is_by_the_definition(kind, order):
    rng = np.random.default_rng(order)
    for length in (4, 9, 30, 60):
        text = "".join(rng.choice(list("abc"), length))
        model = kind(text, order, "abcd")
        for context in ("", text[-1:], text[-3:], "abca", "da", "cbd"):  # nobody knows d
            expected = by_definition(kind, text, order, "abcd", context)
            assert model.distribution(context) == pytest.approx(expected), (text, context)


@pytest.mark.parametrize("kind", [WittenBell, KneserNey])
def test_no_model_gets_below_the_entropy(kind):
    train, test = ANIMALS.text(6000, seed=0), ANIMALS.text(1000, seed=1)
    bits = [-np.log2(kind(train, n, train).probabilities(test)).mean() for n in (1, 4, 8)]
    assert bits == sorted(bits, reverse=True)
    assert bits[-1] > ANIMALS.entropy()


@pytest.mark.parametrize(
    ("text", "order", "words"),
    [
        ("abc", 0, "order 0, 3 characters: each must be at least 1"),
        ("", 2, "order 2, 0 characters"),
        ("abz", 2, "'z' is in the text and not in `vocab`: add it"),
    ],
)
def test_bad_input_is_refused(text, order, words):
    with pytest.raises(ValueError, match=words):
        WittenBell(text, order, "abc")


def test_a_strange_character_has_no_probability():
    with pytest.raises(ValueError, match=r"'\?' is not in `vocab`, so it has no probability"):
        WittenBell("abc", 2, "abc").probabilities("ab?")


@pytest.mark.parametrize("kind", [WittenBell, KneserNey])
def test_a_model_that_learns_on_counts_what_it_has_read(kind):
    train, first, second = TEXT[:2000], TEXT[2000:2300], TEXT[2300:2600]

    def learn(text):
        return kind(text, 4, ANIMALS.vocab)

    frozen = learning_on(learn, train, first + second, 1)
    assert frozen == pytest.approx(learn(train).probabilities(train + first + second)[2000:])
    later = learn(train + first).probabilities(train + first + second)[2300:]
    said = learning_on(learn, train, first + second, 2)
    assert said == pytest.approx(np.concatenate([frozen[:300], later]))
