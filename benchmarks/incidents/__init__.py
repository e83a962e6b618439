"""Measuring incidents: lists, details, writes, metrics and the export, on three years of made-up history."""
