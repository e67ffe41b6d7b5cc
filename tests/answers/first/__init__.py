"""Answers written before a card was seen, with which the checks were mended."""
