"""What a page of figures covers: viewer, days, team; and the lists behind its numbers."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from console.charts import Empty
from console.reporting.periods import Period, Unusable, period_of
from core.text.zones import zone_named
from incidents.figures import parts_of
from incidents.models import IncidentQuerySet
from responders.models import Membership, Team
from users.models import User

MINE, NONE = "mine", "none"


@dataclass(frozen=True)
class Scope:
    """Whose incidents of which days; `team` is "", an id, `mine` or `none`."""

    viewer: User
    period: Period
    team: str = ""
    team_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def team_name(self) -> str:
        return self.team_names.get(self.team, "")

    @property
    def query(self) -> dict[str, str]:
        """Return what keeps it in an address."""
        return {**self.period.query, **({"team": self.team} if self.team else {})}

    @property
    def key(self) -> tuple[object, ...]:
        """Return all that its figures depend on, but for the incidents."""
        viewer = ("admin",) if self.viewer.is_admin else (self.viewer.pk, self.viewer.role, self.my_teams)
        teams = self.my_teams if self.team == MINE else self.team
        return viewer, teams, tuple(self.period.edges)

    @cached_property
    def my_teams(self) -> frozenset[int]:
        return Membership.objects.team_ids_of(self.viewer)

    def narrowed(self, incidents: IncidentQuerySet) -> IncidentQuerySet:
        """Return those of the team."""
        if self.team == MINE:
            return incidents.filter(team_id__in=self.my_teams)
        if self.team == NONE:
            return incidents.filter(team_id__isnull=True)
        return incidents.filter(team_id=int(self.team)) if self.team else incidents

    @property
    def parts(self) -> list[IncidentQuerySet]:
        return [self.narrowed(part) for part in parts_of(self.viewer)]

    def incidents_url(self, start: dt.datetime | None = None, end: dt.datetime | None = None, /, **filters: str) -> str:
        """Return the address of the list behind a number: of the whole period, or of a stretch of it."""
        within = {
            "created_after": moment_text(start or self.period.start),
            "created_before": moment_text(end or self.period.end),
        }
        return self.list_url(**within, **filters)

    def list_url(self, **filters: str) -> str:
        """Return the address of the list of the team's incidents, of any time."""
        team = {"team": self.team} if self.team and "team" not in filters else {}
        return f"{reverse('console:incidents')}?{urlencode({**team, **filters})}"

    @property
    def sentence(self) -> str:
        """Say what the figures are of."""
        values = {"team": self.team_name, "days": self.period.words, "zone": self.period.zone.key}
        sentences = {
            "": _("Incidents of all teams opened in %(days)s, by the clocks of %(zone)s."),
            MINE: _("Incidents of my teams opened in %(days)s, by the clocks of %(zone)s."),
            NONE: _("Incidents without a team opened in %(days)s, by the clocks of %(zone)s."),
        }
        return (
            sentences.get(self.team, _("Incidents of %(team)s opened in %(days)s, by the clocks of %(zone)s.")) % values
        )

    @property
    def empty(self) -> Empty:
        """Say what emptied a chart; the team is the first thing to clear, then the days."""
        values = {"team": self.team_name, "days": self.period.words}
        sentences = {
            "": _("Nothing in %(days)s."),
            MINE: _("Nothing for my teams in %(days)s."),
            NONE: _("Nothing without a team in %(days)s."),
        }
        sentence = sentences.get(self.team, _("Nothing for %(team)s in %(days)s.")) % values
        if self.team:
            return Empty(sentence, _("Show all teams"), self._url(self.period.query))
        if self.period.days == 90:
            return Empty(sentence)
        return Empty(sentence, _("Show the last 90 days"), self._url({"days": "90"}))

    def _url(self, query: Mapping[str, str]) -> str:
        return f"?{urlencode(query)}" if query else "?"


def moment_text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def scope_of(viewer: User, parameters: Mapping[str, str], now: dt.datetime) -> tuple[Scope, list[Team], str]:
    """Return the scope that an address asks for, the teams to choose from, and what is wrong with the address."""
    teams = list(Team.objects.all())
    zone, problem = zone_named(viewer.time_zone), ""
    try:
        period = period_of(parameters, zone, now)
    except Unusable as error:
        period, problem = period_of({}, zone, now), str(error)
    names, team = {str(one.pk): one.name for one in teams}, parameters.get("team", "")
    if team not in (MINE, NONE, *names):
        team = ""
    offered = [one for one in teams if one.is_active or str(one.pk) == team]
    return Scope(viewer, period, team, names), offered, problem
