"""Pages about the status page: what the public is told, and who is told it."""
