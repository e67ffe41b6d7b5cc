"""Models of text that count: n-grams, smoothed by Witten and Bell or by Kneser and Ney.

They set the bar that a network has to clear. A model of order n looks at its context, up to n - 1
characters before the one to come. What it saw after a context gets a share of the probability;
the rest is spread as the model of order n - 1 says, down to one that knows nothing and says 1 / V
for each of V characters:

    p(c | context) = share(c | context) + rest(context) p(c | context without its first character)
"""

import itertools
from collections.abc import Callable, Iterable

import numpy as np


class _NGrams:
    """What both kinds have in common: counting, and asking contexts of every length.

    The n-grams of each length have numbers. The key of one is the number of its first n - 1
    characters, which are its context, times V, plus its last character; keys are sorted. What was
    not seen has the number -1, and so the last of all shares, 0, and of all rests, 1.
    """

    def __init__(self, text: str, order: int, vocab: Iterable[str]):
        self.order, self.vocab = order, sorted(set(vocab))
        self._codes = {c: code for code, c in enumerate(self.vocab)}
        if order < 1 or not text:
            raise ValueError(f"order {order}, {len(text)} characters: each must be at least 1.")
        if unknown := sorted(set(text) - set(self.vocab)):
            raise ValueError(f"{unknown[0]!r} is in the text and not in `vocab`: add it.")
        characters = self._encode(text)
        numbers = np.zeros(len(text) + 1, dtype=np.int64)  # of the one gram of no characters
        self._keys, counts, suffixes = [], [], []
        for n in range(1, min(order, len(text)) + 1):
            grams = numbers[:-1] * len(self.vocab) + characters[n - 1 :]
            keys, first, inverse, times = np.unique(
                grams, return_index=True, return_inverse=True, return_counts=True
            )
            suffixes.append(numbers[first + 1])  # of each gram without its first character
            numbers = inverse
            self._keys.append(keys)
            counts.append(times)
        self._shares, self._rests, size = [], [], 1
        for keys, times in zip(self._keys, self._used(counts, suffixes), strict=True):
            shares, rests = self._split(times, keys // len(self.vocab), size)
            self._shares.append(np.append(shares, 0.0))
            self._rests.append(np.append(rests, 1.0))
            size = len(keys)

    def _encode(self, text: str) -> np.ndarray:
        """Return each character's place in `vocab`, -1 for one that is not there."""
        return np.array([self._codes.get(c, -1) for c in text], dtype=np.int64)

    def _used(self, counts: list, suffixes: list) -> list:
        """Return how often each gram of 1, 2, … characters counts.

        counts    how often each stands in the text
        suffixes  each one's number among the grams one shorter, its first character left out
        """
        return counts

    def _split(
        self, times: np.ndarray, contexts: np.ndarray, size: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the share of each gram's last character, and the rest of each of `size` contexts.

        times     how often each gram counts
        contexts  the number of each gram's context; one that nothing came after has a rest of 1
        """
        raise NotImplementedError

    def _find(self, n: int, contexts: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Return the numbers of grams of n characters, -1 for one that was not seen."""
        keys, wanted = self._keys[n - 1], contexts * len(self.vocab) + characters
        places = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
        seen = (contexts >= 0) & (characters >= 0) & (keys[places] == wanted)
        return np.where(seen, places, -1)

    def _probabilities(self, before: list[np.ndarray], characters: np.ndarray) -> np.ndarray:
        """Return the probability (N,) of N characters, each after contexts of 0, 1, 2, … .

        before  for each length the contexts' numbers (N,), -1 for one that was not seen
        """
        p = np.full(len(characters), 1 / len(self.vocab))
        for n, contexts in enumerate(before, start=1):
            grams = self._find(n, contexts, characters)
            p = self._shares[n - 1][grams] + self._rests[n - 1][contexts] * p
        return p

    def _contexts(self, characters: np.ndarray) -> list[np.ndarray]:
        """Return for each length below `order` what stands before each of N characters and the end.

        Each (N + 1,) numbers, -1 for a context that was not seen or begins before the text does.
        """
        before = [np.zeros(len(characters) + 1, dtype=np.int64)]
        for n in range(1, len(self._keys)):
            before.append(np.append(-1, self._find(n, before[-1][:-1], characters)))
        return before

    def distribution(self, context: str) -> np.ndarray:
        """Return the probability (V,) of each character of `vocab`, in order, after `context`."""
        every = np.arange(len(self.vocab))
        tail = self._encode(context[max(0, len(context) - self.order + 1) :])
        before = [contexts[-1:].repeat(len(every)) for contexts in self._contexts(tail)]
        return self._probabilities(before, every)

    def probabilities(self, text: str) -> np.ndarray:
        """Return the probability (N,) of each of the N characters of `text` given those before it.

        Raises ValueError for a character that is not in `vocab`.
        """
        if unknown := sorted(set(text) - set(self.vocab)):
            raise ValueError(f"{unknown[0]!r} is not in `vocab`, so it has no probability: add it.")
        characters = self._encode(text)
        return self._probabilities([c[:-1] for c in self._contexts(characters)], characters)


class WittenBell(_NGrams):
    """An n-gram model that leaves more to shorter contexts, the more different characters it saw.

    text   to count in
    order  n, at least 1
    vocab  the V characters that may come

    If, after a context, c came k times, any character M times, and u different ones came, then the
    share of c is k / (M + u) and the rest is u / (M + u).
    Source: I. Witten, T. Bell, The zero-frequency problem, IEEE Transactions on Information Theory
    37 (1991), method C.

    Raises ValueError for an order below 1, no text, and a character of `text` not in `vocab`.

    >>> WittenBell("aab", 1, "abc").distribution("")  # a: 2/5 + 2/5 · 1/3
    array([0.53333333, 0.33333333, 0.13333333])
    """

    def _split(self, times, contexts, size):
        different = np.bincount(contexts, minlength=size)
        whole = np.bincount(contexts, weights=times, minlength=size) + different
        return times / whole[contexts], _over(different, whole)


class KneserNey(_NGrams):
    """An n-gram model that takes a constant off each count: modified Kneser-Ney smoothing.

    text, order, vocab and errors as for `WittenBell`.

    The longest contexts use counts as they are. A shorter one counts for each c *how many different
    characters* came before the context when c followed it: what came in one place only is no guide
    in a new one. From each count a discount is taken, one for counts of 1, one for 2 and one for
    more; what is taken away is the rest.
    Source: S. Chen, J. Goodman, An empirical study of smoothing techniques for language modeling,
    Computer Speech & Language 13 (1999), equations 20 to 27.
    """

    def _used(self, counts, suffixes):
        shorter = [
            np.bincount(longer, minlength=len(times))
            for times, longer in zip(counts, suffixes[1:], strict=False)
        ]
        return [*shorter, counts[-1]]

    def _split(self, times, contexts, size):
        taken = _discounts(np.bincount(times, minlength=5))[times.clip(max=3)]
        whole = np.bincount(contexts, weights=times, minlength=size)
        shares = _over(times - taken, whole[contexts], otherwise=0.0)
        return shares, _over(np.bincount(contexts, weights=taken, minlength=size), whole)


def _discounts(n: np.ndarray) -> np.ndarray:
    """Return what to take off a count of 0, 1, 2 and more. n[k]: how many grams have count k.

    Where a text is too short to show it, each discount stays between a tenth and nine tenths of its
    count.
    """
    n = n.clip(min=1)  # so that none divides by zero
    k = np.arange(1, 4)
    raw = k - (k + 1) * n[1] / (n[1] + 2 * n[2]) * n[2:5] / n[1:4]
    return np.append(0.0, raw.clip(0.1 * k, 0.9 * k))


def _over(part: np.ndarray, whole: np.ndarray, otherwise: float = 1.0) -> np.ndarray:
    """Return part / whole, and `otherwise` where the whole is 0: nothing was seen there."""
    return np.divide(part, whole, out=np.full(len(part), otherwise), where=whole > 0)


def learning_on(
    learn: Callable[[str], WittenBell | KneserNey], train: str, text: str, parts: int
) -> np.ndarray:
    """Return the probability (N,) of each of the N characters of `text`, which is counted in parts.

    learn  a text -> a model that has counted in it
    parts  into how many parts the text is cut: each is counted, with all before it, once it is read
    """
    whole, said = train + text, []
    ends = np.linspace(len(train), len(whole), parts + 1, dtype=int)
    for start, end in itertools.pairwise(ends):
        model = learn(whole[:start])
        known = min(start, model.order)  # more characters before do not count
        said.append(model.probabilities(whole[start - known : end])[known:])
    return np.concatenate(said)
