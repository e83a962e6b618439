"""Endpoints of alerts and heartbeats for every vendor."""
