"""To the second, with the zone: readers elsewhere need it."""

DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "Y年n月j日 H:i:s T"
TIME_FORMAT = "H:i"
