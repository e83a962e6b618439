"""Logs in every code page are text, and can be read."""

import io
import os
import random

from django.test import SimpleTestCase

from core.errors import DomainError
from incidents.attachments import inspect
from incidents.attachments.charsets import detect_encoding, guess_code_page
from incidents.tests.files import picture, upload, zip_file

# Language → a line as its programs write it, and the encodings that they use.
LINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "German": (
        "29.11.2026 10:00 Störung: Tür öffnet nicht, größer als erwartet, Gerät prüfen\r\n",
        (
            "cp1252",
            "iso8859-15",
            "cp850",
            "cp437",
            "mac-roman",
            "utf-16-le",
            "utf-16-be",
            "utf-32-le",
            "cp500",
            "cp273",
        ),
    ),
    "French": (
        "29/11/2026 ERREUR : échec de la connexion au serveur, délai dépassé à l'étape n° 3, accès refusé\n",
        ("cp1252", "iso8859-1", "cp850"),
    ),
    "Polish": (
        "2026-11-29 Błąd połączenia z bazą danych: przekroczono limit czasu żądania, spróbuj później\n",
        ("cp1250", "iso8859-2", "cp852"),
    ),
    "Czech": (
        "2026-11-29 Chyba: připojení k serveru selhalo, zkuste to prosím později. Příliš mnoho požadavků\n",
        ("cp1250", "iso8859-2", "cp852"),
    ),
    "Russian": (
        "29.11.2026 10:00 Ошибка: не удалось подключиться к серверу, превышено время ожидания ответа\r\n",
        ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic", "utf-16-le"),
    ),
    "Greek": (
        "29/11/2026 Σφάλμα: η σύνδεση με τον διακομιστή απέτυχε, δοκιμάστε ξανά αργότερα\n",
        ("cp1253", "iso8859-7", "cp737"),
    ),
    "Turkish": (
        "29.11.2026 Hata: sunucuya bağlanılamadı, lütfen daha sonra yeniden deneyin. Şifre geçersiz, işlem başarısız\n",
        ("cp1254", "cp857"),
    ),
    "Hebrew": ("29/11/2026 שגיאה: החיבור לשרת נכשל, נסה שוב מאוחר יותר\n", ("cp1255", "cp862")),
    "Arabic": ("29/11/2026 خطأ: فشل الاتصال بالخادم، حاول مرة أخرى لاحقا\n", ("cp1256", "iso8859-6")),
    "Thai": ("2026-11-29 ข้อผิดพลาด: ไม่สามารถเชื่อมต่อกับเซิร์ฟเวอร์ กรุณาลองใหม่ภายหลัง\n", ("cp874",)),
    "Japanese": (
        "2026-11-29 エラー: サーバーに接続できませんでした。ファイルが見つかりません。\r\n",
        ("cp932", "euc-jp", "iso2022_jp", "utf-16-le"),
    ),
    "Chinese": (
        "2026-11-29 错误：无法连接到服务器，请稍后重试。文件不存在，磁盘空间不足\r\n",
        ("gb18030", "utf-16-be"),
    ),
    "Chinese of Taiwan": ("2026-11-29 錯誤：無法連線到伺服器，請稍後再試。磁碟空間不足\r\n", ("big5",)),
    "Korean": ("2026-11-29 오류: 서버에 연결할 수 없습니다. 나중에 다시 시도하십시오.\r\n", ("euc-kr", "cp949")),
}
ASCII_LOG = "2026-11-29 10:00:01 INFO [main] com.example.App - started\r\n"


def copied(content: bytes, name: str = "app.log") -> str:
    (checked,) = inspect([upload(content, name)])
    if checked.copy is None:
        return content.decode("utf-8-sig")
    checked.copy.seek(0)
    return checked.copy.read().decode()


class EncodingTests(SimpleTestCase):
    """Which encoding a text is in."""

    def test_it_reads_each_languages_logs_in_each_of_its_encodings(self) -> None:
        for language, (line, encodings) in LINES.items():
            for encoding in encodings:
                with self.subTest(language, encoding=encoding):
                    self.assertEqual(copied(line.encode(encoding)), line)

    def test_it_reads_marked_unicode(self) -> None:
        line = LINES["Japanese"][0]
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
            with self.subTest(encoding):
                self.assertEqual(copied(line.encode(encoding)), line)
        for encoding, mark in (("utf-16-be", b"\xfe\xff"), ("utf-32-be", b"\0\0\xfe\xff")):
            with self.subTest(encoding):
                self.assertEqual(copied(mark + line.encode(encoding)), line)

    def test_it_finds_the_telling_line_far_down_a_long_log(self) -> None:
        for language, encoding in (("German", "cp1252"), ("Russian", "cp1251"), ("Japanese", "cp932")):
            with self.subTest(language):
                text = ASCII_LOG * 20_000 + LINES[language][0]

                self.assertEqual(copied(text.encode(encoding))[-40:], text[-40:])

    def test_it_reads_one_word_again_and_again(self) -> None:
        for text, encoding in (("エラー", "cp932"), ("エラー", "euc-jp"), ("tâche", "cp1252"), ("ошибка", "cp1251")):
            with self.subTest(text, encoding=encoding):
                content = f"{text}: 2026\n".encode(encoding) * 1000

                self.assertEqual(copied(content)[:10], f"{text}: 2026\n"[:10])

    def test_it_reads_a_log_without_line_ends(self) -> None:
        text = "started " * 100_000 + "Störung der Tür"

        self.assertEqual(copied(text.encode("cp1252")), text)

    def test_it_reads_few_words_as_western(self) -> None:
        for text in ("größe", "café", "naïve Lösung: 20 °C", "ERREUR – accès refusé"):
            with self.subTest(text):
                self.assertEqual(guess_code_page(text.encode("cp1252")), "cp1252")
        self.assertEqual(guess_code_page("größe".encode("cp850")), "cp850")

    def test_it_keeps_utf8_readable_around_what_is_not(self) -> None:
        text = "größe ändern: 満杯\n" * 10
        cases = {
            "cut in a letter": text.encode()[:-2] + "ö".encode()[:1],
            "begins in a letter": "ö".encode()[1:] + text.encode(),
            "another program's line": text.encode() + "Störung\n".encode("cp1252"),
        }
        for case, content in cases.items():
            with self.subTest(case):
                self.assertIn("größe ändern: 満杯", copied(content))
        self.assertTrue(copied(cases["another program's line"]).endswith("Störung\n"))

    def test_it_tells_csv_and_json_in_any_encoding(self) -> None:
        grid, tree = "Gerät;Größe\nTür;3\n", '{"fehler": "Störung an der Tür"}'
        for encoding in ("cp1252", "cp850", "utf-16", "utf-8-sig"):
            for text, media_type in ((grid, "text/csv"), (tree, "application/json")):
                with self.subTest(media_type, encoding=encoding):
                    (checked,) = inspect([upload(text.encode(encoding), "a.txt")])

                    self.assertEqual(checked.kind.media_type, media_type)

    def test_it_refuses_what_is_no_text_in_any_encoding(self) -> None:
        dice = random.Random(4)
        cases = {f"noise {number}": dice.randbytes(size) for number, size in enumerate((200, 1000, 100_000))}
        cases |= {
            "numbers of two bytes": b"".join(dice.randrange(65536).to_bytes(2, "little") for _ in range(500)),
            "small numbers of four bytes": b"".join(dice.randrange(999).to_bytes(4, "little") for _ in range(500)),
            "marked noise": b"\xff\xfe" + dice.randbytes(2000),
            "zeros": bytes(100),
            "ZIP": zip_file(content=os.urandom(500)),
            "bitmap": picture("BMP"),
            "markup in UTF-16 without a mark": "<!DOCTYPE html><script>alert(1)</script>".encode("utf-16-le"),
            "markup in EBCDIC": "<script>alert(1)</script> some more text".encode("cp500"),
        }
        for case, content in cases.items():
            with self.subTest(case), self.assertRaises(DomainError) as caught:
                copied(content)
            self.assertEqual(caught.exception.status, 415)

    def test_it_names_an_encoding_whatever_comes(self) -> None:
        dice = random.Random(5)
        for size in range(40):
            content = dice.randbytes(size)
            with self.subTest(content):
                content.decode(detect_encoding(io.BytesIO(content)), "replace")
