import datetime as dt

from core.errors import DomainError

LEEWAY = dt.timedelta(minutes=5)  # clocks differ


def refuse_future(field: str, moment: dt.datetime | None, now: dt.datetime) -> None:
    """Raise DomainError for a time beyond clock skew."""
    if moment is not None and moment > now + LEEWAY:
        raise DomainError(
            f"{field} lies in the future: {moment:%Y-%m-%d %H:%M} UTC. It is when something happened, "
            f"and may be at most {LEEWAY.seconds // 60} minutes ahead of this server's clock.",
            field=field,
            code="in_the_future",
        )
