import codecs
import io

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from users.models import Role, User
from users.tests.factories import PASSWORD, make_reporter
from users.tests.test_admin import Base


class ExchangeTests(Base):
    def send(self, text: str, *, confirm: bool = True):
        url = reverse("admin:users_user_import")
        file = SimpleUploadedFile("people.csv", text.encode(), content_type="text/csv")
        shown = self.client.post(url, {"import_file": file, "format": "0"})
        form = shown.context.get("confirm_form") if shown.context else None
        if form is None or not confirm:
            return shown
        return self.client.post(reverse("admin:users_user_process_import"), form.initial, follow=True)

    def test_it_imports_people(self) -> None:
        self.send(
            "email,name,role,is_active,time_zone\n"
            "Neu@example.com,Neu,responder,1,Europe/Zurich\n"
            "rita@example.com,Rita R.,reporter,1,UTC\n"
        )

        new = User.objects.get(email="neu@example.com")
        self.person.refresh_from_db()
        self.assertEqual((new.name, new.role, new.time_zone), ("Neu", Role.RESPONDER, "Europe/Zurich"))
        self.assertFalse(new.has_usable_password())
        self.assertEqual(self.person.name, "Rita R.")
        self.assertTrue(self.person.check_password(PASSWORD))

    def test_it_tells_each_rows_error_and_stores_none(self) -> None:
        answer = self.send(
            "email,name,role,is_active,time_zone\n"
            "good@example.com,Good,reporter,1,UTC\n"
            "bad,Bad,reporter,1,UTC\n"
            "x@example.com,X,king,1,UTC\n"
            "y@example.com,Y,reporter,1,Mars/Olympus\n"
        )

        self.assertContains(answer, "Enter a valid email address")
        self.assertContains(answer, "king")
        self.assertContains(answer, "Mars/Olympus is not a time zone")
        self.assertFalse(User.objects.filter(email="good@example.com").exists())

    def test_it_tells_refusals_by_the_lines_of_the_file(self) -> None:
        header = "email,name,role,is_active,time_zone\n"
        good = '"good@example.com",Good,reporter,1,UTC\n'

        row = self.send(f"{header}{good}\n{good.replace('good@', 'well@')}bad,Bad,reporter,1,UTC\n", confirm=False)

        self.assertEqual([refused.number for refused in row.context["result"].invalid_rows], [5])

    def test_it_keeps_the_last_administrator(self) -> None:
        answer = self.send("email,name,role,is_active,time_zone\nada@example.com,Ada,reporter,1,UTC\n")

        self.assertContains(answer, "last active administrator")
        self.admin.refresh_from_db()
        self.assertTrue(self.admin.is_superuser)

    def test_it_refuses_unknown_columns(self) -> None:
        answer = self.send("email,name,password\nrita@example.com,Rita,secret\n")

        self.assertContains(answer, "Unknown columns: password")

    def test_it_exports_without_passwords_and_defused(self) -> None:
        make_reporter(email="evil@example.com", name="=HYPERLINK(1)")

        answer = self.client.post(reverse("admin:users_user_export"), self._export_form("0"))

        text = answer.content.decode("utf-8-sig")
        self.assertTrue(answer.content.startswith(codecs.BOM_UTF8))
        self.assertEqual(text.splitlines()[0], "email,name,role,is_active,time_zone")
        self.assertIn("'=HYPERLINK(1)", text)
        self.assertNotIn("pbkdf2", text)

    def test_it_exports_spreadsheets_that_can_be_imported_again(self) -> None:
        answer = self.client.post(reverse("admin:users_user_export"), self._export_form("1"))

        rows = list(load_workbook(io.BytesIO(answer.content)).active.values)
        self.assertEqual(rows[0], ("email", "name", "role", "is_active", "time_zone"))
        self.assertEqual(len(rows), 3)

    def test_it_exports_rows_that_no_file_can_hold(self) -> None:
        make_reporter(email="ivan@example.com", name="Iv\bn;=1+1")

        text = self.client.post(reverse("admin:users_user_export"), self._export_form("0")).content.decode()
        answer = self.client.post(reverse("admin:users_user_export"), self._export_form("1"))

        names = [row[1] for row in load_workbook(io.BytesIO(answer.content)).active.values]
        self.assertIn("Iv\ufffdn;'=1+1", names)
        self.assertIn("ivan@example.com,Iv\ufffdn;'=1+1,", text)

    def test_it_takes_back_what_it_exported(self) -> None:
        kept = make_reporter(email="kept@example.com", name="a;=1")

        exported = self.client.post(reverse("admin:users_user_export"), self._export_form("0")).content.decode()
        User.objects.filter(pk=kept.pk).update(name="other")
        self.send(exported)

        kept.refresh_from_db()
        self.assertEqual(kept.name, "a;=1")

    def _export_form(self, format_number: str) -> dict[str, object]:
        fields = {f"userresource_{name}": "on" for name in ("email", "name", "role", "is_active", "time_zone")}
        return {"format": format_number, "resource": "0", **fields}
