"""A change of configuration writes what was sent, and takes nothing back that others did meanwhile."""

import datetime as dt
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from unittest import mock

from django.db.models import Model
from django.test import TestCase
from django.urls import get_resolver, reverse
from django.utils import timezone

from alerts.models import Heartbeat, Route, Silence
from alerts.tests.factories import make_route, make_silence, make_source
from core.api.configuration import CleanedModelSerializer, ConfigurationViewSet
from incidents.models import Category, ReportRule, SlaPolicy
from incidents.tests.factories import make_category, make_policy, make_service, make_team
from intake.models import Source
from logs.models import DetectionRule
from logs.services.rules import save_rule
from notifications.models import RoomChannel, WebhookEndpoint
from notifications.tests.factories import make_room, make_webhook
from remediation.models import Agent, FreezeWindow
from remediation.tests.agents import make_agent
from responders.models import EscalationPolicy, Schedule, Service, Team
from responders.tests.schedules import make_schedule
from reviews.models import ReviewRule
from reviews.tests.factories import make_rule as make_review_rule
from status_page.models import Component, ComponentGroup, UpdateTemplate
from status_page.tests.factories import make_component
from users.models import User
from users.tests.factories import client_of, make_admin, make_responder

API = "/api/v1/"
NOW = timezone.now()
LATER = NOW + dt.timedelta(days=7)


def rule() -> DetectionRule:
    return save_rule(DetectionRule(name="Refused", mode="threshold", query="refused", threshold=3, window_seconds=60))


def night_policy() -> EscalationPolicy:
    step = {"delay_minutes": 0, "targets": [{"kind": "user", "id": make_responder().pk}], "strategy": "all"}
    return EscalationPolicy.objects.create(name="Night", steps=[{**step, "if_empty": "skip", "needs_acks": 1}])


# Of each resource: its route, a row, what is sent, and what others set meanwhile.
RESOURCES: dict[type[Model], tuple[str, Callable[[], Any], dict[str, Any], dict[str, Any]]] = {
    Silence: ("silences", lambda: make_silence(("a", "=", "b")), {"comment": "Sent"}, {"ends_at": NOW}),
    Route: ("routes", make_route, {"name": "Sent"}, {"position": 77, "matched_count": 77}),
    Source: ("sources", make_source, {"name": "Sent"}, {"is_enabled": False, "last_received_at": LATER}),
    Heartbeat: (
        "heartbeats",
        lambda: Heartbeat.objects.create(name="backup", source=make_source(name="Backups"), interval_minutes=5),
        {"interval_minutes": 9},
        {"last_ping_at": LATER},
    ),
    DetectionRule: ("detection-rules", rule, {"severity": "low"}, {"threshold": 99}),
    Team: ("teams", make_team, {"name": "Sent"}, {"description": "Theirs"}),
    Service: ("services", make_service, {"name": "Sent"}, {"description": "Theirs"}),
    Category: ("categories", make_category, {"name": "Sent"}, {"description": "Theirs"}),
    Schedule: ("schedules", lambda: make_schedule(), {"name": "Sent"}, {"description": "Theirs"}),
    EscalationPolicy: (
        "escalation-policies",
        night_policy,
        {"name": "Sent"},
        {"description": "Theirs"},
    ),
    RoomChannel: (
        "channels",
        lambda: make_room(kind="email", address="ops@example.org"),
        {"name": "Sent"},
        {"is_enabled": False},
    ),
    Agent: ("agents", lambda: make_agent()[0], {"name": "Sent"}, {"description": "Theirs", "version": "7"}),
    WebhookEndpoint: ("webhooks", make_webhook, {"name": "Sent"}, {"reason": "Theirs"}),
    ReportRule: (
        "report-rules",
        lambda: ReportRule.objects.create(name="Water", severity=2),
        {"name": "Sent"},
        {"position": 77, "words": ["theirs"]},
    ),
    ReviewRule: ("review-rules", make_review_rule, {"name": "Sent"}, {"within_days": 7}),
    FreezeWindow: (
        "freeze-windows",
        lambda: FreezeWindow.objects.create(name="Sale", starts_at=NOW, ends_at=LATER),
        {"name": "Sent"},
        {"ends_at": NOW + dt.timedelta(days=2)},
    ),
    SlaPolicy: ("sla-policies", lambda: make_policy(severity=2), {"name": "Sent"}, {"ack_minutes": 7}),
    ComponentGroup: (
        "status/groups",
        lambda: ComponentGroup.objects.create(name="Shop"),
        {"name": "Sent"},
        {"position": 77},
    ),
    Component: ("status/components", make_component, {"name": "Sent"}, {"is_active": False, "position": 77}),
    UpdateTemplate: (
        "status/templates",
        lambda: UpdateTemplate.objects.create(name="Begin"),
        {"name": "Sent"},
        {"title": "Theirs"},
    ),
}


def viewsets() -> set[type[ConfigurationViewSet]]:
    """Every view set of configuration that has a route."""
    found = set()
    waiting = list(get_resolver().url_patterns)
    while waiting:
        pattern = waiting.pop()
        waiting += getattr(pattern, "url_patterns", [])
        view = getattr(getattr(pattern, "callback", None), "cls", None)
        if isinstance(view, type) and issubclass(view, ConfigurationViewSet):
            found.add(view)
    return found


class ConfigurationWriteTests(TestCase):
    def test_it_knows_every_resource(self) -> None:
        self.assertEqual({view.queryset.model for view in viewsets()}, set(RESOURCES))

    def test_it_takes_back_nothing_that_others_did(self) -> None:
        client = client_of(make_admin())
        validate = CleanedModelSerializer.validate
        for model, (route, make, sent, theirs) in RESOURCES.items():
            row = make()

            def meanwhile(serializer: Any, attrs: Any, row: Any = row, theirs: Any = theirs) -> Any:
                type(row)._base_manager.filter(pk=row.pk).update(**theirs)
                return validate(serializer, attrs)

            with self.subTest(model.__name__), mock.patch.object(CleanedModelSerializer, "validate", meanwhile):
                answer = client.patch(f"{API}{route}/{row.pk}/", sent)

                self.assertEqual(answer.status_code, 200, answer.content)
                stored = model._base_manager.get(pk=row.pk)
                self.assertEqual({name: getattr(stored, name) for name in theirs}, theirs)
                self.assertEqual({name: answer.json()[name] for name in sent}, sent)

    def test_it_looks_at_the_row_under_its_lock(self) -> None:
        silence = make_silence(("a", "=", "b"))
        lock = "core.api.configuration.lock_row"

        def ended(row: Any) -> None:
            Silence.objects.filter(pk=row.pk).update(ends_at=NOW, starts_at=NOW - dt.timedelta(hours=1))

        with mock.patch(lock, ended):
            answer = client_of(make_admin()).patch(f"{API}silences/{silence.pk}/", {"comment": "Too late"})

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "silence_over"))

    def test_it_notes_since_when_a_source_is_waited_for(self) -> None:
        source = make_source()

        client_of(make_admin()).patch(f"{API}sources/{source.pk}/", {"heartbeat_minutes": 5})

        self.assertIsNotNone(Source.objects.get(pk=source.pk).awaited_since)

    def test_it_writes_of_a_profile_what_was_sent(self) -> None:
        user = make_admin()
        client = client_of(user)
        User.objects.filter(pk=user.pk).update(time_zone="Europe/Zurich")

        client.patch(f"{API}auth/me/", {"name": "Sent"})

        self.assertEqual(User.objects.values_list("name", "time_zone").get(), ("Sent", "Europe/Zurich"))


class Fields(HTMLParser):
    """What a browser would send of a page's forms."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self.name = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "input" and told.get("name"):
            if told.get("type") not in ("checkbox", "radio") or "checked" in told:
                self.sent.setdefault(told["name"] or "", []).append(told.get("value") or "")
        elif tag in ("select", "textarea"):
            self.name = told.get("name") or ""
            if tag == "textarea":
                self.sent[self.name] = [""]
        elif tag == "option" and "selected" in told and self.name:
            self.sent.setdefault(self.name, []).append(told.get("value") or "")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "textarea" and self.name:
            self.sent[self.name][0] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self.name = ""


class AdminWriteTests(TestCase):
    """The pages, opened by one person while another changes the row."""

    def setUp(self) -> None:
        self.client.force_login(make_admin())

    def test_it_takes_back_nothing_that_others_did(self) -> None:
        meanwhile: dict[type[Model], dict[str, Any]] = {
            **{Route: {"is_enabled": False, "matched_count": 77}, Source: {"rate_limit": 77, "is_enabled": False}},
            **{Heartbeat: {"is_enabled": False}, DetectionRule: {"threshold": 99}, SlaPolicy: {"ack_minutes": 7}},
            **{Silence: {"ends_at": LATER}, Team: {"description": "Theirs"}, Category: {"description": "Theirs"}},
            **{
                Service: {"description": "Theirs"},
                ReportRule: {"location": "Theirs"},
                ReviewRule: {"within_days": 7},
                FreezeWindow: {"ends_at": NOW + dt.timedelta(days=2)},
                Agent: {"description": "Theirs"},
                RoomChannel: {"is_enabled": False},
                WebhookEndpoint: {"is_enabled": False},
                Schedule: {"description": "Theirs"},
                EscalationPolicy: {"description": "Theirs"},
                ComponentGroup: {"position": 77},
                Component: {"description": "Theirs"},
                UpdateTemplate: {"title": "Theirs"},
            },
        }
        self.assertEqual(set(meanwhile), set(RESOURCES))
        for model, theirs in meanwhile.items():
            _route, make, sent, _theirs = RESOURCES[model]
            row = make()
            with self.subTest(model.__name__):
                url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk])
                fields = Fields(self.client.get(url).content.decode()).sent
                model._base_manager.filter(pk=row.pk).update(**theirs)

                answer = self.client.post(url, {**fields, **sent, "_save": "Save"})

                self.assertEqual(answer.status_code, 302, errors_of(answer))
                stored = model._base_manager.get(pk=row.pk)
                self.assertEqual({name: getattr(stored, name) for name in theirs}, theirs)
                self.assertEqual(
                    {name: str(getattr(stored, name)) for name in sent}, {k: str(v) for k, v in sent.items()}
                )

    def test_it_does_not_reopen_a_silence_that_was_ended(self) -> None:
        silence = make_silence(("a", "=", "b"))
        url = reverse("admin:alerts_silence_change", args=[silence.pk])
        fields = Fields(self.client.get(url).content.decode()).sent
        Silence.objects.filter(pk=silence.pk).update(ends_at=timezone.now(), starts_at=NOW - dt.timedelta(hours=1))

        self.client.post(url, {**fields, "comment": "Late", "_save": "Save"})

        self.assertLessEqual(Silence.objects.get().ends_at, timezone.now())
        self.assertEqual(Silence.objects.get().comment, "")

    def test_it_writes_what_was_edited_whatever_others_did(self) -> None:
        team = make_team()
        url = reverse("admin:responders_team_change", args=[team.pk])
        fields = Fields(self.client.get(url).content.decode()).sent
        Team.objects.filter(pk=team.pk).update(description="Theirs")

        self.client.post(url, {**fields, "description": "Mine", "_save": "Save"})

        self.assertEqual(Team.objects.get().description, "Mine")

    def test_it_tells_no_secret_on_a_page(self) -> None:
        source = make_source(kind="github", signing_secret="never-shown-again")

        page = self.client.get(reverse("admin:intake_source_change", args=[source.pk]))

        self.assertNotContains(page, "never-shown-again")


def errors_of(answer: Any) -> Any:
    return answer.context and answer.context["adminform"].form.errors
