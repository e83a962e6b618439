"""Endpoints of log lines: shared parts, and our own."""
