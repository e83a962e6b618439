"""Takes a database of an earlier checkout to the present tables, row by row; the one it comes from is only read."""


class CarryOverError(Exception):
    """One sentence on what is wrong, for whoever runs the command."""
