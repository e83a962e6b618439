"""Vendors, each in its folder; docs/integrations.md says what a folder holds."""
