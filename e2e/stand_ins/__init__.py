"""Servers that stand in for vendors' on this machine: they judge requests as strictly, and hold what tests give them.

Each also runs alone, as in `python -m e2e.stand_ins.loki --port 3100`.
"""
