"""Makes submissions to try the grader on: solved, half done, wrong, suspicious, harmful."""

import json
from pathlib import Path

CHAPTER = "01_rnn_basics.ipynb"
WITHOUT_TANH = "    return x_t @ W_xh + h_prev @ W_hh + b_h"
BY_THE_MODULE = """    cell = nn.RNNCell(*W_xh.shape, dtype=W_xh.dtype)
    weights = {"weight_ih": W_xh.T, "weight_hh": W_hh.T, "bias_ih": b_h, "bias_hh": 0 * b_h}
    cell.load_state_dict(weights)
    return cell(x_t, h_prev)"""
HARMFUL = "import os\n\nos._exit(0)"


def write(course: Path, folder: Path) -> None:
    """Write a folder of sample submissions of chapter 1. Raises FileExistsError if it exists."""
    solved = json.loads((course / "solutions" / CHAPTER).read_text(encoding="utf-8"))
    untouched = json.loads((course / "notebooks" / CHAPTER).read_text(encoding="utf-8"))
    folder.mkdir(parents=True)
    by_id = {cell["id"]: cell for cell in solved["cells"]}

    def save(student, cells):
        (folder / student).mkdir()
        notebook = untouched | {"cells": cells}
        path = folder / student / CHAPTER
        path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")

    half = [
        by_id[cell["id"]] if number < len(untouched["cells"]) // 2 else cell
        for number, cell in enumerate(untouched["cells"])
    ]
    harmful = {"cell_type": "code", "id": "added", "metadata": {}, "outputs": []}
    save("solved", solved["cells"])
    save("untouched", untouched["cells"])
    save("half done", half)
    save("without tanh", [_with_step(cell, WITHOUT_TANH) for cell in solved["cells"]])
    save("by the module", [_with_step(cell, BY_THE_MODULE) for cell in solved["cells"]])
    save("harmful", [harmful | {"execution_count": None, "source": HARMFUL}, *solved["cells"]])
    (folder / "no notebook").mkdir()
    (folder / "no notebook" / "essay.ipynb").write_text("My laptop broke.", encoding="utf-8")


def _with_step(cell: dict, body: str) -> dict:
    """Return a cell; if it is the one that defines `rnn_step`, with another body."""
    source = "".join(cell["source"])
    if not source.startswith("def rnn_step("):
        return cell
    head = source.partition("### BEGIN SOLUTION")[0].rstrip()
    return cell | {"source": f"{head}\n{body}"}
