"""Where log lines are sent: what all such endpoints share, and our own."""
