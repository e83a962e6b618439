import datetime as dt

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from incidents.tests.factories import make_incident, make_team
from status_page.models import Component, PublicIncident, PublicUpdate, StatusPage
from status_page.services.components import edit_component
from status_page.services.page import the_page
from status_page.tests.factories import (
    make_component,
    make_maintenance,
    make_page,
    make_picture,
    make_public_incident,
)
from users.tests.factories import make_admin, make_responder


def address(model, page="changelist", *arguments):
    return reverse(f"admin:status_page_{model}_{page}", args=arguments)


def moment(name, value):
    local = timezone.localtime(value)
    return {f"{name}_0": local.strftime("%Y-%m-%d"), f"{name}_1": local.strftime("%H:%M:%S")}


class AnnouncementTests(TestCase):
    def setUp(self):
        make_page()
        self.by = make_responder()
        self.client.force_login(self.by)
        self.website = make_component()

    def publish(self, **values):
        form = {"kind": "incident", "title": "Checkout fails", "message": "We look.", "impact": "degraded"}
        shown = {**form, "state": "identified", "components": [self.website.pk], "tell": "on", **values}
        return self.client.post(address("publicincident", "add"), shown)

    def test_it_publishes(self):
        answer = self.publish(translations='{"de": {"title": "Kasse"}}')

        row = PublicIncident.objects.get()
        self.assertEqual(answer.status_code, 302, answer.context and answer.context["errors"])
        self.assertEqual((row.state, row.translations), ("identified", {"de": {"title": "Kasse"}}))
        self.assertEqual((row.spans.get().component, row.created_by), (self.website, self.by))

    def test_it_selects_none_by_an_incident(self):
        incident = make_incident(by=make_admin(), team=make_team("Web"), is_restricted=True)
        make_public_incident(by=make_admin(), incident=incident, title="Search is slow")

        for query in (f"incident={incident.pk}", f"incident__id__exact={incident.pk}", "incident__isnull=0"):
            with self.subTest(query):
                answer = self.client.get(f"{address('publicincident')}?{query}")
                self.assertEqual(answer.status_code, 400)

    def test_it_plans_maintenance(self):
        starts_at = timezone.now().replace(microsecond=0) + dt.timedelta(days=1)
        times = {**moment("starts_at", starts_at), **moment("ends_at", starts_at + dt.timedelta(hours=1))}

        self.publish(kind="maintenance", **times)

        self.assertEqual(PublicIncident.objects.get().next_step_at, starts_at)

    def test_it_shows_what_is_refused(self):
        for wrong in (
            {"message": ""},
            {"impact": ""},
            {"kind": "maintenance"},
            {"translations": '{"fr": {"title": "x"}}'},
            {"translations": "{"},
        ):
            with self.subTest(wrong):
                self.assertEqual(self.publish(**wrong).status_code, 200)
        self.assertFalse(PublicIncident.objects.exists())

    def test_it_publishes_no_incident_that_is_hidden(self):
        hidden = make_incident(by=make_admin(), team=make_team("Database", make_responder()), is_restricted=True)

        self.assertEqual(self.publish(incident=hidden.pk).status_code, 200)
        self.assertFalse(PublicIncident.objects.exists())

    def test_it_hides_the_incident_from_who_may_not_see_it(self):
        hidden = make_incident(
            by=make_admin(), title="Takeover", team=make_team("Database", make_responder()), is_restricted=True
        )
        row = make_public_incident(by=make_admin(), incident=hidden)

        page = self.client.get(address("publicincident", "change", row.pk))

        self.assertEqual(page.status_code, 200)
        self.assertNotContains(page, "Takeover")

    def test_it_updates_and_corrects(self):
        row = make_public_incident(by=self.by, components=[self.website])

        answer = self.client.post(
            address("publicincident", "change", row.pk),
            {
                **{"title": "Shop fails", "initial-title": row.title, "impact": "degraded"},
                **{"initial-impact": "major_outage", "components": [self.website.pk]},
                **{"initial-components": [self.website.pk], "message": "Fixed.", "new_state": "resolved"},
            },
        )

        row = PublicIncident.objects.get()
        self.assertEqual(answer.status_code, 302, answer.context and answer.context["errors"])
        self.assertEqual((row.title, row.impact, row.state), ("Shop fails", "degraded", "resolved"))
        self.assertEqual(row.spans.get().impact, "degraded")
        self.assertIsNone(row.updates.last().tell_at)

    def test_it_moves_maintenance(self):
        starts_at = timezone.now().replace(microsecond=0) + dt.timedelta(days=1)
        ends_at = starts_at + dt.timedelta(hours=1)
        row = make_maintenance(by=self.by, starts_at=starts_at, ends_at=ends_at)
        url = address("publicincident", "change", row.pk)
        opened = self.client.get(url)
        later = ends_at + dt.timedelta(hours=1)
        times = {**moment("starts_at", starts_at), **moment("ends_at", later)}
        before = {**moment("initial-starts_at", starts_at), **moment("initial-ends_at", ends_at)}

        self.client.post(url, {"title": row.title, "initial-title": row.title, **times, **before})

        self.assertContains(opened, "Short interruptions")
        self.assertEqual(PublicIncident.objects.get().ends_at, later)

    def test_it_withdraws_for_administrators(self):
        row = make_public_incident(by=self.by)
        url = address("publicincident", "delete", row.pk)

        refused = self.client.post(url, {"post": "yes"})
        self.client.force_login(make_admin())
        self.client.post(url, {"post": "yes"})

        self.assertEqual(refused.status_code, 403)
        self.assertFalse(PublicIncident.objects.exists())

    def test_it_corrects_an_update(self):
        update = make_public_incident(by=self.by).updates.get()

        self.client.post(
            address("publicupdate", "change", update.pk),
            {"message": "Better.", "initial-message": update.message, "translations": "{}"},
        )

        self.assertEqual((PublicUpdate.objects.get().message, PublicUpdate.objects.get().version), ("Better.", 2))
        self.assertContains(self.client.get(address("publicupdate", "change", update.pk)), "We are looking into it.")


class ConfigurationTests(TestCase):
    def setUp(self):
        self.client.force_login(make_admin())

    def test_it_changes_the_page_and_its_logo(self):
        page = the_page()

        answer = self.client.post(
            address("statuspage", "change", page.pk),
            {
                **{"name": "Acme", "initial-name": page.name, "languages": "en, de", "initial-languages": "en"},
                **{"time_zone": "Europe/Berlin", "initial-time_zone": "UTC"},
                "translations": '{"de": {"about": "Hallo"}}',
                "new_logo": SimpleUploadedFile("a.png", make_picture()),
            },
        )

        page = StatusPage.objects.get()
        self.assertEqual(answer.status_code, 302, answer.context and answer.context["errors"])
        self.assertEqual((page.name, page.languages, page.time_zone), ("Acme", ["en", "de"], "Europe/Berlin"))
        self.assertEqual((page.translations, bytes(page.logo[:4])), ({"de": {"about": "Hallo"}}, b"\x89PNG"))

    def test_it_shows_a_new_access_key_once(self):
        page = the_page()

        answer = self.client.post(address("statuspage", "new_key", page.pk), follow=True)

        self.assertContains(answer, "The access key is")
        self.assertNotContains(self.client.get(address("statuspage", "change", page.pk)), "The access key is")

    def test_it_adds_and_retires_a_component(self):
        self.client.post(address("component", "add"), {"name": "Website", "is_active": "on", "position": "0"})
        row, before = Component.objects.get(), the_page().revision

        self.client.post(address("component", "switch_off", row.pk))

        self.assertFalse(Component.objects.get().is_active)
        self.assertGreater(the_page().revision, before)

    def test_it_refuses_a_taken_name(self):
        make_component()

        answer = self.client.post(address("component", "add"), {"name": "website", "position": "0"})

        self.assertEqual((answer.status_code, Component.objects.count()), (200, 1))

    def test_it_offers_no_retired_component(self):
        edit_component(make_component(), by=make_admin(), changes={"is_active": False})
        asked = {"app_label": "status_page", "model_name": "publicincident", "field_name": "components", "term": ""}

        found = self.client.get(reverse("admin:autocomplete"), asked).json()["results"]

        self.assertEqual(found, [])
