from itertools import product

from django.test import TestCase

from incidents import services
from incidents.models import Incident
from incidents.permissions import audiences_of
from incidents.tests.factories import make_incident, make_team, report
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder


class AudienceTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.reporter, cls.other_reporter = make_reporter(name="rita"), make_reporter(name="olaf")
        cls.member, cls.assignee, cls.follower = (
            make_responder(name="mia"),
            make_responder(name="ada"),
            make_responder(name="finn"),
        )
        cls.outsider, cls.admin = make_responder(name="otto"), make_admin(name="anna")
        team = make_team("Database", cls.member, cls.other_reporter)
        make_team("Network", cls.outsider)
        cls.incidents = []
        for is_restricted, with_team, is_deleted in product((False, True), repeat=3):
            incident = make_incident(by=cls.reporter, is_restricted=is_restricted)
            given = team if with_team else None
            Incident.objects.filter(pk=incident.pk).update(assignee=cls.assignee, team=given)
            incident.subscriptions.create(user=cls.follower)
            if is_deleted:
                Incident.objects.filter(pk=incident.pk).update(deleted_at=incident.created_at)
            cls.incidents.append(Incident.objects.get(pk=incident.pk))
        cls.incidents.append(report(by=None, title="Nobody's"))

    def test_it_says_the_same_as_visible_to(self):
        audiences = audiences_of(self.incidents)

        for user, incident in product(User.objects.all(), self.incidents):
            with self.subTest(user=user.name, incident=incident.pk):
                is_seen = Incident.objects.visible_to(user).filter(pk=incident.pk).exists()
                self.assertEqual(audiences[incident.pk].includes(user), is_seen)

    def test_it_asks_twice_however_many(self):
        with self.assertNumQueries(2):
            audiences_of(self.incidents)

    def test_it_asks_nothing_for_none(self):
        with self.assertNumQueries(0):
            self.assertEqual(audiences_of([]), {})

    def test_it_follows_what_services_do(self):
        incident = make_incident(by=self.reporter, is_restricted=True)
        services.subscribe(incident, self.outsider, by=self.admin)

        self.assertTrue(audiences_of([incident])[incident.pk].includes(self.outsider))
