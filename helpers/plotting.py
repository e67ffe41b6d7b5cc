"""Figures that survive saving: `show` one with its caption, or `explore` it with sliders.

`lines` and `heatmap` draw what the chapters need, in one line, in colours that colour-blind readers
can tell apart, and in line styles that need no colour. Each returns a matplotlib figure.
"""

import html
import io
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from helpers import sliders

STYLE: dict[Any, Any] = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": "#dddddd",
    "font.size": 11,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}
# By Okabe and Ito, https://jfly.uni-koeln.de/color/, without the yellow; orange and sky blue are
# darker than theirs, so that every line has a contrast of 3 with white.
COLOURS = ["#000000", "#b87f00", "#2a8fd0", "#009e73", "#0072b2", "#d55e00", "#cc79a7"]
DASHES = ["-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2))]
# Blue, white, red, as matplotlib's RdBu; its ends differ in lightness, too, which grey paper shows.
SIGNED = LinearSegmentedColormap.from_list("signed", ["#053061", "#4393c3", "#ffffff", "#d6604d"])
# Where matplotlib's font cache is older than its fonts, it warns of every font that it tried
# before the one that it uses: twenty lines below a figure that looks as it should.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


class Picture:
    """A figure with its caption in the output of a cell, to be replaced in place."""

    def __init__(self):
        self.handles = None

    def show(self, fig: Figure, caption: str, written: str = "") -> None:
        """Put `fig` and `caption` where the previous ones were, or below if there are none.

        written: a text to show below the caption, in letters of equal width
        """
        from IPython.display import DisplayHandle

        alt = {"image/png": {"alt": alternative(fig)}}
        outputs: Any = (_png(fig, caption), alt), (caption_of(caption, written=written), {})
        first = self.handles is None
        if first:
            self.handles = DisplayHandle(), DisplayHandle()
        for handle, (data, metadata) in zip(self.handles, outputs, strict=True):
            put = handle.display if first else handle.update
            put(data, raw=True, metadata=metadata)

    def say(self, caption: str) -> None:
        """Replace the caption and leave the figure as it is."""
        self.handles[1].update(caption_of(caption), raw=True)


def _png(fig: Figure, caption: str) -> dict:
    drawn, small = io.BytesIO(), io.BytesIO()
    fig.savefig(drawn, format="png", dpi=110, facecolor="white")
    # A palette of 64 colours keeps the stored notebook small.
    Image.open(drawn).convert("RGB").quantize(64).save(small, format="png", optimize=True)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(fig)  # or Jupyter would show a figure made by pyplot a second time
    return {"image/png": small.getvalue(), "text/plain": caption}


def alternative(fig: Figure) -> str:
    """Return what there is to see in a figure: its panels, axes and lines."""
    panels = []
    for ax in fig.axes:
        axes = " against ".join(filter(None, (ax.get_ylabel(), ax.get_xlabel())))
        _, names = ax.get_legend_handles_labels()
        panels.append(": ".join(filter(None, (ax.get_title(), axes, ", ".join(names)))))
    return "Figure. " + "; ".join(filter(None, panels))


def caption_of(caption: str, kind: str = "Figure", written: str = "") -> dict:
    """Return a caption as it is displayed below a picture of some kind, and a text below it."""
    shown = f"<p><b>{kind}.</b> <i>{html.escape(caption, quote=False)}</i></p>"
    if written:
        shown += f'<pre style="white-space: pre-wrap">{html.escape(written, quote=False)}</pre>'
    return {"text/plain": f"{caption}\n\n{written}" if written else caption, "text/html": shown}


def show(fig: Figure, caption: str) -> None:
    """Show `fig` as a PNG with `caption`, one sentence that says with numbers what it shows."""
    Picture().show(fig, caption)


def explore(draw: Callable, **controls) -> None:
    """Show what `draw(...)` returns, and a slider for each of its arguments that redraws it.

    draw      takes the controls by name and returns a figure and its caption, and if it likes a
              text to show below them; the defaults of its arguments are where the sliders start
    controls  argument name -> (lowest, highest, step), or a list of values to choose from

    Beside each slider stands its number, which can be typed as well. The first picture does not
    need the sliders: it is there in a saved notebook without a kernel. Raises ValueError for a
    control that is neither, TypeError for one that `draw` does not take.
    """
    from IPython.display import HTML, display
    from ipywidgets import VBox

    moved = {name: sliders.control(draw, name, values) for name, values in controls.items()}
    rows = [sliders.with_its_number(slider) for slider in moved.values()]
    picture = Picture()

    def redraw(change=None):
        values = {name: slider.value for name, slider in moved.items()}
        try:
            picture.show(*draw(**values))
        except Exception as error:
            if picture.handles is None:
                raise
            picture.say(f"No picture for {values}: {type(error).__name__}: {error}")

    redraw()
    for slider in moved.values():
        slider.observe(redraw, names="value")
    display(VBox(rows))
    display(HTML(sliders.ASLEEP))


def lines(
    series: dict,
    *,
    x_label: str,
    y_label: str | Sequence[str],
    log_x: bool = False,
    log_y: bool = False,
    points: bool = False,
    y_range: tuple[float, float] | None = None,
) -> Figure:
    """Return a figure of one line per entry of `series`: label -> y, or label -> (x, y).

    A dict of such dicts draws one panel per entry, side by side, with its key as title. Without x,
    values are drawn at 0, 1, 2, …. Short lines get markers; with `points` nothing but markers is
    drawn, the later ones smaller, so that they can be seen on top of each other. A `y_label` for
    each panel gives each a scale of its own.
    """
    one_scale = isinstance(y_label, str)
    panels = series if isinstance(next(iter(series.values())), dict) else {"": series}
    with matplotlib.rc_context(STYLE):
        fig = Figure(figsize=(8.0, 3.4), layout="constrained")
        axes = fig.subplots(1, len(panels), sharex=True, sharey=one_scale, squeeze=False)[0]
        for ax, (title, panel) in zip(axes, panels.items(), strict=True):
            for i, (label, values) in enumerate(panel.items()):
                x, y = values if isinstance(values, tuple) else (range(len(values)), values)
                ax.plot(
                    x,
                    y,
                    color=COLOURS[i % len(COLOURS)],
                    linestyle="none" if points else DASHES[i % len(DASHES)],
                    marker="o" if points or len(x) <= 12 else None,
                    markersize=max(3, 9 - 4 * i) if points else 4,
                    label=label,
                )
            ax.set(xlabel=x_label, title=title, xscale="log" if log_x else "linear")
            if not log_x and np.issubdtype(np.asarray(x).dtype, np.integer):  # no half a step
                ax.xaxis.set_major_locator(MaxNLocator(integer=True))
            beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if len(panel) > 4 else {}
            ax.legend(fontsize=9, **beside)
        for ax, label in zip(axes, [y_label] if one_scale else y_label, strict=False):
            ax.set(
                ylabel=label,
                yscale="log" if log_y else "linear",
                **({"ylim": y_range} if y_range else {}),
            )
    return fig


def heatmap(values, *, x_label: str, y_label: str, colour_label: str, first: int = 0) -> Figure:
    """Return a figure of `values` (rows, columns): zero is white, plus is red, minus is blue.

    first: the number of the first row and of the first column
    """
    values = np.asarray(values)
    limit = float(np.abs(values).max()) or 1.0
    below = -limit if values.min() < 0 else 0.0
    edges = first - 0.5, first - 0.5 + values.shape[1], first - 0.5 + values.shape[0], first - 0.5
    with matplotlib.rc_context(STYLE | {"axes.grid": False}):
        fig = Figure(figsize=(8.0, 3.2), layout="constrained")
        ax = fig.subplots()
        look: dict[str, Any] = {"cmap": SIGNED if below else "Reds", "extent": edges}
        image = ax.imshow(values, aspect="auto", vmin=below, vmax=limit, **look)
        ax.set(xlabel=x_label, ylabel=y_label)
        for axis in (ax.xaxis, ax.yaxis):  # no tick at half a row
            axis.set_major_locator(MaxNLocator(integer=True))
        fig.colorbar(image, label=colour_label)
    return fig


def bars(values: dict, *, x_label: str) -> Figure:
    """Return a figure of a horizontal bar per entry of `values`, label -> length, first on top."""
    with matplotlib.rc_context(STYLE):
        fig = Figure(figsize=(8.0, 3.4), layout="constrained")
        ax = fig.subplots()
        ax.barh(range(len(values)), list(values.values()), color=COLOURS[1])
        ax.set_yticks(range(len(values)), list(values), family="monospace")
        ax.invert_yaxis()
        ax.set(xlabel=x_label)
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.grid(axis="y", visible=False)
    return fig


def coloured_text(text: str, values, *, colour_label: str, width: int = 80) -> Figure:
    """Return a figure of `text`, each character on the colour of its value, as in `heatmap`.

    Where no value is below 0, white is 0 and red the largest.

    values  one number per character of `text`
    width   characters in a line; longer lines go on in the next, without a mark

    A line end is drawn as ↵. Raises ValueError for no text, and if there are not as many values as
    characters.
    """
    values = np.asarray(values, dtype=float)
    if not text or values.shape != (len(text),):
        raise ValueError(f"{len(text)} characters, values of shape {values.shape}: one for each.")
    places, row, column = [], 0, 0
    for c in text:
        if column == width:
            row, column = row + 1, 0
        places.append((row, column))
        row, column = (row + 1, 0) if c == "\n" else (row, column + 1)
    grid = np.full((places[-1][0] + 1, width), np.nan)  # (lines, width); NaN is left blank
    for place, value in zip(places, values, strict=True):
        grid[place] = value
    limit = float(np.abs(values).max()) or 1.0
    below = values.min() < 0
    with matplotlib.rc_context(STYLE | {"axes.grid": False}):
        fig = Figure(figsize=(8.0, 0.6 + 0.19 * len(grid)), layout="constrained")
        ax = fig.subplots()
        image = ax.imshow(
            grid,
            aspect="auto",
            cmap=SIGNED if below else "Reds",
            vmin=-limit if below else 0.0,
            vmax=limit,
            alpha=0.6,
        )
        ax.axis("off")
        centre: dict[str, Any] = {
            "ha": "center",
            "va": "center",
            "family": "monospace",
            "fontsize": 7.5,
        }
        for c, (row, column) in zip(text, places, strict=True):
            if c != " ":
                ax.text(column, row, "↵" if c == "\n" else c, parse_math=False, **centre)
        fig.colorbar(image, label=colour_label, shrink=0.9)
    return fig
