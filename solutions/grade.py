"""Grade a folder of submissions, without trusting any of them.

    python solutions/grade.py submissions/                  writes grades/ beside it
    python solutions/grade.py submissions/ --workers 4      on four cores
    python solutions/grade.py --samples samples/            makes submissions to try it on

In the folder: one folder per student, or the unpacked download of all submissions from Moodle or
Canvas. Each submission runs in a sandbox of its own (bubblewrap), and its answers are compared
outside. Broken off and started again, it goes on where it was.
"""

import argparse
import hashlib
import json
import secrets
import sys
from pathlib import Path

import joblib
from grading import reports, samples, sandbox, submissions
from grading.judging import Mark
from grading.submissions import Cell, Submission, Unreadable
from grading.tasks import COURSE, edition, grade_one
from tqdm import tqdm


def seed_of(out: Path, given: int | None) -> int:
    """Return the seed: as given, or else the one that these grades began with, or else a new one.

    Whoever knew the seed could compute the cases at home and hand in a table of the results.
    """
    path = out / "seed.txt"
    if given is None and path.exists():
        return int(path.read_text(encoding="utf-8"))
    seed = secrets.randbelow(2**32) if given is None else given
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{seed}\n", encoding="utf-8")
    return seed


class Store:
    """The results so far, one file each, so that nothing is graded twice and nothing lost."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, key: str) -> dict | None:
        path = self.folder / f"{key}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def put(self, key: str, result: dict) -> None:
        path = self.folder / f"{key}.json"
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(result), encoding="utf-8")
        unfinished.replace(path)


def course_digest() -> str:
    """Return a digest of what decides a grade besides the submission: exercises and hand-out."""
    digest = hashlib.sha256()
    for path in [
        *sorted((COURSE / "helpers").rglob("*.py")),
        *sorted((COURSE / "solutions/grading").glob("*.py")),
        *sorted((COURSE / "notebooks").glob("*.ipynb")),
        *sorted((COURSE / "solutions").glob("*.ipynb")),
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def key_of(submission: Submission, code: list[Cell], seed: int, course: str) -> str:
    """Return the name under which a result is stored: who, what, with which seed and course."""
    told = [submission.student, submission.number, submission.name, seed, course]
    text = json.dumps([*told, [[cell.id, cell.source] for cell in code]])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def grade_all(found: list[Submission], store: Store, options) -> list[reports.Row]:
    """Grade what is not graded yet; return a row per student."""
    rows: dict[tuple[str, str], reports.Row] = {}
    course, keys, tasks = course_digest(), [], []
    for submission in found:
        who = (submission.student, submission.number)
        row = rows.setdefault(who, reports.Row(*who))
        try:
            code = submissions.read(submission.path)
            chapter = submissions.chapter_of(code, edition("notebooks"))
        except Unreadable as reason:
            row.notes.append(f"{submission.name}: {reason}")
            continue
        key = key_of(submission, code, options.seed, course)
        keys.append((key, row, chapter, submission.name))
        if store.get(key) is None:
            slot = len(tasks) % 4000
            tasks.append((key, code, chapter, slot, options.seed, not options.unsafe_no_sandbox))
    for key, result in tqdm(_results(tasks, options), total=len(tasks), unit="submission"):
        store.put(key, result)
    for key, row, chapter, name in keys:
        result = store.get(key)
        marks, before = [Mark(**mark) for mark in result["marks"]], row.marks.get(chapter, [])
        if before:
            row.notes.append(f"{name}: another submission of chapter {chapter}; the best counts.")
        row.marks[chapter] = max(marks, before, key=lambda of: sum(mark.points for mark in of))
        row.notes += [f"chapter {chapter}: {note}" for note in result["notes"]]
    return list(rows.values())


def _results(tasks: list, options):
    if not options.dask:
        parallel = joblib.Parallel(n_jobs=options.workers, return_as="generator_unordered")
        yield from parallel(joblib.delayed(grade_one)(*task) for task in tasks)
        return
    try:
        import distributed
    except ModuleNotFoundError:
        sys.exit("grade.py: --dask needs the package `distributed`: pip install distributed")
    with distributed.Client(options.dask) as client:
        futures = [client.submit(grade_one, *task, pure=False) for task in tasks]
        for future in distributed.as_completed(futures):
            yield future.result()


def main() -> None:
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
    parser.add_argument("--samples", type=Path, metavar="FOLDER", help="make sample submissions")
    parser.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run submissions with your own rights: for files that you wrote yourself",
    )
    options = parser.parse_args()
    if options.samples:
        samples.write(COURSE, options.samples)
        print(
            f"written: {options.samples}. Grade them: python solutions/grade.py {options.samples}"
        )
        return
    if options.folder is None:
        parser.error("name the folder with the submissions")
    if options.canvas and not options.canvas_column:
        parser.error("--canvas needs --canvas-column, the assignment's column in the export")
    if options.unsafe_no_sandbox:
        print("WARNING: submissions run with your rights and can do what you can.", file=sys.stderr)
    try:
        sandbox.check_available(walled=not options.unsafe_no_sandbox)
        found = submissions.find(options.folder)
    except (sandbox.Unavailable, OSError, ValueError) as error:
        sys.exit(f"grade.py: {error}")
    out = options.out or options.folder.resolve().parent / "grades"
    options.seed = seed_of(out, options.seed)
    rows = grade_all(found, Store(out / "results"), options)
    report(rows, out, options)
    print(f"{len(rows)} students, {len(found)} files. Written to {out}.")


def report(rows: list[reports.Row], out: Path, options) -> None:
    """Write every report into the folder `out`."""
    rows.sort(key=lambda row: (row.student, row.number))
    reports.write_grades(rows, sorted(edition("notebooks")), out / "grades.csv")
    reports.write_summary(rows, out / "summary.html")
    pages = out / "students"
    pages.mkdir(exist_ok=True)
    for stale in pages.glob("*.html"):
        stale.unlink()
    for number, row in enumerate(rows, start=1):
        reports.write_page(row, pages / f"{number:04} {_file_name(row)}.html")
    if options.canvas:
        reports.fill_canvas(
            rows, options.canvas, options.canvas_column, out / "canvas.csv", options.chapter
        )
    if options.moodle:
        reports.fill_moodle(rows, options.moodle, out / "moodle.csv", options.chapter)


def _file_name(row: reports.Row) -> str:
    """Return a student's name as every file system takes it."""
    kept = "".join(c if c.isalnum() or c in " -_." else "_" for c in row.student)
    return kept.strip(" .")[:80] or "student"


if __name__ == "__main__":
    main()
