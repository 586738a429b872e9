"""Compliance: whether units have what a standard asks for, requirement by requirement.

In: a cover with the tables it was counted from, and a standard. Out: one row a unit and requirement with what is
needed, what there is, and a status. What cannot be told from the data is ``no_data``, and a finding says why.
"""
