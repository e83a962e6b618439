import datetime as dt
from typing import Any

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incidents import services
from incidents.models import Visibility
from incidents.tests.factories import make_incident, make_service, make_team
from status_page.models import PublicIncident, PublicUpdate, UpdateTemplate
from status_page.services.page import the_page
from status_page.services.publishing import add_update
from status_page.tests.factories import make_component, make_maintenance, make_page, make_public_incident
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder

ROOT = "/status-page/"
SECRET = "The vendor's contract 4711 lapsed"
TEXTS = {
    "title": "Checkout fails",
    "message": "Payments are refused.",
    "title_de": "Kasse gestört",
    "message_de": "Zahlungen werden abgelehnt.",
    "impact": "partial_outage",
    "state": "investigating",
    "tell": "on",
}


class StatusPageCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.ben, cls.stranger, cls.admin = (
            make_responder(name="Ben"),
            make_responder(name="Sten"),
            make_admin(name="Ada"),
        )
        cls.team = make_team("Shop", cls.ben)
        make_page()
        cls.service = make_service()
        cls.website = make_component("Website", group="Shop", service=cls.service)
        cls.api = make_component("API")

    def setUp(self) -> None:
        self.client.force_login(self.ben)

    def send(self, path: str, **values: Any) -> Any:
        return self.client.post(path, values)

    def published(self, **values: Any) -> PublicIncident:
        return make_public_incident(by=self.ben, components=[self.website], **values)

    def incident(self, **values: Any) -> Any:
        incident = make_incident(by=make_reporter(), title="Till is down", description=SECRET, **values)
        services.assign_team(incident, self.team, by=None)
        services.update(incident, by=self.admin, fields={"services": [self.service]})
        incident.refresh_from_db()
        return incident


class AudienceTests(StatusPageCase):
    def test_it_is_for_responders(self) -> None:
        announcement = self.published()
        paths = ["", "publish/", "plan/", f"incidents/{announcement.pk}/", f"incidents/{announcement.pk}/update/"]
        for user, status in ((make_reporter(), 403), (self.ben, 200), (self.admin, 200)):
            self.client.force_login(user)
            for path in paths:
                with self.subTest(path, role=user.role):
                    self.assertEqual(self.client.get(ROOT + path).status_code, status)

    def test_it_lets_administrators_withdraw(self) -> None:
        announcement = self.published()

        refused = self.send(f"{ROOT}incidents/{announcement.pk}/withdraw/")
        self.client.force_login(self.admin)
        done = self.send(f"{ROOT}incidents/{announcement.pk}/withdraw/")

        self.assertEqual((refused.status_code, done.status_code), (403, 302))
        self.assertFalse(PublicIncident.objects.exists())


class PublishTests(StatusPageCase):
    def test_it_proposes_what_may_be_said_of_an_incident(self) -> None:
        incident = self.incident()

        page = self.client.get(f"{ROOT}publish/", {"incident": incident.reference})

        form = page.context["form"]
        self.assertEqual((form["title"].value(), form["components"].value()), ("Till is down", [self.website.pk]))
        self.assertNotContains(page, SECRET)

    def test_it_shows_first_what_the_public_will_see(self) -> None:
        page = self.send(
            f"{ROOT}publish/", **{**TEXTS, "message_de": "", "components": self.website.pk, "do": "preview"}
        )

        self.assertFalse(PublicIncident.objects.exists())
        self.assertContains(page, "What the public will see")
        self.assertContains(page, "Kasse gestört")
        self.assertContains(page, "not translated")

    def test_it_publishes_in_two_languages(self) -> None:
        incident = self.incident()
        form = {**TEXTS, "components": [self.website.pk, self.api.pk], "incident": incident.reference, "do": "publish"}

        answer = self.send(f"{ROOT}publish/", **form)

        made = PublicIncident.objects.get()
        self.assertRedirects(answer, f"{ROOT}incidents/{made.pk}/")
        self.assertEqual((made.title, made.translations), ("Checkout fails", {"de": {"title": "Kasse gestört"}}))
        self.assertEqual((made.incident, made.impact, made.components.count()), (incident, "partial_outage", 2))
        update = made.updates.get()
        self.assertEqual(update.translations, {"de": {"message": "Zahlungen werden abgelehnt."}})
        self.assertIsNotNone(update.tell_at)

    def test_it_publishes_once(self) -> None:
        form = {**TEXTS, "client_uid": "one", "do": "publish"}

        first, second = self.send(f"{ROOT}publish/", **form), self.send(f"{ROOT}publish/", **form)

        self.assertEqual(first["Location"], second["Location"])
        self.assertEqual(PublicIncident.objects.count(), 1)

    def test_it_tells_nobody_if_asked_so(self) -> None:
        self.send(f"{ROOT}publish/", **{**TEXTS, "tell": "", "do": "publish"})

        self.assertIsNone(PublicUpdate.objects.get().tell_at)

    def test_it_warns_of_missing_translations(self) -> None:
        page = self.client.post(f"{ROOT}publish/", {**TEXTS, "title_de": "", "do": "publish"}, follow=True)

        self.assertContains(page, "Texts are missing in Deutsch; readers see English.")
        self.assertContains(page, "The title is missing in Deutsch.")

    def test_it_begins_with_a_template_and_keeps_the_rest(self) -> None:
        texts = {"de": {"message": "Wir suchen."}}
        template = UpdateTemplate.objects.create(name="Look", message="We are looking.", translations=texts)
        form = {**TEXTS, "do": "template", "template": template.pk, "components": self.api.pk}

        page = self.send(f"{ROOT}publish/", **form)

        shown = page.context["form"]
        self.assertEqual((shown["message"].value(), shown["message_de"].value()), ("We are looking.", "Wir suchen."))
        self.assertEqual((shown["title"].value(), shown["components"].value()), ("Checkout fails", [self.api.pk]))
        self.assertFalse(PublicIncident.objects.exists())

    def test_it_says_what_is_wrong(self) -> None:
        page = self.send(f"{ROOT}publish/", title="", message="x", impact="worse", state="odd", do="publish")

        self.assertEqual(page.status_code, 422)
        self.assertEqual(set(page.context["form"].errors), {"title", "impact", "state"})

    def test_it_publishes_no_incident_of_others(self) -> None:
        incident = self.incident()
        services.update(incident, by=self.admin, fields={"is_restricted": True})
        for user, status in ((self.stranger, 404), (self.ben, 200), (self.admin, 200)):
            with self.subTest(user=user.name):
                self.client.force_login(user)
                page = self.client.get(f"{ROOT}publish/", {"incident": incident.reference})
                self.assertEqual(page.status_code, status)


class MaintenanceTests(StatusPageCase):
    def test_it_plans_moves_begins_and_completes(self) -> None:
        begin = timezone.now().replace(second=0, microsecond=0) + dt.timedelta(days=2)
        times = {"starts_at": f"{begin:%Y-%m-%dT%H:%M}", "ends_at": f"{begin + dt.timedelta(hours=2):%Y-%m-%dT%H:%M}"}
        self.send(f"{ROOT}plan/", **{**TEXTS, **times, "components": self.api.pk, "do": "publish"})
        made = PublicIncident.objects.get()
        one = f"{ROOT}incidents/{made.pk}/"
        self.assertEqual((made.kind, made.state, made.starts_at), ("maintenance", "scheduled", begin))

        later = begin + dt.timedelta(hours=1)
        self.send(f"{one}move/", starts_at=f"{later:%Y-%m-%dT%H:%M}", ends_at=times["ends_at"], seen=made.version)
        made.refresh_from_db()
        self.assertEqual(made.starts_at, later)

        for state in ("in_progress", "completed"):
            page = self.client.get(one, {"state": state})
            self.assertEqual(page.context["form"]["state"].value(), state)
            self.send(f"{one}update/", state=state, message="Now.", seen=made.version)
            made.refresh_from_db()
            self.assertEqual(made.state, state)


class AnnouncementTests(StatusPageCase):
    def test_it_adds_an_update_and_resolves(self) -> None:
        announcement = self.published()
        one = f"{ROOT}incidents/{announcement.pk}/"
        form = {"state": "resolved", "message": "Over.", "message_de": "Vorbei.", "seen": announcement.version}

        answer = self.send(f"{one}update/", **form)

        self.assertRedirects(answer, one)
        announcement.refresh_from_db()
        self.assertEqual((announcement.state, announcement.components.count()), ("resolved", 1))
        self.assertContains(self.client.get(one), "Vorbei.")

    def test_it_changes_impact_and_components_with_an_update(self) -> None:
        announcement = self.published()
        form = {"state": "identified", "message": "Less.", "impact": "degraded", "has_details": "True"}

        self.send(f"{ROOT}incidents/{announcement.pk}/update/", **form, components=self.api.pk)

        announcement.refresh_from_db()
        self.assertEqual((announcement.impact, list(announcement.components.all())), ("degraded", [self.api]))

    def test_it_refuses_once_what_comes_too_late(self) -> None:
        announcement = self.published()
        add_update(announcement, by=self.admin, message="Found it.", state="identified")
        form = {"state": "monitoring", "message": "Fixed.", "seen": announcement.version, "client_uid": "two"}
        path = f"{ROOT}incidents/{announcement.pk}/update/"

        late = self.send(path, **form)

        self.assertContains(late, "changed by somebody else", status_code=422)
        self.assertContains(late, "Found it.", status_code=422)
        again = self.send(path, **{**form, "seen": late.context["form"]["seen"].value()})
        self.assertEqual(again.status_code, 302)
        announcement.refresh_from_db()
        self.assertEqual(announcement.state, "monitoring")

    def test_it_leads_back_to_where_one_came_from(self) -> None:
        announcement = self.published()
        path = f"{ROOT}incidents/{announcement.pk}/update/"
        for target, lands in (("/incidents/INC-1/", "/incidents/INC-1/"), ("//evil.example", path[: -len("update/")])):
            with self.subTest(target):
                answer = self.send(path, state="identified", message=f"To {target}", next=target)
                self.assertEqual(answer["Location"], lands)

    def test_it_corrects_and_shows_what_it_said_before(self) -> None:
        announcement = self.published()
        update = announcement.updates.get()

        self.send(f"{ROOT}updates/{update.pk}/correct/", message="Only cards.", message_de="Nur Karten.", seen=1)

        update.refresh_from_db()
        self.assertEqual((update.message, update.translations["de"]["message"]), ("Only cards.", "Nur Karten."))
        page = self.client.get(f"{ROOT}incidents/{announcement.pk}/")
        self.assertContains(page, "We are looking into it.")
        late = self.send(f"{ROOT}updates/{update.pk}/correct/", message="Mine.", seen=1)
        self.assertContains(late, "corrected by somebody else", status_code=422)

    def test_it_edits_from_the_start(self) -> None:
        announcement = self.published()
        form = {"title": "Checkout", "title_de": "Kasse", "impact": "degraded", "components": self.api.pk, "seen": 1}

        self.send(f"{ROOT}incidents/{announcement.pk}/edit/", **form)

        announcement.refresh_from_db()
        self.assertEqual((announcement.title, announcement.impact), ("Checkout", "degraded"))
        self.assertEqual(announcement.translations["de"]["title"], "Kasse")
        self.assertEqual([span.component for span in announcement.spans.all()], [self.api])

    def test_it_names_no_incident_that_the_reader_does_not_see(self) -> None:
        incident = self.incident()
        announcement = self.published(incident=incident)
        services.update(incident, by=self.admin, fields={"is_restricted": True})
        self.client.force_login(self.stranger)

        for path in ("", f"incidents/{announcement.pk}/"):
            self.assertNotContains(self.client.get(ROOT + path), incident.reference)
        answer = self.send(f"{ROOT}incidents/{announcement.pk}/update/", state="resolved", message="Mine.")
        self.assertEqual((answer.status_code, announcement.updates.count()), (422, 1))

    def test_it_shows_what_people_wrote_as_text(self) -> None:
        announcement = self.published(title="<b>x</b>", message="<script>x</script>")

        for path in ("", f"incidents/{announcement.pk}/", f"incidents/{announcement.pk}/edit/"):
            page = self.client.get(ROOT + path)
            self.assertNotContains(page, "<b>x")
            self.assertNotContains(page, "<script>x")

    def test_it_knows_no_other_announcements(self) -> None:
        for path in ("incidents/9/", f"incidents/{10**19}/", "updates/9/correct/", f"updates/{10**19}/correct/"):
            self.assertEqual(self.client.get(ROOT + path).status_code, 404)


class IncidentCardTests(StatusPageCase):
    def test_it_offers_to_publish_to_whoever_may(self) -> None:
        incident = self.incident()
        for user, number in ((self.ben, 1), (self.admin, 1), (self.stranger, 0), (incident.reporter, 0)):
            with self.subTest(user=user.name):
                self.client.force_login(user)
                page = self.client.get(f"/incidents/{incident.reference}/")
                self.assertContains(page, "Publish…", number)

    def test_it_warns_where_inside_and_outside_disagree(self) -> None:
        incident = self.incident()
        announcement = self.published(incident=incident)
        address = f"/incidents/{incident.reference}/"
        self.assertNotContains(self.client.get(address), "still sees it open")

        services.transition(incident, "resolved", by=self.ben, note="Done.")
        self.assertContains(self.client.get(address), "still sees it open")

        add_update(announcement, by=self.ben, message="Over.", state="resolved")
        self.assertNotContains(self.client.get(address), "still sees it open")

        services.transition(incident, "open", by=self.ben, note="Again.")
        self.assertContains(self.client.get(address), "here it is not")

    def test_it_holds_the_form_in_a_dialog(self) -> None:
        announcement = self.published(incident=self.incident())

        part = self.client.get(f"{ROOT}incidents/{announcement.pk}/update/", headers={"HX-Request": "true"})

        self.assertNotContains(part, "<html")
        self.assertContains(part, "Update the status page")

    def test_it_puts_both_beside_each_other(self) -> None:
        incident = self.incident()
        self.published(incident=incident)
        services.comment(incident, "Ours alone", by=self.ben, visibility=Visibility.INTERNAL)

        page = self.client.get(reverse("console:incident-public", args=[incident.reference]))

        rows = [(bool(row.update), row.entry and row.entry.event.body) for row in page.context["rows"]]
        self.assertEqual(rows[:2], [(False, "Ours alone"), (True, None)])
        self.assertContains(page, "We are looking into it.", 1)
        self.client.force_login(incident.reporter)
        self.assertEqual(
            self.client.get(reverse("console:incident-public", args=[incident.reference])).status_code, 403
        )


class OverviewTests(StatusPageCase):
    def test_it_shows_what_the_public_sees(self) -> None:
        self.published()
        begin = timezone.now() + dt.timedelta(days=1)
        make_maintenance(by=self.ben, components=[self.api], starts_at=begin, ends_at=begin + dt.timedelta(hours=1))

        page = self.client.get(ROOT)

        self.assertEqual(page.context["worst"], "major_outage")
        self.assertEqual([len(page.context[name]) for name in ("incidents", "maintenance")], [1, 1])

    def test_it_lists_all_announcements_by_pages(self) -> None:
        for number in range(3):
            self.published(title=f"No. {number}", state="resolved")

        page = self.client.get(f"{ROOT}incidents/", {"page_size": 2})

        self.assertEqual([row.title for row in page.context["announcements"]], ["No. 2", "No. 1"])
        following = self.client.get(page.context["pages"]["next"])
        self.assertEqual([row.title for row in following.context["announcements"]], ["No. 0"])

    def test_it_warns_of_files_that_are_late(self) -> None:
        self.assertContains(self.client.get(ROOT), "have never been written")
        for minutes, number in ((11, 1), (9, 0)):
            row = the_page()
            row.written_at = timezone.now() - dt.timedelta(minutes=minutes)
            row.save(update_fields=["written_at"])
            self.assertContains(self.client.get(ROOT), "out of date", number)


class CostTests(StatusPageCase):
    def queries(self, path: str, user: User | None = None) -> int:
        self.client.force_login(user or self.ben)
        self.client.get(path)
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(self.client.get(path).status_code, 200)
        return len(captured)

    def test_it_asks_a_constant_number_of_questions(self) -> None:
        incident = self.incident()
        announcement = self.published(incident=incident)
        one, side = f"{ROOT}incidents/{announcement.pk}/", f"/incidents/{incident.reference}/"
        paths = [
            ROOT,
            f"{ROOT}incidents/",
            one,
            f"{ROOT}publish/?incident={incident.reference}",
            side,
            f"{side}public/",
        ]
        before = [self.queries(path) for path in paths]
        for number in range(4):
            component = make_component(f"Part {number}", group=f"Group {number}")
            more = self.published(incident=incident, title=f"More {number}")
            add_update(more, by=self.ben, message="x", components=[component])
            add_update(announcement, by=self.ben, message="x", components=[self.api, component])

        after = [self.queries(path) for path in paths]

        self.assertEqual(after, before)
        self.assertLessEqual(max(after), 24)
