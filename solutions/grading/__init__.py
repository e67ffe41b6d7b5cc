"""Grades submissions that nobody has to trust.

grade.py (one folder up)  the command
submissions.py   finds a folder's submissions and reads them, whatever they are
cells.py         which cells of a submission have to run, and what deserves a second look
sandbox.py       starts the worker where it can reach nothing, with limits, and talks to it
worker.py        runs inside the sandbox: executes cells, calls answers, returns arrays
protocol.py      what is said between the two, and how it is read without trust
judging.py       draws the cases, compares what came back, scores
tasks.py         one submission as a task for a worker process
samples.py       makes submissions to try it on
reports.py       grades.csv, pages for students, the class summary, Canvas and Moodle
"""
