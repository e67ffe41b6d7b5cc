"""The options of the grading command, checked before anything is graded."""

import argparse
import importlib.util
from pathlib import Path

from helpers.exercises import catalogue


def read(arguments: list[str] | None, description: str | None) -> argparse.Namespace:
    """Return the command's options. Ends the program where they do not go together."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="the submissions, or one notebook")
    parser.add_argument("--out", type=Path, help="where to write the grades")
    parser.add_argument("--seed", type=int, help="of the random cases (drawn, and kept in grades/)")
    parser.add_argument("--workers", type=int, default=-1, help="cores to use (all)")
    parser.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler: grade on a cluster")
    parser.add_argument("--chapter", type=int, help="whose points go to Canvas or Moodle (total)")
    parser.add_argument("--canvas", type=Path, metavar="CSV", help="Canvas's export, to be filled")
    parser.add_argument("--canvas-column", metavar="TITLE", help="its column: '<title> (<id>)'")
    parser.add_argument("--moodle", type=Path, metavar="CSV", help="Moodle's worksheet, to fill")
    parser.add_argument("--groups", type=Path, metavar="CSV", help="groups: group, student[, id]")
    parser.add_argument("--weights", type=Path, metavar="TOML", help="what each exercise counts")
    parser.add_argument("--again", action="store_true", help="grade anew, and list what changed")
    parser.add_argument("--student", default="", metavar="NAME", help="grade this one only")
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
    chapters = catalogue.chapters()
    if options.chapter is not None and options.chapter not in chapters:
        there = f"there are chapters {min(chapters)} to {max(chapters)}"
        parser.error(f"--chapter {options.chapter}: {there}")
    return options
