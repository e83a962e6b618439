"""Copy an earlier checkout's database to the present tables."""


class CarryOverError(Exception):
    """One sentence for whoever runs the command."""
