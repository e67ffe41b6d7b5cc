"""Right answers written in other ways: every one of them must pass, and the chapter must run on it.

One module per chapter, `chapter_NN.py`; in it, one function or class per variant, called after its
exercise with a suffix that says what is different.
"""
