"""Grammars: an entropy that sampling confirms, exact probabilities, languages that differ."""

import math

import numpy as np
import pytest

from helpers.grammars import ANIMALS, Grammar, agreement, invented
from helpers.ngrams import WittenBell


def test_a_text_is_repeatable_and_its_verbs_agree():
    text = ANIMALS.text(300, seed=5)
    assert text == ANIMALS.text(300, seed=5) != ANIMALS.text(300, seed=6)
    assert text.count("\n") == 300
    nouns = {word for _, (word,) in ANIMALS.rules["NOUN"]}
    for line in text.splitlines():
        subject = next(word for word in line.split() if word.removesuffix("s") in nouns)
        assert line.endswith("s.") != subject.endswith("s"), line


@pytest.mark.parametrize("language", [ANIMALS, invented(seed=3)])
def test_the_entropy_is_that_of_derivations(language):
    """Draw derivations with their probability: mean surprise over mean length is the entropy."""
    random = np.random.default_rng(0)

    def expand(symbol):
        if symbol not in language.rules:
            return len(symbol), 0.0
        chances, bodies = zip(*language.rules[symbol], strict=True)
        choice = random.choice(len(chances), p=chances)
        parts = [expand(part) for part in bodies[choice]]
        return sum(n for n, _ in parts), sum(b for _, b in parts) - math.log2(chances[choice])

    drawn = np.array([expand("SENTENCE") for _ in range(8000)])
    assert drawn[:, 1].sum() / drawn[:, 0].sum() == pytest.approx(language.entropy(), rel=0.03)


@pytest.mark.parametrize("language", [ANIMALS, invented(seed=4)])
def test_exact_probabilities_have_the_surprise_of_the_derivation(language):
    text = language.text(2000, seed=1)
    bits = -np.log2(language.probabilities(text))
    assert bits.mean() == pytest.approx(language.entropy(), rel=0.03)
    for i in (0, 3, 40, 77):
        distribution = language.distribution(text[:i])
        assert distribution.sum() == pytest.approx(1.0)
        assert distribution[language.vocab.index(text[i])] == pytest.approx(2 ** -bits[i])


def test_probabilities_by_hand():
    language = Grammar(
        {"SENTENCE": [(0.75, ("a", "REST")), (0.25, ("ab",))], "REST": [(1, ("c",))]}
    )
    assert language.distribution("") == pytest.approx([1, 0, 0])
    assert language.distribution("a") == pytest.approx([0, 0.25, 0.75])
    assert language.probabilities("abac") == pytest.approx([1, 0.25, 1, 0.75])
    assert language.entropy() == pytest.approx((2 - 0.75 * math.log2(3)) / 2)


def test_a_text_outside_the_language_is_refused():
    for ask in (ANIMALS.distribution, ANIMALS.probabilities):
        with pytest.raises(ValueError, match="no sentence goes on with 'x'"):
            ask("the dox")
    with pytest.raises(ValueError, match="n=0: ask for at least one"):
        ANIMALS.text(0)


def test_no_window_is_long_enough():
    """Between a noun and its verb as much may stand as one likes, and that says nothing of it."""
    language = agreement(("cat",), ("sit",), ("old",), again=0.5)
    for n in (0, 3, 30):
        for subject, ending in (("cat", "s"), ("cats", ".")):
            text = f"the {subject}{' near the cats' * n} sit"
            assert language.distribution(text)[language.vocab.index(ending)] == pytest.approx(1)


def test_what_counting_says_of_an_ending_is_the_posterior():
    """Of eight characters the last noun is seen: the verb agrees if it is the first, or by luck."""
    model = WittenBell(ANIMALS.text(20_000, seed=0), 8, ANIMALS.vocab)
    after = model.distribution("the dogs near the bear sing")
    assert after[ANIMALS.vocab.index("s")] == pytest.approx(0.6 + 0.4 / 2, abs=0.02)


def test_invented_languages_differ_and_are_repeatable():
    assert invented(seed=1) == invented(seed=1) != invented(seed=2)
    for seed in range(20):
        rules = invented(seed=seed).rules
        words = [word for kind in ("NOUN", "VERB", "ADJECTIVE") for _, (word,) in rules[kind]]
        assert len(set(words)) == 13
        assert not any(word.endswith("s") for word in words)
