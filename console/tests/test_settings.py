import datetime as dt
import re

from django.conf import settings as project
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone

from console import preferences
from notifications.models import ContactMethod, Delivery, NotificationRule
from notifications.vocabulary import MethodState
from responders.models import CalendarToken
from users import totp
from users.models import AuthenticatorApp, BrowserSession, PersonalToken, RecoveryCode, Session
from users.services import create_personal_token, open_session
from users.tests.factories import PASSWORD, make_reporter, make_responder
from users.tests.test_second_factors import code_of, with_app

NEW_PASSWORD = "another horse entirely"
PAGES = ("settings", "settings-security", "settings-app", "settings-contacts", "settings-tokens")


class Base(TestCase):
    def setUp(self) -> None:
        self.user = make_responder()
        self.sign_in()

    def sign_in(self, client: Client | None = None) -> Client:
        client = client or self.client
        client.post("/sign-in/", {"email": self.user.email, "password": PASSWORD})
        return client

    def post(self, name: str, /, *args: object, **form: object):
        return self.client.post(reverse(f"console:{name}", args=args), form)


class PageTests(Base):
    def test_it_shows_each_page_to_everybody(self) -> None:
        for user in (make_reporter(), self.user):
            self.client.force_login(user)
            for name in PAGES:
                with self.subTest(name, role=user.role):
                    answer = self.client.get(reverse(f"console:{name}"))

                    self.assertEqual(answer.status_code, 200)
                    self.assertNotRegex(answer.content.decode(), r"\sstyle=|\son[a-z]+=|<script(?![^>]*src=)")

    def test_it_sends_strangers_to_the_sign_in(self) -> None:
        for name in PAGES:
            with self.subTest(name):
                path = reverse(f"console:{name}")

                self.assertRedirects(Client().get(path), f"/sign-in/?next={path.replace('/', '%2F')}")


class ProfileTests(Base):
    def test_it_changes_what_is_ones_own(self) -> None:
        answer = self.post("settings", name="Ann", time_zone="Europe/Zurich", language="en")

        self.user.refresh_from_db()
        self.assertRedirects(answer, reverse("console:settings"))
        self.assertEqual((self.user.name, self.user.time_zone), ("Ann", "Europe/Zurich"))

    def test_it_confirms_in_the_language_that_was_chosen(self) -> None:
        self.post("settings", name="Ann", time_zone="Europe/Zurich", language="de")

        self.assertContains(self.client.get(reverse("console:settings")), "Gespeichert.")

    def test_it_says_what_is_wrong_beside_the_field(self) -> None:
        for form in ({"time_zone": "Mars/Base"}, {"name": "see http://evil.example/"}):
            with self.subTest(form):
                answer = self.post("settings", **{"name": "Ann", "time_zone": "UTC", "language": "en"} | form)

                self.assertContains(answer, f'id="id_{next(iter(form))}_errors"', status_code=400)

    def test_it_stores_how_pages_look(self) -> None:
        self.post("settings-appearance", theme="dark", density="compact")

        chosen = preferences.of(self.user)
        self.assertEqual((chosen.theme, chosen.density, chosen.has_shortcuts), ("dark", "compact", False))
        self.assertEqual(self.post("settings-appearance", theme="pink", density="compact").status_code, 400)


class PasswordTests(Base):
    def change(self, **form: str):
        return self.post("settings-password", **{"current": PASSWORD, "new_password": NEW_PASSWORD, **form})

    def test_it_ends_every_other_session(self) -> None:
        other, session = self.sign_in(Client()), open_session(self.user)
        create_personal_token(self.user, name="script")

        answer = self.change()

        session.refresh_from_db()
        self.assertRedirects(answer, reverse("console:settings-security"))
        self.assertEqual(self.client.get("/inbox/").status_code, 200)
        self.assertEqual(other.get("/inbox/").status_code, 302)
        self.assertEqual((session.revoked_reason, PersonalToken.objects.count()), ("password_changed", 0))
        self.assertEqual(BrowserSession.objects.get(user=self.user).session_key, self.client.session.session_key)

    def test_it_refuses_a_wrong_or_a_weak_password(self) -> None:
        wrong, weak = self.change(current="wrong"), self.change(new_password="short")

        self.assertContains(wrong, 'id="id_current_errors"', status_code=400)
        self.assertContains(weak, 'id="id_new_password_errors"', status_code=400)
        self.user.refresh_from_db()
        self.assertTrue(self.user.check_password(PASSWORD))

    def test_it_asks_for_the_second_factor_of_older_sessions(self) -> None:
        with_app(self.user)

        self.assertEqual(self.change().status_code, 403)


class AppTests(Base):
    def secret(self) -> str:
        page = self.client.get(reverse("console:settings-app")).content.decode()
        return re.search(r'id="app-secret" class="secret">([A-Z2-7 ]+)<', page).group(1).replace(" ", "")

    def test_it_sets_up_an_app_by_its_code_and_the_password(self) -> None:
        secret = self.secret()

        answer = self.post("settings-app", code=code_of(secret), password=PASSWORD)

        self.assertContains(answer, "they are not shown again")
        codes = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", answer.content.decode())
        self.assertEqual((len(codes), RecoveryCode.objects.count()), (10, 10))
        self.assertIn("no-store", answer["Cache-Control"])
        self.assertEqual(self.post("token-create", name="script", scope="read", days="90").status_code, 201)

    def test_it_keeps_the_key_until_it_is_used(self) -> None:
        secret = self.secret()

        self.assertEqual(self.secret(), secret)
        self.assertNotIn(secret, str(dict(self.client.session)))
        self.assertContains(self.client.get(reverse("console:settings-app")), "otpauth://totp/")

    def test_it_refuses_a_wrong_code_or_password(self) -> None:
        secret = self.secret()
        for code, password in (("000000", PASSWORD), (code_of(secret), "wrong"), (code_of(secret), "")):
            with self.subTest(code=code, password=password):
                self.assertEqual(self.post("settings-app", code=code, password=password).status_code, 400)
        self.assertFalse(AuthenticatorApp.objects.exists())

    def test_it_takes_no_secret_from_outside(self) -> None:
        self.secret()
        planted = totp.new_secret()

        answer = self.post("settings-app", code=code_of(planted), password=PASSWORD, secret=planted)

        self.assertEqual((answer.status_code, AuthenticatorApp.objects.exists()), (400, False))

    def test_it_removes_the_app_for_the_password_in_a_confirmed_session(self) -> None:
        _secret, codes = with_app(self.user)
        unconfirmed = self.post("settings-app-remove", password=PASSWORD)
        self.client = Client()
        self.sign_in()
        self.client.post("/sign-in/code/", {"code": codes[0]})

        wrong = self.post("settings-app-remove", password="wrong")
        self.assertTrue(AuthenticatorApp.objects.exists())
        right = self.post("settings-app-remove", password=PASSWORD)

        self.assertEqual((unconfirmed.status_code, wrong.status_code, right.status_code), (403, 400, 302))
        self.assertFalse(AuthenticatorApp.objects.exists())

    def test_it_makes_new_recovery_codes(self) -> None:
        _secret, codes = with_app(self.user)
        self.client = Client()
        self.sign_in()
        self.client.post("/sign-in/code/", {"code": codes[0]})

        answer = self.post("settings-recovery-codes", password=PASSWORD)

        self.assertContains(answer, "they are not shown again")
        self.assertNotContains(answer, codes[1])


class SessionTests(Base):
    def test_it_ends_one_session_or_all_others(self) -> None:
        other, third, api = self.sign_in(Client()), self.sign_in(Client()), open_session(self.user)
        row = BrowserSession.objects.get(session_key=other.session.session_key)

        self.post("settings-session-end", browser=row.pk)
        one = [client.get("/inbox/").status_code for client in (other, third, self.client)]
        self.post("settings-session-end")
        rest = [client.get("/inbox/").status_code for client in (third, self.client)]

        api.refresh_from_db()
        self.assertEqual((one, rest), ([302, 200, 200], [302, 200]))
        self.assertEqual(api.revoked_reason, "signed_out")

    def test_it_ends_none_of_somebody_else(self) -> None:
        owner, browser = make_reporter(), Client()
        browser.post("/sign-in/", {"email": owner.email, "password": PASSWORD})
        session = open_session(owner)

        for form in (
            {"browser": BrowserSession.objects.get(user=owner).pk},
            {"session": session.pk},
            {"browser": "9" * 30},
            {"browser": "²"},
            {"session": "x"},
        ):
            with self.subTest(form):
                self.assertEqual(self.post("settings-session-end", **form).status_code, 404)
        session.refresh_from_db()
        self.assertIsNone(session.revoked_at)
        self.assertEqual(browser.get("/inbox/").status_code, 200)


class TokenTests(Base):
    def test_it_shows_a_token_once(self) -> None:
        answer = self.post("token-create", name="script", scope="write", days="30")

        token = re.search(r"irt_[\w-]{40}", answer.content.decode()).group(0)
        row = PersonalToken.objects.get()
        self.assertEqual((answer.status_code, row.scope), (201, "write"))
        self.assertAlmostEqual(row.expires_at, timezone.now() + dt.timedelta(days=30), delta=dt.timedelta(minutes=1))
        self.assertNotContains(self.client.get(reverse("console:settings-tokens")), token)
        used = Client().get("/api/v1/auth/me/", headers={"Authorization": f"Token {token}"})
        self.assertEqual(used.json()["email"], self.user.email)

    def test_it_refuses_what_is_no_choice(self) -> None:
        for form in ({"scope": "all"}, {"days": "9999"}, {"name": ""}):
            with self.subTest(form):
                answer = self.post("token-create", **{"name": "x", "scope": "read", "days": "30"} | form)

                self.assertEqual((answer.status_code, PersonalToken.objects.exists()), (400, False))

    def test_it_makes_none_in_a_session_without_the_second_factor(self) -> None:
        with_app(self.user)

        self.assertEqual(self.post("token-create", name="x", scope="read", days="30").status_code, 403)
        self.assertContains(self.client.get(reverse("console:settings-tokens")), "with your second factor")

    def test_it_revokes_ones_own_only(self) -> None:
        own, _ = create_personal_token(self.user, name="own")
        other, _ = create_personal_token(make_reporter(), name="other")

        statuses = [self.post("token-revoke", row.pk).status_code for row in (own, other)]

        self.assertEqual((statuses, PersonalToken.objects.get()), ([302, 404], other))

    def test_it_shows_the_calendars_address_once(self) -> None:
        answer = self.post("settings-calendar", make="1")

        address = re.search(r'id="calendar-address" class="secret">([^<]+)<', answer.content.decode()).group(1)
        self.assertTrue(address.startswith(project.PUBLIC_URL))
        feed = Client().get(address.removeprefix(project.PUBLIC_URL))
        self.assertContains(feed, "BEGIN:VCALENDAR")
        self.post("settings-calendar", revoke="1")
        self.assertFalse(CalendarToken.objects.exists())


class ContactTests(Base):
    def add(self, **form: str):
        return self.post("contact-add", **{"kind": "email", "address": "ann@work.example", **form})

    def code(self) -> str:
        return str(Delivery.objects.latest("id").content["code"])

    def method(self, **fields: object) -> ContactMethod:
        values = {"kind": "email", "address": "a@b.example", "state": MethodState.OK, "user": self.user}
        number = ContactMethod.objects.count()
        return ContactMethod.objects.create(**values | {"address_key": f"key {number}"} | fields)

    def test_it_adds_and_verifies_an_address(self) -> None:
        added = self.add(label="Work")
        method = ContactMethod.objects.get()
        wrong = self.post("contact-verify", method.pk, code="abcdef")
        right = self.post("contact-verify", method.pk, code=self.code())

        method.refresh_from_db()
        self.assertRedirects(added, reverse("console:settings-contacts"))
        self.assertContains(wrong, "not the code", status_code=400)
        self.assertEqual((right.status_code, method.state), (302, MethodState.OK))

    def test_it_says_what_is_wrong_beside_the_field(self) -> None:
        answer = self.add(address="no address")

        self.assertContains(answer, "errors", status_code=400)
        self.assertFalse(ContactMethod.objects.exists())

    def test_it_offers_reporters_what_they_may_use(self) -> None:
        self.client.force_login(make_reporter())

        page = self.client.get(reverse("console:settings-contacts"))

        self.assertContains(page, 'value="email"')
        self.assertNotContains(page, 'value="sms"')
        self.assertEqual(self.add(kind="sms", address="+41791234567").status_code, 400)

    def test_it_shows_a_webhooks_secret_once(self) -> None:
        answer = self.add(kind="webhook", address="https://hooks.example.com/me")

        self.assertContains(answer, "whsec_")
        self.assertNotContains(self.client.get(reverse("console:settings-contacts")), "whsec_")

    def test_it_tests_renames_and_removes(self) -> None:
        method = self.method()

        self.post("contact-test", method.pk)
        self.post("contact-rename", method.pk, label="Home")
        page = self.client.get(reverse("console:settings-contacts"))
        tests = Delivery.objects.filter(kind="test").count()
        self.post("contact-remove", method.pk)

        self.assertContains(page, "Home")
        self.assertEqual((tests, ContactMethod.objects.exists()), (1, False))

    def test_it_touches_nobody_elses(self) -> None:
        method = self.method(user=make_responder())

        for name in ("contact-verify", "contact-code", "contact-test", "contact-rename", "contact-remove"):
            with self.subTest(name):
                self.assertEqual(self.post(name, method.pk, code="1", label="x").status_code, 404)
        method.refresh_from_db()
        self.assertEqual(method.label, "")

    def test_it_escapes_what_people_write(self) -> None:
        self.method(label="<script>alert(1)</script>", reason="<b>x</b>")

        page = self.client.get(reverse("console:settings-contacts")).content.decode()

        self.assertNotIn("<script>alert", page)
        self.assertNotIn("<b>x</b>", page)

    def test_it_costs_the_same_for_many(self) -> None:
        self.method()
        self.client.get(reverse("console:settings-contacts"))
        with self.assertNumQueries(7):
            self.client.get(reverse("console:settings-contacts"))
        for _number in range(5):
            self.method()
        with self.assertNumQueries(7):
            self.client.get(reverse("console:settings-contacts"))

    def test_it_edits_a_rule_by_buttons_and_saves_it(self) -> None:
        first, second = self.method(label="First"), self.method(label="Second")
        path = reverse("console:settings-rule", args=["low"])
        typed = {
            "method": [first.pk],
            "minutes": ["0"],
            "quiet_from": "22:00",
            "quiet_to": "07:00",
            "weekdays": ["0", "6"],
        }

        added = self.client.post(path, {**typed, "add": "1"})
        both = {**typed, "method": [first.pk, second.pk], "minutes": ["0", "5"]}
        removed = self.client.post(path, {**both, "remove": "0"})
        saved = self.client.post(path, both)

        rule = NotificationRule.objects.get()
        self.assertEqual(added.content.count(b'name="minutes"'), 2)
        self.assertEqual(removed.content.count(b'name="minutes"'), 1)
        self.assertRedirects(saved, reverse("console:settings-contacts"))
        self.assertEqual([step["method"] for step in rule.steps], [first.pk, second.pk])
        self.assertEqual(rule.quiet_hours, {"from": "22:00", "to": "07:00", "weekdays": [0, 6]})
        self.assertContains(self.client.get(reverse("console:settings-contacts")), "After 5 min: Second")
        self.client.post(path, {"delete": "1"})
        self.assertFalse(NotificationRule.objects.exists())

    def test_it_refuses_a_rule_that_cannot_be(self) -> None:
        other = self.method(user=make_responder())
        own = self.method()
        path = reverse("console:settings-rule", args=["high"])
        for method, minutes in ((other.pk, "0"), (own.pk, "-1"), (own.pk, "9999"), ("x", "0"), (own.pk, "")):
            with self.subTest(method=method, minutes=minutes):
                answer = self.client.post(path, {"method": method, "minutes": minutes})

                self.assertContains(answer, 'role="alert"', status_code=400)
        self.assertFalse(NotificationRule.objects.exists())
        self.assertEqual(self.client.get(reverse("console:settings-rule", args=["none"])).status_code, 404)


class SessionRowTests(Base):
    def test_it_lists_where_somebody_is_signed_in(self) -> None:
        Session.objects.filter(user=self.user).delete()
        open_session(self.user, user_agent="curl/8", ip_address="192.0.2.1")

        page = self.client.get(reverse("console:settings-security"))

        self.assertContains(page, "curl/8")
        self.assertContains(page, "This browser")
