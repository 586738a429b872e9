"""Tables in: a reader for each table, over a room for each kind of source, and the record of what was done."""
