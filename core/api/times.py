import datetime as dt

from django.utils.translation import gettext as _

from core.errors import DomainError

LEEWAY = dt.timedelta(minutes=5)  # clocks differ
YEARS = range(1970, 2200)


def refuse_future(field: str, moment: dt.datetime | None, now: dt.datetime) -> None:
    """Raise DomainError for a time beyond clock skew."""
    if moment is not None and moment > now + LEEWAY:
        raise DomainError(
            _(
                "%(field)s lies in the future: %(moment)s UTC. It is when something happened, "
                "and may be at most %(minutes)s minutes ahead of this server's clock."
            )
            % {"field": field, "moment": f"{moment:%Y-%m-%d %H:%M}", "minutes": LEEWAY.seconds // 60},
            field=field,
            code="in_the_future",
        )


def refuse_odd_year(field: str, moment: dt.datetime) -> None:
    """Raise DomainError for a time that no calendar here shows: near the first and last year zones overflow."""
    if moment.year not in YEARS:
        raise DomainError(
            _("%(field)s must be between %(first)s and %(last)s.")
            % {"field": field, "first": YEARS.start, "last": YEARS.stop - 1},
            field=field,
            code="out_of_range",
        )
