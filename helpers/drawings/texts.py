"""Texts: how one is cut into chunks through which a state flows, and how a network writes on."""

from helpers.drawings.drawing import ANSWER, INK, INPUT, PLAIN, STATE, Drawing


def chunks(text: str = "abcdefghijklmnopqrstuvwx", rows: int = 3, steps: int = 4) -> Drawing:
    """Return a text as rows that lie under each other, cut into chunks; the state's way is drawn.

    The length of the text is a multiple of rows times steps.
    """
    title = "A text in rows under each other, cut into chunks: a row's state goes on in the next"
    length = len(text) // rows
    side, gap, left, top = 46, 96, 100, 44
    d = Drawing(
        left + length * side + (length // steps - 1) * gap + 46, top + rows * 54 + 44, title
    )
    for k in range(length // steps):
        x_0 = left + k * (steps * side + gap)
        d.words(x_0 + steps * side / 2, 20, f"x[{k}]", INPUT, 16)
        for b in range(rows):
            y = top + 54 * b + 24
            for t in range(steps):
                place = b * length + k * steps + t
                d.box(x_0 + side * (t + 0.5), y, side - 4, 36, text[place], INPUT)
            if (k + 1) * steps < length:
                start = x_0 + steps * side
                d.arrow((start + 4, y), (start + gap - 6, y), colour=STATE)
                d.words(start + gap / 2, y - 14, f"h_{b}", STATE, 15)
    for b in range(rows):
        d.words(44, top + 54 * b + 24, f"row {b}", PLAIN)
    d.words(left + 230, top + 54 * rows + 24, "targets y: the same, one character on", ANSWER)
    return d


def writing_on(prime: str = "the dog", new: str = "s r") -> Drawing:
    """Return how a network reads a beginning, then its own characters, one at a time."""
    title = "A network reads all of a beginning, then draws a character, reads it, and draws again"
    side, left = 58, 96
    d = Drawing(left + side * (len(prime) + len(new)) + 20, 214, title)
    d.words(44, 170, "read", INPUT)
    d.words(44, 104, "state", STATE)
    d.words(44, 36, "drawn", ANSWER)
    shown = [c.replace(" ", "␣") for c in prime + new]
    for t in range(len(shown) - 1):
        x = left + side * (t + 0.5)
        drawn = t >= len(prime) - 1
        d.box(x, 170, 34, 34, shown[t], INPUT if t < len(prime) else ANSWER)
        d.arrow((x, 152), (x, 124), colour=INPUT)
        d.box(x, 104, 34, 36, "", STATE)
        if t < len(shown) - 2:
            d.arrow((x + 18, 104), (x + side - 18, 104), colour=STATE)
        if drawn:
            d.arrow((x, 85), (x, 56), colour=ANSWER)
            d.words(x, 38, shown[t + 1], ANSWER, 18)
        if drawn and t < len(shown) - 2:
            d.arrow((x + 12, 46), (x + side - 14, 152), colour=ANSWER)
    d.words(left + side * len(prime) / 2, 202, "the beginning, all of it", INK, 13)
    return d
