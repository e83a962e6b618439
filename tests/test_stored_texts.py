"""Whatever language somebody works in, the database keeps English: many people read it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

from django.apps import apps
from django.db import models
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation.trans_real import DjangoTranslation

from alerts.models import Silence
from console import undo
from incidents import services
from incidents.models import Incident
from incidents.tests.factories import make_incident, make_service, make_team
from intake.models import IntakeEvent, Source
from notifications.models import Delivery, Notification
from responders.models import EscalationPolicy
from responders.tests.schedules import layer, make_schedule
from reviews.models import Review
from reviews.services.editing import add_participant
from reviews.services.items import add_item
from status_page.models import PublicUpdate
from status_page.services.maintenance import step_maintenance
from status_page.tests.factories import make_component, make_page
from tests.house.sources import packages
from users import tokens
from users.services import open_session
from users.tests.factories import make_admin, make_responder

MARK = "¤"  # begins every translation here
TEXTS = (models.CharField, models.TextField, models.JSONField)


class StoredCase(TestCase):
    def setUp(self):
        for name in ("gettext", "ngettext"):
            self.enterContext(mock.patch.object(DjangoTranslation, name, marked(getattr(DjangoTranslation, name))))
        self.ada, self.ben = make_admin(language="de"), make_responder()
        self.team = make_team("Web", self.ada, self.ben)
        self.incident = make_incident(services=[make_service(team=self.team)])
        self.client.force_login(self.ada)

    def post(self, page: str, *args: Any, asked: str = "", **form: Any) -> None:
        answer = self.client.post(f"{reverse(f'console:{page}', args=args)}{asked}", form)
        self.assertLess(answer.status_code, 400, f"{page} {args}")

    def stored(self, *but: str) -> list[str]:
        """Return the translations in the database, but for messages to the one who reads German and fields `but`."""
        messages = {model: model._base_manager.filter(user=self.ada) for model in (Notification, Delivery)}
        return [f"{label}: {text}" for label, text in texts(messages) if MARK in text and label not in but]


class StoredTextTests(StoredCase):
    def test_it_sees_a_stored_translation(self):
        services.comment(self.incident, f"{MARK}Hello", by=self.ada)

        self.assertTrue(self.stored())

    def test_it_shows_its_pages_translated(self):
        self.assertContains(self.client.get(reverse("console:incidents") + "?is_open=true"), MARK)

    def test_it_keeps_english_of_what_is_done_to_incidents(self):
        number = self.incident.reference
        self.post("report", title="Printer on fire")
        self.post("incident-update", number, message="Looking.", client_uid="one")
        self.post("incident-change", number, "severity", severity="4", note="Worse.")
        for move in ("acknowledge", "start", "hold", "resume", "resolve", "reopen"):
            self.post("incident-move", number, move, note="Because.")
        self.post("incident-take", number)
        self.post("incident-follow", number)
        self.post("incident-followers", number, user=self.ben.pk, person=self.ben.pk)
        self.post("incident-link", number, kind="related_to", target=make_incident().reference)
        self.post("incident-page", number, targets=[f"team:{self.team.pk}"], message="Please look.")
        self.post("incident-merge", number, into=make_incident().reference)
        self.post("incident-delete", number)

        self.assertEqual(self.stored(), [])

    def test_it_keeps_english_of_what_is_undone(self):
        before = undo.snapshots([self.incident.pk])
        changed = services.resolve(self.incident, by=self.ada)
        changes = undo.changes_since(before, self.ada, versions={changed.pk: changed.version})

        self.post("undo", token=undo.undo_token(changes, self.ada))

        self.assertEqual(Incident.objects.get(pk=self.incident.pk).status, "open")
        self.assertEqual(self.stored(), [])

    def test_it_keeps_english_of_what_is_configured(self):
        self.post("report-rule-new", name="Water", words="water", team=self.team.pk, is_enabled="on")
        self.post("incidents-views", name="Mine", query="is_open=true")
        self.post("token-create", name="script", scope="read", days="90")
        self.post("contact-add", kind="email", address="ada@example.org")

        self.assertEqual(self.stored(), [])

    def test_it_keeps_english_of_sources_and_what_happens_to_alerts(self):
        matchers = {"matchers_name": ["host"], "matchers_op": ["="], "matchers_value": ["db-3"]}
        ends_at = f"{timezone.now() + dt.timedelta(hours=2):%Y-%m-%dT%H:%M}"
        self.post("source-new", asked="?kind=alertmanager", name="Prometheus", team="")
        source = Source.objects.get(name="Prometheus")
        self.post("source-new-key", source.pk)
        self.post("source-test", source.pk)
        self.post("heartbeat-new", source=source.pk, name="backup", interval_minutes=30, is_enabled="on")
        self.post("route-new", name="Web", is_enabled="on", open_after_count="1", open_after_minutes="5", **matchers)
        self.post("silence-new", comment="Disk swap", ends_at=ends_at, time_zone="UTC", **matchers)
        self.post("silence-end", Silence.objects.get().pk)
        self.post("source-switch", source.pk, is_enabled="false")

        self.assertEqual(self.stored(), [])
        self.assertTrue(IntakeEvent.objects.filter(source=source).exists())

    def test_it_keeps_english_of_who_is_on_call(self):
        schedule = make_schedule(layer(self.ada, self.ben), name="Rota", team=self.team)
        start = timezone.now() + dt.timedelta(days=2)
        times = {
            "starts_at": f"{start:%Y-%m-%dT%H:%M}",
            "ends_at": f"{start + dt.timedelta(hours=3):%Y-%m-%dT%H:%M}",
        }
        self.post("override", schedule.pk, **times, add=[self.ben.pk], remove=[self.ada.pk], comment="Dentist")
        self.post("handover-note", schedule.pk, text="Disk 3 is odd")
        self.post(
            "policy-new",
            **{"do": "save", "name": "Nights", "repeat": "0", "is_active": "on", "step": ["n0"], "n0-delay": "0"},
            **{"n0-target": [f"schedule:{schedule.pk}"]},
        )

        self.assertEqual(self.stored(), [])
        self.assertTrue(EscalationPolicy.objects.filter(name="Nights").exists())

    def test_it_keeps_english_of_the_status_page_but_in_its_own_languages(self):
        page = make_page()
        component = make_component("Website")
        begins = timezone.now() + dt.timedelta(days=1)
        times = {
            "starts_at": f"{begins:%Y-%m-%dT%H:%M}",
            "ends_at": f"{begins + dt.timedelta(hours=2):%Y-%m-%dT%H:%M}",
        }
        texts = {"title": "Checkout fails", "message": "Payments are refused.", "tell": "on", "do": "publish"}
        root = reverse("console:status-page")
        for path, form in (
            ("components/new/", {"name": "API", "is_active": "on", "shows_uptime": "on"}),
            ("groups/new/", {"name": "Shop"}),
            ("publish/", {**texts, "impact": "partial_outage", "state": "investigating", "components": component.pk}),
            ("plan/", {**texts, **times, "components": component.pk}),
            ("subscribers/import/", {"rows": "ana@example.org", "has_consent": "on"}),
        ):
            answer = self.client.post(f"{root}{path}", form)
            self.assertEqual(answer.status_code, 302, path)
        step_maintenance(begins + dt.timedelta(minutes=1))
        step_maintenance(begins + dt.timedelta(hours=3))

        self.assertEqual(self.stored("PublicUpdate.translations"), [])
        said = PublicUpdate.objects.filter(public_incident__kind="maintenance").order_by("at", "pk").last()
        self.assertEqual(said.message, "The maintenance is complete.")
        self.assertTrue(said.translations["de"]["message"].startswith(MARK), page.languages)

    def test_it_keeps_english_around_reviews_whose_draft_is_in_the_writers_language(self):
        self.post("incident-move", self.incident.reference, "resolve", note="Because.")
        self.post("review-start", self.incident.reference)
        review = Review.objects.get(incident=self.incident)
        add_participant(review, by=self.ada, user=self.ben, part="reviewer")
        add_item(review, by=self.ada, title="Watch it", owner=self.ben)
        self.post("review-move", review.pk, "in_review")
        self.client.post(
            "/settings/review-rules/new/", {"name": "Grave ones", "min_severity": "high", "within_days": "3"}
        )

        self.assertEqual(self.stored("Review.impact", "Moment.text"), [])
        self.assertIn(MARK, Review.objects.get(pk=review.pk).impact)


class ApiLanguageTests(StoredCase):
    """The API has no active language, whoever uses it and whatever the thread did before."""

    def refusal(self, client: Any, **headers: str) -> str:
        title = {"title": "x", "severity": "no"}
        bad = client.post("/api/v1/incidents/", title, content_type="application/json", headers=headers)
        path = f"/api/v1/incidents/{self.incident.pk}/reopen/"
        conflict = client.post(path, {}, content_type="application/json", headers={**headers, "Idempotency-Key": "k"})
        self.assertGreaterEqual(min(bad.status_code, conflict.status_code), 400)
        return f"{bad.content.decode()}{conflict.content.decode()}"

    def test_it_answers_in_english_to_one_who_reads_german(self):
        self.client.get(reverse("console:incidents"))

        by_session = [self.refusal(self.client) for _time in range(2)]
        self.client.logout()
        by_token = [
            self.refusal(self.client, Authorization=f"Bearer {tokens.access_token(open_session(self.ada))}")
            for _time in range(2)
        ]
        nobody = self.refusal(self.client, **{"Accept-Language": "de"})

        for said in (*by_session, *by_token, nobody):
            self.assertNotIn(MARK, said)


def marked(translate: Any) -> Any:
    def mark(self: DjangoTranslation, text: str, *more: Any) -> str:
        found = translate(self, text, *more)
        return f"{MARK}{found}" if self.language() == "de" and text else found

    return mark


def texts(but: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Every text in a table of ours, with where it stands."""
    for model in apps.get_models():
        if model.__module__.split(".")[0] not in {*packages(), "auditlog"}:
            continue
        names = [field.attname for field in model._meta.concrete_fields if isinstance(field, TEXTS)]
        rows = model._base_manager.exclude(pk__in=but[model]) if model in but else model._base_manager.all()
        for row in rows.values(*names) if names else ():
            for name, value in row.items():
                yield from ((f"{model.__name__}.{name}", text) for text in within(value))


def within(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from within(one)
    elif isinstance(value, list):
        for one in value:
            yield from within(one)
