"""What a cell says about its results: a table, whether a bar is reached, how far off a guess was.

A number that comes out a little different on another machine is written as ≈0.98. Where stored
outputs are compared, such numbers are not.
"""

import html
import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any


def number(value: float, digits: int = 2) -> str:
    """Return a number as text: whole ones as they are, others with ≈ and so many digits.

    >>> number(9), number(0.984), number(0.00312), number(99.7)
    ('9', '≈0.98', '≈0.0031', '≈100')
    """
    if isinstance(value, numbers.Integral) or not math.isfinite(value):
        return str(value)
    whole = 10**digits - 0.5 <= abs(value) < 1e5  # more digits than asked for, and no exponent
    return f"≈{value:.0f}" if whole else f"≈{value:.{digits}g}"


def holds(what: str, value: float, *, above: float | None = None, below: float | None = None):
    """Print what was measured, its value, and whether it is above or below a bar.

    >>> holds("median at length 10", 0.984, above=0.9)
    ✓ median at length 10: ≈0.98, above 0.9

    Raises ValueError unless there is one bar.
    """
    if (above is None) == (below is None):
        raise ValueError(f"{what}: give one bar, above=… or below=….")
    bar, side = (above, "above") if below is None else (below, "below")
    reached = bar is not None and (value > bar if side == "above" else value < bar)
    sign, word = ("✓", side) if reached else ("✗", f"not {side}")
    print(f"{sign} {what}: {number(value)}, {word} {bar}")


def guessed(what: str, guess: Any, value: float) -> None:
    """Print what was measured, its value, and how far off a guess was. None is no guess.

    >>> guessed("steps until a tenth is left", 12, 9)
    steps until a tenth is left: 9. You guessed 12, which is 3 too many.
    """
    print(f"{what}: {number(value)}. {_how_far_off(guess, value)}")


def _how_far_off(guess: Any, value: float) -> str:
    if guess is None:
        return "You made no guess."
    try:
        off = float(guess) - float(value)
    except (TypeError, ValueError):
        off = math.nan
    if not math.isfinite(off):
        return f"Your guess, {guess!r}, is no number."
    whole = isinstance(value, numbers.Integral) and off == int(off)
    if off == 0 or abs(off) < 0.005 * abs(value):
        return "That is what you guessed."
    size = f"{abs(off):.0f}" if whole else f"{abs(off):.2g}"
    side = ("many" if off > 0 else "few") if whole else ("high" if off > 0 else "low")
    return f"You guessed {guess}, which is {size} too {side}."


class Table:
    """A table, as HTML and as text with the same words. See `table`."""

    def __init__(self, head: list[str], rows: list[list[str]]):
        self.head, self.rows = head, rows

    def __repr__(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if n else cell.ljust(width)
                for n, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        def row(cells, tag):
            first, *others = map(html.escape, cells)
            right = 'style="text-align: right"' + (' scope="col"' if tag == "th" else "")
            beside = "".join(f"<{tag} {right}>{c}</{tag}>" for c in others)
            scope = "col" if tag == "th" else "row"
            return f'<tr><th style="text-align: left" scope="{scope}">{first}</th>{beside}</tr>'

        body = "".join(row(cells, "td") for cells in self.rows)
        return f"<table>{row(self.head, 'th')}{body}</table>"


def table(
    rows: Mapping[str, Sequence], columns: Sequence[str], *, corner: str = "", form: str = ".2f"
) -> None:
    """Show a table: a row's name -> its values, one for each column.

    corner  what stands above the names
    form    how numbers that are not whole are written; texts stay as they are

    Raises ValueError where a row has not one value for each column.
    """
    from IPython.display import display

    def cell(value):
        written = isinstance(value, str | numbers.Integral)
        return str(value) if written else format(float(value), form)

    for name, values in rows.items():
        if len(values) != len(columns):
            raise ValueError(f"Row {name!r} has {len(values)} values for {len(columns)} columns.")
    lines = [[str(name), *map(cell, values)] for name, values in rows.items()]
    display(Table([corner, *map(str, columns)], lines))
