"""Networks: what goes into a step, what comes out of it, and what is handed on."""

from helpers.drawings.drawing import ANSWER, GRADIENT, INK, INPUT, STATE, Drawing, Words


def unrolled(*, gradient: bool = False) -> Drawing:
    """Return a network unrolled over its steps; with the gradient on its way back, if asked."""
    title = "A recurrent network, unrolled: every step takes an input and the state before it"
    d = Drawing(720, 220, title + ("; the gradient goes from the last back" if gradient else ""))
    y, before = 108, 62
    d.words(40, y - 8, "h_0", STATE, 16)
    for t, x in {"1": 150, "2": 280, "3": 410, "T": 610}.items():
        if t == "T":
            d.words(508, y, "…", INK, 20)
            before = 530
        d.arrow((before, y - 8), (x - 36, y - 8), colour=STATE)
        _step(d, x, y, t, state=True)
        before = x + 36
        if t == "3":
            d.arrow((before, y - 8), (490, y - 8), colour=STATE)
    if gradient:
        d.words(690, 40, "L", GRADIENT, 16)
        d.arrow((678, 40), (638, 40), colour=GRADIENT, width=5)
        d.arrow((596, 54), (596, 86), colour=GRADIENT, width=5)
        for start, end, width in ((571, 532, 4), (490, 448, 2.5), (372, 318, 1.5), (243, 188, 0.8)):
            d.arrow((start, y + 11), (end, y + 11), colour=GRADIENT, width=width)
    return d


def _step(
    d: Drawing, x: float, y: float, t: str, *, state: bool = False, answer: bool = False
) -> None:
    """Draw the step at time t, with its input below and its state or its answer above."""
    d.box(x, y, 72, 44, "step")
    d.arrow((x, y + 76), (x, y + 24), colour=INPUT)
    d.words(x, y + 92, f"x_{t}", INPUT, 16)
    if state or answer:
        colour, letter = (ANSWER, "y") if answer else (STATE, "h")
        d.arrow((x, y - 24), (x, y - 58), colour=colour)
        d.words(x, y - 74, f"{letter}_{t}", colour, 16)


def many_to_one_and_many() -> Drawing:
    """Return two networks side by side: one answers after its last step, one at every step."""
    title = (
        "Left, many to one: an answer after the last step. Right, many to many: one at each step"
    )
    d = Drawing(720, 230, title)
    y = 122
    for left, name in ((30, "many to one"), (390, "many to many")):
        d.parts.append(Words(left + 150, 20, name, size=15, bold=True))
        for n, t in enumerate("1234"):
            x = left + 30 + 80 * n
            d.box(x, y, 54, 40, "step")
            d.arrow((x, y + 66), (x, y + 22), colour=INPUT)
            d.words(x, y + 82, f"x_{t}", INPUT, 16)
            if n:
                d.arrow((x - 53, y), (x - 28, y), colour=STATE)
            if name == "many to many" or t == "4":
                d.arrow((x, y - 22), (x, y - 54), colour=ANSWER)
                d.words(x, y - 70, "y" if name == "many to one" else f"y_{t}", ANSWER, 16)
    return d


def carried_state() -> Drawing:
    """Return three windows of a stream: the state crosses to the next one, no gradient does."""
    title = "Windows of a stream: the state goes on from each to the next, the gradient does not"
    d = Drawing(720, 190, title)
    y = 84
    for n in range(3):
        x = 130 + 230 * n
        d.box(x, y, 130, 56, f"window {n + 1}")
        d.arrow((x, y + 78), (x, y + 30), colour=INPUT)
        d.words(x, y + 92, "ten values", INPUT, 13)
        d.arrow((x - 165 if n else 20, y - 12), (x - 67, y - 12), colour=STATE)
        d.arrow((x + 52, y + 17), (x - 52, y + 17), colour=GRADIENT, width=2.5)
        if n:
            d.arrow((x - 67, y + 17), (x - 104, y + 17), colour=GRADIENT, width=2.5)
            d.cross(x - 115, y + 17)
    d.words(245, 40, "state, detached", STATE, 13)
    d.words(475, 40, "state, detached", STATE, 13)
    return d
