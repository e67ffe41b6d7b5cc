"""What arrives: where submissions lie, how they are read, what they are.

places.py       finds the submissions in a folder
reading.py      reads a notebook's code cells, whatever the file may be
recognising.py  which chapter they belong to
"""
