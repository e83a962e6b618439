import datetime as dt

from auditlog.models import LogEntry
from axes.models import AccessAttempt
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages import get_messages
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory, TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from users import audit
from users.middleware import local_time
from users.models import PersonalToken, Role, Session, User
from users.services import create_personal_token, open_session
from users.services.second_factors import is_set
from users.tests.factories import PASSWORD, make_admin, make_reporter, make_responder
from users.tests.test_second_factors import with_app

USERS = reverse("admin:users_user_changelist")
NEW_PASSWORD = "a much better password 7"


class Base(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin(email="ada@example.com", name="Ada")
        cls.person = make_reporter(email="rita@example.com", name="Rita")

    def setUp(self) -> None:
        self.client.force_login(self.admin)

    def messages(self, answer) -> str:
        return " ".join(str(message) for message in get_messages(answer.wsgi_request))

    def page(self, user: User, name: str = "change") -> str:
        return reverse(f"admin:users_user_{name}", args=[user.pk])

    def form(self, user: User, **changes: object) -> dict[str, object]:
        sent = {
            "email": user.email,
            "name": user.name,
            "role": user.role,
            "is_active": "on",
            "time_zone": user.time_zone,
            **changes,
        }
        return {name: value for name, value in sent.items() if value is not None}


class AccountTests(Base):
    def test_it_makes_an_account_with_a_password(self) -> None:
        sent = {
            "email": "New@Example.com",
            "name": "New",
            "role": "responder",
            "is_active": "on",
            "time_zone": "Asia/Tokyo",
            "password1": NEW_PASSWORD,
            "password2": NEW_PASSWORD,
        }

        self.client.post(reverse("admin:users_user_add"), sent)

        user = User.objects.get(email="new@example.com")
        self.assertEqual((user.role, user.time_zone), (Role.RESPONDER, "Asia/Tokyo"))
        self.assertTrue(user.check_password(NEW_PASSWORD))
        self.assertEqual(LogEntry.objects.get_for_object(user).first().actor, self.admin)

    def test_it_makes_an_account_without_a_password(self) -> None:
        sent = self.form(User(email="new@example.com", name="New", role=Role.REPORTER))

        self.client.post(reverse("admin:users_user_add"), sent)

        self.assertFalse(User.objects.get(email="new@example.com").has_usable_password())

    def test_it_refuses_a_bad_account_on_the_form(self) -> None:
        base = self.form(User(email="new@example.com", name="New", role=Role.REPORTER))
        cases = {
            "differ": {"password1": NEW_PASSWORD, "password2": "other"},
            "too short": {"password1": "short", "password2": "short"},
            "already": {"email": "RITA@example.com"},
            "not one of the available choices": {"time_zone": "Mars/Olympus"},
        }

        for sentence, changes in cases.items():
            with self.subTest(sentence):
                answer = self.client.post(reverse("admin:users_user_add"), {**base, **changes})

                self.assertContains(answer, sentence)
        self.assertFalse(User.objects.filter(email="new@example.com").exists())

    def test_it_changes_profile_and_access(self) -> None:
        self.client.post(self.page(self.person), self.form(self.person, name="Rita B.", role="responder"))

        self.person.refresh_from_db()
        self.assertEqual((self.person.name, self.person.role), ("Rita B.", Role.RESPONDER))

    def test_it_takes_the_verification_from_a_new_address(self) -> None:
        User.objects.filter(pk=self.person.pk).update(email_verified_at=timezone.now())

        self.client.post(self.page(self.person), self.form(self.person, email="other@example.com"))

        self.person.refresh_from_db()
        self.assertEqual((self.person.email, self.person.email_verified_at), ("other@example.com", None))

    def test_it_ends_sessions_with_the_account(self) -> None:
        session = open_session(self.person)

        self.client.post(self.page(self.person), self.form(self.person, is_active=None))

        session.refresh_from_db()
        self.person.refresh_from_db()
        self.assertFalse(self.person.is_active)
        self.assertIsNotNone(session.revoked_at)

    def test_it_keeps_the_last_administrator(self) -> None:
        for changes in ({"role": "responder"}, {"is_active": None}):
            with self.subTest(changes):
                answer = self.client.post(self.page(self.admin), self.form(self.admin, name="Kept", **changes))

                self.assertContains(answer, "last active administrator")
                self.assertContains(answer, 'value="Kept"')
                self.admin.refresh_from_db()
                self.assertEqual((self.admin.name, self.admin.is_superuser), ("Ada", True))

    def test_it_deletes_nobody(self) -> None:
        self.client.post(reverse("admin:users_user_delete", args=[self.person.pk]), {"post": "yes"})
        sent = {"action": "delete_selected", "_selected_action": [self.person.pk], "post": "yes"}
        self.client.post(USERS, sent)

        self.assertTrue(User.objects.filter(pk=self.person.pk).exists())

    def test_it_sets_a_password_and_ends_sessions(self) -> None:
        session = open_session(self.person)
        sent = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

        self.client.post(self.page(self.person, "password"), sent)

        session.refresh_from_db()
        self.person.refresh_from_db()
        self.assertTrue(self.person.check_password(NEW_PASSWORD))
        self.assertIsNotNone(session.revoked_at)

    def test_it_refuses_a_weak_password(self) -> None:
        answer = self.client.post(self.page(self.person, "password"), {"password1": "short", "password2": "short"})

        self.assertContains(answer, "too short")
        self.person.refresh_from_db()
        self.assertTrue(self.person.check_password(PASSWORD))

    def test_it_removes_a_second_factor_by_a_button(self) -> None:
        with_app(self.person)
        page, link = self.page(self.person), reverse("admin:users_user_second_factor", args=[self.person.pk])

        shown, asked = self.client.get(page), self.client.get(link)
        self.assertTrue(is_set(self.person))
        answer = self.client.post(link)

        self.assertContains(shown, link)
        self.assertContains(asked, "told by mail")
        self.assertRedirects(answer, page)
        self.assertFalse(is_set(self.person))
        self.assertNotContains(self.client.get(page), link)

    def test_it_leaves_ones_own_second_factor_to_the_settings(self) -> None:
        with_app(self.admin)

        self.client.post(reverse("admin:users_user_second_factor", args=[self.admin.pk]))

        self.assertTrue(is_set(self.admin))

    def test_it_ends_api_sessions_with_the_own_password(self) -> None:
        session = open_session(self.admin)
        sent = {"current": PASSWORD, "new_password": NEW_PASSWORD}

        led = self.client.get(reverse("admin:password_change"))
        answer = self.client.post(reverse("console:settings-password"), sent)

        session.refresh_from_db()
        self.assertRedirects(led, reverse("console:settings-security"))
        self.assertRedirects(answer, reverse("console:settings-security"))
        self.assertIsNotNone(session.revoked_at)


class RecordTests(Base):
    def test_it_revokes_sessions_and_tokens(self) -> None:
        session = open_session(self.person)
        token, _ = create_personal_token(self.person, name="script")

        for model, row in (("session", session), ("personaltoken", token)):
            url = reverse(f"admin:users_{model}_changelist")
            self.client.post(url, {"action": "revoke", "_selected_action": [row.pk]})

        session.refresh_from_db()
        self.assertIsNotNone(session.revoked_at)
        self.assertFalse(PersonalToken.objects.exists())

    def test_it_unlocks_an_account(self) -> None:
        attempt = AccessAttempt.objects.create(
            username="rita@example.com", ip_address="10.0.0.1", failures_since_start=10, user_agent="x"
        )
        url = reverse("admin:axes_accessattempt_changelist")

        listed = self.client.get(url)
        self.client.post(url, {"action": "unlock", "_selected_action": [attempt.pk]})

        self.assertContains(listed, "locked")
        self.assertFalse(AccessAttempt.objects.exists())

    @override_settings(LOGIN_CLIENT_FAILURE_LIMIT=3)
    def test_it_unlocks_a_client(self) -> None:
        for number in range(3):
            attempt = AccessAttempt.objects.create(
                username=f"p{number}@example.com", ip_address="2001:db8::", failures_since_start=1, user_agent="x"
            )
        url = reverse("admin:axes_accessattempt_changelist")

        listed = self.client.get(url)
        self.client.post(url, {"action": "unlock_client", "_selected_action": [attempt.pk]})

        self.assertContains(listed, "client locked", 3)
        self.assertContains(listed, "2001:db8::/64")
        self.assertFalse(AccessAttempt.objects.exists())

    def test_it_asks_once_for_the_locks_of_all_clients(self) -> None:
        url = reverse("admin:axes_accessattempt_changelist")
        self.client.get(url)
        asked = []

        for number in range(2):
            AccessAttempt.objects.create(username="p", ip_address=f"192.0.2.{number}", failures_since_start=1)
            with CaptureQueriesContext(connection) as queries:
                self.client.get(url)
            asked.append(len(queries))

        self.assertEqual(asked[0], asked[1])

    def test_it_lets_nobody_write_the_audit_log(self) -> None:
        entry = LogEntry.objects.get_for_object(self.person).first()
        names = {"change": [entry.pk], "delete": [entry.pk], "add": []}

        answers = [
            self.client.post(reverse(f"admin:auditlog_logentry_{name}", args=args), {"post": "yes"})
            for name, args in names.items()
        ]
        url = reverse("admin:auditlog_logentry_changelist")
        self.client.post(url, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})

        self.assertEqual([answer.status_code for answer in answers], [403, 403, 403])
        self.assertTrue(LogEntry.objects.filter(pk=entry.pk).exists())

    def test_it_finds_audit_entries_by_who_and_by_what(self) -> None:
        self.client.post(self.page(self.person), self.form(self.person, name="Changed"))
        url = reverse("admin:auditlog_logentry_changelist")

        by_whom = self.client.get(url, {"q": "ADA@example.com"}).context["cl"].result_list
        by_what = self.client.get(reverse("admin:users_user_history", args=[self.person.pk]), follow=True)

        self.assertEqual({entry.actor for entry in by_whom}, {self.admin})
        content_type = ContentType.objects.get_for_model(User)
        found = by_what.context["cl"].result_list
        self.assertEqual(
            {(entry.content_type, entry.object_pk) for entry in found}, {(content_type, str(self.person.pk))}
        )

    def test_it_names_recorded_facts(self) -> None:
        audit.record(self.person, "signed_in")

        self.assertContains(self.client.get(reverse("admin:auditlog_logentry_changelist")), "signed in")


class PagingTests(Base):
    def walk(self, url: str, direction: str = "next") -> list[int]:
        seen: list[int] = []
        for _ in range(50):
            changes = self.client.get(url).context["cl"]
            rows = [row.pk for row in changes.result_list]
            seen = seen + rows if direction == "next" else rows + seen
            link = changes.next_url if direction == "next" else changes.previous_url
            if not link:
                return seen
            url, self.last = USERS + link, USERS + link
        raise AssertionError("the pages never end")

    def test_it_walks_every_row_once_in_both_directions(self) -> None:
        for number in range(112):
            make_reporter(email=f"p{number}@example.com")
        expected = list(User.objects.order_by("email").values_list("pk", flat=True))

        for query in ("", "?o=-1", "?active=yes"):
            with self.subTest(query):
                forwards = self.walk(USERS + query)
                backwards = self.walk(self.last, "previous")

                self.assertEqual(forwards, expected if query != "?o=-1" else expected[::-1])
                self.assertEqual(backwards, forwards)

    def test_it_starts_over_for_a_damaged_place(self) -> None:
        for token in ("x", "bm9uc2Vuc2U", "W10", "WzEsMiwzXQ", "%ff"):
            with self.subTest(token):
                answer = self.client.get(USERS, {"after": token})

                self.assertEqual(len(answer.context["cl"].result_list), 2)

    def test_it_walks_nullable_and_descending_columns(self) -> None:
        for number in range(60):
            Session.objects.create(
                user=self.person,
                current_jti=str(number),
                expires_at=timezone.now(),
                created_at=timezone.now() - dt.timedelta(minutes=number // 3),
            )
        url = reverse("admin:users_session_changelist")

        first = self.client.get(url).context["cl"]
        second = self.client.get(url + first.next_url).context["cl"]

        rows = [row.pk for changes in (first, second) for row in changes.result_list]
        self.assertEqual(rows, [row.pk for row in Session.objects.order_by("-created_at", "-id")])
        self.assertEqual(second.next_url, "")


class LocalTimeTests(Base):
    def test_it_shows_times_in_the_persons_zone(self) -> None:
        User.objects.filter(pk=self.person.pk).update(created_at=dt.datetime(2026, 7, 1, 22, 30, tzinfo=dt.UTC))
        shown = {}

        for zone in ("UTC", "Europe/Zurich", "Nowhere/Atall"):
            User.objects.filter(pk=self.admin.pk).update(time_zone=zone)
            shown[zone] = "2 Jul 2026, 00:30:00 CEST" in self.client.get(self.page(self.person)).content.decode()

        self.assertEqual(shown, {"UTC": False, "Europe/Zurich": True, "Nowhere/Atall": False})
        self.assertEqual(timezone.get_current_timezone_name(), "UTC")

    def test_it_costs_other_requests_nothing(self) -> None:
        request = RequestFactory().get("/api/v1/incidents/")
        request.COOKIES["sessionid"] = "x"
        request.user = SimpleLazyObject(lambda: self.fail("nobody may ask who it is"))
        zones = []

        local_time(lambda request: zones.append(timezone.get_current_timezone_name()) or HttpResponse())(request)

        self.assertEqual(zones, ["UTC"])


class SignInTests(Base):
    @override_settings(AXES_FAILURE_LIMIT=2)
    def test_it_locks_after_failures(self) -> None:
        self.client.logout()
        make_responder()
        sent = {"email": self.admin.email, "password": "wrong"}

        answers = [self.client.post(reverse("console:sign-in"), sent).status_code for _ in range(3)]

        self.assertEqual(answers[-1], 429)
