import datetime as dt
from types import SimpleNamespace
from unittest import mock

from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from alerts.tests.factories import fire, make_route, make_source, resolve
from assistant.likeness import Query, Rarity, stems
from assistant.services import candidates
from assistant.services.similar import related_incidents
from assistant.suggestions import Duplicate, Similar
from assistant.vocabulary import ReasonKind
from incidents.models import Incident, LinkKind, Status
from incidents.services import comment, delete, link, transition
from incidents.tests.factories import make_incident, make_service
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder

NOISE = (
    "Billing export rejects new sessions",
    "Coffee machine on the third floor leaks",
    "Replication lag on the warehouse",
    "Expired certificate of the intranet",
    "Mail queue grows at the relay",
    "VPN drops people in Lisbon",
)


def found_for(
    incident: Incident, viewer: User, *, later: dt.timedelta = dt.timedelta()
) -> tuple[tuple[Similar, ...], tuple[Duplicate, ...]]:
    return related_incidents(incident, viewer, timezone.now() + later)


def ids(found: tuple[Similar, ...]) -> list[int]:
    return [one.incident for one in found]


class RelatedIncidentsTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin, cls.responder = make_admin(), make_responder()
        for title in NOISE:
            make_incident(title=title)
        Incident.objects.update(created_at=timezone.now() - dt.timedelta(days=40))

    def setUp(self) -> None:
        # MariaDB's full text knows nothing of this transaction, and its numbers go on from test to test
        self.enterContext(mock.patch.object(candidates, "SAMPLE", 10**6))

    def test_it_names_open_ones_duplicates_and_says_why(self) -> None:
        service = make_service()
        earlier = make_incident(title="Checkout times out for card payments", services=[service])
        incident = make_incident(title="Card payments time out at checkout", services=[service])

        similar, duplicates = found_for(incident, self.responder)

        self.assertEqual((ids(similar), ids(duplicates)), ([], [earlier.pk]))
        self.assertEqual(duplicates[0].id, f"duplicate-{earlier.pk}")
        reasons = {reason.kind: reason for reason in duplicates[0].because}
        self.assertEqual(reasons[ReasonKind.SERVICE].text, "Same service Payments")
        self.assertIn(ReasonKind.WORDS, reasons)

    def test_it_calls_old_ones_similar(self) -> None:
        earlier = make_incident(title="Checkout times out for card payments")
        transition(earlier, Status.RESOLVED, by=self.admin)
        Incident.objects.filter(pk=earlier.pk).update(created_at=timezone.now() - dt.timedelta(days=90))
        incident = make_incident(title="Card payments time out at checkout")

        similar, duplicates = found_for(incident, self.responder)

        self.assertEqual((ids(similar), ids(duplicates)), ([earlier.pk], []))

    def test_it_says_nothing_where_nothing_is_alike(self) -> None:
        incident = make_incident(title="Printer in room 12 smells of smoke", services=[make_service()])

        self.assertEqual(found_for(incident, self.admin), ((), ()))

    def test_it_keeps_hidden_incidents_and_internal_words_back(self) -> None:
        reporter = make_reporter()
        title = "Payroll export failed at midnight"
        incident = make_incident(by=reporter, title=title)
        restricted = make_incident(by=self.admin, title=title, is_restricted=True)
        unseen = make_incident(title=title)
        said = make_incident(by=reporter, title="Something else")
        comment(said, title, by=None, visibility="internal")
        gone = make_incident(by=reporter, title=title)
        delete(gone, by=None)

        for_reporter, for_responder = found_for(incident, reporter), found_for(incident, self.responder)

        self.assertEqual(for_reporter, ((), ()))
        self.assertEqual([ids(found) for found in for_responder], [[], [unseen.pk]])
        self.assertNotIn(restricted.pk, [pk for found in for_responder for pk in ids(found)])

    def test_it_shows_a_reporter_what_they_follow(self) -> None:
        reporter = make_reporter()
        earlier = make_incident(by=reporter, title="Payroll export failed at midnight")
        incident = make_incident(by=reporter, title="Export of payroll failed at midnight")

        self.assertEqual(ids(found_for(incident, reporter)[1]), [earlier.pk])

    def test_it_leaves_out_known_duplicates(self) -> None:
        earlier = make_incident(title="Payroll export failed at midnight")
        incident = make_incident(title="Export of payroll failed at midnight")
        link(incident, earlier, kind=LinkKind.DUPLICATE_OF, by=self.admin)

        self.assertEqual(found_for(incident, self.admin), ((), ()))

    def test_it_knows_an_alert_that_fires_again(self) -> None:
        source = make_source()
        make_route(group_by=["host"])
        first = fire(source, "disk", title="Usage at 91 %", labels={"host": "db-7"}).incident
        resolve(source, "disk", title="Usage at 91 %")
        transition(first, Status.CLOSED, by=self.admin)
        later = timezone.now() + dt.timedelta(days=20)
        second = fire(source, "disk", title="Volume nearly full", labels={"host": "db-7"}, at=later).incident

        similar, _duplicates = found_for(second, self.admin)

        self.assertNotEqual(first, second)
        self.assertEqual(ids(similar), [first.pk])
        self.assertEqual(similar[0].because[0].kind, ReasonKind.ALERT)

    def test_it_costs_the_same_for_any_number(self) -> None:
        incident = make_incident(title="Payroll export failed at midnight")
        make_incident(title="Payroll export failed")
        with self.assertNumQueries(11):
            found_for(incident, self.admin)
        for number in range(8):
            make_incident(title=f"Payroll export failed at midnight, run {number}")

        with self.assertNumQueries(11):
            _similar, duplicates = found_for(incident, self.admin)

        self.assertEqual(len(duplicates), 5)


class SearchesTests(SimpleTestCase):
    def asked(self, vendor: str) -> list[tuple[str, ...]]:
        words = stems(("checkout", "stale", "data", "billing"))
        documents = [frozenset(words[: number % 5]) for number in range(100)]
        self.rarity = Rarity.of(documents, 30_000)
        with mock.patch.object(candidates, "connection", SimpleNamespace(vendor=vendor)):
            found = candidates._searches(Query.of("Checkout stale data billing", ""), self.rarity)
            return [words for words, _terms in found if len(words) > 1]

    def test_it_asks_mariadb_for_common_words_up_to_what_it_may_read(self) -> None:
        every, bounded = self.asked("sqlite"), self.asked("mysql")

        read = [sum(self.rarity.expected(word) for word in words) for words in bounded]
        self.assertLess(len(bounded), len(every))
        self.assertLessEqual(sum(read), candidates.MOST_READ)
        self.assertGreater(len(bounded), 0)
