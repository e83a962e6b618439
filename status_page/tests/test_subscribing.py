import datetime as dt
from unittest import mock

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.errors import Conflict, DomainError, NotFound, PermissionRefused
from notifications.models import Delivery
from status_page.links import confirm_token, manage_token
from status_page.models import Subscriber
from status_page.services.subscribing import (
    Request,
    choose,
    confirm,
    import_subscribers,
    prune,
    subscribe,
    unsubscribe,
)
from status_page.tests.factories import make_component, make_page, make_subscriber
from status_page.vocabulary import SubscriberState
from users.tests.factories import make_admin, make_responder

NOW = timezone.now()
HOUR = dt.timedelta(hours=1)


class SubscribeTests(TestCase):
    def setUp(self) -> None:
        make_page()
        self.web, self.api = make_component("Website"), make_component("API")

    def ask(self, email: str = "ana@example.org", *, at: dt.datetime = NOW, **fields: object) -> Subscriber:
        return subscribe(Request(email, **fields), now=at)  # type: ignore[arg-type]

    def test_it_puts_nothing_into_effect_before_a_confirmation(self) -> None:
        asked = self.ask(components=[self.web.pk], language="de")

        self.assertEqual(asked.state, SubscriberState.PENDING)
        self.assertEqual(Delivery.objects.filter(kind="status").count(), 1)
        self.assertFalse(asked.components.exists())

    def test_it_puts_into_effect_what_was_asked(self) -> None:
        asked = self.ask(components=[self.web.pk], language="de")

        confirmed = confirm(confirm_token(asked.pk, NOW), now=NOW)

        self.assertEqual((confirmed.state, confirmed.language), (SubscriberState.ACTIVE, "de"))
        self.assertEqual(list(confirmed.components.all()), [self.web])
        self.assertIsNone(confirmed.expires_at)

    def test_it_confirms_twice_without_harm(self) -> None:
        asked = self.ask(components=[self.web.pk])
        token = confirm_token(asked.pk, NOW)
        confirm(token, now=NOW)

        again = confirm(token, now=NOW + HOUR)

        self.assertEqual(list(again.components.all()), [self.web])
        self.assertEqual(again.confirmed_at, NOW)

    def test_it_mails_an_address_once_in_ten_minutes(self) -> None:
        for minutes in (0, 1, 9, 11):
            self.ask(at=NOW + dt.timedelta(minutes=minutes))

        self.assertEqual(Delivery.objects.filter(kind="status").count(), 2)

    def test_it_mails_an_address_ever_more_seldom_that_does_not_confirm(self) -> None:
        for minutes in range(0, 3 * 24 * 60, 11):
            self.ask(at=NOW + dt.timedelta(minutes=minutes))

        self.assertLess(Delivery.objects.filter(kind="status").count(), 12)

    def test_it_mails_at_once_who_comes_back(self) -> None:
        old = make_subscriber("ana@example.org", created_at=NOW - 9000 * HOUR, asked_at=NOW - 8000 * HOUR)
        unsubscribe(manage_token(old.pk), now=NOW)

        self.ask(at=NOW)

        self.assertEqual(Delivery.objects.filter(kind="status").count(), 1)

    def test_it_knows_an_address_in_other_letters(self) -> None:
        self.ask("Ana@Example.org")
        self.ask(" ana@example.ORG ", at=NOW + HOUR)

        self.assertEqual(Subscriber.objects.count(), 1)

    def test_it_leaves_a_confirmed_subscription_as_it_is_until_confirmed_again(self) -> None:
        reader = make_subscriber("ana@example.org", self.api)

        self.ask(components=[self.web.pk])

        reader.refresh_from_db()
        self.assertEqual(reader.state, SubscriberState.ACTIVE)
        self.assertEqual(list(reader.components.all()), [self.api])

    def test_it_refuses_old_forged_and_replaced_links(self) -> None:
        asked = self.ask()
        self.ask(at=NOW + HOUR)
        cases = {
            "replaced": (confirm_token(asked.pk, NOW), NOW + HOUR),
            "old": (confirm_token(asked.pk, NOW + HOUR), NOW + dt.timedelta(days=4)),
            "forged": ("WzEsMV0:1abc:xyz", NOW),
            "of another purpose": (manage_token(asked.pk), NOW),
            "empty": ("", NOW),
        }

        for name, (token, at) in cases.items():
            with self.subTest(name), self.assertRaises(NotFound):
                confirm(token, now=at)

    def test_it_refuses_a_link_after_the_subscription_was_ended(self) -> None:
        asked = self.ask()
        confirm(confirm_token(asked.pk, NOW), now=NOW)
        unsubscribe(manage_token(asked.pk), now=NOW)

        with self.assertRaises(NotFound):
            confirm(confirm_token(asked.pk, NOW), now=NOW)

    def test_it_names_what_is_wrong(self) -> None:
        gone = make_component("Old", is_active=False)
        cases: dict[str, tuple[str, Request]] = {
            "no address": ("email", Request("")),
            "no domain": ("email", Request("ana")),
            "two addresses": ("email", Request("ana@example.org, ben@example.org")),
            "a header": ("email", Request("ana@example.org\nBcc: ben@example.org")),
            "component": ("components", Request("ana@example.org", components=[gone.pk])),
            "huge component": ("components", Request("ana@example.org", components=[10**18])),
            "language": ("language", Request("ana@example.org", "fr")),
        }

        for name, (field, request) in cases.items():
            with self.subTest(name), self.assertRaises(DomainError) as caught:
                subscribe(request, now=NOW)
            self.assertEqual(caught.exception.field, field, name)
        self.assertFalse(Subscriber.objects.exists())

    def test_it_takes_none_where_the_page_does_not(self) -> None:
        make_page(takes_subscribers=False)

        with self.assertRaises(PermissionRefused):
            self.ask()


class ChangeTests(TestCase):
    def test_it_changes_what_a_subscriber_is_told_of(self) -> None:
        web = make_component("Website")
        reader = make_subscriber("ana@example.org")

        choose(manage_token(reader.pk), components=[web.pk], language="en")

        self.assertEqual(list(reader.components.all()), [web])

    def test_it_ends_a_subscription_for_good(self) -> None:
        reader = make_subscriber("ana@example.org")

        unsubscribe(manage_token(reader.pk), now=NOW)
        unsubscribe(manage_token(reader.pk), now=NOW + HOUR)

        reader.refresh_from_db()
        self.assertEqual((reader.state, reader.unsubscribed_at), (SubscriberState.UNSUBSCRIBED, NOW))
        with self.assertRaises(NotFound):
            choose(manage_token(reader.pk), components=[], language="en")

    def test_it_removes_what_nobody_confirmed_and_what_has_ended(self) -> None:
        asked = subscribe(Request("ana@example.org"), now=NOW)
        ended = make_subscriber("ben@example.org")
        unsubscribe(manage_token(ended.pk), now=NOW)
        kept = make_subscriber("cleo@example.org")

        removed = prune(NOW + dt.timedelta(days=4))

        self.assertEqual(removed, 1)
        self.assertFalse(Subscriber.objects.filter(pk=asked.pk).exists())
        prune(NOW + dt.timedelta(days=31))
        self.assertEqual(list(Subscriber.objects.all()), [kept])


class ImportTests(TestCase):
    def test_it_imports_confirmed_subscribers_and_leaves_known_ones_alone(self) -> None:
        web = make_component("Website")
        ended = make_subscriber("ana@example.org")
        unsubscribe(manage_token(ended.pk), now=NOW)
        wanted = [
            Request("ana@example.org"),
            Request("Ben@example.org", components=[web.pk]),
            Request("ben@example.org"),
        ]

        count = import_subscribers(wanted, by=make_admin(), now=NOW)

        ended.refresh_from_db()
        self.assertEqual(count, 1)
        self.assertEqual(ended.state, SubscriberState.UNSUBSCRIBED)
        self.assertEqual(Subscriber.objects.active().count(), 1)

    def test_it_imports_many_with_as_many_queries(self) -> None:
        admin = make_admin()

        queries = []
        for number in (1, 2, 40):  # the first also makes the page
            wanted = [Request(f"reader-{number}-{one}@example.org") for one in range(number)]
            with CaptureQueriesContext(connection) as captured:
                import_subscribers(wanted, by=admin, now=NOW)
            queries.append(len(captured))

        self.assertEqual(queries[1], queries[2])

    def test_it_imports_all_or_nothing_and_names_the_row(self) -> None:
        with self.assertRaises(DomainError) as caught:
            import_subscribers([Request("ana@example.org"), Request("ben")], by=make_admin(), now=NOW)

        self.assertIn("Subscriber 2", caught.exception.message)
        self.assertFalse(Subscriber.objects.exists())

    def test_it_says_so_where_another_import_adds_the_same_addresses(self) -> None:
        make_subscriber("ana@example.org")

        with (
            mock.patch("status_page.services.subscribing.rows.select_in", return_value=[]),
            self.assertRaises(Conflict),
        ):
            import_subscribers([Request("ana@example.org")], by=make_admin(), now=NOW)

    def test_it_is_for_administrators(self) -> None:
        with self.assertRaises(PermissionRefused):
            import_subscribers([], by=make_responder(), now=NOW)
