"""Gradients: how they travel back, and how far."""

from collections.abc import Mapping

from helpers.drawings.drawing import ANSWER, GRADIENT, INK, INPUT, PLAIN, STATE, Drawing, Words


def step_and_back() -> Drawing:
    """Return one step of the network of chapter 2, with the gradient on its way back."""
    title = (
        "One step of the network: two arrows leave the context, so two gradients come back to it"
    )
    d = Drawing(720, 236, title)
    y = 168
    for x, text in ((110, "z_t"), (250, "a_t"), (390, "h_t"), (550, "z_{t+1}")):
        d.box(x, y, 64, 42, text, STATE if text == "h_t" else PLAIN)
    for start, end in ((142, 218), (282, 358), (422, 518)):
        d.arrow((start, y - 8), (end, y - 8), colour=STATE if start == 422 else INK)
        d.arrow((end - 4, y + 10), (start + 4, y + 10), colour=GRADIENT)
    d.arrow((582, y - 8), (660, y - 8), colour=STATE)
    d.arrow((656, y + 10), (586, y + 10), colour=GRADIENT)
    d.words(685, y, "…", INK, 20)
    for x, text in ((180, "w_1"), (320, "tanh"), (475, "w_1 [1:]")):
        d.words(x, y - 24, text)
    d.words(30, y - 40, "x_t", INPUT, 16)
    d.arrow((44, y - 34), (76, y - 12), colour=INPUT)
    d.words(30, y + 40, "h_{t-1}", STATE, 16)
    d.arrow((50, y + 32), (76, y + 14), colour=STATE)
    d.arrow((382, y - 22), (382, 76), colour=ANSWER)
    d.arrow((400, 76), (400, y - 24), colour=GRADIENT)
    d.words(360, 108, "w_2")
    d.words(390, 58, "ŷ_t", ANSWER, 16)
    d.arrow((412, 48), (506, 24), colour=ANSWER)
    d.arrow((510, 38), (416, 64), colour=GRADIENT)
    d.words(580, 24, "½ (ŷ_t - y_t)²", INK, 16)
    d.words(478, 66, "e_t", GRADIENT)
    d.words(434, 108, "e_t w_2", GRADIENT)
    d.words(320, y + 28, "δ_t", GRADIENT)
    d.words(472, y + 28, "δ_{t+1} w_1 [1:]", GRADIENT)
    return d


def errors_back(reached: Mapping[str, str]) -> Drawing:
    """Return, side by side, how far back errors reach.

    reached  a title -> rows of letters, one for each error; `x` marks a step that it reaches
    """
    grids = {
        name: ["".join(row.split()).lower() for row in text.strip().splitlines()]
        for name, text in reached.items()
    }
    counts = {name: ", ".join(str(row.count("x")) for row in rows) for name, rows in grids.items()}
    each = (f"{name}: {numbers}" for name, numbers in counts.items())
    title = "How many steps the error of each step reaches: " + "; ".join(each)
    steps = max(map(len, grids.values()))
    side, left = 30, 40
    d = Drawing(len(grids) * (side * steps + left) + left, side * steps + 110, title)
    for n, (name, rows) in enumerate(grids.items()):
        x_0 = left + n * (side * steps + left) + side / 2
        d.parts.append(Words(x_0 + side * (steps - 1) / 2, 22, name, size=15, bold=True))
        for t, row in enumerate(rows):
            y = 60 + side * t
            d.words(x_0 + side * t, y - 8, f"e_{t}", GRADIENT, 13)
            marked = [s for s, letter in enumerate(row) if letter == "x"]
            for s in marked:
                d.dot(x_0 + side * s, y + 6)
            if marked and min(marked) < t:
                d.arrow((x_0 + side * t, y + 6), (x_0 + side * min(marked), y + 6), colour=GRADIENT)
        for s in range(steps):
            d.words(x_0 + side * s, 72 + side * steps, str(s), STATE, 13)
        d.words(x_0 + side * (steps - 1) / 2, 92 + side * steps, "step", STATE, 13)
    return d
