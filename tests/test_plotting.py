"""Figures: one PNG with a caption that can be read without sight, and sliders that redraw it."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.testing.globalipapp import get_ipython
from matplotlib.colors import to_rgb
from PIL import Image

from helpers import plotting


@pytest.fixture
def published(monkeypatch):
    """Collect what is displayed: (data, transient, update) of every output."""
    if not InteractiveShell.initialized():
        get_ipython()
    shown = []

    def publish(data, metadata=None, *, transient=None, update=False, **_):
        shown.append((data, transient or {}, update))

    monkeypatch.setattr(InteractiveShell.instance().display_pub, "publish", publish)
    return shown


@pytest.fixture
def fig():
    return plotting.lines({"a": [1, 2, 3], "b": ([0, 1], [3, 4])}, x_label="t", y_label="y")


def test_show_is_a_png_and_the_same_caption_twice(published, fig):
    plotting.show(fig, "Error 0.1 < 0.2 & falling.")
    (picture, words) = (data for data, _, _ in published)
    image = Image.open(io.BytesIO(picture["image/png"]))
    assert image.size == (880, 374)
    assert image.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)
    assert picture["text/plain"] == words["text/plain"] == "Error 0.1 < 0.2 & falling."
    assert "Error 0.1 &lt; 0.2 &amp; falling." in words["text/html"]


def test_a_figure_tells_its_axes_and_lines_to_readers_who_do_not_see_it(published, fig):
    assert plotting.alternative(fig) == "Figure. y against t: a, b"
    panels = plotting.lines({"one": {"a": [1]}, "two": {"b": [2]}}, x_label="x", y_label="y")
    assert plotting.alternative(panels) == "Figure. one: y against x: a; two: x: b"
    heat = plotting.heatmap(np.eye(2), x_label="t", y_label="unit", colour_label="h")
    assert plotting.alternative(heat) == "Figure. unit against t; h"


def test_a_text_below_the_caption_is_text(published, fig):
    plotting.Picture().show(fig, "One 1.", "a < b\nc")
    assert published[1][0]["text/html"].endswith("a &lt; b\nc</pre>")
    assert published[1][0]["text/plain"] == "One 1.\n\na < b\nc"


def test_a_figure_of_pyplot_is_not_shown_twice(published):
    plotting.show(plt.figure(), "1")
    assert not plt.get_fignums()


def test_explore_shows_the_picture_first_and_redraws_it_in_place(published, monkeypatch):
    drawn = []

    def draw(radius=0.9, scale=1):
        drawn.append((radius, scale))
        return plotting.lines({"r": [radius]}, x_label="x", y_label="y"), f"radius {radius}"

    boxes = []
    monkeypatch.setattr("IPython.display.display", lambda thing: boxes.append(thing))
    plotting.explore(draw, radius=(0.5, 1.5, 0.1), scale=[1, 10])
    assert drawn == [(0.9, 1)]
    first = [transient["display_id"] for _, transient, update in published if not update]
    assert len(first) == 2
    row, scale = boxes[0].children
    number, radius = row.children
    assert not radius.continuous_update
    assert (number.description, scale.description) == ("radius", "scale")
    radius.value = 1.2
    scale.value = 10
    number.value = 0.6
    assert drawn == [(0.9, 1), (1.2, 1), (1.2, 10), (0.6, 10)]
    updated = [transient["display_id"] for _, transient, update in published if update]
    assert updated == first * 3
    assert published[-1][0]["text/plain"] == "radius 0.6"


def test_a_picture_that_cannot_be_drawn_keeps_the_last_and_says_why(published, monkeypatch):
    def draw(radius=1.0):
        if radius > 1:
            raise ValueError("too large")
        return plotting.lines({"r": [radius]}, x_label="x", y_label="y"), "fine 1"

    boxes = []
    monkeypatch.setattr("IPython.display.display", lambda thing: boxes.append(thing))
    plotting.explore(draw, radius=(0.5, 1.5, 0.1))
    boxes[0].children[0].children[0].value = 1.5
    assert published[-1][0]["text/plain"] == "No picture for {'radius': 1.5}: ValueError: too large"


def test_explore_explains_bad_controls():
    with pytest.raises(ValueError, match=r"radius=1\.5j is no control: give \(lowest"):
        plotting.explore(lambda radius: None, radius=1.5j)
    with pytest.raises(TypeError, match="no argument 'radios'; it takes radius"):
        plotting.explore(lambda radius: None, radios=(0, 1, 0.1))


def test_panels_and_lines(fig):
    assert len(fig.axes) == 1
    panels = plotting.lines({"one": {"a": [1]}, "two": {"a": [2]}}, x_label="x", y_label="y")
    assert [ax.get_title() for ax in panels.axes] == ["one", "two"]
    styles = {(line.get_color(), line.get_linestyle()) for line in fig.axes[0].lines}
    assert len(styles) == 2


def test_points_are_drawn_without_lines():
    fig = plotting.lines({"a": [1, 2], "b": [2, 1]}, x_label="x", y_label="y", points=True)
    below, above = fig.axes[0].lines
    assert below.get_linestyle() == above.get_linestyle() == "None"
    assert below.get_markersize() > above.get_markersize()


def contrast(one, other):
    """Return the contrast of two colours, as WCAG 2 defines it."""
    parts = np.array([to_rgb(one), to_rgb(other)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    dark, light = sorted(linear @ [0.2126, 0.7152, 0.0722] + 0.05)
    return light / dark


def test_every_colour_is_seen_on_white_and_the_two_signs_on_grey_paper():
    assert min(contrast(colour, "white") for colour in plotting.COLOURS) > 3
    assert contrast(plotting.SIGNED(0.0), plotting.SIGNED(1.0)) > 3


def test_heatmap_is_symmetric_around_zero():
    fig = plotting.heatmap(np.array([[0.0, -2.0]]), x_label="x", y_label="y", colour_label="h")
    assert fig.axes[0].images[0].get_clim() == (-2.0, 2.0)


def test_stored_pictures_are_small(published, fig):
    plotting.show(fig, "1")
    assert len(base64.b64encode(published[0][0]["image/png"])) < 60_000


def test_bars_are_in_order():
    (bars,) = plotting.bars({"a": 0.5, "$x$": 0.2}, x_label="probability").axes
    assert [label.get_text() for label in bars.get_yticklabels()] == ["a", "$x$"]
    assert bars.yaxis_inverted()


def test_coloured_text_has_a_square_for_every_character():
    values = np.arange(7) - 3.0
    fig = plotting.coloured_text("ab\ncd$", values[:6], colour_label="h", width=3)
    ax = fig.axes[0]
    grid = ax.images[0].get_array()
    assert grid.shape == (2, 3)
    assert np.array_equal(grid, [[-3, -2, -1], [0, 1, 2]])
    assert [t.get_text() for t in ax.texts] == ["a", "b", "↵", "c", "d", "$"]
    wrapped = plotting.coloured_text("abcd efg", np.zeros(8), colour_label="h", width=4)
    assert wrapped.axes[0].images[0].get_array().shape == (2, 4)


def test_coloured_text_wants_a_value_for_each_character():
    with pytest.raises(ValueError, match=r"3 characters, values of shape \(2,\): one for each"):
        plotting.coloured_text("abc", [1, 2], colour_label="h")
    with pytest.raises(ValueError, match="0 characters"):
        plotting.coloured_text("", [], colour_label="h")
