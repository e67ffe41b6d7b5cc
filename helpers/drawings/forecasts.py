"""Forecasts: what is seen, what is to be said, and when it was known."""

from helpers.drawings.drawing import ANSWER, GRADIENT, INK, INPUT, PLAIN, STATE, Drawing, Path


def windows(window: int = 3, n: int = 4) -> Drawing:
    """Return a series cut into n windows, each with the value after it as its target."""
    title = f"A series cut into windows of {window}: the target of each is the value after it"
    side, left, top = 70, 118, 50
    d = Drawing(left + side * (window + n) + 10, top + 54 * n + 10, title)
    d.words(56, 24, "series", PLAIN)
    for t in range(window + n):
        d.words(left + side * (t + 0.5), 24, f"s_{t}", INK, 16)
    for i in range(n):
        y = top + 54 * i + 24
        d.words(56, y, f"window {i}", PLAIN)
        d.box(left + side * (i + window / 2), y, side * window - 8, 38, f"x[{i}]", INPUT)
        d.box(left + side * (i + window + 0.5), y, side - 8, 38, f"y[{i}]", ANSWER)
    return d


def targets_of_three_ways(steps: int = 3) -> Drawing:
    """Return what recursive, direct and sequence-to-sequence forecasts say, and after what."""
    title = (
        "Three ways to look ahead: one step that is fed back, all steps after the last value, all "
        "steps after every value"
    )
    d = Drawing(760, 262, title)
    names = ("recursive", "direct", "sequence to sequence")
    for n, name in enumerate(names):
        x_0 = 18 + 250 * n
        d.words(x_0 + 105, 22, name, INK, 16)
        for t in range(4):
            x = x_0 + 22 + 56 * t
            d.words(x, 236, f"x_{t}", INPUT, 16)
            d.arrow((x, 222), (x, 198), colour=INPUT)
            d.box(x, 178, 36, 34, "", STATE)
            if t < 3:
                d.arrow((x + 18, 178), (x + 38, 178), colour=STATE)
            if t == 3 or n == 2:
                d.arrow((x, 160), (x, 138), colour=ANSWER)
                ahead = 1 if n == 0 else steps
                for k in range(ahead):
                    d.words(x, 126 - 22 * k, f"ŷ_{{{t + 1 + k}}}", ANSWER, 15)
        if n == 0:
            x = x_0 + 22 + 56 * 3
            d.arrow((x + 14, 126), (x + 34, 126), colour=GRADIENT)
            d.words(x + 24, 88, "next", GRADIENT, 13)
            d.words(x + 22, 104, "input", GRADIENT, 13)
    return d


def rolling_origins(origins: int = 3) -> Drawing:
    """Return a time line of a backtest: at each origin all that is known, then what is forecast."""
    title = "A backtest: at each origin the model is fitted to all before it, and forecasts a year"
    left, width, top = 96, 600, 34
    d = Drawing(left + width + 24, top + 52 * origins + 46, title)
    for i in range(origins):
        y, end = top + 52 * i + 12, left + width * (0.6 + 0.1 * i)
        d.words(46, y, f"origin {i + 1}", PLAIN)
        d.box((left + end) / 2, y, end - left - 6, 34, "known, and fitted to", INPUT)
        d.box(end + width * 0.05, y, width * 0.1 - 6, 34, "said", ANSWER)
        d.parts.append(Path([(end, y - 24), (end, y + 24)], GRADIENT, 2))
    d.arrow((left, top + 52 * origins + 6), (left + width, top + 52 * origins + 6))
    d.words(left + width / 2, top + 52 * origins + 28, "time", INK)
    return d
