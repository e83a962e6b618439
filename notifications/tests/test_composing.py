import datetime as dt

from django.test import SimpleTestCase, override_settings
from django.utils.translation import gettext, override

from core.severity import Severity
from incidents.models import Incident, IncidentEvent, Status
from notifications.models import Delivery
from notifications.services.composing import Parcel, Reader, Subject, compose, duration
from notifications.vocabulary import Kind
from paging.models import Page

NOW = dt.datetime(2026, 3, 2, 3, 20, tzinfo=dt.UTC)
ANA = Reader("Ana", time_zone="Europe/Zurich")


def incident(number=12, minutes=8, **fields):
    values = {"title": "Checkout is down", "severity": Severity.CRITICAL, "description": "500 everywhere", **fields}
    return Incident(pk=number, created_at=NOW - dt.timedelta(minutes=minutes), **values)


def page(**fields):
    return Page(**{"why": "You are on call: Primary", "message": "", "target_name": "Ana", **fields})


def event(kind="resolved", **fields):
    return IncidentEvent(seq=3, kind=kind, occurred_at=NOW, actor_name="Ben", **fields)


def write(kind, reader=ANA, **fields):
    delivery = Delivery(kind=kind, key="k", importance="high", created_at=NOW, content=fields.pop("content", {}))
    return compose(Parcel(delivery, reader, NOW, "https://incidents.example.org", **fields))


class PageTests(SimpleTestCase):
    def test_it_says_what_happened_why_you_and_what_comes_next(self):
        message = write(
            Kind.PAGE,
            subject=Subject(incident(), page=page()),
            next_step_at=NOW + dt.timedelta(minutes=5),
            token="t0ken",
            code="K7M2",
        )

        self.assertEqual(message.title, "INC-12 Critical: Checkout is down")
        self.assertEqual(
            list(message.lines),
            [
                "You are on call: Primary",
                "Open, since 04:12 CET (8 min ago)",
                "Without an answer, the next step follows at 04:25 CET.",
            ],
        )
        self.assertEqual(message.body, "500 everywhere")
        self.assertEqual(message.url, "https://incidents.example.org/incidents/INC-12/")
        self.assertEqual(message.answer_url, "https://incidents.example.org/a/t0ken/")
        self.assertEqual((message.reply_code, message.thread, message.severity), ("K7M2", "INC-12", "critical"))
        self.assertEqual([button.action for button in message.buttons], ["acknowledge", "take", "resolve", "note"])

    def test_it_says_no_more_than_the_reference_to_those_who_may_not_see_it(self):
        subject = Subject(
            incident(title="Payroll leaked", description="secret"), is_visible=False, page=page(message="It is Payroll")
        )

        message = write(Kind.PAGE, subject=subject)

        self.assertEqual(message.title, "INC-12 Restricted incident")
        self.assertEqual((message.body, message.severity, message.buttons), ("", "", ()))
        self.assertNotIn("Payroll", repr(message))
        self.assertNotIn("secret", repr(message))

    def test_it_counts_incidents_and_not_pages_in_a_bundle(self):
        carried = [Subject(incident(number, severity=Severity.HIGH), page=page()) for number in (12, 13, 14)]

        message = write(Kind.PAGE, subject=Subject(incident(12), page=page()), carried=carried)

        self.assertEqual((message.count, message.title), (3, "3 incidents need you: 1 critical, 2 high"))
        self.assertTrue(message.lines[0].startswith("INC-12 Critical: Checkout is down, since 04:12 CET"))

    def test_it_sends_two_pages_of_one_incident_as_one(self):
        subject = Subject(incident(), page=page())

        message = write(Kind.PAGE, subject=subject, carried=[subject])

        self.assertEqual((message.count, message.title), (1, "INC-12 Critical: Checkout is down"))


class UpdateTests(SimpleTestCase):
    def test_it_names_the_event_and_who_did_it(self):
        message = write(Kind.UPDATE, subject=Subject(incident(), event=event(body="Fixed")))

        self.assertEqual((message.title, message.body), ("INC-12 Resolved: Checkout is down", "Fixed"))
        self.assertIn("Resolved by Ben at 04:20 CET", message.lines)
        self.assertEqual(message.buttons, ())

    def test_it_calls_only_open_incidents_open_since(self):
        lines = [
            write(Kind.UPDATE, subject=Subject(incident(status=status), event=event())).lines[0]
            for status in ("open", "acknowledged", "resolved")
        ]

        self.assertEqual(
            lines,
            [
                "Open, since 04:12 CET (8 min ago)",
                "Acknowledged, reported 04:12 CET (8 min ago)",
                "Resolved, reported 04:12 CET (8 min ago)",
            ],
        )

    def test_it_gives_reporters_no_address_that_they_cannot_open(self):
        message = write(Kind.UPDATE, Reader("Rae", is_staff=False), subject=Subject(incident(), event=event()))

        self.assertEqual(message.url, "")

    def test_it_lists_several_updates(self):
        for numbers, title in (((12, 12, 12), "3 updates on INC-12"), ((12, 13), "2 updates on 2 incidents")):
            first, *others = [Subject(incident(number), event=event("comment")) for number in numbers]
            with self.subTest(numbers=numbers):
                self.assertEqual(write(Kind.UPDATE, subject=first, carried=others).title, title)


class OtherTests(SimpleTestCase):
    def test_it_writes_notices_codes_and_tests(self):
        notice = write(Kind.NOTICE, content={"title": "Nobody is on call", "body": "Friday", "path": "/admin/x/"})
        code = write(Kind.CODE, content={"code": "012345"})
        test = write(Kind.TEST)

        self.assertEqual((notice.title, notice.body), ("Nobody is on call", "Friday"))
        self.assertEqual(notice.url, "https://incidents.example.org/admin/x/")
        self.assertEqual((code.title, code.reply_code), ("012345 is your code", ""))
        self.assertEqual(test.title, "Test message")

    def test_it_says_durations_in_two_units(self):
        for seconds, text in ((5, "5 s"), (60, "1 min"), (7260, "2 h 1 min"), (90000, "1 d 1 h"), (86400, "1 d")):
            with self.subTest(seconds=seconds):
                self.assertEqual(duration(seconds), text)


class LanguageTests(SimpleTestCase):
    def test_it_writes_in_the_readers_language_and_zone(self):
        reader = Reader("Ana", language="de-CH", time_zone="Europe/Zurich")

        message = write(Kind.PAGE, reader, subject=Subject(incident(), page=page(why="Member of Web")))

        with override("de"):
            critical, opened, taking = str(Severity.CRITICAL.label), str(Status.OPEN.label), gettext("Acknowledge")
        self.assertEqual(message.language, "de")
        self.assertIn(critical, message.title)
        self.assertTrue(any(opened in line and "04:12 CET" in line for line in message.lines), message.lines)
        self.assertEqual(message.buttons[0].label, taking)

    @override_settings(DEFAULT_LANGUAGE="ja")
    def test_it_writes_to_whom_chose_no_language_in_the_installations(self):
        self.assertEqual(write(Kind.TEST, Reader(language="tlh")).language, "ja")

    def test_it_tells_programs_in_english_whatever_the_reader_speaks(self):
        subject = Subject(incident(), page=page(why="Member of Web"))

        message = write(Kind.PAGE, Reader("Ana", language="de"), subject=subject)

        self.assertEqual(message.event["data"]["page"]["why"], "Member of Web")
