"""A synthetic town to try gridmap on: `project.toml` and the tables it names. No such place, no such people.

`make_town.py` writes the files; README.md says what is in them.
"""
