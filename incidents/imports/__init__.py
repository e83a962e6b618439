"""Bringing history in from another system's event log. Everything here is pure of the database:

`mapping` says what the columns mean, `reading` and `spool` walk a file of any size in bounded memory, `rows` makes a
typed row of cells, `replay` makes an incident with its events of the rows. incidents.services.importing writes them.
"""
