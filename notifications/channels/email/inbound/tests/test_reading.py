import time
from email.message import EmailMessage

from django.test import SimpleTestCase

from notifications.channels.email.inbound.reading import MAX_TEXT, read_mail, text_of_html
from notifications.channels.email.inbound.tests.mails import mail

MULTIPART = b"""\
From: ana@example.com
Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

"""


class ReadingTests(SimpleTestCase):
    def test_it_reads_text_and_files(self):
        found = read_mail(mail(text="Störung in Zürich", files={"Bericht.txt": b"a", "zwei.log": b"b"}))

        self.assertEqual((found.sender, found.name, found.subject), ("ana@example.com", "Ana", "Checkout is down"))
        self.assertEqual(found.text, "Störung in Zürich")
        self.assertEqual(
            [(file.name, file.content) for file in found.files], [("Bericht.txt", b"a"), ("zwei.log", b"b")]
        )
        self.assertEqual(found.identity, "1@example.com")

    def test_it_cleans_titles(self):
        table = {
            "Re: [INC-7] Checkout is down": "Checkout is down",
            "AW: WG: Re[2]: Störung": "Störung",
            "Fwd:Fw: RE: x": "x",
            "Reboot failed: host 3": "Reboot failed: host 3",
            "": "",
        }
        for subject, title in table.items():
            with self.subTest(subject):
                self.assertEqual(read_mail(mail(subject=subject)).title, title)

    def test_it_finds_the_incident_that_a_subject_names(self):
        table = {"Re: [INC-1042] x": 1042, "about inc-7": 7, "PRINC-7": None, "INC-": None, f"INC-{'9' * 30}": None}

        self.assertEqual({text: read_mail(mail(subject=text)).named_incident for text in table}, table)

    def test_it_prefers_plain_text_and_reads_html_where_there_is_none(self):
        both = EmailMessage()
        both.set_content("plain")
        both.add_alternative("<p>rich</p>", subtype="html")
        html = EmailMessage()
        html.set_content(
            "<style>p{}</style><p>One<br>two &amp; three</p><ul><li>a</ul><script>x()</script>"
            "<blockquote>quoted<br>twice</blockquote>",
            subtype="html",
        )

        self.assertEqual(read_mail(both.as_bytes()).text, "plain")
        self.assertEqual(read_mail(html.as_bytes()).text, "One\ntwo & three\n\n- a\n> quoted\n> twice")

    def test_it_keeps_an_attached_mail_as_one_file(self):
        outer, inner = EmailMessage(), EmailMessage()
        inner["Subject"] = "inner"
        inner.set_content("forwarded text")
        outer.set_content("see below")
        outer.add_attachment(inner)
        found = read_mail(outer.as_bytes())

        self.assertEqual(found.text, "see below")
        self.assertEqual([file.name for file in found.files], ["attached.eml"])
        self.assertIn(b"forwarded text", found.files[0].content)

    def test_it_takes_a_sender_only_if_there_is_exactly_one(self):
        table = {
            "Ana <ana@Example.com>": "ana@example.com",
            "ana@example.com, ben@example.com": "",
            "": "",
            "Ana": "",
            '"ana@example.com" <eve@evil.example>': "eve@evil.example",
            "ana@example.com <eve@evil.example>": "",
            "=?utf-8?q?Zo=C3=AB?= <zoe@example.com>": "zoe@example.com",
        }
        for value, address in table.items():
            with self.subTest(value):
                raw = b"From: " + value.encode() + b"\r\nSubject: x\r\n\r\ntext"

                self.assertIn(
                    read_mail(raw).sender, {address, ""} if value.startswith("ana@example.com <") else {address}
                )
        self.assertEqual(read_mail(b"From: a@example.com\r\nFrom: b@example.com\r\n\r\n").sender, "")

    def test_it_reads_whatever_comes(self):
        deep = b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (number, number) for number in range(90)
        )
        deeper = b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (number, number) for number in range(5_000)
        )
        many = b"".join(
            b"--b\nContent-Disposition: attachment; filename=f%d\n\nx\n" % number for number in range(3_000)
        )
        charset = b"From: a@example.com\nContent-Type: text/plain; charset=%s\n\ncaf\xc3\xa9"
        table = [
            b"",
            b"\0\0\0",
            b"no headers at all",
            b"\n\ntext only",
            b"Subject: \0nul\n\nte\0xt",
            b"Subject: =?utf-8?b?////?= =?nonsense?q?x?= =?utf-8?q?=ff=fe?=\nFrom: =?x?=@\n\nx",
            b"Subject: " + b"=?utf-8?q?x?= " * 3_000 + b"\n\nx",
            b"From: " + b'"' * 9_000 + b"\n\nx",
            b"From: " + b"(" * 9_000 + b"\n\nx",
            b"Content-Type: " + b";" * 9_000 + b"\n\nx",
            b"Content-Type: text/plain; charset*=utf-8''%ff; name*0*=x''%00; name*1=y\n\nx",
            b"Content-Transfer-Encoding: base64\n\n=====!!!!" + b"A" * 1_001,
            b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n\xff\xff\nend",
            b"Content-Transfer-Encoding: quoted-printable\n\n=ZZ=\xff=",
            charset % b"no-such-charset",
            charset % b"rot13",
            charset % b"idna",
            charset % b"punycode",
            charset % b"utf-8\0",
            charset % b"utf-16",
            charset % b"=?utf-8?q?x?=",
            MULTIPART,
            MULTIPART + b"--b\n--b\n--b--\n--b\n",
            MULTIPART + many,
            b"From: ana@example.com\n" + deep + b"innermost",
            b"From: ana@example.com\n" + deeper + b"innermost",
            b"Content-Type: message/rfc822\n\n" * 500,
            b"Content-Type: message/delivery-status\n\n" * 500,
            b"Content-Type: message/partial; id=x\n\nx",
            b"Content-Type: multipart/mixed\n\nno boundary",
            b"Content-Type: text/html\n\n" + b"<div>" * 50_000 + b"text",
            b"Content-Type: text/html\n\n" + b"<![CDATA[" * 50_000,
            b"Received: x\n" * 50_000 + b"\nx",
            b"x" * 3_000_000,
            b"Content-Type: application/x;" + b"".join(b"name*%d=a;" % number for number in range(100_000)) + b"\n\nx",
            b"Content-Type: text/plain\nContent-Disposition: x" + b";\r\n name*0=a" * 100_000 + b"\n\nx",
            MULTIPART + b"--b\n\na\n" * 1_000_000,
            MULTIPART + (b"--b\nContent-Type: text/html\n\n" + b"<" * 50_000 + b"\n") * 100,
            deep.replace(b"=", b" =") + b"-\n" * 4_000_000,
        ]
        for raw in table:
            with self.subTest(raw[:60]):
                begun = time.monotonic()
                found = read_mail(raw)

                self.assertLess(time.monotonic() - begun, 10)
                self.assertLessEqual(len(found.text), MAX_TEXT)
                for text in (found.text, found.subject, found.sender, found.name, *(file.name for file in found.files)):
                    self.assertNotIn("\0", text)
                    text.encode()

    def test_it_shows_texts_of_charsets_that_do_not_fit(self):
        for charset in ("no-such-charset", "ascii", "rot13", "utf-8"):
            raw = f"Content-Type: text/plain; charset={charset}\n\ncafé".encode()

            self.assertEqual(read_mail(raw).text, "café")

    def test_it_shows_html_without_markup(self):
        self.assertEqual(text_of_html("a <b>b</b> &lt;i&gt; <a href='https://evil.example'>c</a>"), "a b <i> c")
