"""English: to the second, and with the zone, for a time without one misleads whoever reads it elsewhere."""

DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "j M Y, H:i:s T"
