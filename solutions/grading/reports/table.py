"""Tables as other programs read them: cells that no spreadsheet takes for a formula."""

import re

FORMULA = "=+\\-@＝＋－＠"  # what a formula in a spreadsheet begins with
# It begins where a cell begins: at the start, or behind what separates cells or lines elsewhere.
BEGINNING = re.compile(rf"(^|[;\t\r\n])([\s\"']*)(?=[{FORMULA}])")


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, whatever it splits a line at."""
    return BEGINNING.sub(r"\1\2'", cell)
