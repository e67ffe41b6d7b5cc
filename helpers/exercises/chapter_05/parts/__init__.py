"""What exercises of chapter 5 are made of: wrong answers to choose from, and what is measured.

batches.py, draws.py, text_models.py, updates.py   wrong answers, of which known mistakes are made
drawn.py, written.py                               facts about what was drawn, and their sentences
"""
