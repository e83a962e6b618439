import datetime as dt
import re
from typing import Any
from unittest import mock
from urllib.parse import unquote

import time_machine
from django.contrib.messages import get_messages
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from core.errors import Conflict, DomainError, PermissionRefused
from users import mails, services
from users.models import Role, User
from users.passwords import WeakPassword
from users.services.administration import create_account
from users.services.invitations import AGE, invitation_token
from users.tests.factories import PASSWORD, make_admin, make_reporter

ADD = "/admin/users/user/add/"


@override_settings(RATES_PER_ADDRESS={}, PUBLIC_URL="https://incidents.example.org")
class InvitationTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin(email="ada@example.com")
        self.client.force_login(self.admin)
        self.form = {"email": "new@example.com", "name": "New", "role": "responder", "time_zone": "UTC"}

    def add(self, **more: str) -> Any:
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(ADD, {**self.form, "is_active": "on", **more})

    def invited(self) -> User:
        user: User = User.objects.get(email="new@example.com")
        return user

    def link(self) -> str:
        found = re.search(r"^https://incidents\.example\.org(/invitation/\?token=\S+)$", mail.outbox[-1].body, re.M)
        assert found is not None, mail.outbox[-1].body
        return found.group(1)

    def press(self, link: str, password: str) -> Any:
        return self.client.post(
            "/invitation/", {"token": unquote(link.partition("token=")[2]), "new_password": password}
        )

    def test_it_leads_from_the_admins_form_to_a_password(self) -> None:
        answer = self.add()
        messages = " ".join(str(message) for message in get_messages(answer.wsgi_request))
        link = self.link()

        weak, done, again = (self.press(link, password) for password in ("short", PASSWORD, PASSWORD))

        self.assertEqual((weak.status_code, done.status_code, again.status_code), (400, 200, 400))
        self.assertIn("An invitation is on its way to new@example.com.", messages)
        for spent in (again, self.client.get(link)):
            self.assertContains(spent, "was used already", status_code=400)
        user = self.invited()
        self.assertTrue(user.check_password(PASSWORD) and user.invited_at and user.email_verified_at)

    def test_it_is_not_sent_where_a_password_was_given_or_the_account_is_not_active(self) -> None:
        self.add(password1=PASSWORD, password2=PASSWORD)
        with self.captureOnCommitCallbacks(execute=True):
            self.client.post(ADD, {**self.form, "email": "other@example.com"})

        self.assertEqual((User.objects.count(), mail.outbox), (3, []))

    def test_it_says_when_the_mail_server_is_away_and_sends_it_later(self) -> None:
        with (
            mock.patch("django.core.mail.EmailMessage.send", side_effect=ConnectionRefusedError("no")),
            self.assertLogs("users.mails", "ERROR") as logged,
        ):
            answer = self.add()
        messages = " ".join(str(message) for message in get_messages(answer.wsgi_request))
        page = reverse("admin:users_user_change", args=[self.invited().pk])
        before = self.client.get(page)
        self.client.post(reverse("admin:users_user_invite", args=[self.invited().pk]))
        after = self.client.get(page)

        self.assertIn("The mail server rejected the invitation for new@example.com", messages)
        self.assertIn("mail_failed", logged.output[0])
        self.assertContains(before, "None has been sent.")
        self.assertContains(after, "its link is good until")
        self.assertContains(after, "Send it again")
        self.assertEqual(self.press(self.link(), PASSWORD).status_code, 200)

    def test_it_expires(self) -> None:
        user = create_account(by=self.admin, email="new@example.com", name="New")
        services.invite(user, by=self.admin)
        later = timezone.now() + AGE + dt.timedelta(minutes=1)

        with time_machine.travel(later, tick=False):
            with self.assertRaisesMessage(DomainError, "has expired"):
                services.accept_invitation(token=invitation_token_of_then(user), new=PASSWORD)
            self.client.force_login(self.admin)
            shown = self.client.get(reverse("admin:users_user_change", args=[user.pk]))

        self.assertContains(shown, "its link ended")

    def test_it_is_good_for_that_person_at_that_address_alone(self) -> None:
        user = create_account(by=self.admin, email="new@example.com", name="New")
        token = invitation_token(user)
        services.set_access(user, by=self.admin, is_active=False)
        for bad in (token, "x", token[:-1], ""):
            with self.subTest(bad), self.assertRaises(DomainError):
                services.accept_invitation(token=bad, new=PASSWORD)
        services.set_access(user, by=self.admin, is_active=True)
        with self.assertRaises(DomainError):
            services.accept_invitation(token=token, new=PASSWORD)

        moved = invitation_token(self.invited())
        User.objects.filter(pk=user.pk).update(email="moved@example.com")
        with self.assertRaises(DomainError):
            services.accept_invitation(token=moved, new=PASSWORD)

    def test_it_takes_no_weak_password(self) -> None:
        user = create_account(by=self.admin, email="new@example.com", name="New")

        with self.assertRaises(WeakPassword):
            services.accept_invitation(token=invitation_token(user), new="short")

    def test_it_is_for_administrators_and_accounts_without_a_password(self) -> None:
        user = create_account(by=self.admin, email="new@example.com", name="New")

        with self.assertRaises(PermissionRefused):
            services.invite(user, by=make_reporter())
        with self.assertRaises(Conflict):
            services.invite(make_reporter(), by=self.admin)

    def test_it_carries_nobodys_words_to_an_unconfirmed_address(self) -> None:
        user = create_account(by=self.admin, email="new@example.com", name="Call me now", role=Role.REPORTER)
        services.register(email="other@example.com", password=PASSWORD, name="Call me now")
        services.invite(user, by=self.admin)
        services.request_password_reset(email="other@example.com")
        mails.flush()
        unconfirmed = list(mail.outbox)
        User.objects.filter(email="other@example.com").update(email_verified_at=timezone.now())
        services.request_password_reset(email="other@example.com")
        mails.flush()

        self.assertEqual(len(unconfirmed), 3)
        self.assertFalse(any("Call me" in f"{message.subject}{message.body}" for message in unconfirmed))
        self.assertIn("Hello Call me now,", mail.outbox[-1].body)

    def test_it_is_sent_to_people_who_are_imported(self) -> None:
        text = "email,name,role,is_active,time_zone\nnew@example.com,New,reporter,1,UTC\noff@example.com,Off,,0,\n"
        file = SimpleUploadedFile("people.csv", text.encode(), content_type="text/csv")
        with self.captureOnCommitCallbacks(execute=True):
            preview = self.client.post(reverse("admin:users_user_import"), {"import_file": file, "format": "0"})
        mails.flush()
        previewed = len(mail.outbox)

        confirmed = preview.context["confirm_form"].initial
        with mock.patch("users.mails.post") as post, self.captureOnCommitCallbacks(execute=True):
            self.client.post(reverse("admin:users_user_process_import"), confirmed)

        self.assertEqual(previewed, 0)
        self.assertEqual([call.args[0].to for call in post.call_args_list], [["new@example.com"]])
        post.call_args.kwargs["then"]()
        self.assertIsNotNone(self.invited().invited_at)


def invitation_token_of_then(user: User) -> str:
    """The token that was in the mail when it was sent."""
    found = re.search(r"token=(\S+)", mail.outbox[-1].body)
    assert found is not None
    return unquote(found.group(1))
