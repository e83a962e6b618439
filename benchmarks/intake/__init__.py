"""Measuring how alerts and log lines come in, on databases of their own."""
