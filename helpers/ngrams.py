"""Models of text that count: n-grams, smoothed by Witten and Bell or by Kneser and Ney.

They set the bar that a network has to clear. A model of order n looks at its context, up to n - 1
characters before the one to come. What it saw after a context gets a share of the probability;
the rest is spread as the model of order n - 1 says, down to one that knows nothing and says 1 / V
for each of V characters:

    p(c | context) = share(c | context) + rest(context) p(c | context without its first character)
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import numpy as np

Counts = defaultdict[str, dict[str, int]]  # context -> character -> how often it came after it


class _NGrams:
    """What both kinds have in common: counting, and asking contexts of every length."""

    def __init__(self, text: str, order: int, vocab: Iterable[str]):
        self.order, self.vocab = order, sorted(set(vocab))
        if order < 1 or not text:
            raise ValueError(f"order {order}, {len(text)} characters: each must be at least 1.")
        if unknown := sorted(set(text) - set(self.vocab)):
            raise ValueError(f"{unknown[0]!r} is in the text and not in `vocab`: add it.")
        counts: Counts = defaultdict(dict)
        for n in range(1, order + 1):
            grams = Counter(text[i : i + n] for i in range(len(text) - n + 1))
            for gram, times in grams.items():
                counts[gram[:-1]][gram[-1]] = times
        self._after = self._shares(counts)

    def _shares(self, counts: Counts) -> dict[str, tuple[dict[str, float], float]]:
        """Return context -> (the share of each character seen after it, the rest)."""
        raise NotImplementedError

    def _tails(self, context: str):
        """Yield what is known after the context's last 0, 1, 2, … characters, up to order - 1."""
        for length in range(min(self.order - 1, len(context)) + 1):
            known = self._after.get(context[len(context) - length :])
            if known is None:  # then the longer ones were not seen either
                return
            yield known

    def distribution(self, context: str) -> np.ndarray:
        """Return the probability (V,) of each character of `vocab`, in order, after `context`."""
        p = dict.fromkeys(self.vocab, 1 / len(self.vocab))
        for shares, rest in self._tails(context):
            p = {c: shares.get(c, 0.0) + rest * value for c, value in p.items()}
        return np.array(list(p.values()))

    def probabilities(self, text: str) -> np.ndarray:
        """Return the probability (N,) of each of the N characters of `text` given those before it.

        Raises ValueError for a character that is not in `vocab`.
        """
        if unknown := sorted(set(text) - set(self.vocab)):
            raise ValueError(f"{unknown[0]!r} is not in `vocab`, so it has no probability: add it.")
        result = np.full(len(text), 1 / len(self.vocab))
        for i, c in enumerate(text):
            for shares, rest in self._tails(text[max(0, i - self.order + 1) : i]):
                result[i] = shares.get(c, 0.0) + rest * result[i]
        return result


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

    def _shares(self, counts):
        after = {}
        for context, seen in counts.items():
            whole = sum(seen.values()) + len(seen)
            after[context] = {c: n / whole for c, n in seen.items()}, len(seen) / whole
        return after


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

    def _shares(self, counts):
        used: Counts = defaultdict(dict)
        for context, seen in counts.items():
            if len(context) == self.order - 1:
                used[context].update(seen)
            if context:
                shorter = used[context[1:]]  # one for each character before it
                for c in seen:
                    shorter[c] = shorter.get(c, 0) + 1
        how_many = [Counter() for _ in range(self.order)]
        for context, seen in used.items():
            how_many[len(context)].update(seen.values())
        discounts = [_discounts(counter) for counter in how_many]
        after = {}
        for context, seen in used.items():
            taken, whole = discounts[len(context)], sum(seen.values())
            shares = {c: (n - taken[min(n, 3)]) / whole for c, n in seen.items()}
            after[context] = shares, sum(taken[min(n, 3)] for n in seen.values()) / whole
        return after


def _discounts(how_many: Counter) -> list[float]:
    """Return what to take off a count of 0, 1, 2 and more. how_many: count -> how often found.

    Where a text is too short to show it, each discount stays between a tenth and nine tenths of its
    count.
    """
    n = [max(how_many[k], 1) for k in range(5)]  # at least 1, so that none divides by zero
    y = n[1] / (n[1] + 2 * n[2])
    raw = [k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3)]
    return [0.0] + [min(max(d, 0.1 * k), 0.9 * k) for k, d in enumerate(raw, start=1)]


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
