"""Takes the outputs out of a notebook: what makes one large. Runs alone, with little memory.

Reads the notebook from standard input, and writes what is left of its cells to standard output.
"""

import json
import sys

KEPT = ("cell_type", "id", "metadata", "source")


def main() -> None:
    """Do it. Ends with an error where there is no notebook."""
    cells = json.load(sys.stdin.buffer)["cells"]
    kept = [{key: cell[key] for key in KEPT if key in cell} for cell in cells]
    json.dump({"cells": kept}, sys.stdout)


if __name__ == "__main__":
    main()
