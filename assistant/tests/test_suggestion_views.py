from django.test import TestCase

from assistant.models import Verdict
from incidents.models import Incident, Visibility
from incidents.services import comment, redact
from incidents.tests.factories import make_incident
from tests.people import signed_in
from users.tests.factories import make_admin, make_reporter, make_responder


def address(incident: Incident, rest: str = "") -> str:
    return f"/api/v1/incidents/{incident.pk}/suggestions/{rest}"


class SuggestionsViewTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.reporter, cls.responder, cls.admin = make_reporter(), make_responder(), make_admin()
        cls.earlier = make_incident(by=cls.reporter, title="Payroll export failed at midnight")
        cls.incident = make_incident(by=cls.reporter, title="Export of payroll failed at midnight")

    def test_it_shows_duplicates_with_reasons(self) -> None:
        answer = signed_in(self.responder).get(address(self.incident)).json()

        self.assertEqual([one["reference"] for one in answer["duplicates"]], [self.earlier.reference])
        self.assertEqual(answer["duplicates"][0]["because"][0]["value"], "4/4")
        self.assertEqual(answer["causes"], [])

    def test_it_shows_reporters_their_own_twins_and_nothing_else(self) -> None:
        answer = signed_in(self.reporter).get(address(self.incident)).json()

        self.assertEqual([one["reference"] for one in answer["duplicates"]], [self.earlier.reference])
        self.assertEqual([answer[name] for name in ("causes", "routing", "model")], [[], [], None])

    def test_it_hides_incidents_that_the_caller_does_not_see(self) -> None:
        answer = signed_in(make_reporter()).get(address(self.incident))

        self.assertEqual(answer.status_code, 404)

    def test_it_keeps_one_verdict_a_person_which_may_change(self) -> None:
        client = signed_in(self.responder)
        path = address(self.incident, f"duplicate-{self.earlier.pk}/verdict/")

        first = client.post(path, {"useful": True}, format="json")
        second = client.post(path, {"useful": False}, format="json")
        signed_in(self.admin).post(path, {"useful": True}, format="json")

        self.assertEqual((first.status_code, first.json()["useful"]), (200, True))
        self.assertEqual((second.json()["useful"], second.json()["kind"]), (False, "duplicate"))
        self.assertEqual(Verdict.objects.counts()["duplicate"], {True: 1, False: 1})
        self.assertEqual(Verdict.objects.filter(related=self.earlier).count(), 2)

    def test_it_takes_no_verdict_on_what_is_not_suggested(self) -> None:
        path = address(self.incident, "similar-999999/verdict/")

        answer = signed_in(self.responder).post(path, {"useful": True}, format="json")

        self.assertEqual((answer.status_code, Verdict.objects.count()), (404, 0))

    def test_it_takes_no_verdict_from_reporters(self) -> None:
        path = address(self.incident, f"duplicate-{self.earlier.pk}/verdict/")

        answer = signed_in(self.reporter).post(path, {"useful": True}, format="json")

        self.assertEqual((answer.status_code, Verdict.objects.count()), (403, 0))


class RedactionTests(TestCase):
    def test_it_removes_leaked_texts_from_what_was_suggested(self) -> None:
        admin = make_admin()
        incident = make_incident(title="Password hunter2secret leaked")
        other = make_incident(title="Something else")
        for_both = {"hypothesis": "Password hunter2secret leaked, says the log", "confidence": 0.5}
        for number, (of, related) in enumerate(((incident, None), (other, incident), (other, None))):
            Verdict.objects.create(
                incident=of,
                related=related,
                suggestion=f"cause-{number}",
                kind="cause",
                user=admin,
                is_useful=True,
                snapshot=for_both,
            )

        redact(incident.events.get(seq=1), by=admin)

        said = Verdict.objects.order_by("suggestion").values_list("snapshot__hypothesis", flat=True)
        self.assertEqual([text.count("hunter2secret") for text in said], [0, 0, 1])

    def test_it_removes_what_was_shortened(self) -> None:
        admin = make_admin()
        incident, other = make_incident(title="Mail is late"), make_incident(title="Mail was late")
        secret = "the root word is hunter2secret\n" * 20
        note = comment(incident, secret, by=admin, visibility=Visibility.INTERNAL)
        signed_in(admin).post(address(incident, "summary/verdict/"), {"useful": True}, format="json")
        quoting = {"hypothesis": f"As in {incident.reference}: “{secret[:300]}”", "confidence": 0.5}
        Verdict.objects.create(
            incident=other, related=incident, suggestion="c", kind="cause", user=admin, is_useful=True, snapshot=quoting
        )
        before = str(list(Verdict.objects.values_list("snapshot", flat=True)))

        redact(note, by=admin)

        after = str(list(Verdict.objects.values_list("snapshot", flat=True)))
        self.assertEqual((before.count("hunter2secret") > 2, after.count("hunter2secret")), (True, 0))
