import datetime as dt
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from itertools import pairwise

from django.test import SimpleTestCase

from notifications.channels.email.composing import Sender, compose, local_time, subject_of
from notifications.channels.email.tokens import (
    incidents_in_references,
    make_token,
    plus_address,
    token_in_address,
    tokens_in_references,
)
from notifications.channels.port import Message
from tests.reported import reported_failure

NOW = dt.datetime(2026, 11, 30, 3, 12, tzinfo=dt.UTC)
SENDER = Sender("Incident Response <incidents@example.org>", "in@example.org", "https://incidents.example.org")
PAGE = Message(
    key="delivery-1",
    kind="page",
    title="Checkout is down",
    body="Error rate is 80 %.\nSince the last deployment.",
    lines=("You are on call for Payments.", "Next: Ben at 03:17"),
    incident=1042,
    reference="INC-1042",
    severity="critical",
    status="open",
    url="https://incidents.example.org/incidents/INC-1042/",
    answer_url="https://incidents.example.org/a/abc/",
    time_zone="Europe/Zurich",
    occurred_at=NOW,
)


def composed(message: Message = PAGE, address: str = "ana@example.com", sender: Sender = SENDER) -> EmailMessage:
    """The mail as a recipient's program reads it."""
    read = message_from_bytes(compose(message, address, sender, NOW).message.as_bytes(), policy=default)
    assert isinstance(read, EmailMessage)
    return read


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


class ComposingTests(SimpleTestCase):
    def test_it_says_what_happened_in_text_and_html(self):
        for part in parts(composed()):
            for words in (
                "Checkout is down",
                "Error rate is 80 %.",
                "You are on call for Payments.",
                "Critical",
                "Mon 30 Nov 2026 04:12 CET",
                "https://incidents.example.org/a/abc/",
                "https://incidents.example.org/incidents/INC-1042/",
            ):
                self.assertIn(words, part)

    def test_its_link_says_what_it_opens(self):
        for path, words in (
            ("/incidents/INC-1042/", "Open INC-1042"),
            ("/runs/7/", "Open the run"),
            ("/reviews/7/", "Open the review"),
            ("/on-call/swaps/", "Open"),
        ):
            with self.subTest(path):
                text, html = parts(composed(replace(PAGE, url=f"https://incidents.example.org{path}")))

                self.assertIn(f"\n{words}: https://incidents.example.org{path}\n", text.replace("\r\n", "\n"))
                self.assertIn(f">{words}</a>", html)

    def test_it_loads_nothing_from_elsewhere_and_escapes(self):
        _, html = parts(composed(replace(PAGE, title="<img src=https://x.example/>", body="<script>alert(1)</script>")))

        self.assertNotIn("<img", html)
        self.assertNotIn("<script", html)
        self.assertNotIn("src=", html.replace("src=https://x.example/&gt;", ""))
        self.assertIn("prefers-color-scheme: dark", html)

    @reported_failure(24)
    def test_it_is_marked_as_automatic(self):
        mail = composed()

        self.assertEqual(mail["Auto-Submitted"], "auto-generated")
        self.assertEqual(mail["X-Auto-Response-Suppress"], "All")
        self.assertIsNotNone(mail["X-Incident-Response"])
        self.assertIsNone(mail["List-Unsubscribe"])

    def test_it_marks_urgent_pages_and_alarms(self):
        cases = (
            ("page", "high"),
            ("page", "low"),
            ("notice", "high"),
            ("notice", "low"),
            ("update", "high"),
            ("code", "high"),
        )

        marked = [case for case in cases if composed(replace(PAGE, kind=case[0], importance=case[1]))["Importance"]]

        self.assertEqual(marked, [("page", "high"), ("notice", "high")])

    def test_it_says_since_when_an_incident_is_open_and_when_anything_else_happened(self):
        shown = [parts(composed(replace(PAGE, kind=kind)))[0] for kind in ("page", "update")]

        self.assertIn("Since: Mon 30 Nov 2026 04:12 CET", shown[0])
        self.assertIn("At: Mon 30 Nov 2026 04:12 CET", shown[1])

    def test_it_keeps_one_thread_per_incident_and_one_id_per_delivery(self):
        first, again = composed(), composed(replace(PAGE, attempt=2))
        other = composed(replace(PAGE, key="delivery-2", kind="update", title="Checkout is down"))

        self.assertEqual(first["Message-ID"], again["Message-ID"])
        self.assertNotEqual(first["Message-ID"], other["Message-ID"])
        self.assertEqual(first["References"], other["References"])
        self.assertEqual(first["In-Reply-To"], first["References"])
        self.assertEqual(first["Subject"], other["Subject"])
        self.assertEqual(incidents_in_references(first["References"]), [1042])

    def test_it_gives_pages_and_updates_one_subject(self):
        event = {"data": {"incident": {"title": "Checkout is down"}}}
        page = replace(PAGE, title="INC-1042 Critical: Checkout is down", event=event)
        update = replace(page, kind="update", title="INC-1042 Resolved: Checkout is down")
        notice = replace(page, kind="notice", title="Nobody was reached for INC-1042")
        hidden = replace(page, title="INC-1042 (restricted)", event={"data": {"incident": {}}})

        self.assertEqual(subject_of(page), "[INC-1042] Checkout is down")
        self.assertEqual(subject_of(update), subject_of(page))
        self.assertEqual(subject_of(notice), "Nobody was reached for INC-1042")
        self.assertEqual(subject_of(hidden), "INC-1042 (restricted)")

    def test_it_comes_from_our_domain_and_its_bounces_and_replies_find_their_way(self):
        mail = compose(PAGE, "ana@example.com", SENDER, NOW)
        reply = token_in_address(str(mail.message["Reply-To"]))
        bounce = token_in_address(mail.sender.upper())

        self.assertEqual(str(mail.message["From"]), "Incident Response <incidents@example.org>")
        assert reply is not None
        assert bounce is not None
        self.assertEqual((reply.incident, reply.is_bounce), (1042, False))
        self.assertTrue(bounce.is_bounce)
        self.assertTrue(reply.is_for("ana@example.com"))
        self.assertFalse(bounce.is_for("ben@example.com"))
        self.assertEqual(str(tokens_in_references(str(mail.message["Message-ID"]))[0]), str(reply))

    def test_it_has_plain_addresses_without_an_inbound_address(self):
        mail = compose(PAGE, "ana@example.com", replace(SENDER, inbound=""), NOW)

        self.assertEqual(mail.sender, "incidents@example.org")
        self.assertIsNone(mail.message["Reply-To"])
        self.assertNotIn("Reply to this mail", parts(composed(sender=replace(SENDER, inbound="")))[0])

    def test_it_lets_no_header_in(self):
        mail = composed(
            replace(
                PAGE,
                title="Down\r\nBcc: eve@example.com\r\n\r\nbody",
                reference="INC-1\r\nX-Evil: 1",
                lines=("one\nBcc: eve@example.com",),
            )
        )

        self.assertEqual(set(mail.keys()), set(composed().keys()))
        self.assertIn("Bcc: eve@example.com", mail["Subject"])
        self.assertEqual(mail["To"], "ana@example.com")

    def test_it_takes_any_text(self):
        for title in ("", "x" * 5000, "Störung Zürich 故障 🔥", "half \ud83d of a pair", "\x00 nul", "é" * 400):
            with self.subTest(title[:20]):
                content = compose(
                    replace(PAGE, title=title, body=title, lines=(title,)), "ana@example.com", SENDER, NOW
                ).message.as_bytes()

                self.assertTrue(content.isascii())
                self.assertLessEqual(max(map(len, content.split(b"\r\n"))), 78)
                self.assertNotIn(b"\n", content.replace(b"\r\n", b""))

    def test_it_sends_subjects_and_senders_of_any_length_whole(self):
        for number in range(1, 100):
            for text in ("x" * number, ("Payments: card " * 10)[:number].strip(), ("Zürich: " * 20)[:number].strip()):
                page, sender = replace(PAGE, title=text, event={}), replace(SENDER, mailbox=f'"{text}" <a@b.example>')
                content = compose(page, "ana@example.com", sender, NOW).message.as_bytes()
                sent = message_from_bytes(content, policy=default)

                self.assertEqual(str(sent["Subject"]), subject_of(page))
                name, address = parseaddr(message_from_bytes(content)["From"])
                self.assertEqual((str(make_header(decode_header(name))), address), (text, "a@b.example"))

    def test_it_keeps_long_identifiers_in_one_piece(self):
        domain = ".".join(["x" * 60] * 3) + ".example"
        mail = composed(address=f"{'a' * 60}@{domain}", sender=Sender(f"incidents@{domain}", f"in@{domain}"))

        self.assertEqual(mail["To"], f"{'a' * 60}@{domain}")
        self.assertRegex(mail["Message-ID"], rf"^<1042-[a-z2-7]{{12}}-[a-z2-7]{{16}}@{domain}>$")

    def test_it_writes_a_foreign_domain_in_ascii(self):
        mail = compose(PAGE, "ana@zürich.example", SENDER, NOW)

        self.assertEqual(mail.recipient, "ana@xn--zrich-kva.example")
        with self.assertRaises(UnicodeError):
            compose(PAGE, "añа@example.com", SENDER, NOW)

    def test_it_names_how_many_incidents_a_mail_stands_for(self):
        bundle = replace(PAGE, title="20 incidents", count=20, lines=("INC-1 Checkout", "INC-2 Search"))
        mail = composed(bundle)
        text, _ = parts(mail)

        self.assertEqual(mail["Subject"], "20 incidents")
        self.assertIsNone(mail["References"])
        self.assertIn("- INC-1 Checkout", text)
        self.assertNotIn("Reply to this mail", text)

    def test_it_cuts_long_subjects(self):
        self.assertLessEqual(len(subject_of(replace(PAGE, title="x" * 400))), 150)

    def test_it_shows_utc_where_the_zone_is_unknown(self):
        self.assertEqual(local_time(NOW, "Mars/Olympus"), "Mon 30 Nov 2026 03:12 UTC")
        self.assertEqual(local_time(NOW, "../../etc/passwd"), "Mon 30 Nov 2026 03:12 UTC")


class TokenTests(SimpleTestCase):
    def test_it_signs_incident_delivery_and_recipient(self):
        token = make_token(key="k", incident=7, address="ana@example.com")
        tokens = [
            token,
            make_token(key="k", incident=8, address="ana@example.com"),
            make_token(key="l", incident=7, address="ana@example.com"),
            make_token(key="k", incident=7, address="ben@example.com"),
        ]

        self.assertTrue(token.is_for("ana@example.com"))
        self.assertFalse(replace(token, incident=8).is_for("ana@example.com"))
        self.assertFalse(replace(token, delivery="a" * 12).is_for("ana@example.com"))
        self.assertTrue(all(one.signature != other.signature for one, other in pairwise(tokens)))

    def test_it_finds_tokens_in_plus_addresses_only(self):
        token = make_token(key="k", incident=None, address="ana@example.com")

        self.assertEqual(token_in_address(plus_address("in@example.org", str(token))), token)
        for other in ("in@example.org", "in+sales@example.org", f"{token}@example.org", "in+7-a-b@example.org", ""):
            self.assertIsNone(token_in_address(other))
