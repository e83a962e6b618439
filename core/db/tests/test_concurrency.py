import logging

from django.test import TransactionTestCase, override_settings

from core.db.tests.threads import at_once
from users import services, tokens
from users.models import PersonalToken, Role, Session, User
from users.services.sessions import pair_of
from users.tests.factories import client_of, make_admin, make_reporter


class RefreshRaceTests(TransactionTestCase):
    def test_it_gives_all_of_many_at_once_the_same_next_token(self) -> None:
        session = services.open_session(make_reporter())
        token = tokens.refresh_token(session)

        answers = at_once([lambda: services.refresh(token)] * 6)

        self.assertEqual({getattr(answer, "refresh", answer) for answer in answers}, {answers[0].refresh})
        session.refresh_from_db()
        self.assertIsNone(session.revoked_at)
        self.assertEqual(pair_of(session).refresh, answers[0].refresh)

    def test_it_ends_the_session_whichever_of_thief_and_owner_comes_first(self) -> None:
        session = services.open_session(make_reporter())
        spent = tokens.refresh_token(session)
        services.refresh(services.refresh(spent).refresh)

        answers = at_once([lambda: services.refresh(spent)] * 4)

        self.assertTrue(all(isinstance(answer, services.TokenRefused) for answer in answers), answers)
        self.assertIsNotNone(Session.objects.get(pk=session.pk).revoked_at)


class LastAdminRaceTests(TransactionTestCase):
    def test_it_keeps_one_admin_when_two_demote_each_other(self) -> None:
        for _round in range(3):
            User.objects.update(role=Role.REPORTER)
            alice, bob = make_admin(), make_admin()

            answers = at_once(
                [
                    lambda alice=alice, bob=bob: services.set_access(alice, role=Role.REPORTER, by=bob),
                    lambda alice=alice, bob=bob: services.set_access(bob, role=Role.REPORTER, by=alice),
                ]
            )

            self.assertEqual(sum(isinstance(answer, User) for answer in answers), 1, answers)
            self.assertEqual(User.objects.admins().count(), 1)

    def test_it_keeps_one_admin_when_all_step_down(self) -> None:
        admins = [make_admin() for _number in range(4)]

        answers = at_once([lambda me=me: services.set_access(me, is_active=False, by=me) for me in admins])

        self.assertEqual(User.objects.admins().count(), 1)
        self.assertEqual(sum(isinstance(answer, services.LastAdmin) for answer in answers), 1, answers)


@override_settings(ROOT_URLCONF="core.api.tests.idempotent_urls")
class IdempotencyRaceTests(TransactionTestCase):
    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)  # SQLite in memory refuses a few of them loudly before it lets them in
        self.addCleanup(logging.disable, logging.NOTSET)

    def test_it_does_the_work_once_for_many_at_once(self) -> None:
        user = make_reporter()

        def send() -> tuple[int, str]:
            response = client_of(user).post("/things/", {"name": "a"}, headers={"Idempotency-Key": "k"})
            return response.status_code, response.content.decode()

        answers = at_once([send] * 5)

        self.assertEqual(PersonalToken.objects.count(), 1)
        self.assertEqual(len(set(answers)), 1, answers)
        self.assertEqual(answers[0][0], 201)


class RegistrationRaceTests(TransactionTestCase):
    def test_it_makes_one_account_of_one_address(self) -> None:
        form = {"email": "new@example.com", "password": "a fine long secret", "name": "New"}

        answers = at_once([lambda: services.register(**form)] * 4)

        self.assertEqual(User.objects.count(), 1)
        self.assertEqual(sum(isinstance(answer, services.AddressTaken) for answer in answers), 3, answers)
