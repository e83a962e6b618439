"""To the second, with the zone: readers elsewhere need it."""

DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "j M Y, H:i:s T"
DATE_FORMAT = SHORT_DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
MONTH_DAY_FORMAT = "j F"
