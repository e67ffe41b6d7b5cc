"""What came after the loop: looking back, joining in rounds, and a state that is a matrix."""

from collections.abc import Mapping

from helpers.drawings.drawing import ANSWER, INPUT, PLAIN, STATE, Drawing

WEIGHTS = 0.05, 0.7, 0.1, 0.15  # of an example: what the last step pays to each


def looking_back() -> Drawing:
    """Return the last step of four looking at all: its query, their keys, values and weights."""
    title = (
        "Attention: the query of step 4 meets the keys of steps 1 to 4, and weights their values"
    )
    d = Drawing(720, 290, title)
    for n, weight in enumerate(WEIGHTS):
        x, t = 90 + 130 * n, n + 1
        d.arrow((x, 262), (x, 236), colour=INPUT)
        d.words(x, 274, f"x_{t}", INPUT, 16)
        d.box(x, 216, 96, 36, f"k_{t}    v_{t}", STATE)
        d.arrow((x, 196), (x, 130), colour=STATE, width=0.6 + 8 * weight)
        d.words(x + 30, 164, f"{weight:.2f}", STATE, 13)
    d.parts.pop()  # the last weight stands on the other side, where no arrow is
    d.words(452, 164, f"{WEIGHTS[-1]:.2f}", STATE, 13)
    d.box(285, 110, 486, 36, "Σ weight · value")
    d.arrow((285, 90), (285, 54), colour=ANSWER)
    d.words(285, 38, "output of step 4", ANSWER)
    d.box(640, 216, 60, 36, "q_4", PLAIN)
    d.arrow((508, 262), (610, 230), colour=INPUT)
    d.arrow((640, 196), (640, 178), colour=PLAIN)
    d.words(634, 164, "softmax(q_4·k_s / √d)", PLAIN, 13)
    d.arrow((556, 164), (504, 164), colour=PLAIN)
    return d


def scan_rounds(T: int = 8) -> Drawing:
    """Return how T pairs are joined in rounds: each with the one 1, then 2, then 4 steps before."""
    title = f"A scan of {T} pairs in rounds: in each, all are joined at once with one further back"
    rounds = (T - 1).bit_length()
    d = Drawing(720, 90 + 90 * rounds, title)

    def x(t):
        return 150 + (540 / (T - 1)) * t

    for level in range(rounds + 1):
        y, reach = 40 + 90 * level, 2**level
        for t in range(T):
            d.dot(x(t), y, STATE if t < reach else PLAIN, 6, filled=t < reach)
            if level == rounds:
                d.words(x(t), y + 24, f"1…{t + 1}" if t else "1", STATE, 12)
        if level < rounds:
            d.words(70, y + 45, f"round {level + 1}: {reach} back", PLAIN, 12)
            for t in range(T):
                d.arrow((x(t), y + 8), (x(t), y + 80), colour=PLAIN, width=1)
                if t >= reach:
                    d.arrow((x(t - reach), y + 8), (x(t) - 5, y + 81), colour=STATE, width=1.5)
    return d


def matrix_state() -> Drawing:
    """Return a state that is a matrix: a value is written under a key, a query reads from it."""
    title = "A matrix as state: value times key is written into it, and a query reads one value"
    d = Drawing(720, 240, title)
    left, top, size = 270, 60, 26
    for row in range(4):
        for column in range(5):
            d.box(left + size * column, top + size * row, size, size, "", STATE)
    middle = left + 2 * size
    d.words(middle, 24, "S_{t-1}: values by keys", STATE)
    d.box(90, 78, 60, 32, "v_t", INPUT)
    d.box(90, 142, 60, 32, "k_t", INPUT)
    d.words(175, 66, "v_t k_tᵀ is added", PLAIN, 13)
    d.arrow((122, 82), (252, 92), colour=INPUT)
    d.arrow((122, 138), (252, 112), colour=INPUT)
    d.box(middle, 214, 60, 32, "q_t", PLAIN)
    d.arrow((middle, 196), (middle, 156), colour=PLAIN)
    d.arrow((left + 4.6 * size, 100), (560, 100), colour=ANSWER)
    d.words(630, 100, "output S_t q_t", ANSWER)
    return d


def two_powers(shares: Mapping[str, tuple[float, float]]) -> Drawing:
    """Return a plane of networks: to the right what can be turned over, above what is addressed.

    shares: name -> right answers to parity and to recall, each from 0 to 1

    Names of networks that lie close together stand one below the other.
    """
    each = (f"{name} {turned:.2f} and {found:.2f}" for name, (turned, found) in shares.items())
    title = "Shares of right answers to parity and to recall: " + "; ".join(each)
    d = Drawing(720, 420, title)

    def place(turned, found):
        return 110 + 560 * (turned - 0.45) / 0.6, 350 - 290 * found

    (left, bottom), (right, top) = place(0.45, -0.05), place(1.05, 1.05)
    d.arrow((left, bottom), (right, bottom), colour=PLAIN)
    d.arrow((left, bottom), (left, top), colour=PLAIN)
    d.words((left + right) / 2, 408, "parity of 200 bits", PLAIN)
    d.words(left, top - 18, "recall of 8 pairs", PLAIN)
    for share in (0.5, 0.75, 1.0):
        d.words(place(share, 0)[0], bottom + 18, f"{share:.2f}", PLAIN, 12)
    for share in (0.0, 0.5, 1.0):
        d.words(left - 24, place(0.5, share)[1], f"{share:.1f}", PLAIN, 12)
    groups: list[list[str]] = []
    for name, (turned, found) in shares.items():
        x, y = place(turned, found)
        d.dot(x, y, STATE, 6)
        for group in groups:
            first = shares[group[0]]
            if abs(first[0] - turned) < 0.12 and abs(first[1] - found) < 0.15:
                group.append(name)
                break
        else:
            groups.append([name])
    for group in groups:
        x, y = place(*(sum(shares[name][i] for name in group) / len(group) for i in (0, 1)))
        beside = min(max(x, left + 95), right - 95)
        up = y > (bottom + top) / 2
        for n, name in enumerate(reversed(group) if up else group):
            d.words(beside, y + (-1 if up else 1) * (20 + 18 * n), name, ANSWER, 13)
    return d
