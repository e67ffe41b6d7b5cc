"""Grades submissions that nobody has to trust. The command is grade.py, one folder up.

options.py         the command line
batch.py           a class: what is to be graded, and what is already
pool.py            who grades: processes here, or a cluster
store.py           the results so far, the seed, a lock
arrivals/          what is handed in: where it lies, how it is read, what it is
cells.py           which cells of a submission have to run
single.py          one submission: its marks, and the second chances that it gets
following.py       what failed beside answers that failed, marked again beside references
marking.py         draws the cases, compares what came back, gives marks
marks.py           what a mark is
references.py      the source of a reference, where an answer needs another one that is wrong
telling.py         what is told of an exception
flags.py           what deserves a second look
sandbox.py         starts a worker behind the walls, and talks to it
walls.py           the walls, and what is laid out behind them
system_calls.py    the calls of the kernel that are refused there
watch.py           time, memory and files that are used there
control_groups.py  a control group for each sandbox, where there are any
inside/            the only files of the grader that stand there, beside a submission
reports/           grades.csv, pages for students, the class summary, Canvas and Moodle
samples.py         makes submissions to try it on
"""
