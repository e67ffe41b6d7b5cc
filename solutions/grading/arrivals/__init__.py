"""What arrives: where submissions lie, how they are read, what they are.

places.py       finds the submissions in a folder
names.py        the names that Moodle and Canvas give them
zips.py         reads notebooks in archives
reading.py      reads a notebook's cells, whatever the file may be
large.py        takes the outputs out of a notebook that is large
words.py        what is answered in words
recognising.py  which chapter it is, and which cell of the hand-out each cell is
"""
