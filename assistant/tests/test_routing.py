import datetime as dt

from django.test import TestCase
from django.utils import timezone

from assistant.models import LearningSchedule, RoutingModel, RoutingSuggestion
from assistant.services import learning
from assistant.services.learning import LOOK_EVERY, Opening, train_if_due
from assistant.services.routing import routing_for, routing_of
from assistant.tests.factories import make_history, read_feed, train
from assistant.vocabulary import RoutingOutcome
from core.severity import Severity
from incidents.models import Incident, Origin
from incidents.services import editing
from incidents.services.lifecycle import resolve
from incidents.tests.factories import make_category, make_incident, make_team, report
from users.tests.factories import client_of, make_admin, make_reporter


class RoutingTests(TestCase):
    """What past incidents suggest for new ones."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin()
        cls.network, cls.office = make_team("Network"), make_team("Office")
        cls.vpn, cls.paper = make_category("vpn"), make_category("paper")
        cls.stories = [
            ("VPN tunnel drops packets", cls.network, cls.vpn, Severity.HIGH),
            ("Printer paper jam", cls.office, cls.paper, Severity.LOW),
        ]

    def setUp(self) -> None:
        learning._kept.clear()

    def learn(self) -> RoutingModel:
        make_history(self.stories, admin=self.admin)
        made = train()
        assert made is not None
        return made

    def test_it_suggests_team_category_and_severity(self) -> None:
        made = self.learn()

        [found] = routing_of(make_incident(title="The VPN tunnel is down again"))

        self.assertEqual((found.team, found.team_name), (self.network.pk, "Network"))
        self.assertEqual((found.category, found.severity), ("vpn", "high"))
        self.assertGreater(found.confidence, 0.6)
        self.assertEqual((found.incidents, found.version), (40, made.pk))
        self.assertLessEqual({one.value for one in found.because}, {"vpn", "tunnel", "drops", "packets"})

    def test_it_answers_over_rest(self) -> None:
        self.learn()
        incident = make_incident(title="The VPN tunnel is down again")

        found = client_of(self.admin).get(f"/api/v1/incidents/{incident.pk}/suggestions/").json()["routing"]

        self.assertEqual([one["team"] for one in found], [self.network.pk])
        self.assertEqual({one["field"] for one in found[0]["by_field"]}, {"team", "category", "severity"})
        self.assertEqual(
            client_of(make_reporter()).get(f"/api/v1/incidents/{incident.pk}/suggestions/").status_code, 404
        )

    def test_it_says_nothing_about_unknown_words(self) -> None:
        self.learn()

        for title in ("Qwzx blorp", "Der Drucker brennt", "印刷機が壊れた", "🔥🔥🔥", "404 500"):
            with self.subTest(title):
                self.assertEqual(routing_for(Opening(title)), [])

    def test_it_says_nothing_with_too_little_history(self) -> None:
        make_history(self.stories, admin=self.admin, times=10)

        self.assertIsNone(train())
        self.assertEqual(routing_of(make_incident(title="VPN tunnel")), [])

    def test_it_says_nothing_of_a_field_that_always_is_the_same(self) -> None:
        make_history([(title, self.network, None, Severity.LOW) for title, *_ in self.stories], admin=self.admin)
        made = train()

        assert made is not None
        self.assertEqual(made.figures["team"]["because"], "tells_nothing")
        self.assertEqual(routing_of(make_incident(title="VPN tunnel drops packets")), [])

    def test_it_learns_nothing_where_words_tell_nothing(self) -> None:
        stories = [("Something broke", team, None, Severity.LOW) for team in (self.network, self.office)]
        make_history(stories, admin=self.admin)
        train()

        self.assertEqual(routing_for(Opening("Something broke")), [])

    def test_it_learns_nothing_from_restricted_or_deleted_incidents(self) -> None:
        made = make_history(self.stories, admin=self.admin)
        Incident.objects.filter(pk__in=[one.pk for one in made[::2]]).update(is_restricted=True)
        Incident.objects.filter(pk__in=[one.pk for one in made[1::4]]).update(deleted_at=timezone.now())

        self.assertIsNone(train())

    def test_it_stores_no_word_of_an_incident(self) -> None:
        made = self.learn()

        learnt = learning.unpack(bytes(made.weights))

        self.assertGreater(len(learnt["team"].weights.rows), 5)
        self.assertTrue(all(len(one) == 16 for one in learnt["team"].weights.rows))
        self.assertNotIn("vpn", str(list(learnt["team"].weights.rows)))

    def test_it_suggests_no_team_that_is_retired(self) -> None:
        self.learn()
        self.network.is_active = False
        self.network.save(update_fields=["is_active"])

        [found] = routing_for(Opening("VPN tunnel drops packets"))

        self.assertIsNone(found.team)
        self.assertEqual(found.category, "vpn")

    def test_it_learns_by_a_job_once_there_is_more(self) -> None:
        make_history(self.stories, admin=self.admin)
        now = timezone.now()

        self.assertEqual(train_if_due(now), 1)
        self.assertEqual(train_if_due(now), 0)
        self.assertLess(LearningSchedule.objects.get().due_at, now + LOOK_EVERY)  # it took no ten seconds
        LearningSchedule.objects.update(due_at=now)
        self.assertEqual(train_if_due(now), 0)
        make_history(self.stories, admin=self.admin, times=5)
        later = timezone.now()
        LearningSchedule.objects.update(due_at=later)
        self.assertEqual(train_if_due(later), 1)
        self.assertEqual(RoutingModel.objects.exclude(weights=b"").count(), 1)

    def test_it_stores_what_it_suggested_and_compares_it_at_the_end(self) -> None:
        self.learn()
        read_feed()
        right = make_incident(by=make_reporter(), title="VPN tunnel drops packets")
        wrong = make_incident(by=make_reporter(), title="Paper jam in the printer")
        read_feed()
        self.assertEqual({one.outcome for one in RoutingSuggestion.objects.all()}, {RoutingOutcome.WAITING})

        for incident in (right, wrong):
            editing.assign_team(incident, self.network, by=self.admin)
            resolve(incident, by=self.admin)
        read_feed()

        of_team = dict(RoutingSuggestion.objects.filter(field="team").values_list("incident", "outcome"))
        self.assertEqual(of_team, {right.pk: RoutingOutcome.RIGHT, wrong.pk: RoutingOutcome.IN_THREE})
        of_category = set(RoutingSuggestion.objects.filter(field="category").values_list("outcome", flat=True))
        self.assertEqual(of_category, {RoutingOutcome.UNKNOWN})

    def test_it_keeps_what_it_suggested_at_the_opening(self) -> None:
        self.learn()
        incident = make_incident(by=make_reporter(), title="VPN tunnel drops packets")
        read_feed()
        stored = RoutingSuggestion.objects.get(incident=incident, field="team")
        RoutingModel.objects.update(figures={})
        stored.confidence, stored.ranked = 0.77, [[self.office.pk, 0.77]]
        stored.suggested = self.office.pk
        stored.save(update_fields=["confidence", "ranked", "suggested"])

        [found] = routing_of(incident)

        self.assertEqual((found.team, found.guesses["team"].confidence), (self.office.pk, 0.77))

    def test_it_stores_nothing_for_restricted_incidents_and_machines(self) -> None:
        self.learn()
        read_feed()
        make_incident(by=self.admin, title="VPN tunnel drops packets", is_restricted=True)
        report(by=self.admin, title="VPN tunnel drops packets", origin=Origin.ALERT)
        read_feed()

        self.assertEqual(RoutingSuggestion.objects.count(), 0)

    def test_it_answers_soon(self) -> None:
        self.learn()
        incident = make_incident(title="VPN tunnel drops packets")
        routing_of(incident)

        with self.assertNumQueries(5):  # the version, its opening, stored ones, names
            routing_of(incident)

    def test_it_forgets_suggestions_of_late_news(self) -> None:
        self.learn()
        make_incident(title="VPN tunnel drops packets")
        Incident.objects.get(title="VPN tunnel drops packets").events.update(
            received_at=timezone.now() - dt.timedelta(days=2)
        )
        read_feed()

        self.assertEqual(RoutingSuggestion.objects.count(), 0)
