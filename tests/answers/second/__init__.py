"""Answers written as blindly, later, by which it was measured what the mends are worth."""
