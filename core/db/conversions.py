import datetime as dt
from typing import Any


def quick_conversions() -> dict[Any, Any]:
    """Return Django's MySQL conversions, with times parsed in C."""
    from django.db.backends.utils import typecast_time
    from MySQLdb.constants import FIELD_TYPE
    from MySQLdb.converters import conversions

    read = dt.datetime.fromisoformat
    return {**conversions, FIELD_TYPE.TIME: typecast_time, FIELD_TYPE.DATETIME: read, FIELD_TYPE.TIMESTAMP: read}
