import datetime as dt

from core.errors import DomainError

LEEWAY = dt.timedelta(minutes=5)  # clocks differ
YEARS = range(1970, 2200)


def refuse_future(field: str, moment: dt.datetime | None, now: dt.datetime) -> None:
    """Raise DomainError for a time beyond clock skew."""
    if moment is not None and moment > now + LEEWAY:
        raise DomainError(
            f"{field} lies in the future: {moment:%Y-%m-%d %H:%M} UTC. It is when something happened, "
            f"and may be at most {LEEWAY.seconds // 60} minutes ahead of this server's clock.",
            field=field,
            code="in_the_future",
        )


def refuse_odd_year(field: str, moment: dt.datetime) -> None:
    """Raise DomainError for a time that no calendar here shows: near the first and last year zones overflow."""
    if moment.year not in YEARS:
        raise DomainError(
            f"{field} must be between {YEARS.start} and {YEARS.stop - 1}.", field=field, code="out_of_range"
        )
