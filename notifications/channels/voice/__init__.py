"""Phone calls: only a key press counts as reached."""
