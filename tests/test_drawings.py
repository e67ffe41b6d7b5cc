"""Drawings: sound SVG that reads on any ground, and by readers who do not see it."""

import base64
import functools
import inspect
import io
from xml.etree import ElementTree

import pytest
from PIL import Image

from helpers import drawings
from helpers.drawings import drawing as ink

SVG = "{http://www.w3.org/2000/svg}"
BACK = {"k = 1": "x..\n.x.\n..x", "k = 2": "\n  X . .\n  X X .\n  . X X\n"}
SHARES = {"chance": (0.5, 0.03), "one": (1.0, 0.04), "another": (1.0, 0.03), "both": (1.0, 1.0)}
DRAWN = {"errors_back": BACK, "two_powers": SHARES}  # of what these are drawings
MADE = {
    name: functools.partial(function, DRAWN[name]) if name in DRAWN else function
    for name, function in vars(drawings).items()
    if inspect.isfunction(function) and function.__annotations__.get("return") is ink.Drawing
}


def numbers_in(element):
    """Return the places (x, y) that an element names."""
    if points := element.get("points"):
        return [tuple(map(float, pair.split(","))) for pair in points.split()]
    x, y = (element.get(n) or element.get(f"{n}1") or "0" for n in "xy")
    return [(float(x), float(y))]


@pytest.mark.parametrize("name", MADE)
def test_a_drawing_is_sound(name):
    drawing = MADE[name]()
    root = ElementTree.fromstring(drawing.svg())
    title, ground, *parts = root
    assert title.text == drawing.title
    assert len(title.text) > 40
    assert ground.get("fill") == ink.PAPER
    assert len(parts) > 10
    for part in parts:
        for x, y in numbers_in(part):
            assert 0 <= x <= drawing.width, part.attrib
            assert 0 <= y <= drawing.height, part.attrib


def contrast_with_white(colour):
    """Return the contrast of a colour with white, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    light = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 1.05 / (0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] + 0.05)


@pytest.mark.parametrize("name", ["INK", "STATE", "INPUT", "ANSWER", "GRADIENT", "PLAIN"])
def test_words_can_be_read(name):
    assert contrast_with_white(getattr(ink, name)) > 4.5


def test_the_gradient_gets_thinner_on_its_way_back():
    arrows = [
        (max(x for x, _ in numbers_in(part)), float(part.get("stroke-width")))
        for part in ElementTree.fromstring(drawings.unrolled(gradient=True).svg())
        if part.get("stroke") == ink.GRADIENT and part.tag == f"{SVG}polyline"
    ]
    widths = [width for _, width in sorted(arrows)]
    assert widths == sorted(widths)
    assert len(widths) == 6


def test_each_mark_is_a_dot_and_an_arrow_ends_at_the_farthest():
    parts = drawings.errors_back(BACK).parts
    dots = [p for p in parts if isinstance(p, ink.Path) and p.filled and len(p.points) > 3]
    ways = [p for p in parts if isinstance(p, ink.Path) and not p.filled]
    assert len(dots) == 3 + 5
    assert len(ways) == 2
    assert all(way.points[0][0] > way.points[1][0] for way in ways)


def test_titles_tell_what_is_drawn():
    assert drawings.errors_back(BACK).title.endswith("k = 1: 1, 1, 1; k = 2: 1, 2, 2")
    assert "both 1.00 and 1.00" in drawings.two_powers(SHARES).title


def test_in_a_scan_dots_reach_the_first_step_and_rings_do_not():
    dots = [
        p for p in drawings.scan_rounds(4).parts if isinstance(p, ink.Path) and len(p.points) > 3
    ]
    assert [p.filled for p in dots] == [True, False, False, False, True, True, False, False] + 4 * [
        True
    ]


def test_letters_below_the_line_are_set():
    assert ink.Words(0, 0, "h_{t-1} + x_t").pieces() == [
        ("h", False),
        ("t-1", True),
        (" + x", False),
        ("t", True),
    ]
    d = ink.Drawing(100, 40, "subscripts")
    d.words(50, 20, "h_T")
    (text,) = list(ElementTree.fromstring(d.svg()))[2:]
    assert [(part.text, part.get("dy")) for part in text] == [("h", "0"), ("T", "0.35em")]


@pytest.mark.parametrize("name", MADE)
def test_a_drawing_is_a_png_as_well(name):
    drawing = MADE[name]()
    image = Image.open(io.BytesIO(drawing.png())).convert("RGB")
    assert image.size == (2 * drawing.width, 2 * drawing.height)
    assert image.getpixel((0, 0)) == (255, 255, 255)
    for x, y in [(part.x, part.y) for part in drawing.parts if isinstance(part, ink.Box)]:
        around = image.crop((2 * x - 60, 2 * y - 50, 2 * x + 60, 2 * y + 50))
        assert len(around.getcolors(10_000)) > 5, "nothing is drawn where a box is"


def test_a_drawing_is_shown_with_its_caption(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    drawings.show_drawing(drawings.unrolled(), "Steps < 5 & more.")
    picture, words = shown
    image = ElementTree.fromstring(picture["text/html"].replace(">", "/>"))
    assert image.get("alt") == drawings.unrolled().title
    assert base64.b64decode(image.get("src").split("base64,")[1]).startswith(b"<svg")
    assert picture["text/plain"] == words["text/plain"] == "Steps < 5 & more."
    assert "Steps &lt; 5 &amp; more." in words["text/html"]
