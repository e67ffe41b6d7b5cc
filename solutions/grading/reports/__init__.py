"""What is written when a class is graded: for instructors, for students, for platforms.

rows.py        a student's row, of which all else is made
grades.py      grades.csv
pages.py       a page per student
summary.py     the class summary
gradebooks.py  Canvas and Moodle
table.py       what is true of every table
templates/     the HTML of pages and summary
"""
