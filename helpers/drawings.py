"""Drawings of networks, as SVG made from code: boxes, arrows and words in one style.

Each drawing has a white ground of its own, so that it reads alike in a light and in a dark theme,
and a title for readers who do not see it. Colours say the same everywhere: blue is a state, orange
an input, green an answer, red a gradient.
"""

import html
from dataclasses import dataclass, field
from xml.etree import ElementTree

INK, PAPER = "#222222", "#ffffff"
STATE, INPUT, ANSWER, GRADIENT, PLAIN = "#0072b2", "#9a5b00", "#00734f", "#b0341a", "#5f5f5f"
FONT = "DejaVu Sans, Verdana, sans-serif"
HEAD = 7.0  # length of an arrow's head


@dataclass
class Drawing:
    """A drawing of a width and a height in pixels; y goes downwards. See the functions below."""

    width: int
    height: int
    title: str
    parts: list[ElementTree.Element] = field(default_factory=list)

    def add(self, tag: str, **attributes: object) -> None:
        """Add an element of SVG; an underscore in the name of an attribute stands for a hyphen."""
        named = {name.replace("_", "-"): str(value) for name, value in attributes.items()}
        self.parts.append(ElementTree.Element(tag, named))

    def words(
        self, x: float, y: float, text: str, colour: str = INK, size: int = 14, **more: object
    ):
        """Write text centred at (x, y); `_` makes the next letter or {letters} a subscript."""
        anchor = {"text_anchor": "middle", "dominant_baseline": "central"} | more
        self.add("text", x=x, y=y, fill=colour, font_size=size, font_family=FONT, **anchor)
        written, *below = text.split("_")
        self.parts[-1].text = written
        for piece in below:
            low, rest = piece[1:].split("}", 1) if piece[:1] == "{" else (piece[:1], piece[1:])
            for letters, shift, scale in ((low, "0.35em", 0.75), (rest, "-0.26em", 1)):
                style = {"dy": shift, "font-size": f"{size * scale:g}"}
                ElementTree.SubElement(self.parts[-1], "tspan", style).text = letters

    def box(self, x: float, y: float, w: float, h: float, text: str, colour: str = PLAIN) -> None:
        """Draw a box of that size with its centre at (x, y), and text in it."""
        corner = {"x": x - w / 2, "y": y - h / 2, "width": w, "height": h, "rx": 6}
        self.add("rect", **corner, fill=PAPER, stroke=colour, stroke_width=2)
        self.words(x, y, text, colour)

    def arrow(self, *points: tuple[float, float], colour: str = INK, width: float = 2) -> None:
        """Draw an arrow through points; its head is at the last."""
        (x_0, y_0), (x, y) = points[-2:]
        length = ((x - x_0) ** 2 + (y - y_0) ** 2) ** 0.5
        u, v = (x - x_0) / length, (y - y_0) / length
        neck = x - HEAD * u, y - HEAD * v
        path = " ".join(f"{a:g},{b:g}" for a, b in [*points[:-1], neck])
        self.add("polyline", points=path, fill="none", stroke=colour, stroke_width=width)
        sides = [(neck[0] - HEAD / 2 * s * v, neck[1] + HEAD / 2 * s * u) for s in (-1, 1)]
        tip = " ".join(f"{a:.5g},{b:.5g}" for a, b in [(x, y), *sides])
        self.add("polygon", points=tip, fill=colour)

    def cross(self, x: float, y: float, colour: str = GRADIENT, size: float = 7) -> None:
        """Draw a cross: here nothing passes."""
        for s in (-1, 1):
            ends = {"x1": x - size, "y1": y - s * size, "x2": x + size, "y2": y + s * size}
            self.add("line", **ends, stroke=colour, stroke_width=3)

    def svg(self) -> str:
        """Return the drawing as SVG."""
        size = {"width": str(self.width), "height": str(self.height)}
        root = ElementTree.Element(
            "svg", size | {"viewBox": f"0 0 {self.width} {self.height}", "role": "img"}
        )
        root.set("xmlns", "http://www.w3.org/2000/svg")
        ElementTree.SubElement(root, "title").text = self.title
        ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": PAPER})
        root.extend(self.parts)
        return ElementTree.tostring(root, encoding="unicode")


def draw(drawing: Drawing, caption: str) -> None:
    """Show a drawing with a caption, a sentence that says what to see in it."""
    from IPython.display import display

    display({"image/svg+xml": drawing.svg(), "text/plain": caption}, raw=True)
    words = f"<p><b>Drawing.</b> <i>{html.escape(caption, quote=False)}</i></p>"
    display({"text/html": words, "text/plain": caption}, raw=True)


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
        for start, end, width in ((574, 532, 4), (490, 448, 2.5), (374, 318, 1.5), (244, 188, 0.8)):
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
        d.words(left + 150, 20, name, INK, 15, font_weight="bold")
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
