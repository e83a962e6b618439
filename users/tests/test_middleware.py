from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils.translation import gettext, override

from users import mails
from users.models import User
from users.tests.factories import make_admin, make_reporter


class LanguageTests(TestCase):
    def test_it_speaks_a_strangers_language(self):
        for header, word in (("de-CH,de;q=0.9", "Anmelden"), ("ja", "サインイン"), ("it", "Sign in")):
            with self.subTest(header):
                answer = self.client.get(reverse("console:sign-in"), headers={"accept-language": header})

                self.assertContains(answer, word)
                self.assertContains(answer, f'<html lang="{"en" if header == "it" else header[:2]}"')
                self.assertIn("Accept-Language", answer["Vary"])

    @override_settings(DEFAULT_LANGUAGE="fr")
    def test_it_speaks_the_installations_language_to_whoever_asks_for_none(self):
        self.assertContains(self.client.get(reverse("console:sign-in")), '<html lang="fr"')

    def test_it_speaks_a_persons_language_whatever_their_browser_asks_for(self):
        for page in ("console:dashboard", "admin:index"):
            with self.subTest(page):
                self.client.force_login(make_admin(language="ja"))

                answer = self.client.get(reverse(page), headers={"accept-language": "de"})

                self.assertContains(answer, '<html lang="ja"')

    def test_it_shows_errors_in_the_language_too(self):
        answer = self.client.get("/nowhere/", headers={"accept-language": "de"})

        self.assertContains(answer, '<html lang="de"', status_code=404)
        self.assertNotContains(answer, "Page not found", status_code=404)

    def test_it_answers_programs_in_english(self):
        self.client.force_login(make_reporter(language="de"))

        answer = self.client.get("/api/v1/incidents/", headers={"accept-language": "de"})

        self.assertContains(answer, "Authentication required", status_code=401)


class NewPersonTests(TestCase):
    form = {"name": "Ann", "email": "ann@example.org", "password": "tall-blue-kettle"}

    def test_it_keeps_the_language_that_somebody_registered_in(self):
        self.client.post("/register/", self.form, headers={"accept-language": "es-MX"})

        self.assertEqual(User.objects.get(email="ann@example.org").language, "es")

    def test_it_lets_programs_name_it(self):
        for given, header, stored in (({"language": "ja"}, "de", "ja"), ({}, "de", "de"), ({}, "it", "en")):
            with self.subTest(given, header=header):
                User.objects.filter(email="ann@example.org").delete()

                answer = self.client.post(
                    "/api/v1/auth/register/", {**self.form, **given}, headers={"accept-language": header}
                )

                self.assertEqual((answer.status_code, answer.json().get("language")), (201, stored))

    def test_it_refuses_a_language_that_there_are_no_pages_in(self):
        answer = self.client.post("/api/v1/auth/register/", {**self.form, "language": "tlh"})

        self.assertContains(answer, "Must be one of en, de, fr, es, ja.", status_code=400)


class MailTests(TestCase):
    def test_it_writes_to_people_in_their_language(self):
        person = make_reporter(language="de")

        with override("ja"):
            mail = mails.reset_mail(person, "uid", "token")

        with override("de"):
            self.assertEqual(mail.subject, gettext("Choose a new password"))
        self.assertNotIn("Choose a new password here", mail.body)
