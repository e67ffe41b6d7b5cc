"""The only files of the grader that stand beside a submission, inside its sandbox.

protocol.py  what is said between the two sides, and how it is read without trust
worker.py    runs cells and calls answers
stand_in.py  stands there in place of helpers/exercises, which stays outside
"""
