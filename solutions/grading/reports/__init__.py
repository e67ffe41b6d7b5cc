"""What is written when a class is graded: for instructors, for students, for platforms.

rows.py      a student's row, of which all else is made
members.py   a group's row, for each of its members
grades.py    grades.csv
pages.py     a page per student
summary.py   the class summary
written.py   written answers: texts to read, points to enter
canvas.py    Canvas's gradebook
moodle.py    Moodle's worksheet
matching.py  whose line of those a row belongs to
table.py     how tables are read and written
weights.py   what an instructor makes of the exercises
changes.py   what is other than last time
archives.py  feedback as platforms take it back
account.py   what is said at the end, and what reached nobody
templates/   the HTML of pages and summary
"""
