import datetime as dt

from django.test import TestCase
from django.utils import timezone

from core.errors import Conflict, DomainError, NotFound, PermissionRefused, StaleVersion
from incidents.models import IncidentEvent, Visibility
from incidents.tests.factories import make_incident, make_team, minutes_ago
from status_page.models import PublicIncident, PublicUpdate, StatusPage
from status_page.services import publishing
from status_page.services.components import edit_component
from status_page.services.page import the_page
from status_page.tests.factories import make_component, make_page, make_public_incident
from status_page.vocabulary import Impact, State
from users.tests.factories import make_admin, make_reporter, make_responder


def spans_of(row):
    return list(row.spans.order_by("id").values_list("component_id", "impact", "began_at", "ended_at"))


class PublishTests(TestCase):
    def test_it_writes_the_first_update_spans_and_a_new_revision(self):
        website, before = make_component(), the_page().revision
        began = minutes_ago(9)

        row = make_public_incident(components=[website], starts_at=began)

        update = row.updates.get()
        self.assertEqual((update.state, update.impact), (State.INVESTIGATING, Impact.MAJOR_OUTAGE))
        self.assertEqual(update.message, "We are looking into it.")
        self.assertIsNotNone(update.tell_at)
        self.assertEqual(spans_of(row), [(website.pk, "major_outage", began, None)])
        self.assertGreater(StatusPage.objects.get().revision, before)

    def test_it_refuses_a_beginning_that_no_page_can_show(self):
        with self.assertRaisesRegex(DomainError, "starts_at"):
            make_public_incident(starts_at=dt.datetime(1, 1, 1, tzinfo=dt.UTC))

    def test_it_tells_nobody_when_asked_not_to(self):
        row = make_public_incident(tell=False)

        self.assertIsNone(row.updates.get().tell_at)

    def test_it_parts_the_translations_of_title_and_message(self):
        make_page()

        row = make_public_incident(
            translations={
                "de": {
                    "title": "Kasse",
                    "message": "Wir sehen nach.",
                }
            }
        )

        self.assertEqual(row.translations, {"de": {"title": "Kasse"}})
        self.assertEqual(row.updates.get().translations, {"de": {"message": "Wir sehen nach."}})

    def test_it_refuses_other_languages_and_fields(self):
        make_page()

        for wrong in ({"fr": {"title": "x"}}, {"en": {"title": "x"}}, {"de": {"name": "x"}}, {"de": 1}, []):
            with self.subTest(wrong), self.assertRaises(DomainError):
                make_public_incident(translations=wrong)

    def test_it_refuses_values_that_make_no_sense(self):
        retired = make_component("Old")
        edit_component(retired, by=make_admin(), changes={"is_active": False})
        later = timezone.now() + dt.timedelta(hours=1)

        for wrong in (
            {"title": " "},
            {"title": "x" * 201},
            {"message": ""},
            {"message": "a\0b"},
            {"impact": "bad"},
            {"state": "completed"},
            {"starts_at": later},
            {"components": [retired]},
            {"components": [999_999]},
        ):
            with self.subTest(wrong), self.assertRaises(DomainError):
                make_public_incident(**wrong)

    def test_it_can_publish_what_is_over(self):
        website, began = make_component(), minutes_ago(30)

        row = make_public_incident(components=[website], starts_at=began, state=State.RESOLVED)

        self.assertIsNotNone(row.ended_at)
        self.assertEqual(spans_of(row), [(website.pk, "major_outage", began, row.ended_at)])

    def test_it_takes_many_components(self):
        many = [make_component(f"Component {number}") for number in range(210)]

        row = make_public_incident(components=[one.pk for one in many])

        self.assertEqual(row.spans.count(), 210)


class PermissionTests(TestCase):
    def test_it_lets_responders_publish_but_not_reporters(self):
        with self.assertRaises(PermissionRefused):
            make_public_incident(by=make_reporter())

        self.assertTrue(make_public_incident(by=make_responder()).pk)

    def test_it_refuses_incidents_of_other_teams(self):
        incident = make_incident(by=make_admin(), team=make_team("Database", make_responder()))

        with self.assertRaises(PermissionRefused):
            make_public_incident(by=make_responder(), incident=incident)

    def test_it_hides_restricted_incidents_and_lets_the_team_publish_them(self):
        member = make_responder()
        incident = make_incident(by=make_admin(), team=make_team("Database", member), is_restricted=True)

        with self.assertRaises(NotFound):
            make_public_incident(by=make_responder(), incident=incident)

        row = make_public_incident(by=member, incident=incident)

        with self.assertRaises(PermissionRefused) as refused:
            publishing.add_update(row, by=make_responder(), message="More")
        self.assertNotIn(incident.reference, refused.exception.message)

    def test_it_refuses_an_assignee_outside_of_the_team_of_a_restricted_incident(self):
        assignee = make_responder()
        incident = make_incident(by=assignee, is_restricted=True)

        with self.assertRaises(PermissionRefused):
            make_public_incident(by=assignee, incident=incident)

    def test_it_lets_only_administrators_withdraw(self):
        row = make_public_incident()

        with self.assertRaises(PermissionRefused):
            publishing.withdraw(row, by=make_responder())

        publishing.withdraw(row, by=make_admin())

        self.assertFalse(PublicIncident.objects.exists())
        self.assertFalse(PublicUpdate.objects.exists())


class TimelineTests(TestCase):
    def test_it_says_on_the_timeline_what_the_public_is_told(self):
        incident, admin = make_incident(), make_admin()
        row = make_public_incident(by=admin, incident=incident)

        publishing.add_update(row, by=admin, message="Fixed.", state=State.RESOLVED)
        publishing.withdraw(row, by=admin)

        events = IncidentEvent.objects.filter(incident=incident, kind__startswith="status_").order_by("seq")
        self.assertEqual(
            [(one.kind, one.body, one.data["state"]) for one in events],
            [
                ("status_published", "We are looking into it.", "investigating"),
                ("status_updated", "Fixed.", "resolved"),
                ("status_withdrawn", "", "resolved"),
            ],
        )
        self.assertEqual({one.visibility for one in events}, {Visibility.INTERNAL})


class UpdateTests(TestCase):
    def setUp(self):
        self.by = make_responder()
        self.website, self.api = make_component("Website"), make_component("API")
        self.row = make_public_incident(by=self.by, components=[self.website], starts_at=minutes_ago(60))

    def reread(self):
        return PublicIncident.objects.get(pk=self.row.pk)

    def test_it_follows_impact_and_components_with_spans(self):
        at = minutes_ago(30)

        publishing.add_update(
            self.row, by=self.by, message="API too.", impact="degraded", components=[self.website, self.api], at=at
        )

        began = self.row.starts_at
        self.assertCountEqual(
            spans_of(self.row),
            [
                (self.website.pk, "major_outage", began, at),
                (self.website.pk, "degraded", at, None),
                (self.api.pk, "degraded", at, None),
            ],
        )
        self.assertEqual(self.reread().impact, "degraded")

    def test_it_ends_and_reopens(self):
        at, later = minutes_ago(30), minutes_ago(20)
        publishing.add_update(self.row, by=self.by, message="Fixed.", state="resolved", at=at)
        ended = self.reread().ended_at

        publishing.add_update(self.row, by=self.by, message="Not yet.", state="investigating", at=later)

        self.assertEqual((ended, self.reread().ended_at), (at, None))
        self.assertEqual([one[2:] for one in spans_of(self.row)], [(self.row.starts_at, at), (later, None)])

    def test_it_stays_ended_with_a_mere_message(self):
        publishing.add_update(self.row, by=self.by, message="Fixed.", state="resolved")

        publishing.add_update(self.row, by=self.by, message="More on why.")

        self.assertEqual(self.reread().state, "resolved")
        self.assertIsNotNone(self.reread().ended_at)
        with self.assertRaises(Conflict):
            publishing.add_update(self.row, by=self.by, message="Worse.", impact="degraded")

    def test_it_refuses_states_of_maintenance(self):
        with self.assertRaises(DomainError):
            publishing.add_update(self.row, by=self.by, message="x", state="in_progress")

    def test_it_refuses_a_stale_version(self):
        publishing.add_update(self.row, by=self.by, message="First.")

        with self.assertRaises(StaleVersion):
            publishing.add_update(self.row, by=self.by, message="Second.", expected_version=1)

    def test_it_keeps_a_retired_component_that_is_affected(self):
        edit_component(self.website, by=make_admin(), changes={"is_active": False})

        publishing.add_update(self.row, by=self.by, message="API too.", components=[self.website, self.api])

        self.assertEqual(self.reread().components.count(), 2)


class CorrectionTests(TestCase):
    def setUp(self):
        make_page()
        self.by = make_responder()
        self.row = make_public_incident(by=self.by, translations={"de": {"message": "Alt"}}, tell=False)
        self.update = self.row.updates.get()

    def test_it_keeps_the_earlier_text_and_tells_nobody(self):
        publishing.correct_update(self.update, by=self.by, message="Better.")

        update = PublicUpdate.objects.get()
        self.assertEqual((update.message, update.version, update.tell_at), ("Better.", 2, None))
        self.assertEqual(update.translations, {"de": {"message": "Alt"}})
        self.assertEqual(update.earlier[0]["message"], "We are looking into it.")
        self.assertIsNotNone(update.corrected_at)

    def test_it_leaves_no_trace_of_no_change(self):
        publishing.correct_update(self.update, by=self.by, message="We are looking into it. ")

        self.assertEqual(PublicUpdate.objects.get().version, 1)

    def test_it_refuses_a_correction_of_what_was_corrected_meanwhile(self):
        publishing.correct_update(self.update, by=self.by, message="Better.", expected_version=1)

        with self.assertRaises(StaleVersion):
            publishing.correct_update(self.update, by=self.by, message="Best.", expected_version=1)


class EditTests(TestCase):
    def setUp(self):
        make_page()
        self.by = make_responder()
        self.website, self.api = make_component("Website"), make_component("API")
        self.row = make_public_incident(by=self.by, components=[self.website], starts_at=minutes_ago(60))

    def test_it_corrects_the_past(self):
        publishing.edit(self.row, by=self.by, changes={"components": [self.api], "impact": "degraded"})

        self.assertEqual(spans_of(self.row), [(self.api.pk, "degraded", self.row.starts_at, None)])

    def test_it_removes_spans_of_what_was_no_trouble(self):
        publishing.edit(self.row, by=self.by, changes={"impact": "operational"})

        self.assertEqual(spans_of(self.row), [])

    def test_it_replaces_titles_and_keeps_the_review(self):
        publishing.publish_review(self.row, by=self.by, text="Why", translations={"de": {"review": "Warum"}})

        row = publishing.edit(
            self.row, by=self.by, changes={"title": "Shop", "translations": {"de": {"title": "Laden"}}}
        )

        self.assertEqual((row.title, row.translations), ("Shop", {"de": {"review": "Warum", "title": "Laden"}}))

        row = publishing.withdraw_review(row, by=self.by)

        self.assertEqual(
            (row.review, row.review_published_at, row.translations), ("", None, {"de": {"title": "Laden"}})
        )

    def test_it_refuses_unknown_fields_and_stale_versions(self):
        with self.assertRaises(DomainError):
            publishing.edit(self.row, by=self.by, changes={"state": "resolved"})
        with self.assertRaises(StaleVersion):
            publishing.edit(self.row, by=self.by, changes={"title": "x"}, expected_version=7)
