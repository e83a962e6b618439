"""Whatever language somebody works in, the database keeps English: many people read it."""

from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

from django.apps import apps
from django.db import models
from django.test import TestCase
from django.urls import reverse
from django.utils.translation.trans_real import DjangoTranslation

from console import undo
from incidents import services
from incidents.models import Incident
from incidents.tests.factories import make_incident, make_service, make_team
from notifications.models import Delivery, Notification
from tests.house.sources import packages
from users.tests.factories import make_admin, make_responder

MARK = "¤"  # begins every translation here
TEXTS = (models.CharField, models.TextField, models.JSONField)


class StoredTextTests(TestCase):
    def setUp(self):
        for name in ("gettext", "ngettext"):
            self.enterContext(mock.patch.object(DjangoTranslation, name, marked(getattr(DjangoTranslation, name))))
        self.ada, self.ben = make_admin(language="de"), make_responder()
        self.team = make_team("Web", self.ada, self.ben)
        self.incident = make_incident(services=[make_service(team=self.team)])
        self.client.force_login(self.ada)

    def post(self, page: str, *args: Any, **form: Any) -> None:
        answer = self.client.post(reverse(f"console:{page}", args=args), form)
        self.assertLess(answer.status_code, 400, f"{page} {args}")

    def stored(self) -> list[str]:
        """Return the translations in the database, but for messages to the one who reads German."""
        messages = {model: model._base_manager.filter(user=self.ada) for model in (Notification, Delivery)}
        return [f"{label}: {text}" for label, text in texts(messages) if MARK in text]

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
