"""Load the demo through the services, in order."""

import datetime as dt
import io
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.files.base import File

from core.db.transactions import unit_of_work
from core.severity import SEVERITY_OF_WORD
from incident_response.demo import PASSWORD, address_of, alerting, on_call, remediation, reviews, status_page
from incident_response.demo.pictures import FILES
from incidents import jobs, services
from incidents.models import Category, Incident, ReportRule, SlaPolicy, Visibility
from incidents.services import attaching
from incidents.workflow import ACTIONS_BY_NAME
from responders.models import Membership, Service, Team
from users.models import User

HERE = Path(__file__).parent
WORKER_PAUSE = dt.timedelta(seconds=5)  # until a worker would have seen it
SECONDS = {"d": 86_400, "h": 3_600, "m": 60}

Values = dict[str, Any]


@dataclass(frozen=True)
class Names:
    """What the content's words stand for."""

    people: dict[str, User]
    teams: dict[str, Team]
    services: dict[str, Service]
    categories: dict[str, Category]


@unit_of_work
def load(now: dt.datetime) -> None:
    """Load everything or nothing; times count back from `now`."""
    organisation = _content("organisation.toml")
    names = _organisation(organisation)
    incidents: dict[str, Incident] = {}
    definitions = _content("alerts.toml")
    alerting.set_up(definitions, names.people, now, span_of)
    on_call.set_up(_content("on_call.toml"), names.people, names.teams, now, span_of)
    announced = _content("status_page.toml")
    status_page.set_up(announced, names.people["ada"], names.services, now)
    happened = [
        *_happenings(_content("incidents.toml"), names, incidents, now),
        *alerting.demo_events(definitions, now, span_of),
        *status_page.happenings(announced, names.people, incidents, now, span_of),
    ]
    for at, happen in sorted(happened, key=lambda pair: pair[0]):
        _miss_targets(until=at)
        happen()
    _miss_targets(until=now)
    reviews.set_up(_content("reviews.toml"), names.people, incidents, now.date())
    remediation.set_up(_content("remediation.toml"), names.people, incidents, now, span_of)
    # Set last: earlier reports had no team.
    _report_rules(organisation["report_rule"], names)
    Team.objects.filter(name=organisation["default_team"]).update(is_default=True)
    on_call.page(now)


def run_jobs(now: dt.datetime) -> None:
    """Run the jobs once, for thumbnails and counts."""
    jobs.assign_feed(now)
    jobs.mark_breaches(now)
    jobs.update_tallies(now)
    while jobs.make_thumbnails(now):
        pass


def seconds_of(text: str) -> int:
    """Return the seconds in `2d 4h 30m`."""
    return sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)([dhm])", text))


def span_of(text: str) -> dt.timedelta:
    """Parse a span such as `2d 4h 30m`."""
    return dt.timedelta(seconds=seconds_of(text))


def _content(name: str) -> Values:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def _organisation(content: Values) -> Names:
    teams = {row["name"]: Team.objects.create(**row) for row in content["team"]}
    people = _people(content["person"], teams)
    systems = {row["slug"]: Service.objects.create(**{**row, "team": teams[row["team"]]}) for row in content["service"]}
    categories = {row["slug"]: _category(row, teams) for row in content["category"]}
    for row in content["policy"]:
        severity, category = SEVERITY_OF_WORD[row["severity"]], categories[row["category"]]
        policy = SlaPolicy(**{**row, "severity": severity, "category": category})
        policy.full_clean(exclude=["category_key"])
        policy.save(force_insert=True)
    return Names(people, teams, systems, categories)


def _report_rules(rules: list[Values], names: Names) -> None:
    for position, row in enumerate(rules):
        severity = SEVERITY_OF_WORD[row["severity"]] if "severity" in row else None
        team = names.teams[row["team"]] if "team" in row else None
        ReportRule.objects.create(**{**row, "position": position, "severity": severity, "team": team})


def _people(rows: list[Values], teams: dict[str, Team]) -> dict[str, User]:
    # Hash once: it is slow on purpose.
    password = make_password(PASSWORD)
    people: dict[str, User] = {}
    for row in rows:
        key, memberships = row.pop("key"), row.pop("teams", [])
        people[key] = User.objects.create(email=address_of(key), password=password, **row)
        for name in memberships:
            Membership.objects.create(team=teams[name], user=people[key])
    return people


def _category(row: Values, teams: dict[str, Team]) -> Category:
    team = teams[row["default_team"]] if "default_team" in row else None
    return Category.objects.create(**{**row, "default_team": team})


def _happenings(
    content: Values, names: Names, incidents: dict[str, Incident], now: dt.datetime
) -> Iterator[tuple[dt.datetime, Callable[[], object]]]:
    for row in content["incident"]:
        opened = now - dt.timedelta(seconds=seconds_of(row["ago"]))
        yield opened, partial(_report, row, names, incidents, opened)
        for step in row.get("steps", []):
            at = opened + dt.timedelta(seconds=seconds_of(step["after"]))
            yield at, partial(_take, step, row["key"], names, incidents, at)


def _report(row: Values, names: Names, incidents: dict[str, Incident], at: dt.datetime) -> None:
    new = services.NewIncident(
        title=row["title"],
        description=row.get("description", ""),
        severity=SEVERITY_OF_WORD[row["severity"]],
        category=names.categories[row["category"]] if "category" in row else None,
        location=row.get("location", ""),
        services=[names.services[slug] for slug in row.get("services", [])],
        team=names.teams[row["team"]] if "team" in row else None,
        is_restricted=row.get("restricted", False),
    )
    incidents[row["key"]] = services.open_incident(new, by=names.people[row["by"]], at=at)


def _take(step: Values, key: str, names: Names, incidents: dict[str, Incident], at: dt.datetime) -> None:
    incident, by, text = incidents[key], names.people[step["by"]], step.get("text", "")
    change = partial(services.update, incident, by=by, note=text, at=at)
    match step["do"]:
        case "comment":
            visibility = Visibility.INTERNAL if step.get("internal") else Visibility.PUBLIC
            services.comment(incident, text, by=by, visibility=visibility, at=at)
        case "attach":
            file = File(io.BytesIO(FILES[step["file"]]()), name=step["file"])
            attaching.attach(incident, attaching.inspect([file]), by=by, at=at)
        case "assign":
            change(fields={"assignee": names.people[step["to"]]})
        case "hand_over":
            change(fields={"team": names.teams[step["to"]]})
        case "rate":
            change(fields={"severity": SEVERITY_OF_WORD[step["to"]]})
        case "link":
            services.link(incident, incidents[step["to"]], step["kind"], by=by, at=at)
        case action:
            services.transition(incident, ACTIONS_BY_NAME[action].to_status, by=by, note=text, at=at)


def _miss_targets(*, until: dt.datetime) -> None:
    while due := Incident.objects.breach_due(until).order_by("next_breach_at").first():
        assert due.next_breach_at is not None  # noqa: S101 (for the type checker)
        jobs.mark_breaches(due.next_breach_at + WORKER_PAUSE)
