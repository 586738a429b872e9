"""Standards as data: what a community must have, one file a standard, each number with its clause and its source.

In go the files beside this one and a planner's own; out comes one table of requirements, a row each. Only numbers that
were found with a source are here; what was not found is left out, and each row says how well it is verified.
"""
