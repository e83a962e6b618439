from auditlog.models import LogEntry
from django.db.models.signals import pre_save
from django.test import TestCase, override_settings

from core.actor import acting
from users.tests.factories import PASSWORD, client_of, make_admin, make_reporter


class ActingTests(TestCase):
    def test_it_names_the_actor(self) -> None:
        alice, user = make_admin(), make_reporter()

        with acting(alice):
            user.name = "New"
            user.save(update_fields=["name"])

        self.assertEqual(LogEntry.objects.get(action=LogEntry.Action.UPDATE).actor, alice)

    def test_it_leaves_no_receiver_behind_inside_a_request(self) -> None:
        admin, user = make_admin(), make_reporter()
        client = client_of(admin)
        before = len(pre_save.receivers)

        for role in ("responder", "reporter", "responder"):
            self.assertEqual(client.patch(f"/api/v1/users/{user.pk}/", {"role": role}).status_code, 200)

        self.assertEqual(len(pre_save.receivers), before)

    @override_settings(TRUSTED_PROXIES=0)
    def test_it_notes_the_address_the_request_came_from_not_the_one_it_claims(self) -> None:
        user = make_reporter()
        form = {"email": user.email, "password": PASSWORD}

        self.client.post("/api/v1/auth/token/", form, headers={"X-Forwarded-For": "6.6.6.6"})

        entry = LogEntry.objects.get(additional_data__event="signed_in")
        self.assertEqual((entry.actor, entry.remote_addr), (user, "127.0.0.1"))

    def test_it_never_writes_passwords_down(self) -> None:
        user = make_reporter()
        user.set_password("something new and long")
        user.save()

        self.assertFalse(any("password" in (entry.changes or {}) for entry in LogEntry.objects.all()))
