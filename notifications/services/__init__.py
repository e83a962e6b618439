"""Who is told what, by which way, and what became of it. All writes of notifications are here."""
