import io

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.urls import reverse
from openpyxl import load_workbook

from responders.models import Membership, Service, Team
from users.tests.factories import make_admin, make_responder

TEAMS = reverse("admin:responders_team_changelist")


class Base(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin()
        cls.rahel, cls.tom = make_responder(email="rahel@example.com"), make_responder(email="tom@example.com")
        cls.team = Team.objects.create(name="Database")
        Membership.objects.create(team=cls.team, user=cls.rahel)

    def setUp(self) -> None:
        self.client.force_login(self.admin)


class TeamTests(Base):
    def test_it_changes_members_and_says_who_did(self) -> None:
        sent = {
            "name": "Storage",
            "description": "",
            "memberships-TOTAL_FORMS": "2",
            "memberships-INITIAL_FORMS": "1",
            "memberships-0-id": self.team.memberships.get().pk,
            "memberships-0-team": self.team.pk,
            "memberships-0-user": self.rahel.pk,
            "memberships-0-DELETE": "on",
            "memberships-1-team": self.team.pk,
            "memberships-1-user": self.tom.pk,
        }

        self.client.post(reverse("admin:responders_team_change", args=[self.team.pk]), sent)

        self.team.refresh_from_db()
        self.assertEqual((self.team.name, list(self.team.members.all())), ("Storage", [self.tom]))
        about_members = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(Membership), actor=self.admin
        )
        self.assertEqual(
            sorted(entry.action for entry in about_members), [LogEntry.Action.CREATE, LogEntry.Action.DELETE]
        )

    def test_it_counts_members_in_the_list(self) -> None:
        answer = self.client.get(TEAMS)

        self.assertEqual(answer.context["cl"].result_list[0].number, 1)

    def test_it_shows_responders_a_team_without_fields(self) -> None:
        self.client.force_login(self.tom)

        answer = self.client.get(reverse("admin:responders_team_change", args=[self.team.pk]))

        self.assertContains(answer, "Database")
        self.assertNotContains(answer, 'name="name"')

    def test_it_deletes_a_team(self) -> None:
        self.client.post(reverse("admin:responders_team_delete", args=[self.team.pk]), {"post": "yes"})

        self.assertFalse(Team.objects.exists())


class ExchangeTests(Base):
    def send(self, kind: str, text: str):
        file = SimpleUploadedFile("rows.csv", text.encode(), content_type="text/csv")
        shown = self.client.post(reverse(f"admin:responders_{kind}_import"), {"import_file": file, "format": "0"})
        form = shown.context.get("confirm_form")
        if form is None:
            return shown
        return self.client.post(reverse(f"admin:responders_{kind}_process_import"), form.initial, follow=True)

    def test_it_imports_teams_with_members(self) -> None:
        self.send("team", "name,description,members\nDatabase,Storage,tom@example.com\nNetwork,,RAHEL@example.com\n")

        members = {team.name: [user.email for user in team.members.all()] for team in Team.objects.all()}
        self.assertEqual(members, {"Database": ["tom@example.com"], "Network": ["rahel@example.com"]})

    def test_it_previews_the_members_that_come_and_go(self) -> None:
        file = SimpleUploadedFile("x.csv", b"name,members\nDatabase,tom@example.com\nNetwork,rahel@example.com\n")
        shown = self.client.post(reverse("admin:responders_team_import"), {"import_file": file, "format": "0"})

        old, new = (row.diff[-1] for row in shown.context["result"].valid_rows())
        self.assertIn("<del", old)
        self.assertIn("<ins", new)
        self.assertIn("rahel@example.com", new)
        self.assertEqual(list(self.team.members.all()), [self.rahel])

    def test_it_says_which_teams_stay_as_they_are(self) -> None:
        rows = b"name,members\nDatabase,RAHEL@example.com\nNetwork,tom@example.com\n"
        file = SimpleUploadedFile("x.csv", rows, content_type="text/csv")
        shown = self.client.post(reverse("admin:responders_team_import"), {"import_file": file, "format": "0"})

        self.assertEqual([row.import_type for row in shown.context["result"].rows], ["skip", "new"])

    def test_it_leaves_members_alone_without_their_column(self) -> None:
        self.send("team", "name,description\nDatabase,Changed\n")

        self.team.refresh_from_db()
        self.assertEqual((self.team.description, list(self.team.members.all())), ("Changed", [self.rahel]))

    def test_it_names_people_and_teams_nobody_knows(self) -> None:
        team = self.send("team", "name,members\nDatabase,ghost@example.com\n")
        service = self.send("service", "slug,name,team\ndns,DNS,Ghosts\n")

        self.assertContains(team, "Nobody has the address ghost@example.com")
        self.assertContains(service, "There is no team named Ghosts")
        self.assertEqual(list(self.team.members.all()), [self.rahel])
        self.assertFalse(Service.objects.exists())

    def test_it_brings_back_what_it_exported(self) -> None:
        service = Service.objects.create(name="=DNS", slug="dns", team=self.team)

        exported = self.client.post(
            reverse("admin:responders_service_export"),
            {"format": "0", **{f"serviceresource_{name}": "on" for name in ("slug", "name", "description", "team")}},
        ).content.decode()
        service.delete()
        self.send("service", exported)

        self.assertIn("'=DNS", exported)
        self.assertEqual(Service.objects.values_list("name", "team__name").get(), ("=DNS", "Database"))

    def test_it_exports_rows_that_no_spreadsheet_can_hold(self) -> None:
        Team.objects.filter(pk=self.team.pk).update(name="Data\bbase", description="one\n=1+1;@x\x1f")

        answer = self.client.post(
            reverse("admin:responders_team_export"),
            {"format": "1", **{f"teamresource_{name}": "on" for name in ("name", "description", "members")}},
        )

        rows = list(load_workbook(io.BytesIO(answer.content)).active.values)
        self.assertEqual(rows[1], ("Data\ufffdbase", "one\n'=1+1;'@x\ufffd", "rahel@example.com"))

    def test_it_takes_back_text_of_many_lines(self) -> None:
        text = "one\n- two;=3\r\n\t@four '=5"
        Service.objects.create(name="DNS", slug="dns", description=text)
        fields = {f"serviceresource_{name}": "on" for name in ("slug", "name", "description", "team")}

        exported = self.client.post(reverse("admin:responders_service_export"), {"format": "0", **fields})
        Service.objects.update(description="other")
        self.send("service", exported.content.decode())

        self.assertEqual(Service.objects.get().description, text)
