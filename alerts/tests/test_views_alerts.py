import datetime as dt
from unittest import mock

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts import filters
from alerts.models import Alert
from alerts.serializers.alerts import AlertSerializer
from alerts.tests.factories import fire, make_silence, make_source, resolve
from core.api.paging import BoundedPages
from incidents.models import Incident, Subscription
from incidents.tests.factories import make_incident, make_team
from users.models import User
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

ALERTS = "/api/v1/alerts/"
SCRIPT = "<script>alert(1)</script>"


class AlertCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.admin, cls.responder, cls.reporter = make_admin(), make_responder(), make_reporter()
        cls.source = make_source(name="Prometheus")

    def get(self, path=ALERTS, by=None, **query):
        return client_of(by or self.admin).get(path, query)

    def ids(self, by=None, **query):
        answer = self.get(by=by, **query)
        self.assertEqual(answer.status_code, 200, answer.content)
        return [one["id"] for one in answer.json()["results"]]

    def assert_refused(self, field, **query):
        answer = self.get(**query)

        self.assertEqual(answer.status_code, 400, answer.content)
        self.assertEqual(answer.json()["errors"][0]["field"], field)


class ShowTests(AlertCase):
    def test_it_shows_what_the_description_says(self):
        alert = fire(self.source, "disk", severity="high", labels={"host": "db-3"}, links=({"href": "x", "text": "y"},))

        listed, shown = self.get().json()["results"][0], self.get(f"{ALERTS}{alert.pk}/").json()

        self.assertEqual(shown, listed)
        self.assertEqual(set(shown), set(AlertSerializer().fields))
        self.assertEqual((shown["source"], shown["source_name"]), (self.source.pk, "Prometheus"))
        self.assertEqual((shown["status"], shown["severity"], shown["labels"]), ("firing", "high", {"host": "db-3"}))
        self.assertEqual((shown["incident"], shown["silenced_by"]), (alert.incident_id, None))
        self.assertRegex(shown["first_seen_at"], r"Z$")

    def test_it_says_what_silences_it(self):
        silence = make_silence(("host", "=", "db-3"))
        alert = fire(self.source, labels={"host": "db-3"})

        shown = self.get(f"{ALERTS}{alert.pk}/").json()

        self.assertEqual((shown["silenced_by"], shown["incident"]), (silence.pk, None))

    def test_it_knows_no_other(self):
        for pk in ("0", "9" * 30, "x", "-1"):
            with self.subTest(pk):
                self.assertEqual(self.get(f"{ALERTS}{pk}/").status_code, 404)


class SightTests(AlertCase):
    def test_it_shows_reporters_those_of_what_they_follow(self):
        alert = fire(self.source)
        stranger = make_reporter()
        Subscription.objects.create(incident=alert.incident, user=self.reporter)
        make_incident(by=stranger)

        self.assertEqual(self.ids(by=self.reporter), [alert.pk])
        self.assertEqual(self.ids(by=stranger), [])
        self.assertEqual(self.get(f"{ALERTS}{alert.pk}/", by=stranger).status_code, 404)
        self.assertEqual(self.get(f"/api/v1/incidents/{alert.incident_id}/alerts/", by=stranger).status_code, 404)

    def test_it_hides_those_of_a_restricted_incident(self):
        member = make_responder()
        alert, other = fire(self.source, "a"), fire(self.source, "b")
        Incident.objects.filter(pk=alert.incident_id).update(is_restricted=True, team=make_team("Database", member))

        self.assertEqual(self.ids(by=self.responder), [other.pk])
        self.assertEqual(self.ids(by=member), [other.pk, alert.pk])
        self.assertEqual(self.ids(), [other.pk, alert.pk])
        self.assertEqual(self.ids(by=self.responder, incident=alert.incident_id), [])
        path = f"/api/v1/incidents/{alert.incident_id}/alerts/"
        self.assertEqual([self.get(path, by=by).status_code for by in (self.responder, member)], [404, 200])

    def test_it_shows_responders_those_without_an_incident(self):
        make_silence(("severity", "=", "medium"))
        alert = fire(self.source)

        self.assertEqual(self.ids(by=self.responder), [alert.pk])
        self.assertEqual(self.ids(by=self.reporter), [])

    def test_it_lists_those_of_an_incident(self):
        source = make_source(group_by=["cluster"])
        mine = [fire(source, name, labels={"cluster": "eu"}).pk for name in "abc"]
        fire(self.source, "elsewhere")
        incident = Alert.objects.get(pk=mine[0]).incident

        found = self.get(f"/api/v1/incidents/{incident.reference}/alerts/", by=self.responder).json()["results"]

        self.assertEqual([one["id"] for one in found], mine[::-1])


class FilterTests(AlertCase):
    def test_it_filters_by_each(self):
        now = timezone.now()
        other = make_source()
        old = fire(self.source, "old", severity="low", at=now - dt.timedelta(hours=2))
        over = fire(self.source, "over", severity="critical")
        resolve(self.source, "over")
        third = fire(other, "third", severity="high")
        Alert.objects.filter(pk=third.pk).update(is_flapping=True, silenced_by=make_silence(("job", "=", "x")))
        hour_ago = (now - dt.timedelta(hours=1)).isoformat()
        table = [
            ({"status": "firing"}, [third, old]),
            ({"status": "firing,resolved"}, [third, over, old]),
            ({"severity": "critical"}, [over]),
            ({"severity": "high,LOW"}, [third, old]),
            ({"source": self.source.pk}, [over, old]),
            ({"incident": old.incident_id}, [old]),
            ({"incident": over.incident.reference}, [over]),
            ({"incident": "none"}, []),
            ({"fingerprint": "third"}, [third]),
            ({"fingerprint": "Third"}, []),
            ({"is_flapping": "true"}, [third]),
            ({"is_flapping": "false"}, [over, old]),
            ({"is_silenced": "true"}, [third]),
            ({"is_silenced": "false"}, [over, old]),
            ({"created_after": hour_ago}, [third, over]),
            ({"created_before": hour_ago}, [old]),
            ({"seen_after": hour_ago}, [third, over]),
            ({"seen_before": hour_ago}, [old]),
            ({"status": "firing", "source": self.source.pk, "severity": "low"}, [old]),
        ]
        for query, expected in table:
            with self.subTest(query=query):
                self.assertEqual(self.ids(**query), [alert.pk for alert in expected])

    def test_it_filters_by_team(self):
        mine, theirs = make_team("Day"), make_team("Night")
        alerts = [fire(make_source(team=team), str(number)).pk for number, team in enumerate([mine, theirs, None])]
        hushed = fire(self.source, "hushed")
        Alert.objects.filter(pk=hushed.pk).update(incident=None)

        for rare in (filters.RARE, 0):
            with self.subTest(rare=rare), mock.patch.object(filters, "RARE", rare):
                self.assertEqual(self.ids(team=mine.pk), alerts[:1])
                self.assertEqual(self.ids(team=theirs.pk), alerts[1:2])
                self.assertEqual(self.ids(team="none"), [hushed.pk, alerts[2]])

    def test_it_finds_words(self):
        disk = fire(self.source, "1", title="Disk full on db-3", description="4 % left")
        umlaut = fire(self.source, "2", title="Überlast in Zürich")
        for query, expected in [
            ("disk", [disk]),
            ("DISK left", [disk]),
            ("disk zürich", []),
            ("%", [disk]),
            ("_", []),
            ("ÜBERLAST zürich", [umlaut]),
            ("", [umlaut, disk]),
        ]:
            with self.subTest(query):
                self.assertEqual(self.ids(q=query), [alert.pk for alert in expected])

    def test_it_looks_through_so_many_for_a_page_and_goes_on(self):
        alerts = [fire(self.source, str(number), title="Disk" if number % 5 == 0 else "Load") for number in range(20)]

        with mock.patch.object(BoundedPages, "looked_through", 6):
            for ordering in ("-id", "id", "-last_seen_at"):
                with self.subTest(ordering):
                    pages, following = [], f"/api/v1/alerts/?q=disk&ordering={ordering}"
                    while following:
                        page = self.get(following, by=self.responder).json()
                        pages.append([one["id"] for one in page["results"]])
                        following = page["next"]

                    found = [pk for page in pages for pk in page]
                    expected = [alert.pk for alert in alerts[::5]]
                    self.assertEqual(found, expected if ordering == "id" else expected[::-1])
                    self.assertGreater(len(pages), 3)

    def test_it_finds_the_way_back_over_empty_pages(self):
        alerts = [fire(self.source, str(number), title="Disk" if number in (3, 17) else "Load") for number in range(20)]
        wanted = [alerts[17].pk, alerts[3].pk]

        with mock.patch.object(BoundedPages, "looked_through", 4):
            there, page = [], self.get(f"{ALERTS}?q=disk&page_size=1", by=self.responder).json()
            while len(there := there + [one["id"] for one in page["results"]]) < 2:
                page = self.get(page["next"], by=self.responder).json()
            back = []
            while page["previous"]:
                page = self.get(page["previous"], by=self.responder).json()
                back += [one["id"] for one in page["results"]]
            first = page if page["results"] else self.get(page["next"], by=self.responder).json()

        self.assertEqual(there, wanted)
        self.assertIn(wanted[0], back)
        self.assertEqual([one["id"] for one in first["results"]], wanted[:1])

    def test_it_finds_nothing_of_what_is_hidden(self):
        team = make_team("Secret")
        hidden = fire(make_source(team=team), title="Disk full")
        Incident.objects.filter(pk=hidden.incident_id).update(is_restricted=True)

        for person in (self.responder, self.reporter):
            for query in ({"q": "disk"}, {"team": team.pk}, {"q": "disk", "team": team.pk}):
                with self.subTest(person=person.role, query=query):
                    self.assertEqual(self.ids(by=person, **query), [])
        self.assertEqual(self.ids(q="disk", team=team.pk), [hidden.pk])

    def test_it_asks_no_more_for_many_that_were_looked_at(self):
        for number in range(10):
            fire(self.source, str(number), title="Disk")
        self.ids(by=self.responder, q="disk")

        with CaptureQueriesContext(connection) as queries:
            self.ids(by=self.responder, q="disk", team="none")

        self.assertLessEqual(len(queries), 5, [query["sql"] for query in queries])

    def test_it_filters_by_labels_of_any_text(self):
        texts = ["db-3", "Zürich", "ZÜRICH", "数据库", '"quoted"', "it's", SCRIPT, "a b", "a&b=c", "%", "", "💥"]
        alerts = [
            fire(self.source, str(number), labels={"host": text, "job": "node"}) for number, text in enumerate(texts)
        ]
        for alert, text in zip(alerts, texts, strict=True):
            with self.subTest(text):
                self.assertEqual(self.ids(**{"label.host": text}), [alert.pk])
        self.assertEqual(len(self.ids(**{"label.job": "node"})), len(texts))

    def test_it_filters_by_labels_of_any_name(self):
        for number, name in enumerate(["größe", SCRIPT, "a.b", "a b", "'"]):
            with self.subTest(name):
                alert = fire(self.source, str(number), labels={name: "1"})

                self.assertEqual(self.ids(**{f"label.{name}": "1"}), [alert.pk])

    def test_it_combines_labels(self):
        both = fire(self.source, "a", labels={"host": "db-3", "job": "node"})
        fire(self.source, "b", labels={"host": "db-3"})
        fire(self.source, "c", labels={"job": "node"})

        self.assertEqual(self.ids(**{"label.host": "db-3", "label.job": "node"}), [both.pk])
        self.assertEqual(self.ids(**{"label.host": "db-3", "label.job": "other"}), [])
        self.assertEqual(self.ids(**{"label.host": ["db-3", "db-4"]}), [])

    def test_it_finds_labels_that_are_everywhere(self):
        many = [fire(self.source, str(number), labels={"job": "node"}).pk for number in range(5)]
        fire(self.source, "other")

        with mock.patch.object(filters, "RARE", 3):
            found = self.ids(**{"label.job": "node"})

        self.assertEqual(found, many[::-1])

    def test_it_hides_by_labels_what_is_hidden(self):
        fire(self.source, labels={"host": "db-3"})

        self.assertEqual(self.ids(by=self.reporter, **{"label.host": "db-3"}), [])

    def test_it_refuses_what_nobody_reads(self):
        for query, field in [
            ({"colour": "red"}, "colour"),
            ({"q": "x" * 201}, "q"),
            ({"team": "night"}, "team"),
            ({"status": "open"}, "status"),
            ({"status": ""}, "status"),
            ({"severity": "awful"}, "severity"),
            ({"source": "Prometheus"}, "source"),
            ({"source": "9" * 30}, "source"),
            ({"incident": "INC-x"}, "incident"),
            ({"is_flapping": "maybe"}, "is_flapping"),
            ({"is_silenced": "maybe"}, "is_silenced"),
            ({"created_after": "yesterday"}, "created_after"),
            ({"label.": "x"}, "label."),
            ({"labels": "x"}, "labels"),
            ({"ordering": "title"}, "ordering"),
            ({"ordering": "-severity"}, "ordering"),
            ({"cursor": "x"}, "cursor"),
        ]:
            with self.subTest(query=query):
                self.assert_refused(field, **query)


class PageTests(AlertCase):
    def test_it_pages_both_ways_in_every_order(self):
        for number in range(7):
            fire(self.source, str(number))
        everything = list(Alert.objects.order_by("-id").values_list("pk", flat=True))
        for ordering in ("-id", "id", "-last_seen_at", "last_seen_at"):
            with self.subTest(ordering):
                page = self.get(ordering=ordering, page_size=3).json()
                found = [one["id"] for one in page["results"]]
                while page["next"]:
                    page = client_of(self.admin).get(page["next"]).json()
                    found += [one["id"] for one in page["results"]]

                self.assertEqual(found, everything if ordering.startswith("-") else everything[::-1])
                before = client_of(self.admin).get(page["previous"]).json()
                self.assertEqual([one["id"] for one in before["results"]], found[3:6])

    def test_it_lists_at_a_constant_cost(self):
        incident = fire(self.source, "first", labels={"job": "node"}).incident
        paths = [ALERTS, f"{ALERTS}?label.job=node&status=firing", f"/api/v1/incidents/{incident.pk}/alerts/"]
        people = (self.admin, self.responder, self.reporter)
        Subscription.objects.create(incident=incident, user=self.reporter)
        before = {(path, by): self.count(path, by) for path in paths for by in people}
        for number in range(30):
            fire(make_source(), str(number), labels={"job": "node", "number": str(number)})

        after = {(path, by): self.count(path, by) for path in paths for by in people}

        self.assertEqual(after, before)
        self.assertLessEqual(max(after.values()), 4)

    def count(self, path, by):
        fresh = User.objects.get(pk=by.pk)  # what is known of a person is kept on the object
        with CaptureQueriesContext(connection) as queries:
            self.assertEqual(client_of(fresh).get(path).status_code, 200)
        return len(queries)
