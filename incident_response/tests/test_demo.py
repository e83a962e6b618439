from datetime import timedelta
from io import StringIO

from django.contrib.auth.password_validation import validate_password
from django.core.management import call_command
from django.test import SimpleTestCase, TestCase, override_settings
from django.utils import timezone

from incident_response.demo import PASSWORD, address_of
from incident_response.demo.loading import seconds_of
from incident_response.demo.pictures import FILES
from incidents.models import (
    Attachment,
    EventKind,
    Incident,
    IncidentEvent,
    IncidentLink,
    LinkKind,
    SlaPolicy,
    Status,
    Visibility,
)
from incidents.services import verify_all
from notifications.models import Delivery
from notifications.services.readiness import unready_people
from paging.models import EscalationRun, Page
from paging.vocabulary import PagingEventKind
from responders.models import EscalationPolicy, Schedule, Service, Team
from responders.services.oncall import on_call as on_call_at
from status_page.models import Component, PublicIncident, PublicUpdate, StatusPage
from users.models import Role, User


def demo() -> str:
    out = StringIO()
    call_command("demo", stdout=out)
    return out.getvalue()


@override_settings(SECURE_TRANSPORT=False)
class DemoTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.said = demo()

    def test_it_says_how_to_sign_in(self):
        for key in ("ada", "ben", "hana"):
            self.assertIn(address_of(key), self.said)
        self.assertIn(PASSWORD, self.said)
        self.assertTrue(User.objects.get(email=address_of("hana")).check_password(PASSWORD))

    def test_it_brings_people_of_every_role_with_an_acceptable_password(self):
        for user in User.objects.all():
            validate_password(PASSWORD, user)

        self.assertEqual(set(User.objects.values_list("role", flat=True)), set(Role.values))
        self.assertEqual(User.objects.get(email=address_of("chloe")).teams.count(), 2)
        self.assertEqual((Team.objects.count(), User.objects.count()), (4, 10))
        self.assertFalse(Service.objects.filter(team=None).exists())

    def test_it_has_people_on_call_and_pages_under_way(self):
        on_call = on_call_at(Schedule.objects.values_list("pk", flat=True), timezone.now())

        self.assertEqual((Schedule.objects.count(), EscalationPolicy.objects.count()), (3, 3))
        self.assertFalse(on_call[Schedule.objects.get(name="Storefront").pk].gap)
        self.assertEqual(EscalationRun.objects.count(), Incident.objects.filter(status=Status.OPEN).count())
        self.assertTrue(Page.objects.filter(incident__title__startswith="Checkout error rate").exists())
        self.assertEqual(unready_people(timezone.now()), [])

    def test_it_pages_for_no_history(self):
        self.assertFalse(IncidentEvent.objects.exclude(kind__in=PagingEventKind.values).filter(feed_seq__gt=0).exists())
        self.assertFalse(Delivery.objects.filter(kind="update").exists())

    def test_it_shows_incidents_in_every_state(self):
        statuses = set(Incident.objects.values_list("status", flat=True))

        self.assertEqual(statuses, set(Status.values))
        self.assertEqual(Incident.objects.filter(reporter__isnull=False).count(), 26)
        self.assertTrue(Incident.objects.filter(is_restricted=True).exists())
        self.assertTrue(Incident.objects.filter(team=None).exists())
        self.assertEqual(set(IncidentLink.objects.values_list("kind", flat=True)), set(LinkKind.values))

    def test_it_tells_timelines_of_many_kinds(self):
        kinds = set(IncidentEvent.objects.values_list("kind", flat=True))
        comments = IncidentEvent.objects.filter(kind=EventKind.COMMENT)

        self.assertLessEqual(
            {EventKind.HELD, EventKind.RESUMED, EventKind.REOPENED, EventKind.ACK_BREACHED, EventKind.RESOLVE_BREACHED},
            kinds,
        )
        self.assertEqual(set(comments.values_list("visibility", flat=True)), set(Visibility.values))

    def test_it_happened_in_the_past_three_weeks_and_in_order(self):
        now = timezone.now()

        for incident in Incident.objects.all():
            times = list(incident.events.order_by("seq").values_list("occurred_at", flat=True))
            self.assertEqual(times, sorted(times), incident)
            self.assertGreater(times[0], now - timedelta(days=21))
            self.assertLess(times[-1], now)

    def test_it_leaves_whole_timelines_and_no_work_for_the_worker(self):
        self.assertEqual({fault for fault in verify_all() if fault}, set())
        self.assertFalse(IncidentEvent.objects.waiting_for_feed().exists())
        self.assertFalse(Incident.objects.filter(is_tallied=False).exists())
        self.assertFalse(Incident.objects.breach_due(timezone.now() - timedelta(minutes=1)).exists())

    def test_it_attaches_pictures_with_thumbnails(self):
        attachments = Attachment.objects.all()

        self.assertEqual({attachment.name for attachment in attachments}, set(FILES))
        self.assertEqual([row.name for row in attachments if row.is_picture and not row.thumbnail_key], [])

    def test_it_counts_business_hours_for_one_category(self):
        policies = SlaPolicy.objects.filter(is_round_the_clock=False)

        self.assertEqual([policy.category.slug for policy in policies], ["workplace"])

    def test_it_publishes_in_every_language_of_the_status_page(self):
        languages = StatusPage.objects.get().languages
        announced = PublicIncident.objects.order_by("pk")

        self.assertEqual(languages, ["en", "de"])
        self.assertEqual([one.state for one in announced], ["resolved", "scheduled"])
        self.assertEqual([set(one.translations) for one in announced], [{"de"}] * 2)
        self.assertEqual({tuple(one.translations) for one in PublicUpdate.objects.all()}, {("de",)})
        self.assertEqual(Component.objects.count(), 5)
        self.assertIsNotNone(announced[0].spans.get().ended_at)

    def test_it_changes_nothing_the_second_time(self):
        before = (User.objects.count(), Incident.objects.count(), IncidentEvent.objects.count())

        said = demo()

        self.assertEqual((User.objects.count(), Incident.objects.count(), IncidentEvent.objects.count()), before)
        self.assertIn(address_of("ada"), said)


class RefusalTests(TestCase):
    @override_settings(SECURE_TRANSPORT=False)
    def test_it_leaves_an_installation_with_people_alone(self):
        User.objects.create_superuser("admin@example.org", None, name="Admin")

        said = demo()

        self.assertEqual(said, "The database already holds people or incidents, so the demo was not loaded.\n")
        self.assertEqual(User.objects.count(), 1)

    @override_settings(SECURE_TRANSPORT=True)
    def test_it_stays_away_from_servers_that_others_reach(self):
        said = demo()

        self.assertIn("PLAIN_HTTP", said)
        self.assertFalse(User.objects.exists())


class SpanTests(SimpleTestCase):
    def test_it_reads_spans(self):
        spans = {"9m": 540, "2h 10m": 7_800, "1d 4h": 100_800}

        for text, seconds in spans.items():
            self.assertEqual(seconds_of(text), seconds)
