"""Boxes, arrows and words in one style, and how they are shown.

A drawing is shown as SVG, which is sharp at any size, with its title as the text that readers hear
who do not see it, and beside it as PNG, for programs that show no HTML. It has a white ground of
its own, so that it reads alike in a light and in a dark theme. Colours say the same everywhere:
blue is a state, brown an input, green an answer, red a gradient.
"""

import base64
import html
import io
import math
import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from helpers.plotting import caption_of

INK, PAPER = "#222222", "#ffffff"
STATE, INPUT, ANSWER, GRADIENT, PLAIN = "#0072b2", "#9a5b00", "#00734f", "#b0341a", "#5f5f5f"
FONT = "DejaVu Sans, Verdana, sans-serif"
HEAD = 7.0  # length of an arrow's head
WIDEST = 600.0  # pixels; what a window of 800 has room for
Point = tuple[float, float]


@dataclass
class Box:
    """A rectangle with round corners and its centre at (x, y)."""

    x: float
    y: float
    w: float
    h: float
    colour: str


@dataclass
class Path:
    """A line through points, or the area that it encloses."""

    points: list[Point]
    colour: str
    width: float = 2
    filled: bool = False


@dataclass
class Words:
    """Text centred at (x, y); `_` makes the next letter, or {letters}, a subscript."""

    x: float
    y: float
    text: str
    colour: str = INK
    size: float = 14
    bold: bool = False

    def pieces(self) -> list[tuple[str, bool]]:
        """Return the text in pieces, each with whether it is a subscript."""
        parts = re.split(r"_(\{[^}]*\}|.)", self.text)
        return [(part.strip("{}"), bool(n % 2)) for n, part in enumerate(parts) if part]


@dataclass
class Drawing:
    """A drawing of a width and a height in pixels; y goes downwards. Its methods add parts."""

    width: int
    height: int
    title: str
    parts: list[Box | Path | Words] = field(default_factory=list)

    def words(self, x: float, y: float, text: str, colour: str = INK, size: float = 14) -> None:
        """Write text centred at (x, y)."""
        self.parts.append(Words(x, y, text, colour, size))

    def box(self, x: float, y: float, w: float, h: float, text: str, colour: str = PLAIN) -> None:
        """Draw a box of that size with its centre at (x, y), and text in it."""
        self.parts += [Box(x, y, w, h, colour), Words(x, y, text, colour)]

    def arrow(self, start: Point, end: Point, *, colour: str = INK, width: float = 2) -> None:
        """Draw an arrow between two points, with its head at the second."""
        (x_0, y_0), (x, y) = start, end
        length = ((x - x_0) ** 2 + (y - y_0) ** 2) ** 0.5
        u, v = (x - x_0) / length, (y - y_0) / length
        neck = x - HEAD * u, y - HEAD * v
        sides = [(neck[0] - HEAD / 2 * s * v, neck[1] + HEAD / 2 * s * u) for s in (-1, 1)]
        self.parts.append(Path([start, neck], colour, width))
        self.parts.append(Path([end, *sides], colour, filled=True))

    def cross(self, x: float, y: float, colour: str = GRADIENT, size: float = 7) -> None:
        """Draw a cross: here nothing passes."""
        for s in (-size, size):
            self.parts.append(Path([(x - size, y - s), (x + size, y + s)], colour, 3))

    def dot(
        self, x: float, y: float, colour: str = GRADIENT, radius: float = 4, filled: bool = True
    ) -> None:
        """Draw a dot, or a ring."""
        angles = [2 * math.pi * n / 12 for n in range(12 if filled else 13)]
        around = [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]
        self.parts.append(Path(around, colour, filled=filled))

    @property
    def shown(self) -> tuple[float, float]:
        """Width and height, in pixels, at which it is shown."""
        scale = min(1.0, WIDEST / self.width)
        return self.width * scale, self.height * scale

    def svg(self) -> str:
        """Return the drawing as SVG."""
        width, height = self.shown
        size = {"width": f"{width:g}", "height": f"{height:g}"}
        view = {"viewBox": f"0 0 {self.width} {self.height}", "role": "img"}
        root = ElementTree.Element("svg", size | view | {"xmlns": "http://www.w3.org/2000/svg"})
        ElementTree.SubElement(root, "title").text = self.title
        ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": PAPER})
        root.extend(map(_as_svg, self.parts))
        return ElementTree.tostring(root, encoding="unicode")

    def png(self) -> bytes:
        """Return the drawing as PNG, twice as fine as its pixels."""
        fig = Figure(figsize=(self.width / 100, self.height / 100), facecolor=PAPER)
        ax = fig.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(self.height, 0))
        ax.axis("off")
        for part in self.parts:
            if isinstance(part, Box):
                corner, size = (part.x - part.w / 2, part.y - part.h / 2), (part.w, part.h)
                style: dict[str, Any] = {
                    "boxstyle": "round,pad=0,rounding_size=6",
                    "linewidth": 1.44,
                }
                ax.add_patch(FancyBboxPatch(corner, *size, fc=PAPER, ec=part.colour, **style))
            elif isinstance(part, Path):
                x, y = zip(*part.points, strict=True)
                if part.filled:
                    ax.fill(x, y, color=part.colour, linewidth=0)
                else:
                    ax.plot(x, y, color=part.colour, linewidth=0.72 * part.width)
            else:
                text = "".join(f"$_{{{t}}}$" if low else t for t, low in part.pieces())
                look: dict[str, Any] = {"color": part.colour, "fontsize": 0.72 * part.size}
                weight = "bold" if part.bold else "normal"
                ax.text(part.x, part.y, text, ha="center", va="center", weight=weight, **look)
        drawn, small = io.BytesIO(), io.BytesIO()
        fig.savefig(drawn, format="png", dpi=200)
        # A palette, as in `helpers.plotting`: a drawing has few colours, and shades at its edges.
        Image.open(drawn).convert("RGB").quantize(16).save(small, format="png", optimize=True)
        return small.getvalue()


def _as_svg(part: Box | Path | Words) -> ElementTree.Element:
    if isinstance(part, Box):
        corner = {"x": part.x - part.w / 2, "y": part.y - part.h / 2}
        return _element(
            "rect",
            **corner,
            width=part.w,
            height=part.h,
            rx=6,
            fill=PAPER,
            stroke=part.colour,
            stroke_width=2,
        )
    if isinstance(part, Path):
        points = " ".join(f"{x:.5g},{y:.5g}" for x, y in part.points)
        if part.filled:
            return _element("polygon", points=points, fill=part.colour)
        return _element(
            "polyline", points=points, fill="none", stroke=part.colour, stroke_width=part.width
        )
    look = {"fill": part.colour, "font_size": part.size, "font_family": FONT}
    look |= {"font_weight": "bold"} if part.bold else {}
    middle = {"text_anchor": "middle", "dominant_baseline": "central"}
    text = _element("text", x=part.x, y=part.y, **look, **middle)
    lowered = False
    for letters, low in part.pieces():
        shift = "0.35em" if low else "-0.26em" if lowered else "0"
        size = f"{part.size * (0.75 if low else 1):g}"
        ElementTree.SubElement(text, "tspan", {"dy": shift, "font-size": size}).text = letters
        lowered = low
    return text


def _element(tag: str, **attributes: object) -> ElementTree.Element:
    """Return an element of SVG; an underscore in a name stands for a hyphen."""
    named = {name.replace("_", "-"): str(value) for name, value in attributes.items()}
    return ElementTree.Element(tag, named)


def show_drawing(drawing: Drawing, caption: str) -> None:
    """Show a drawing with a caption, a sentence that says what to see in it.

    Of SVG itself JupyterLab makes an image without a text, so it is handed an image with one.
    """
    from IPython.display import display

    svg, png = (base64.b64encode(d).decode() for d in (drawing.svg().encode(), drawing.png()))
    width, height = drawing.shown
    image = (
        f'<img alt="{html.escape(drawing.title)}" width="{width:g}" style="max-width: 100%; '
        f'height: auto" src="data:image/svg+xml;base64,{svg}">'
    )
    picture = {"text/html": image, "image/png": png, "text/plain": caption}
    sizes = {"image/png": {"width": width, "height": height, "alt": drawing.title}}
    display(picture, metadata=sizes, raw=True)
    display(caption_of(caption, "Drawing"), raw=True)
