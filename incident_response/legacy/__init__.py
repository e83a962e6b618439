"""The addresses of earlier systems, on the same services; docs/legacy.md maps old to new."""
