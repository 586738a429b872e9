"""The museum of bad files: each wrong in one way, with the message and the remedy that a planner must get.

`exhibits` says what an exhibit is; the other files hang them up. ``cd tests; python -m museum FOLDER`` writes them all,
to be opened by hand.
"""
