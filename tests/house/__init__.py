"""Figures that the house rules put limits to: structure, vendors, cost of a request, prose, lengths.

`python -m tests.house` prints them; see `__main__` for the rows and how each is counted.
"""
