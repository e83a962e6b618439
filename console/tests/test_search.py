from django.test import TestCase
from django.urls import reverse

from incidents.tests.factories import make_incident
from users.tests.factories import make_admin, make_reporter, make_responder


class PaletteTests(TestCase):
    def find(self, user, words):
        self.client.force_login(user)
        return self.client.get(reverse("console:search"), {"q": words}, headers={"HX-Request": "true"})

    def test_it_finds_an_incident_by_number_or_words(self):
        incident = make_incident(title="Conveyor stands still")

        for words in (incident.reference, str(incident.pk), incident.reference.lower(), "conveyor"):
            with self.subTest(words=words):
                self.assertContains(self.find(make_responder(), words), "Conveyor stands still")

    def test_it_finds_nothing_that_is_not_for_the_person(self):
        incident = make_incident(title="Conveyor stands still")
        make_incident(title="Conveyor of secrets", is_restricted=True, by=make_admin())

        self.assertNotContains(self.find(make_reporter(), incident.reference), "Conveyor")
        self.assertNotContains(self.find(make_responder(), "secrets"), "Conveyor")

    def test_it_finds_pages_that_the_person_may_open(self):
        self.assertContains(self.find(make_responder(), "silen"), reverse("console:silences"))
        self.assertNotContains(self.find(make_reporter(), "silen"), reverse("console:silences"))

    def test_it_puts_pages_before_incidents(self):
        make_incident(title="Callers on call hear no music")

        found = self.find(make_responder(), "on call").content.decode()

        self.assertLess(found.index(reverse("console:on-call")), found.index("Callers"))

    def test_it_bears_any_words(self):
        for words in ("", "   ", "x" * 5000, "'\"<script>alert(1)</script>", "\0", "INC-99999999999999999999", "٣"):
            with self.subTest(words=words):
                self.assertEqual(self.find(make_responder(), words).status_code, 200)
