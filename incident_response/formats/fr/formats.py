"""To the second, with the zone: readers elsewhere need it."""

DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "j N Y, H:i:s T"
