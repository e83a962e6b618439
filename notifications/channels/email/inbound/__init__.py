"""Inbound mail: kept first, then read, judged, and turned into reports, comments or bounces."""
