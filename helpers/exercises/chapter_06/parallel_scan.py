"""`parallel_scan`: all stretches from the beginning in few rounds of joining, section 6.4.

Pairs a, b (B, T, D), one for each step. The check joins by another rule than the chapter's, so that
nothing but joining helps.
"""

import math
from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_06 import call_parallel_scan
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import normal


def parallel_scan(combine, a, b):
    """Return a and b (B, T, D): at t, all pairs from the first to that of t, joined.

    Source: W. D. Hillis, G. L. Steele, Data parallel algorithms, Communications of the ACM 29
    (1986).
    """
    reach = 1
    while reach < a.shape[1]:
        earlier, later = (a[:, :-reach], b[:, :-reach]), (a[:, reach:], b[:, reach:])
        joined = combine(earlier, later)
        a, b = (torch.cat([x[:, :reach], y], 1) for x, y in zip((a, b), joined, strict=True))
        reach *= 2
    return a, b


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw pairs for lengths that are powers of two, and others; one is a single step."""
    lengths = (8, 5, 1, 13, 64, 100)
    return [
        {"a": normal(rng, B, T, D), "b": normal(rng, B, T, D)}
        for T, (B, D) in zip(lengths, ((2, 3), (1, 4), (2, 2), (3, 1), (1, 2), (2, 1)), strict=True)
    ]


def measured(case: Case, returned: Arrays) -> Arrays:
    """Return both, and how many calls there are beyond the rounds that are needed."""
    rounds = math.ceil(math.log2(case["a"].shape[1]))
    calls = int(returned["calls"])
    return {
        "a": returned["a"],
        "b": returned["b"],
        "rounds too many": np.array(max(0, calls - rounds)),
        "nothing is joined": np.array(float(rounds > 0 and calls == 0)),
    }


def explain(got: Arrays, expected: Arrays) -> str:
    """Return how many rounds there were, if that is what is wrong."""
    if got["nothing is joined"]:
        return "`combine` is never called. Join by it, whatever rule it has."
    if got["rounds too many"] and all(
        got[n].shape == expected[n].shape and np.allclose(got[n], expected[n], atol=1e-4)
        for n in ("a", "b")
    ):
        return (
            f"The pairs are right, but `combine` was called {int(got['rounds too many'])} times "
            "more than needed. In each round join all steps at once; the stretches double."
        )
    return ""


def hillis_and_steele(
    grow: Callable = lambda d: 2 * d,
    order: Callable = lambda left, right: (left, right),
    first: int = 1,
    last: Callable = lambda d, T: d < T,
) -> Callable:
    """Return a `parallel_scan` that departs from the right one in what is given."""

    def answer(combine, a, b):
        d = first
        while last(d, a.shape[1]) and 0 < d < a.shape[1]:
            left, right = (a[:, :-d], b[:, :-d]), (a[:, d:], b[:, d:])
            more = combine(*order(left, right))
            a, b = (torch.cat([x[:, :d], y], dim=1) for x, y in zip((a, b), more, strict=True))
            d = grow(d)
        return a, b

    return answer


def zeros_before(x: torch.Tensor, d: int) -> torch.Tensor:
    """Return x (B, T, D) moved back by d steps, zeros in front."""
    return torch.cat([torch.zeros_like(x[:, :d]), x[:, : max(x.shape[1] - d, 0)]], dim=1)


def rounds(number: Callable, before: Callable | None = None) -> Callable:
    """Return a `parallel_scan` with number(T) rounds.

    before: (x, d) -> what each step is joined with; without it, those that have nobody stay
    """

    def answer(combine, a, b):
        T = a.shape[1]
        for d in (2**i for i in range(number(T))):
            if before:
                a, b = combine((before(a, d), before(b, d)), (a, b))
            else:
                more = combine((a[:, : max(T - d, 0)], b[:, : max(T - d, 0)]), (a[:, d:], b[:, d:]))
                a, b = (torch.cat([x[:, :d], y], dim=1) for x, y in zip((a, b), more, strict=True))
        return a, b

    return answer


def one_by_one(combine, a, b):
    states = [(a[:, 0], b[:, 0])]
    for t in range(1, a.shape[1]):
        states.append(combine(states[-1], (a[:, t], b[:, t])))
    return tuple(torch.stack(each, dim=1) for each in zip(*states, strict=True))


def by_the_chapters_rule(combine, a, b):
    product, h, all_a, all_h = torch.ones_like(a[:, 0]), torch.zeros_like(b[:, 0]), [], []
    for a_t, b_t in zip(a.unbind(1), b.unbind(1), strict=True):
        product, h = a_t * product, a_t * h + b_t
        all_a.append(product)
        all_h.append(h)
    return torch.stack(all_a, dim=1), torch.stack(all_h, dim=1)


def padded(combine, a, b):
    """Pad by the pair (1, 0), which changes nothing under the chapter's rule alone."""
    d = 1
    while d < a.shape[1]:
        left = torch.ones_like(a), torch.zeros_like(b)
        left[0][:, d:], left[1][:, d:] = a[:, :-d], b[:, :-d]
        a, b = combine(left, (a, b))
        d *= 2
    return a, b


def in_place(combine, a, b):
    """Write into what is still to be read in the same round."""
    a, b, d = a.clone(), b.clone(), 1
    while d < a.shape[1]:
        a[:, d:], more = combine((a[:, :-d], b[:, :-d]), (a[:, d:], b[:, d:]))
        b[:, d:] = combine((a[:, :-d], b[:, :-d]), (a[:, d:], b[:, d:]))[1] if d > 1 else more
        d *= 2
    return a, b


def with_a_loop_left(combine, a, b):
    """Join halves by recursion, one side after the other."""
    if a.shape[1] == 1:
        return a, b
    half = a.shape[1] // 2
    left = with_a_loop_left(combine, a[:, :half], b[:, :half])
    right = with_a_loop_left(combine, a[:, half:], b[:, half:])
    last = tuple(each[:, -1:].expand_as(r) for each, r in zip(left, right, strict=True))
    joined = combine(last, right)
    return tuple(torch.cat(each, dim=1) for each in zip(left, joined, strict=True))


def last_only(combine, a, b):
    a, b = one_by_one_last(combine, a, b)
    return a[:, -1], b[:, -1]


def one_by_one_last(combine, a, b):
    return hillis_and_steele()(combine, a, b)


EXERCISE = Exercise(
    name="parallel_scan",
    title="all states in few rounds",
    points=4,
    difficulty=2,
    outputs={"a": "B T d", "b": "B T d", "rounds too many": "", "nothing is joined": ""},
    cases=cases,
    drive=call_parallel_scan,
    returned=("a", "b", "calls"),
    measure=measured,
    reference=parallel_scan,
    against="the scan of Hillis and Steele, joined by another rule,",
    explain=explain,
    mistakes=(
        Mistake(
            "The pairs are joined one after the other, in a loop over the steps or by a recursion "
            "into one half after the other. Join all stretches of a round in one call.",
            one_by_one,
            also=(with_a_loop_left,),
        ),
        Mistake(
            "`combine` is not called: its rule is built in here. The scan is to work with any "
            "rule that is associative.",
            by_the_chapters_rule,
        ),
        Mistake(
            "The later stretch is handed over first. `combine(first, second)` takes them in order "
            "of time.",
            hillis_and_steele(order=lambda left, right: (right, left)),
        ),
        Mistake(
            "The stretches do not double: the step between those that are joined grows by one, so "
            "that they overlap.",
            hillis_and_steele(grow=lambda d: d + 1),
        ),
        Mistake(
            "There is a single round: only neighbours are joined.",
            hillis_and_steele(grow=lambda d: 10**9),
        ),
        Mistake(
            "A round is missing at the end.",
            hillis_and_steele(last=lambda d, T: 2 * d < T),
        ),
        Mistake(
            "The number of rounds is rounded down, which is enough for powers of two only.",
            rounds(lambda T: int(math.log2(T))),
            also=(rounds(lambda T: round(math.log2(T))),),
        ),
        Mistake(
            "There is a round more than needed where T is a power of two: nothing is left to join.",
            rounds(lambda T: int(math.log2(T)) + 1),
        ),
        Mistake(
            "Steps with nobody before them are joined with the end of the sequence, as in a "
            "circle: `roll` does that. They stay as they are.",
            rounds(lambda T: math.ceil(math.log2(T)), before=lambda x, d: x.roll(d, 1)),
        ),
        Mistake(
            "Steps with nobody before them are joined with zeros. They stay as they are.",
            rounds(lambda T: math.ceil(math.log2(T)), before=zeros_before),
        ),
        Mistake(
            "Each sequence of the batch has calls of its own. All are joined at once.",
            lambda combine, a, b: tuple(
                torch.cat(each)
                for each in zip(
                    *(
                        hillis_and_steele()(combine, a[i : i + 1], b[i : i + 1])
                        for i in range(len(a))
                    ),
                    strict=True,
                )
            ),
        ),
        Mistake(
            "The first round joins steps that are two apart: it begins with neighbours.",
            hillis_and_steele(first=2),
        ),
        Mistake(
            "Missing steps before the first are filled up by (1, 0). That changes nothing under "
            "the chapter's rule, and under another it does. Leave them out.",
            padded,
        ),
        Mistake(
            "Only the last step comes back. All are asked for, (B, T, D).",
            last_only,
        ),
        Mistake(
            "Nothing is joined: the pairs come back as they were.",
            lambda combine, a, b: (a, b),
        ),
        Mistake(
            "The two come back in the wrong order: a, then b.",
            lambda combine, a, b: hillis_and_steele()(combine, a, b)[::-1],
        ),
    ),
)
