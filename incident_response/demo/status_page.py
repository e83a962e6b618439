"""The public status page, and what was announced on it."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from incidents.models import Incident
from responders.models import Service
from status_page.models import Component, PublicIncident
from status_page.rendering.uptime import DAYS
from status_page.services import components, maintenance, page, publishing, templates
from users.models import User

Values = dict[str, Any]
Span = Callable[[str], dt.timedelta]
Happening = tuple[dt.datetime, Callable[[], object]]


def set_up(content: Values, by: User, services: Mapping[str, Service], now: dt.datetime) -> None:
    """Present the page, and put components and a template on it, which have been there for as long as bars reach."""
    page.edit_page(by=by, changes=content["page"])
    for row in content["group"]:
        components.add_group(by=by, values=row)
    for row in content["component"]:
        service = {"service": services[row["service"]]} if "service" in row else {}
        components.add_component(by=by, values={**row, **service})
    Component.objects.update(created_at=now - dt.timedelta(days=DAYS))
    for row in content["template"]:
        templates.add_template(by=by, values=row)


def happenings(
    content: Values, people: Mapping[str, User], incidents: Mapping[str, Incident], now: dt.datetime, span: Span
) -> Iterator[Happening]:
    """Return what is announced, and when; `incidents` will hold those announced by then."""
    published: dict[str, PublicIncident] = {}
    for row in content["incident"]:
        opened = now - span(row["ago"])
        at = opened + span(row["after"])
        yield at, partial(_publish, row, people, incidents, published, began=opened + span(row["began"]), at=at)
        for update in row["update"]:
            at = opened + span(update["after"])
            yield at, partial(_update, row, update, people, published, at)
    for row in content["maintenance"]:
        at = now - span(row["ago"])
        yield at, partial(_plan, row, people, now, span, at)


def _publish(
    row: Values,
    people: Mapping[str, User],
    incidents: Mapping[str, Incident],
    published: dict[str, PublicIncident],
    *,
    began: dt.datetime,
    at: dt.datetime,
) -> None:
    published[row["about"]] = publishing.publish(
        by=people[row["by"]],
        **{name: row[name] for name in ("title", "message", "impact", "state", "translations")},
        components=_components(row),
        incident=incidents[row["about"]],
        starts_at=began,
        tell=False,
        at=at,
    )


def _update(
    row: Values, update: Values, people: Mapping[str, User], published: Mapping[str, PublicIncident], at: dt.datetime
) -> None:
    said = {name: update[name] for name in ("message", "state", "translations")}
    publishing.add_update(published[row["about"]], by=people[row["by"]], tell=False, at=at, **said)


def _plan(row: Values, people: Mapping[str, User], now: dt.datetime, span: Span, at: dt.datetime) -> None:
    starts_at = (now + span(row["begins"])).replace(minute=0, second=0, microsecond=0)
    maintenance.plan(
        by=people[row["by"]],
        **{name: row[name] for name in ("title", "message", "translations")},
        components=_components(row),
        starts_at=starts_at,
        ends_at=starts_at + span(row["lasts"]),
        tell=False,
        at=at,
    )


def _components(row: Values) -> list[Component]:
    return list(Component.objects.filter(name__in=row["components"]))
