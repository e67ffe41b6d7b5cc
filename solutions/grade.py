"""Grade a folder of submissions, without trusting any of them.

    python solutions/grade.py submissions/                  writes grades/ beside it
    python solutions/grade.py submissions/ --workers 4      on four cores
    python solutions/grade.py --samples samples/            makes submissions to try it on

In the folder: one folder per student, or the unpacked download of all submissions from Moodle or
Canvas. Each submission runs in a sandbox of its own (bubblewrap), and its answers are compared
outside. If you stop the command and start it again, it goes on where it was.
"""

import argparse
import importlib.util
import sys
from pathlib import Path

from helpers.environment import COURSE
from solutions.grading import batch, samples, store, walls
from solutions.grading.arrivals import places, reading
from solutions.grading.reports import gradebooks, grades, pages, summary
from solutions.grading.reports.rows import Row


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    """Return the command's options. Ends the program where they do not go together."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="the submissions")
    parser.add_argument("--out", type=Path, help="where to write (grades/ beside the folder)")
    parser.add_argument("--seed", type=int, help="of the random cases (drawn, and kept in grades/)")
    parser.add_argument("--workers", type=int, default=-1, help="cores to use (all)")
    parser.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler: grade on a cluster")
    parser.add_argument("--chapter", type=int, help="whose points go to Canvas or Moodle (total)")
    parser.add_argument("--canvas", type=Path, metavar="CSV", help="Canvas's export, to be filled")
    parser.add_argument("--canvas-column", metavar="TITLE", help="its column: '<title> (<id>)'")
    parser.add_argument("--moodle", type=Path, metavar="CSV", help="Moodle's worksheet, to fill")
    parser.add_argument(
        "--words", action="store_true", help="tell what exceptions said: read it before students do"
    )
    parser.add_argument("--samples", type=Path, metavar="FOLDER", help="make sample submissions")
    parser.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run submissions with your own rights: only for files that you wrote yourself",
    )
    options = parser.parse_args(arguments)
    if not options.samples and options.folder is None:
        parser.error("name the folder with the submissions")
    if options.canvas and not options.canvas_column:
        parser.error("--canvas needs --canvas-column, the assignment's column in the export")
    if options.dask and importlib.util.find_spec("distributed") is None:
        parser.error("--dask needs the package `distributed`: pip install distributed")
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = options_of(arguments)
    if options.samples:
        samples.write(COURSE, options.samples)
        print(
            f"written: {options.samples}. Grade them: python solutions/grade.py {options.samples}"
        )
        return
    walled = not options.unsafe_no_sandbox
    out = options.out or options.folder.resolve().parent / "grades"
    hidden = (options.folder.resolve(), out.resolve())
    workers = batch.Workers(options.workers, options.dask or "", walled, hidden, options.words)
    if not walled:
        print("WARNING: submissions run with your rights and can do what you can.", file=sys.stderr)
    try:
        walls.check_available(walled=walled)
        walls.sweep()
        for folder in hidden:
            walls.check_hidden(folder)
        found = places.find(options.folder)
    except (walls.Unavailable, OSError, ValueError) as error:
        sys.exit(f"grade.py: {error}")
    try:
        with store.opened(out, options.seed) as kept:
            rows = batch.grade_class(found, kept, workers)
            rows.sort(key=lambda row: (row.student, row.number))
            write_reports(rows, out, options)
            kept.finish()
    except store.Unusable as reason:
        sys.exit(f"grade.py: {reason}")
    print(f"{len(rows)} students, {len(found)} files. Written to {out}.")
    if left := [f"{row.student}: {reason}" for row in rows for reason in row.failed.values()]:
        sys.exit("grade.py: not graded, which is no grade; run it once more:\n" + "\n".join(left))


def write_reports(of_students: list[Row], out: Path, options: argparse.Namespace) -> None:
    """Write every report into the folder `out`."""
    grades.write_grades(of_students, sorted(reading.edition("notebooks")), out / "grades.csv")
    pages.write_pages(of_students, out / "students")
    (out / "summary.html").write_text(summary.summary_of(of_students), encoding="utf-8")
    chapter = options.chapter
    if options.canvas:
        column, path = options.canvas_column, out / "canvas.csv"
        gradebooks.fill_canvas(of_students, options.canvas, column, path, chapter)
    if options.moodle:
        gradebooks.fill_moodle(of_students, options.moodle, out / "moodle.csv", chapter)


if __name__ == "__main__":
    main()
