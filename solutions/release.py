"""Derive the student notebooks from the solutions, the only source of both editions.

    python solutions/release.py              write notebooks/*.ipynb from solutions/*.ipynb
    python solutions/release.py --check      write nothing; name what is stale and exit with 1
    python solutions/release.py --execute    first run every solution and store its outputs
    python solutions/release.py --handout course.zip    write what students get as an archive

In a solution, a region between the lines `### BEGIN SOLUTION` and `### END SOLUTION` is what the
student writes (in markdown the lines may stand in an HTML comment). In code its first line is
`# hint: …`, and becomes the one line of the student's stub. A cell tagged `solution-only` is left
out.
"""

import argparse
import copy
import os
import re
import sys
from pathlib import Path

import nbformat

from helpers.environment import COURSE
from helpers.exercises import catalogue
from helpers.exercises.cards import Card
from helpers.exercises.judging import not_attempted
from solutions.grading.cells import checked_in

SOLUTIONS, NOTEBOOKS = COURSE / "solutions", COURSE / "notebooks"
MARKER = re.compile(r"^\s*(?:<!-- )?### (BEGIN|END) SOLUTION(?: -->)?\s*$")
LOOKS_LIKE_A_MARKER = re.compile(r"###\s*(?:BEGIN|END)\b|(?:BEGIN|END) SOLUTION")
HINT = re.compile(r"^\s*# hint: (.+)$")
WRITTEN = "*Write your answer here: double-click this text.*"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SECONDS_A_CELL = 600
LONGEST_LINE = 100


class ReleaseError(Exception):
    """A solution that cannot be released; the message names file, cell and line."""


def student_edition(solution: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """Return the student copy of `solution`. Raises ReleaseError where its markers are wrong.

    name: of the file, for error messages.
    """
    notebook = copy.deepcopy(solution)
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.cells = [
        c for c in notebook.cells if "solution-only" not in c.metadata.get("tags", [])
    ]
    code_cells = 0
    for cell in notebook.cells:
        cell.source = without_solution(cell.source, cell.cell_type, f"{name}, cell {cell.id}")
        if cell.cell_type == "code":
            code_cells += 1
            cell.outputs, cell.execution_count = [], None
            if exercise := checked_in(cell.source):
                cell.outputs, cell.execution_count = [open_card(exercise)], code_cells
    return notebook


def without_solution(source: str, cell_type: str, where: str) -> str:
    """Return `source` with every solution region replaced by a stub.

    where: the start of an error message, "file, cell id".
    """
    kept, begun = [], None
    region: list[str] = []
    for number, line in enumerate(source.splitlines(), start=1):
        marker = MARKER.match(line)
        if not marker and LOOKS_LIKE_A_MARKER.search(line):
            raise ReleaseError(f"{where}, line {number}: unknown marker {line.strip()!r}.")
        if marker and (marker[1] == "BEGIN") == (begun is not None):
            raise ReleaseError(f"{where}, line {number}: {marker[1]} without its counterpart.")
        if marker and marker[1] == "BEGIN":
            begun, region = number, []
            indent = line[: len(line) - len(line.lstrip())]
        elif marker:
            kept.append(stub(region, indent, cell_type, f"{where}, line {begun}"))
            begun = None
        elif begun is None:
            kept.append(line)
        else:
            region.append(line)
    if begun is not None:
        raise ReleaseError(f"{where}, line {begun}: BEGIN without its counterpart.")
    return "\n".join(kept)


def stub(region: list[str], indent: str, cell_type: str, where: str) -> str:
    """Return the line that stands for a solution region in the student copy."""
    if cell_type == "markdown":
        return WRITTEN
    hint = HINT.match(region[0]) if region else None
    if not hint:
        raise ReleaseError(f"{where}: the first line of a solution must be `# hint: …`.")
    quoted = repr(hint[1]) if '"' in hint[1] else f'"{hint[1]}"'
    line = f"{indent}raise NotImplementedError({quoted})"
    if (over := len(line) - LONGEST_LINE) > 0:
        raise ReleaseError(f"{where}: the hint makes its line {over} characters too long.")
    return line


def open_card(exercise: str) -> nbformat.NotebookNode:
    """Return the output of a check line whose exercise has not been attempted yet."""
    card = Card(not_attempted(catalogue.find(exercise)))
    data = {"text/plain": repr(card), "text/html": card._repr_html_()}
    return nbformat.v4.new_output("display_data", data=data)


def execute(path: Path) -> None:
    """Run a solution from its own folder and store its outputs in it.

    Raises ReleaseError for a cell that writes to stderr; in that case nothing is stored.
    """
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    os.environ["OMP_NUM_THREADS"] = "1"
    cells = len(notebook.cells)
    NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        coalesce_streams=True,
        on_cell_start=lambda cell, cell_index: print(
            f"\r{path.name}: cell {cell_index + 1} of {cells}", end="", flush=True
        ),
    ).execute()
    print()
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            for output in cell.outputs:
                if output.get("name") == "stderr":
                    raise ReleaseError(f"{path.name}, cell {cell.id} warns: {output.text}")
            cell.outputs = [output for output in cell.outputs if not needs_kernel(output)]
    write(path, notebook)


def needs_kernel(output: nbformat.NotebookNode) -> bool:
    """Whether an output is a slider, or the style sheet for one: dead in a stored notebook."""
    from helpers.sliders import ASLEEP

    data = output.get("data", {})
    widget = "application/vnd.jupyter.widget-view+json"
    return widget in data or data.get("text/html") == ASLEEP


def text_of(notebook: nbformat.NotebookNode) -> str:
    """Return a notebook as its file holds it."""
    return nbformat.writes(nbformat.from_dict(notebook)) + "\n"


def write(path: Path, notebook: nbformat.NotebookNode) -> None:
    """Write a notebook, if it is valid, with the same line ends on every system."""
    nbformat.validate(notebook)
    path.write_text(text_of(notebook), encoding="utf-8", newline="\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="name what is stale, write nothing")
    parser.add_argument("--execute", action="store_true", help="run the solutions first")
    parser.add_argument(
        "--handout", type=Path, metavar="ZIP", help="write an archive of what students get"
    )
    parser.add_argument("chapters", nargs="*", help="file names to execute; all by default")
    options = parser.parse_args(arguments)
    if options.check and (options.execute or options.handout):
        parser.error("--check writes nothing, --execute and --handout do: choose one")
    sources = sorted(SOLUTIONS.glob("*.ipynb"))
    stale = []
    for path in sources:
        try:
            if options.execute and (not options.chapters or path.name in options.chapters):
                execute(path)
            student = student_edition(nbformat.read(path, as_version=4), path.name)
        except ReleaseError as error:
            print(error, file=sys.stderr)
            return 1
        target = NOTEBOOKS / path.name
        if not target.exists() or target.read_text(encoding="utf-8") != text_of(student):
            stale.append(target.name)
            if not options.check:
                write(target, student)
    left = {p.name for p in NOTEBOOKS.glob("*.ipynb")} - {p.name for p in sources}
    verb = "stale" if options.check else "written"
    if stale and options.check:
        print("Student copies differ from their solutions. Write them: python solutions/release.py")
    for name in stale:
        print(f"{verb}: notebooks/{name}")
    for name in sorted(left):
        print(f"has no solution, delete it: notebooks/{name}")
    if options.handout and not left:
        from solutions import handout

        print(f"written: {options.handout}, {handout.write(options.handout)} files")
    return 1 if left or (options.check and stale) else 0


if __name__ == "__main__":
    sys.exit(main())
