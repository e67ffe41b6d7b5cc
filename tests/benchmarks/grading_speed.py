"""Submissions graded per minute of processor time: nbgrader's autograde, and solutions/grade.py.

Each chapter is handed in three times: solved, untouched, and with every other answer wrong. Both
graders get the same notebooks in one run; their markers and metadata are rewritten for nbgrader. It
executes every cell in a kernel, as the cells stand. Ours executes what the answers need, in a
sandbox, and compares outside.
nbgrader comes into a virtual environment of its own, for this benchmark only; its kernel is the
course's Python.
"""

import contextlib
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import nbformat
import psutil

from helpers.environment import COURSE
from solutions.grading import sandbox, single, walls
from solutions.grading.arrivals import reading, recognising
from tests import chapters
from tests.benchmarks.machine import reaped, table

NBGRADER = "nbgrader==0.9.6"
GRADED = """answer_before_check = {name}
{check}
assert {name} is answer_before_check"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        graders = {"nbgrader": Nbgrader(Path(folder)).seconds, "grade.py": own_seconds}
        columns = "chapter, grader | submissions | CPU s:.1f | a minute:.1f | ratio:.1f"
        totals = dict.fromkeys(graders, 0.0)
        with table("three submissions of each chapter", columns) as row:
            for path in chapters.NOTEBOOKS:
                of = handed_in(path, Path(folder))
                spent = {name: seconds(path, of) for name, seconds in graders.items()}
                for name, cost in spent.items():
                    per_minute = 60 * len(of) / cost
                    row(f"{path.stem}, {name}", len(of), cost, per_minute, spent["nbgrader"] / cost)
                    totals[name] += cost
        theirs, ours = totals.values()
        print(f"all: nbgrader {theirs:.1f} CPU s, grade.py {ours:.1f}, ratio {theirs / ours:.1f}")


def handed_in(path, folder):
    """Return the notebooks of a chapter that are handed in, by student."""
    solved = chapters.SOLUTIONS[chapters.NOTEBOOKS.index(path)]
    notebook = chapters.read(solved)
    answers = chapters.exercise_cells(notebook)
    open_ones = chapters.exercise_cells(chapters.read(path))
    for name in list(answers)[::2]:
        wrong = re.sub(r"raise NotImplementedError\(.*\)", "return None", open_ones[name].source)
        answers[name].source = wrong
    half = folder / f"half wrong {path.name}"
    nbformat.write(notebook, half)
    return {"solved": solved, "untouched": path, "half_wrong": half}


# --- nbgrader -------------------------------------------------------------------------------------


class Nbgrader:
    """An installation of nbgrader, and a course for it, in a folder."""

    def __init__(self, folder: Path):
        self.course = folder / "course"
        self.course.mkdir()
        venv.create(folder / "venv", with_pip=True)
        scripts = next((folder / "venv").glob("[Ss]cripts"), folder / "venv/bin")
        python = next(path for path in scripts.iterdir() if path.stem == "python")
        install = [python, "-m", "pip", "install", "--quiet", NBGRADER]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
        self.command = [python, "-m", "nbgrader"]
        kernel = folder / "jupyter/kernels/python3"
        kernel.mkdir(parents=True)
        start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        described = {"argv": start, "display_name": "Python 3", "language": "python"}
        (kernel / "kernel.json").write_text(json.dumps(described))
        self.environment = os.environ | {
            "JUPYTER_PATH": str(folder / "jupyter"),
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",  # where it finds alembic
        }

    def run(self, *arguments):
        settings = ["--ExecutePreprocessor.timeout=300", f"--course-dir={self.course}"]
        done = subprocess.run(
            [*self.command, *arguments, *settings],
            env=self.environment,
            cwd=self.course,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"nbgrader {arguments[0]} failed:\n{done.stderr[-3000:]}")

    def seconds(self, path, of):
        """Return the CPU seconds of autograding the submissions of a chapter."""
        name = path.stem
        self.save(self.course / "source" / name / path.name, path)
        self.run("generate_assignment", name)
        for student, source in of.items():
            self.save(self.course / "submitted" / student / name / path.name, source)
        before = reaped()
        self.run("autograde", name)
        return reaped() - before

    @staticmethod
    def save(target, source):
        target.parent.mkdir(parents=True)
        nbformat.write(adapted(chapters.read(source)), target)


def adapted(notebook):
    """Return a notebook with nbgrader's metadata: exercises to be solved, checks to be graded."""
    notebook = copy.deepcopy(notebook)
    exercise_ids = {cell.id for cell in chapters.exercise_cells(notebook).values()}
    for cell in notebook.cells:
        cell.metadata.pop("tags", None)
        name = chapters.checked_in(cell)
        if name:
            cell.source = GRADED.format(name=name, check=cell.source)
        if name or cell.id in exercise_ids:
            cell.metadata.nbgrader = {
                "schema_version": 3,
                "grade_id": cell.id,
                "grade": bool(name),
                "solution": not name,
                "locked": bool(name),
                "task": False,
                "cell_type": "code",
            } | ({"points": 1} if name else {})
    return notebook


# --- this course's grader -------------------------------------------------------------------------


class Counted(sandbox.Sandbox):
    """A sandbox that adds up the CPU seconds of what ran inside, before it is ended."""

    seconds = 0.0

    def __exit__(self, *error):
        for process in self.watch.inside():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                Counted.seconds += times.user + times.system
        super().__exit__(*error)


def own_seconds(path, of):
    """Return the CPU seconds of grading the submissions of a chapter, both sides included."""
    single.Sandbox = Counted
    Counted.seconds, started = 0.0, time.process_time()
    for source in of.values():
        handed_out, read = reading.edition("notebooks"), reading.read(source).code
        (chapter,) = recognising.chapters_of(read, handed_out)
        code = recognising.named(read, handed_out[chapter])
        with walls.stage(COURSE) as staged:
            single.grade(code, chapter, staged=staged)
    return Counted.seconds + time.process_time() - started
