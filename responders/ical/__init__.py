"""Calendars (RFC 5545, 7986): those we serve, and those that layers are read from."""
