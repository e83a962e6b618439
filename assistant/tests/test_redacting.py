import time

from django.test import SimpleTestCase

from assistant.redacting import Redactor
from assistant.redacting.normalising import LOOK_ALIKES, plain
from assistant.tests.seeded import texts, traces_of

PEOPLE = ("Ada Lovelace", "Mark Twain", "山田太郎", "Jürgen Müller", "佐藤 花子", "Pat O'Brien")


class SecretTests(SimpleTestCase):
    def test_it_lets_no_seeded_secret_through(self):
        found = {
            one.form: traces[0]
            for seed in (1, 2)
            for one in texts(seed)
            if (traces := traces_of(one.secret, Redactor().redact(one.text)))
        }

        self.assertEqual(found, {})

    def test_it_is_judged_by_somebody_who_finds_what_is_left(self):
        missed = [one.form for one in texts(1) if not traces_of(one.secret, one.text)]

        self.assertEqual(missed, [])

    def test_it_takes_what_stands_near_the_word_password(self):
        for text in (
            "creds: admin / hunter2x",
            "machine x login y password hunter2x",
            "db-3:5432:orders:app:hunter2x",
            '["password","hunter2x"]',
            "define('DB_PASSWORD', 'hunter2x');",
            '<add key="Password" value="hunter2x"/>',
            "echo hunter2x | docker login --password-stdin",
            "net use \\\\srv /user:dom\\bob hunter2x",
            "snmp-server community hunter2x RO",
            "P A S S W O R D: hunter2x",
            "USER bob\nPASS hunter2x",
            "Passphrase correct horse hunter2x",
            "root/hunter2x on 10.0.0.1",
            "パスワード：hunter2x",
            "mot de passe : hunter2x",
            "パスワードはhunter2xです",
            "密码是hunter2x",
            "пароль hunter2x",
            "hasło: swordfish",
            "비밀번호: swordfish",
            "كلمة المرور: swordfish",
            "la password è swordfish",
            "password -> swordfish",
            "password\tswordfish",
            "('password', 'swordfish')",
            "machine h login u password swordfish",
            "username bob password 0 swordfish",
            "radius-server key swordfish",
            "bindpw swordfish",
            "olcRootPW: swordfish",
            'ConvertTo-SecureString "swordfish" -AsPlainText',
            "sqlcmd -S db -U sa -P swordfish",
            "ipmitool -U u -P swordfish -H h",
            "docker login -u u -p swordfish reg",
            "7z x -pswordfish a.7z",
            "htpasswd -b f u swordfish",
            "ldapsearch -x -w swordfish",
            "snmpwalk -v3 -A swordfish -X swordfish h",
            "rabbitmqctl add_user u swordfish",
            "echo swordfish | sudo -S ls",
            "login bob:swordfish",
        ):
            with self.subTest(text=text):
                self.assertNotRegex(Redactor().redact(text), "hunter2x|swordfish")

    def test_it_takes_numbers_of_cards_and_accounts_however_they_stand(self):
        for text in (
            "4111.1111.1111.1111",
            "card_4111111111111111",
            "de89370400440532013000",
            "iban_DE89370400440532013000",
        ):
            with self.subTest(text=text):
                self.assertRegex(Redactor().redact(text), r"^\w*<secret-1>$")

    def test_it_finds_a_secret_of_one_text_in_the_others(self):
        redactor = Redactor()
        redactor.learn(["PGPASSWORD=swordfish", "then swordfish was refused"])

        self.assertEqual(redactor.redact("then swordfish was refused"), "then <secret-1> was refused")

    def test_it_never_restores_a_secret(self):
        redactor = Redactor()

        sent = redactor.redact("password=hunter2x on db-3.prod.internal")

        self.assertEqual(redactor.restore(sent), "password=<secret-1> on db-3.prod.internal")

    def test_it_takes_no_more_than_its_time_for_what_repeats(self):
        for unit in ("a", "1.", "a-", "tok_key_", "://a", "ab-1-"):
            with self.subTest(unit=unit):
                began = time.process_time()
                Redactor().redact(unit * (10_000 // len(unit)))

                self.assertLess(time.process_time() - began, 4)


class NameTests(SimpleTestCase):
    def test_it_replaces_what_tells_where_and_who(self):
        for text, expected in (
            ("refused by db-3.prod.internal:5432", "refused by <host-1>:<port-1>"),
            ("refused by 10.2.3.4:5432", "refused by <ip-1>:<port-1>"),
            ("[2001:db8::1]:443 and fe80::1%eth0", "[<ip-1>]:<port-1> and <ip-2>"),
            ("disk of web-01 is full", "disk of <host-1> is full"),
            ("pod payments-api-7f9c6d5b8-x2x4z died", "pod <host-1> died"),
            ("mail ada@example.org", "mail <email-1>"),
            ("call +41 44 668 18 00", "call <phone-1>"),
            ("see https://wiki.acme.example/x?y=1", "see <url-1>"),
            ("by Ada Lovelace, or Ada's deputy", "by <person-1>, or <person-2>'s deputy"),
            ("Mark will mark it", "<person-1> will mark it"),
            ("山田太郎さんが対応", "<person-1>さんが対応"),
            ("arn:aws:rds:eu-central-1:123456789012:db:x", "<resource-1>"),
            ("aa:bb:cc:dd:ee:ff", "<mac-1>"),
            ("aabb.ccdd.eeff", "<mac-1>"),
            ("x_10.1.2.3_y", "x_<ip-1>_y"),
            ("010.001.002.003", "<ip-1>"),
            ('mail "ada l"@acme.example', "mail <email-1>"),
            ("почта на пример.рф", "почта на <host-1>"),
            ("could not resolve host: kafkabroker", "could not resolve host: <host-1>"),
            ("lookup vault on 10.0.0.2", "lookup <host-1> on <ip-1>"),
            ("server=sqlprod;", "server=<host-1>;"),
            ("redis-master:6379 refused", "<host-1>:<port-1> refused"),
            ("**Ada Lovelace**/Mark, _Ada_", "**<person-1>**/<person-2>, _<person-3>_"),
            ("user ada.lovelace", "user <person-1>"),
            ("by Jurgen Muller", "by <person-1>"),
            ("Straße Straße 山田太郎", "Straße Straße <person-1>"),
            ("佐藤さん", "<person-1>さん"),
            ("Pat O’Brien", "<person-1>"),
        ):
            with self.subTest(text=text):
                redactor = Redactor(people=PEOPLE)

                sent = redactor.redact(text)

                self.assertEqual((sent, redactor.restore(sent)), (expected, text))

    def test_it_leaves_the_rest_of_the_words(self):
        for text in (
            "java.lang.NullPointerException in PaymentsServiceV2Handler.java:123",
            "GET /api/v1/orders/1234/items 500 in 350 ms",
            "Checkout fails: HTTP 503; error rate 12.5% since 10:32:05",
            "ConnectionPoolTimeoutException in OrderProcessingServiceImpl",
            "Set max_connections=200 on the replica of payments",
        ):
            with self.subTest(text=text):
                self.assertEqual(Redactor(people=PEOPLE, keep=["payments"]).redact(text), text)

    def test_it_makes_whole_what_was_written_so_that_nobody_clicks(self):
        for text in (
            "10[.]1[.]2[.]3",
            "hxxps://evil[.]example/x",
            "ada[at]acme[.]example",
            "ada [at] acme [dot] example",
        ):
            with self.subTest(text=text):
                self.assertRegex(Redactor().redact(text), r"^<(ip|url|email)-1>$")

    def test_it_leaves_the_names_of_services_that_hold_a_persons(self):
        redactor = Redactor(people=PEOPLE, keep=["Mark-API", "Database"])

        self.assertEqual(redactor.redact("Mark-API of Mark"), "Mark-API of <person-1>")

    def test_it_gives_the_same_name_to_the_same_thing(self):
        redactor = Redactor()

        sent = [redactor.redact(text) for text in ("db-3 is down", "web-01 calls DB-3")]

        self.assertEqual(sent, ["<host-1> is down", "<host-2> calls <host-1>"])

    def test_it_knows_machines_by_name(self):
        redactor = Redactor(hosts=["zeus", "payments"], keep=["payments"])

        self.assertEqual(redactor.redact("zeus runs payments"), "<host-1> runs payments")

    def test_it_takes_no_pseudonym_from_a_text(self):
        redactor = Redactor()

        sent = redactor.redact("db-3 says <host-1> and <host-9>")

        self.assertEqual(sent, "<host-1> says (<host-2>) and (<host-3>)")
        self.assertEqual(redactor.restore("<host-77>"), "<host-77>")


class PlainTests(SimpleTestCase):
    def test_it_decodes_what_hides_letters(self):
        for text in (
            "%70assword", "%2570assword", "\\u0070assword", "\\x70assword", "&#112;assword", "p\u200bassword",
            "ｐassword", "p\u0332assword", "p\\x00a\\x00ssword",
        ):  # fmt: skip
            with self.subTest(text=text):
                self.assertEqual(plain(text), "password")

    def test_it_folds_character_for_character(self):
        self.assertTrue(all(isinstance(one, int) for one in LOOK_ALIKES.values()))
