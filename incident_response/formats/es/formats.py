"""To the second, with the zone: readers elsewhere need it."""

DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "j b Y, H:i:s T"
