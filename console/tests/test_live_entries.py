import json
from unittest import mock

from django.conf import settings
from django.test import TestCase

from console.live import entries as module
from console.live.entries import read_entries
from console.live.viewers import Viewer
from incidents import services
from incidents.models import Incident
from incidents.services import feed
from incidents.tests.factories import make_incident, make_team
from users.tests.factories import make_admin, make_reporter, make_responder


def told(viewer, *, after=0, languages=("en",)):
    feed.assign_places()
    found = [entry.told(Viewer("", viewer)) for entry in read_entries(after, 100, languages)]
    return [facts for facts in found if facts is not None]


class EntryTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.reporter, cls.member, cls.outsider = make_reporter(), make_responder(), make_responder()
        cls.admin, cls.other_reporter = make_admin(), make_reporter()
        cls.team = make_team("Database", cls.member)

    def everybody(self):
        return [self.reporter, self.member, self.outsider, self.admin, self.other_reporter]

    def reported(self, **fields):
        incident = make_incident(by=self.reporter, **fields)
        Incident.objects.filter(pk=incident.pk).update(team=self.team)
        incident.refresh_from_db()
        return incident

    def kinds(self, kind):
        """Return who is told of an event of this kind."""
        return [any(facts["kind"] == kind for facts in told(user)) for user in self.everybody()]

    def test_it_tells_who_sees_the_incident(self):
        incident = self.reported(title="Disk <full>")

        self.assertEqual(self.kinds("created"), [True, True, True, True, False])
        (facts,) = told(self.reporter)[:1]
        self.assertEqual((facts["incident"], facts["reference"]), (incident.pk, incident.reference))
        self.assertEqual((facts["title"], facts["status"], facts["team"]), ("Disk <full>", "open", self.team.pk))
        self.assertIn("feed_seq", facts)
        self.assertTrue(facts["row"])

    def test_it_tells_of_restricted_ones_only_those_concerned(self):
        self.reported(is_restricted=True)

        self.assertEqual(self.kinds("created"), [True, True, False, True, False])

    def test_it_tells_reporters_nothing_of_internal_notes(self):
        incident = self.reported()
        services.comment(incident, "He is new here.", by=self.member, visibility="internal")

        self.assertEqual(self.kinds("comment"), [False, True, True, True, False])
        self.assertNotIn("new here", json.dumps(told(self.admin), default=str))

    def test_it_says_that_an_incident_is_out_of_sight(self):
        incident = self.reported(title="Payroll")
        feed.assign_places()
        after = feed.head()
        services.update(incident, by=self.member, fields={"is_restricted": True})

        (facts,) = told(self.outsider, after=after)
        self.assertEqual((facts["is_gone"], facts["title"], facts.get("row")), (True, "", None))
        self.assertNotIn("Payroll", json.dumps(facts, default=str))
        self.assertEqual(told(self.other_reporter, after=after), [])
        self.assertFalse(any("is_gone" in facts for facts in told(self.member, after=after)))

    def test_it_says_no_more_of_what_was_restricted_before(self):
        incident = self.reported(is_restricted=True)
        feed.assign_places()
        after = feed.head()
        services.update(incident, by=self.member, fields={"title": "Other"})

        self.assertEqual(told(self.outsider, after=after), [])
        self.assertEqual(len(told(self.member, after=after)), 1)

    def test_it_says_that_an_incident_was_deleted(self):
        incident = self.reported()
        feed.assign_places()
        after = feed.head()
        services.delete(incident, by=self.admin)

        self.assertTrue(told(self.outsider, after=after)[0]["is_gone"])
        self.assertTrue(told(self.reporter, after=after)[0]["is_gone"])
        self.assertEqual(told(self.other_reporter, after=after), [])
        self.assertTrue(all("is_gone" in facts or "row" not in facts for facts in told(self.member)))

    def test_it_renders_once_per_language(self):
        self.reported()
        feed.assign_places()
        with mock.patch.object(module, "incident_rows", side_effect=lambda ids, _: dict.fromkeys(ids, "row")) as rows:
            (entry, *_) = read_entries(0, 100, {"en", "de"})
        frames = [entry.frame(Viewer("", user)) for user in (self.member, self.outsider, self.admin)]

        self.assertEqual(rows.call_count, 2)
        self.assertIs(frames[0], frames[1])
        self.assertIs(frames[1], frames[2])
        self.assertRegex(frames[0], rb"^id: \d+\ndata: \{[^\n]+\}\n\n$")

    def test_it_tells_each_viewer_in_their_language(self):
        self.reported()
        feed.assign_places()
        languages = {code for code, _name in settings.LANGUAGES}
        with mock.patch.object(module, "incident_rows", side_effect=dict.fromkeys):
            (entry, *_) = read_entries(0, 100, languages)

        for code in languages:
            self.member.language = code
            self.assertEqual(entry.told(Viewer("", self.member))["row"], code)

    def test_it_costs_the_same_for_many(self):
        self.reported()
        feed.assign_places()
        with mock.patch.object(module, "incident_rows", return_value={}):
            read_entries(0, 100, {"en"})
            with self.assertNumQueries(3):
                read_entries(0, 100, {"en"})
            for _ in range(5):
                self.reported()
            feed.assign_places()
            with self.assertNumQueries(3):
                read_entries(0, 100, {"en"})

    def test_it_tells_without_rows_where_rendering_fails(self):
        make_incident(by=self.reporter)
        feed.assign_places()
        with (
            mock.patch.object(module, "incident_rows", side_effect=KeyError),
            mock.patch.object(module.log, "error") as error,
        ):
            (entry, *_) = read_entries(0, 100, {"en"})

        self.assertIsNone(entry.told(Viewer("", self.admin))["row"])
        error.assert_called_once()
