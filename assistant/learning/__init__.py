"""Learn from past incidents what new ones become; no database, no clock, nothing outside the standard library."""
