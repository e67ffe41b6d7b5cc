"""Grade a folder of submissions, without trusting any of them.

    python solutions/grade.py submissions/                  writes grades/ beside it
    python solutions/grade.py chapter.ipynb                 writes grades-chapter/ where you are
    python solutions/grade.py submissions/ --workers 4      on four cores
    python solutions/grade.py --samples samples/            makes submissions to try it on

In the folder: one folder per student, or the download of all submissions from Moodle or Canvas,
unpacked. Each submission runs in a sandbox of its own (bubblewrap), and its answers are compared
outside. If you stop the command and start it again, it goes on where it was.
"""

import sys
from pathlib import Path

from helpers.environment import COURSE
from solutions.grading import batch, options, pool, samples, store, walls
from solutions.grading.arrivals import places, reading
from solutions.grading.reports import (
    archives,
    canvas,
    changes,
    grades,
    members,
    moodle,
    pages,
    summary,
    table,
    weights,
    written,
)
from solutions.grading.reports.account import Account


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    chosen = options.read(arguments, __doc__)
    if chosen.samples:
        samples.write(COURSE, chosen.samples)
        print(f"written: {chosen.samples}. Grade them: python solutions/grade.py {chosen.samples}")
        return
    walled = not chosen.unsafe_no_sandbox
    folder = chosen.folder.resolve()
    one = folder.is_file()  # whose grades do not go among those of a class
    out = chosen.out or (Path(f"grades-{folder.stem}") if one else folder.parent / "grades")
    hidden = (folder.parent if one else folder, out.resolve())
    workers = pool.Workers(chosen.workers, chosen.dask or "", walled, hidden, chosen.words)
    if not walled:
        print("WARNING: submissions run with your rights and can do what you can.", file=sys.stderr)
    try:
        walls.check_available(walled=walled)
        walls.sweep()
        for place in hidden:
            walls.check_hidden(place)
        store.check_apart(out, folder)
        books = gradebooks_of(chosen)
        entered = written.read(out / "written.csv")
        counts = weights.read(chosen.weights) if chosen.weights else weights.Weights()
        groups = members.read(chosen.groups) if chosen.groups else {}
        found = places.find(chosen.folder)
        if not chosen.out:
            store.check_source(out, folder)
    except (walls.Unavailable, table.Unusable, store.Unusable, OSError, ValueError) as error:
        sys.exit(f"grade.py: {error}")
    try:
        with store.opened(out, chosen.seed) as kept:
            kept.note_source(folder)
            wanted = batch.Wanted(chosen.again, chosen.student)
            rows = batch.grade_class(found, kept, workers, wanted)
            entered = written.settled(rows, entered)
            to_nobody = written.add(rows, entered)
            counts.apply(rows)
            written.save(rows, entered, out)
            lacking = members.without(groups, rows)
            rows = members.of_members(rows, groups)
            rows.sort(key=lambda row: (row.student, row.number))
            changed = changes.since_last(rows, out) if chosen.again else []
            account = Account(rows, len(found), out, chosen.chapter, to_nobody, lacking)
            grades.write_grades(
                rows, sorted(reading.edition("notebooks")), out / "grades.csv", counts
            )
            pages.write_pages(rows, out / "students")
            store.write(out / "summary.html", summary.summary_of(rows))
            for name, book in books.items():
                account.books[name] = book.fill(rows, out / name, chosen.chapter)
                account.names[name] = book.names()
            archives.save(rows, out)
            changes.save(rows, out)
            account.save()
            kept.finish()
    except (store.Unusable, pool.Refused) as reason:
        sys.exit(f"grade.py: {reason}")
    print(*(f"Changed: {line}" for line in changed), *account.lines(), sep="\n")
    sys.exit(account.status)


def gradebooks_of(chosen) -> dict[str, canvas.Gradebook | moodle.Worksheet]:
    """Return name of the file to write -> gradebook to fill. Raises table.Unusable."""
    books: dict[str, canvas.Gradebook | moodle.Worksheet] = {}
    if chosen.canvas:
        books["canvas.csv"] = canvas.Gradebook(chosen.canvas, chosen.canvas_column)
    if chosen.moodle:
        books["moodle.csv"] = moodle.Worksheet(chosen.moodle)
    return books


if __name__ == "__main__":
    main()
