"""Gates and memories: what is inside an LSTM and a GRU, how a memory keeps, what packing does."""

import itertools

from helpers.drawings.drawing import ANSWER, GRADIENT, INK, INPUT, PLAIN, STATE, Drawing, Words

SEQUENCES = {"A": (3, INPUT), "B": (1, ANSWER), "C": (6, STATE)}  # lengths and colours


def lstm_cell() -> Drawing:
    """Return a step of an LSTM: the memory on its way, and the gates that act on it."""
    d = Drawing(
        720, 300, "A step of an LSTM: the memory is multiplied and added to; gates decide how much"
    )
    top, gates, low = 50, 180, 262
    d.words(40, top, "c_{t-1}", STATE, 16)
    d.words(690, top, "c_t", STATE, 16)
    _operation(d, 170, top, "×")
    _operation(d, 330, top, "+")
    for start, end in ((66, 154), (186, 314), (346, 668)):
        d.arrow((start, top), (end, top), colour=STATE, width=3)
    for x, text, word in (
        (170, "f_t", "forget"),
        (285, "i_t", "input"),
        (375, "g_t", "candidate"),
        (560, "o_t", "output"),
    ):
        d.box(x, gates, 58, 36, text)
        d.words(x, gates + 30, word, PLAIN, 12)
        d.arrow((x, low - 12), (x, gates + 42))
    d.arrow((170, gates - 20), (170, top + 18))
    _operation(d, 330, 112, "×")
    d.arrow((292, gates - 20), (320, 124))
    d.arrow((368, gates - 20), (340, 124))
    d.arrow((330, 96), (330, top + 18))
    d.box(470, 112, 54, 34, "tanh")
    d.arrow((470, top + 2), (470, 93), colour=STATE)
    _operation(d, 560, 112, "×")
    d.arrow((499, 112), (543, 112), colour=STATE)
    d.arrow((560, gates - 20), (560, 130))
    d.arrow((577, 112), (664, 112), colour=STATE)
    d.words(690, 112, "h_t", STATE, 16)
    d.words(300, low + 8, "x_t", INPUT, 16)
    d.words(345, low + 8, "and", PLAIN, 13)
    d.words(395, low + 8, "h_{t-1}", STATE, 16)
    return d


def gru_cell() -> Drawing:
    """Return a step of a GRU: the state mixed with a candidate, and the gates that decide."""
    d = Drawing(
        720, 300, "A step of a GRU: the new state is a mixture of the old one and a candidate"
    )
    top, gates, low = 50, 180, 262
    d.words(40, top, "h_{t-1}", STATE, 16)
    d.words(690, top, "h_t", STATE, 16)
    _operation(d, 200, top, "×")
    _operation(d, 470, top, "+")
    for start, end in ((72, 184), (216, 454), (486, 668)):
        d.arrow((start, top), (end, top), colour=STATE, width=3)
    for x, text, word in ((200, "z_t", "update"), (360, "r_t", "reset"), (540, "n_t", "candidate")):
        d.box(x, gates, 58, 36, text)
        d.words(x, gates + 30, word, PLAIN, 12)
        d.arrow((x, low - 12), (x, gates + 42))
    d.arrow((200, gates - 20), (200, top + 18))
    d.arrow((391, gates), (509, gates))
    d.words(450, gates - 14, "how much of h_{t-1}", PLAIN, 12)
    d.arrow((540, gates - 20), (540, 128))
    _operation(d, 540, 112, "×")
    d.box(330, 112, 64, 34, "1 - z_t")
    d.arrow((226, gates - 18), (296, 122))
    d.arrow((364, 112), (523, 112))
    d.arrow((528, 101), (484, 64))
    d.words(320, low + 8, "x_t", INPUT, 16)
    d.words(365, low + 8, "and", PLAIN, 13)
    d.words(415, low + 8, "h_{t-1}", STATE, 16)
    return d


def memory_paths() -> Drawing:
    """Return the ways on which a gradient goes from the last memory back to an earlier one."""
    d = Drawing(
        720,
        220,
        "Back to an earlier memory: straight through the forget gates, or by way of the states",
    )
    top, low = 60, 160
    columns = {"c_{t}": 90, "c_{t+1}": 270, "c_{t+2}": 450, "c_T": 630}
    places = list(columns.values())
    for text, x in columns.items():
        d.box(x, top, 64, 38, text, STATE)
        d.box(x, low, 64, 38, text.replace("c", "h"), PLAIN)
        d.arrow((x - 12, top + 20), (x - 12, low - 20), colour=STATE)
        d.arrow((x + 12, low - 20), (x + 12, top + 20), colour=GRADIENT, width=1)
    for n, (before, after) in enumerate(itertools.pairwise(places)):
        d.arrow((after - 34, top), (before + 34, top), colour=GRADIENT, width=4)
        factor = f"× f_{{t+{n + 1}}}" if n < 2 else "× … × f_T"
        d.words((before + after) / 2, top - 20, factor, GRADIENT)
        d.arrow((after - 34, top + 16), (before + 34, low - 12), colour=GRADIENT, width=1)
    d.words(360, low + 44, "thin: through W_{hh}, into the gates and the candidate", GRADIENT, 13)
    return d


def packing() -> Drawing:
    """Return a padded batch and what is left of it when it is packed."""
    d = Drawing(
        720, 190, "Left, three sequences padded to one length; right, the same packed, step by step"
    )
    side = 32
    d.parts.append(Words(140, 22, "padded", size=15, bold=True))
    d.parts.append(Words(560, 22, "packed", size=15, bold=True))
    for row, (name, (length, colour)) in enumerate(SEQUENCES.items()):
        y = 62 + 38 * row
        d.words(24, y, name, colour, 16)
        for t in range(6):
            inside = t < length
            d.box(
                60 + side * t,
                y,
                side - 6,
                26,
                f"{name.lower()}_{t}" if inside else "0",
                colour if inside else PLAIN,
            )
    by_length = sorted(SEQUENCES.items(), key=lambda item: -item[1][0])
    for t in range(6):
        x = 470 + side * t
        running = [(name, colour) for name, (length, colour) in by_length if t < length]
        for row, (name, colour) in enumerate(running):
            d.box(x, 62 + 38 * row, side - 6, 26, f"{name.lower()}_{t}", colour)
        d.words(x, 172, str(len(running)), INK, 14)
    d.words(384, 172, "still running", PLAIN, 13)
    d.arrow((270, 100), (350, 100))
    return d


def _operation(d: Drawing, x: float, y: float, sign: str) -> None:
    """Draw an operation on numbers, place by place."""
    d.box(x, y, 30, 30, sign, INK)
