"""Small languages whose every probability is known: what no model of their text can go below.

A grammar says how a symbol is expanded, with which probabilities; what is no symbol is text. From
"SENTENCE" on, sentences are drawn one after another, each independent of those before it.
"""

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

Rules = dict[str, list[tuple[float, tuple[str, ...]]]]
Stacks = dict[tuple[str, ...], float]  # what may still have to come -> the probability of it


@dataclass(frozen=True)
class Grammar:
    """A grammar in which each sentence can be derived in one way only.

    rules  symbol -> its expansions, each a probability and the symbols and texts that take its
           place. None may begin with the symbol itself.
    """

    rules: Rules

    @property
    def vocab(self) -> list[str]:
        """The V different characters of the language, sorted."""
        bodies = (body for expansions in self.rules.values() for _, body in expansions)
        return sorted({c for body in bodies for s in body if s not in self.rules for c in s})

    def text(self, n: int, *, seed: int = 0) -> str:
        """Return `n` sentences, drawn one after another.

        Raises ValueError for fewer than one sentence.
        """
        if n < 1:
            raise ValueError(f"n={n}: ask for at least one sentence.")
        random = np.random.default_rng(seed)

        def expand(symbol):
            if symbol not in self.rules:
                return symbol
            chances, expansions = zip(*self.rules[symbol], strict=True)
            return "".join(map(expand, expansions[random.choice(len(chances), p=chances)]))

        return "".join(expand("SENTENCE") for _ in range(n))

    def entropy(self) -> float:
        """Return the entropy in bits per character: in the mean, no model gets below it.

        It is the entropy of a derivation, the sum over its choices, divided by the expected number
        of characters. Both are solutions of linear equations, found by repeated substitution.
        """
        bits, characters = dict.fromkeys(self.rules, 0.0), dict.fromkeys(self.rules, 0.0)
        for _ in range(200):
            for symbol, expansions in self.rules.items():
                choice = -sum(p * math.log2(p) for p, _ in expansions)  # text adds none
                bits[symbol] = choice + sum(p * bits.get(s, 0.0) for p, b in expansions for s in b)
                lengths = ((p, characters.get(s, len(s))) for p, body in expansions for s in body)
                characters[symbol] = sum(p * length for p, length in lengths)
        return bits["SENTENCE"] / characters["SENTENCE"]

    def distribution(self, text: str) -> np.ndarray:
        """Return the exact probability (V,) of each character of `vocab` after `text`.

        The text begins with a sentence and may end within one. Raises ValueError where it departs
        from the language.
        """
        stacks: Stacks = {(): 1.0}
        for i, c in enumerate(text):
            stacks = self._read(self._open(stacks), c)
            if not stacks:
                raise ValueError(f"{text[: i + 1][-40:]!r}: no sentence goes on with {c!r}.")
        chances = dict.fromkeys(self.vocab, 0.0)
        for stack, p in self._open(stacks).items():
            chances[stack[0][0]] += p
        return np.array(list(chances.values()))

    def probabilities(self, text: str) -> np.ndarray:
        """Return the exact probability (N,) of each character of `text`, given those before it.

        Raises ValueError as `distribution` does.
        """
        stacks: Stacks = {(): 1.0}
        result = np.empty(len(text))
        for i, c in enumerate(text):
            opened = self._open(stacks)
            result[i] = sum(p for stack, p in opened.items() if stack[0][0] == c)
            if not result[i]:
                raise ValueError(f"{text[: i + 1][-40:]!r}: no sentence goes on with {c!r}.")
            stacks = self._read(opened, c)
        return result

    def _open(self, stacks: Stacks) -> Stacks:
        """Expand what comes first in each stack until it is text."""
        opened: Stacks = defaultdict(float)
        todo = list(stacks.items())
        while todo:
            stack, p = todo.pop()
            stack = stack or ("SENTENCE",)
            if stack[0] in self.rules:
                todo += [(body + stack[1:], p * q) for q, body in self.rules[stack[0]]]
            else:
                opened[stack] += p
        return opened

    @staticmethod
    def _read(opened: Stacks, c: str) -> Stacks:
        """Keep the stacks that begin with `c`, without it; their probabilities add to 1 again."""
        kept: Stacks = defaultdict(float)
        for (first, *rest), p in opened.items():
            if first[0] == c:
                kept[tuple(rest) if first == c else (first[1:], *rest)] += p
        whole = sum(kept.values())
        return {stack: p / whole for stack, p in kept.items()}


def agreement(
    nouns: tuple[str, ...],
    verbs: tuple[str, ...],
    adjectives: tuple[str, ...],
    *,
    again: float = 0.4,
) -> Grammar:
    """Return a language in which a verb agrees with the first noun, whatever stands between.

    again  how often an adjective comes before the first noun, and another after one; and how often
           " near the …" comes after a noun, once more after each
    """

    def one_of(words):
        return [(1 / len(words), (word,)) for word in words]

    return Grammar(
        {
            "SENTENCE": [
                (0.5, ("the ", "ADJECTIVES", "NOUN", "NEAR", " ", "VERB", "s.\n")),
                (0.5, ("the ", "ADJECTIVES", "NOUN", "s", "NEAR", " ", "VERB", ".\n")),
            ],
            "ADJECTIVES": [(1 - again, ()), (again, ("ADJECTIVE", " ", "ADJECTIVES"))],
            "NEAR": [
                (1 - again, ()),
                (again / 2, (" near the ", "NOUN", "NEAR")),
                (again / 2, (" near the ", "NOUN", "s", "NEAR")),
            ],
            "NOUN": one_of(nouns),
            "VERB": one_of(verbs),
            "ADJECTIVE": one_of(adjectives),
        }
    )


ANIMALS = agreement(
    ("dog", "cat", "bird", "bear"),
    ("sleep", "run", "sing", "wait"),
    ("old", "small", "grey", "happy"),
)
CONSONANTS, VOWELS = "bdfgklmnprtvz", "aeiou"  # no "s": it marks what is more than one


def invented(*, seed: int) -> Grammar:
    """Return a language of agreement whose words nobody has seen: 5 nouns, 4 verbs, 4 adjectives.

    A word is one to three syllables; `again` lies between 0.35 and 0.5.
    """
    random = np.random.default_rng(seed)

    def word():
        syllables = range(random.integers(1, 4))
        return "".join(
            CONSONANTS[i] + VOWELS[j] for _ in syllables for i, j in [random.integers((13, 5))]
        )

    words: dict[str, None] = {}
    while len(words) < 13:
        words[word() + CONSONANTS[random.integers(13)]] = None
    nouns, verbs, adjectives = (tuple(words)[a:b] for a, b in ((0, 5), (5, 9), (9, 13)))
    return agreement(nouns, verbs, adjectives, again=float(random.uniform(0.35, 0.5)))
