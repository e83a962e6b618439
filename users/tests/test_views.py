import re
from unittest import mock

from django.core import mail
from django.core.cache import cache
from django.test import TestCase, override_settings
from rest_framework.test import APIClient

from core.db.transactions import DatabaseBusy
from users import mails, services, tokens
from users.models import PersonalToken, Role, User
from users.tests.factories import PASSWORD, client_of, make_admin, make_reporter, make_responder

AUTH = "/api/v1/auth/"
NEW_PASSWORD = "another horse entirely"


def bearer(pair: dict) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    return client


@override_settings(RATES_PER_ADDRESS={})
class AccountJourneyTests(TestCase):
    client_class = APIClient
    form = {"email": "New@Example.com", "password": PASSWORD, "name": "New"}

    def sign_in(self, password: str = PASSWORD) -> dict:
        return self.client.post(f"{AUTH}token/", {"email": "new@example.com", "password": password}).json()

    def test_it_refuses_fields_that_are_not_there(self) -> None:
        admin = make_admin()
        client = client_of(admin)
        answers = {
            "role": self.client.post(f"{AUTH}register/", {**self.form, "role": "admin"}),
            "timezone": client.patch(f"{AUTH}me/", {"timezone": "Europe/Zurich"}),
            "active": client.patch(f"/api/v1/users/{admin.pk}/", {"active": False}),
            "expiry": client.post("/api/v1/me/tokens/", {"name": "x", "expiry": "2030-01-01"}),
            "token": client.post(f"{AUTH}logout/", {"token": "x"}),
        }

        for field, answer in answers.items():
            with self.subTest(field):
                self.assertEqual(answer.status_code, 400)
                self.assertEqual(answer.json()["errors"][0]["field"], field)
        self.assertEqual(User.objects.count(), 1)

    def test_it_asks_to_come_again_while_the_database_is_busy(self) -> None:
        with mock.patch.object(services, "register", side_effect=DatabaseBusy):
            answer = self.client.post(f"{AUTH}register/", self.form)

        self.assertEqual((answer.status_code, answer["Retry-After"]), (503, "2"))
        self.assertEqual(answer.json()["code"], "database_busy")

    def test_it_leads_from_registration_to_signing_out(self) -> None:
        registered = self.client.post(f"{AUTH}register/", self.form)
        pair = self.sign_in()
        me = bearer(pair).get(f"{AUTH}me/")
        out = bearer(pair).post(f"{AUTH}logout/")

        self.assertEqual(registered.status_code, 201)
        self.assertEqual(registered.json(), me.json())
        self.assertEqual((me.json()["role"], me.json()["email"]), ("reporter", "new@example.com"))
        self.assertNotIn("password", me.json())
        self.assertEqual(out.status_code, 204)
        self.assertEqual(bearer(pair).get(f"{AUTH}me/").status_code, 401)
        self.assertEqual(self.client.post(f"{AUTH}token/refresh/", pair).status_code, 401)

    def test_it_refreshes_even_with_a_spent_access_token_in_the_header(self) -> None:
        make_reporter(email="new@example.com")
        pair = self.sign_in()
        self.client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")

        answer = self.client.post(f"{AUTH}token/refresh/", {"refresh": pair["refresh"]})

        self.assertEqual((answer.status_code, set(answer.json())), (200, {"access", "refresh"}))
        self.assertEqual(answer["Cache-Control"], "no-store")

    def test_it_answers_a_refusal_as_a_problem(self) -> None:
        answer = self.client.post(f"{AUTH}token/", {"email": "x@example.com", "password": "y"})

        self.assertEqual((answer.status_code, answer.json()["code"]), (401, "invalid_credentials"))
        self.assertEqual((answer["Content-Type"], answer["WWW-Authenticate"]), ("application/problem+json", "Bearer"))

    def test_it_names_the_field_that_is_refused(self) -> None:
        make_reporter(email="taken@example.com")
        table = [
            ({"email": "TAKEN@example.com"}, "email"),
            ({"email": "no address"}, "email"),
            ({"password": "short"}, "password"),
            ({"name": ""}, "name"),
            ({"name": "x" * 151}, "name"),
            ({"password": "x" * 257}, "password"),
        ]
        for change, field in table:
            with self.subTest(change=change):
                answer = self.client.post(f"{AUTH}register/", {**self.form, **change})

                self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, field))

    def test_it_tells_a_weak_password_with_the_other_errors(self) -> None:
        for more in ({}, {"colour": "red"}):
            with self.subTest(more):
                form = {"email": "z@z", "name": "http://x", "password": "short", **more}

                errors = self.client.post(f"{AUTH}register/", form).json()["errors"]

                told = {error["field"]: error["code"] for error in errors}
                self.assertEqual(
                    (told.keys(), told["password"]), ({"email", "name", "password", *more}, "weak_password")
                )

    @override_settings(REGISTRATION_OPEN=False)
    def test_it_closes_registration(self) -> None:
        answer = self.client.post(f"{AUTH}register/", self.form)

        self.assertEqual((answer.status_code, answer.json()["code"]), (403, "registration_closed"))

    def test_it_changes_the_password_and_ends_other_sessions(self) -> None:
        make_reporter(email="new@example.com")
        here, elsewhere = self.sign_in(), self.sign_in()

        answer = bearer(here).post(f"{AUTH}password/", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})

        self.assertEqual(answer.status_code, 200)
        self.assertEqual(bearer(answer.json()).get(f"{AUTH}me/").status_code, 200)
        self.assertEqual(bearer(elsewhere).get(f"{AUTH}me/").status_code, 401)
        self.assertIn("access", self.sign_in(NEW_PASSWORD))

    def test_it_resets_a_forgotten_password_by_mail(self) -> None:
        make_reporter(email="new@example.com")

        known = self.client.post(f"{AUTH}password-reset/", {"email": "new@example.com"})
        unknown = self.client.post(f"{AUTH}password-reset/", {"email": "nobody@example.com"})
        mails.flush()
        uid, token = re.search(r"uid=(\S+)&token=(\S+)", mail.outbox[0].body).groups()
        form = {"uid": uid, "token": token, "new_password": NEW_PASSWORD}
        done, again = (self.client.post(f"{AUTH}password-reset/confirm/", form) for _time in range(2))

        self.assertEqual((known.status_code, known.content), (202, unknown.content))
        self.assertEqual((done.status_code, again.status_code), (204, 400))
        self.assertIn("access", self.sign_in(NEW_PASSWORD))

    def test_it_confirms_an_address_by_mail(self) -> None:
        self.client.post(f"{AUTH}register/", self.form)
        mails.flush()
        token = re.search(r'"token": "(\S+)"', mail.outbox[0].body).group(1)

        answers = [self.client.post(f"{AUTH}verify-email/", {"token": token}) for _time in range(2)]

        self.assertEqual([answer.status_code for answer in answers], [204, 204])
        self.assertIsNotNone(User.objects.get().email_verified_at)


class RateTests(TestCase):
    def setUp(self) -> None:
        cache.clear()
        self.addCleanup(cache.clear)

    @override_settings(RATES_PER_ADDRESS={"password_reset": "2/min"})
    def test_it_limits_how_often_one_client_asks(self) -> None:
        answers = [self.client.post(f"{AUTH}password-reset/", {"email": "a@example.com"}) for _time in range(3)]

        self.assertEqual([answer.status_code for answer in answers], [202, 202, 429])
        self.assertTrue(0 < int(answers[-1]["Retry-After"]) <= 60)


class ProfileTests(TestCase):
    def setUp(self) -> None:
        self.user = make_reporter()
        self.client = client_of(self.user)

    def test_it_changes_what_is_ones_own(self) -> None:
        answer = self.client.patch(f"{AUTH}me/", {"name": "N", "time_zone": "Europe/Zurich", "language": "de"})

        self.user.refresh_from_db()
        self.assertEqual(answer.status_code, 200)
        self.assertEqual((self.user.name, self.user.time_zone, self.user.language), ("N", "Europe/Zurich", "de"))

    def test_it_refuses_a_time_zone_or_language_nobody_knows(self) -> None:
        for form in ({"time_zone": "Mars/Base"}, {"time_zone": "../etc"}, {"language": "tlh"}, {"name": ""}):
            with self.subTest(form=form):
                answer = self.client.patch(f"{AUTH}me/", form)

                self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, next(iter(form))))

    def test_it_leaves_role_and_address_alone(self) -> None:
        self.client.patch(f"{AUTH}me/", {"role": "admin", "email": "x@example.com", "is_active": False})

        unchanged = User.objects.get(pk=self.user.pk)
        self.assertEqual((unchanged.role, unchanged.email), (Role.REPORTER, self.user.email))


class PersonalTokenTests(TestCase):
    path = "/api/v1/me/tokens/"

    def setUp(self) -> None:
        self.user = make_reporter()
        self.client = client_of(self.user)

    def test_it_shows_a_token_once(self) -> None:
        made = self.client.post(self.path, {"name": "backup", "scope": "write"})
        listed = self.client.get(self.path)

        token = made.json()["token"]
        self.assertEqual((made.status_code, made["Cache-Control"]), (201, "no-store"))
        self.assertEqual(PersonalToken.objects.get().digest, tokens.digest_of(token))
        self.assertEqual(listed.json()["results"], [{k: v for k, v in made.json().items() if k != "token"}])
        self.assertNotIn(token, listed.content.decode())

    def test_it_reads_only_unless_told_otherwise(self) -> None:
        self.assertEqual(self.client.post(self.path, {"name": "x"}).json()["scope"], "read")

    def test_it_refuses_a_form_that_makes_no_sense(self) -> None:
        for form in ({}, {"name": "x", "scope": "root"}, {"name": "x", "expires_at": "2001-01-01T00:00:00Z"}):
            with self.subTest(form=form):
                self.assertEqual(self.client.post(self.path, form).status_code, 400)

    def test_it_deletes_ones_own_and_nobody_elses(self) -> None:
        mine, _token = services.create_personal_token(self.user, name="mine")
        theirs, _token = services.create_personal_token(make_admin(), name="theirs")

        statuses = [self.client.delete(f"{self.path}{row.pk}/").status_code for row in (mine, theirs)]

        self.assertEqual(statuses, [204, 404])
        self.assertEqual(PersonalToken.objects.get(), theirs)


class UsersTests(TestCase):
    path = "/api/v1/users/"

    def setUp(self) -> None:
        self.admin = make_admin(name="Ada")
        self.responder = make_responder(name="Bob")
        self.gone = make_reporter(name="Charlie", is_active=False)

    def names(self, client: APIClient, query: str = "") -> list[str]:
        answer = client.get(f"{self.path}{query}")
        self.assertEqual(answer.status_code, 200, answer.content)
        return [row["name"] for row in answer.json()["results"]]

    def test_it_shows_responders_names_and_teams_of_the_active(self) -> None:
        answer = client_of(self.responder).get(self.path)

        row = {"id": self.admin.pk, "name": "Ada", "teams": []}
        self.assertEqual(answer.json()["results"], [row, {**row, "id": self.responder.pk, "name": "Bob"}])

    def test_it_shows_admins_everything_but_secrets(self) -> None:
        answer = client_of(self.admin).get(self.path)

        rows = answer.json()["results"]
        self.assertEqual([row["name"] for row in rows], ["Ada", "Bob", "Charlie"])
        self.assertEqual((rows[2]["email"], rows[2]["is_active"]), (self.gone.email, False))
        self.assertNotIn("password", rows[0])

    def test_it_pages_and_filters(self) -> None:
        client = client_of(self.admin)
        table = {
            "?q=b": ["Bob"],
            "?role=admin": ["Ada"],
            "?is_active=false": ["Charlie"],
            "?team=1": [],
            "?ordering=-name": ["Charlie", "Bob", "Ada"],
            "?page_size=1": ["Ada"],
        }
        for query, expected in table.items():
            with self.subTest(query=query):
                self.assertEqual(self.names(client, query), expected)

        first = client.get(f"{self.path}?page_size=2").json()
        second = client.get(first["next"]).json()
        self.assertEqual([row["name"] for row in second["results"]], ["Charlie"])

    def test_it_refuses_filters_it_does_not_know(self) -> None:
        for client, query in (
            (client_of(self.admin), "?nme=x"),
            (client_of(self.admin), "?role=king"),
            (client_of(self.admin), "?is_active=perhaps"),
            (client_of(self.admin), "?team=x"),
            (client_of(self.admin), "?ordering=password"),
            (client_of(self.responder), "?is_active=false"),
            (client_of(self.responder), "?role=admin"),
        ):
            with self.subTest(query=query):
                self.assertEqual(client.get(f"{self.path}{query}").status_code, 400)

    def test_it_costs_the_same_queries_however_many(self) -> None:
        client = client_of(self.admin)
        for _number in range(2):
            with self.assertNumQueries(2):
                self.names(client)
            for _more in range(5):
                make_responder()

    def test_it_lets_an_admin_set_role_and_activity(self) -> None:
        answer = client_of(self.admin).patch(f"{self.path}{self.gone.pk}/", {"role": "responder", "is_active": True})

        self.assertEqual(answer.status_code, 200)
        self.assertEqual((answer.json()["role"], answer.json()["is_active"]), ("responder", True))

    def test_it_refuses_all_of_a_change_or_none_of_it(self) -> None:
        client = client_of(self.admin)

        last = client.patch(f"{self.path}{self.admin.pk}/", {"role": "reporter"})
        wrong = client.patch(f"{self.path}{self.gone.pk}/", {"is_active": True, "role": "king"})

        self.assertEqual((last.status_code, last.json()["code"]), (409, "last_admin"))
        self.assertEqual(wrong.status_code, 400)
        self.gone.refresh_from_db()
        self.assertFalse(self.gone.is_active)

    def test_it_knows_no_such_person(self) -> None:
        for number in (0, 999_999, 10**30):
            self.assertEqual(client_of(self.admin).patch(f"{self.path}{number}/", {}).status_code, 404)
