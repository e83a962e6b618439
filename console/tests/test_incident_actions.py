import json
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerts.tests.factories import fire, make_source
from console import undo
from console.tests.test_incident_pages import HX, IncidentPageTests
from core.severity import Severity
from incidents import services
from incidents.models import Attachment, Incident, IncidentEvent, IncidentLink, Status, Subscription
from incidents.services import attaching
from incidents.tests.factories import kinds_of, make_incident, make_team
from incidents.tests.files import body_of, inspected, picture, upload
from users.models import User
from users.tests.factories import make_responder


class IncidentActionTests(IncidentPageTests):
    def post(self, user: User, name: str, /, *args: object, follow: bool = False, hx: bool = False, **data: Any) -> Any:
        self.client.force_login(user)
        url = reverse(f"console:{name}", args=[self.incident.reference, *args])
        data.setdefault("seen", str(self.stored().event_count))
        return self.client.post(url, data, follow=follow, headers=HX if hx else {})

    def stored(self) -> Incident:
        return Incident.objects.get(pk=self.incident.pk)

    def told(self, response: Any) -> str:
        return str(response.content.decode())


class OnceTests(IncidentActionTests):
    def notes(self) -> list[str]:
        events = IncidentEvent.objects.filter(incident=self.incident).exclude(body="").order_by("seq")
        return list(events.values_list("body", flat=True))

    def test_it_adds_the_same_words_of_a_form_once(self) -> None:
        for uid, message in (("one", "Looking"), ("one", "Looking"), ("one", "Found it"), ("two", "Looking")):
            response = self.post(self.ben, "incident-update", message=message, client_uid=uid, hx=True)
            self.assertEqual(response.status_code, 200)

        self.assertEqual(self.notes(), ["Looking", "Found it", "Looking"])

    def test_it_adds_the_note_of_a_move_once(self) -> None:
        for _again in range(2):
            response = self.post(self.ben, "incident-move", "resolve", note="Restarted", client_uid="one", hx=True)
            self.assertEqual(response.status_code, 200)

        self.assertEqual((self.stored().status, self.notes()), (Status.RESOLVED, ["Restarted"]))

    def test_it_keeps_the_form_in_every_place_where_words_are_asked_again(self) -> None:
        self.client.force_login(self.ben)
        page = self.client.get(reverse("console:incident", args=[self.incident.reference]))
        refused = self.post(self.ben, "incident-update", message="", client_uid="mine")

        self.assertContains(page, 'name="client_uid"')
        self.assertContains(refused, 'value="mine"', status_code=400)


class PermissionTests(IncidentActionTests):
    def test_it_lets_only_those_work_who_may(self) -> None:
        actions: list[tuple[str, list[Any], dict[str, Any]]] = [
            ("incident-move", ["acknowledge"], {}),
            ("incident-take", [], {}),
            ("incident-release", [], {}),
            ("incident-change", ["severity"], {"severity": "4", "initial-severity": "2"}),
            ("incident-change", ["details"], {"title": "Other", "initial-title": "Checkout is down"}),
            ("incident-change", ["access"], {"is_restricted": "true", "initial-is_restricted": "false"}),
            ("incident-followers", [], {"user": self.stranger.pk}),
            ("incident-follower-remove", [self.ben.pk], {}),
            ("incident-link", [], {"kind": "related_to", "target": self.incident.reference}),
            ("incident-merge", [], {"into": self.incident.reference}),
            ("incident-page", [], {"targets": [f"user:{self.ben.pk}"]}),
            ("incident-redact", [1], {}),
            ("incident-delete", [], {}),
        ]
        before = self.stored().event_count
        for user, refusal in ((self.stranger, 403), (self.reporter, 403), (self.outsider, 404)):
            for name, args, data in actions:
                if name in ("incident-redact", "incident-delete") and user == self.outsider:
                    continue  # not for the role
                with self.subTest(user=user.name, action=name, args=args):
                    self.assertEqual(self.post(user, name, *args, **data).status_code, refusal)
        self.assertEqual(self.stored().event_count, before)

    def test_it_sends_strangers_to_sign_in(self) -> None:
        for name in ("incident", "incident-live"):
            response = self.client.get(reverse(f"console:{name}", args=[self.incident.reference]))
            self.assertIn("next=", response["Location"])
        url = reverse("console:incident-update", args=[self.incident.reference])
        self.assertEqual(self.client.post(url, {"message": "x"}, headers=HX).status_code, 401)

    def test_it_refuses_posts_without_token_and_changes_by_get(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.ben)
        url = reverse("console:incident-take", args=[self.incident.reference])

        self.assertEqual(strict.post(url).status_code, 403)
        self.assertEqual(strict.get(url).status_code, 405)
        self.assertIsNone(self.stored().assignee)

    def test_it_redirects_within_the_site_only(self) -> None:
        self.client.force_login(self.ben)
        response = self.client.post(reverse("console:undo"), {"token": "x", "next": "https://evil.example/"})
        self.assertEqual(response.status_code, 409)
        before = undo.snapshot(self.stored())
        changed = services.assign_person(self.incident, self.ben, by=self.ben)
        token = undo.undo_token([undo.change_between(before, undo.snapshot(changed), self.ben)], self.ben)  # type: ignore[list-item]

        response = self.client.post(reverse("console:undo"), {"token": token, "next": "https://evil.example/"})

        self.assertEqual(response["Location"], reverse("console:incidents"))


class MoveTests(IncidentActionTests):
    def test_it_moves_and_redirects_without_scripts(self) -> None:
        response = self.post(self.ben, "incident-move", "acknowledge", list="is_open=true")

        self.assertEqual(response.status_code, 302)
        self.assertIn("list=is_open%3Dtrue", response["Location"])
        self.assertEqual(self.stored().status, Status.ACKNOWLEDGED)

    def test_it_answers_scripts_with_header_and_new_entries(self) -> None:
        told = self.told(self.post(self.ben, "incident-move", "acknowledge", hx=True))

        self.assertIn('data-part="header"', told)
        self.assertIn("status-acknowledged", told)
        self.assertIn("Acknowledged", told.split('data-part="entries"')[1])
        self.assertIn('data-part="toast"', told)
        self.assertNotIn("<html", told)

    def test_it_takes_every_way_of_the_lifecycle(self) -> None:
        for name, status in (
            ("acknowledge", Status.ACKNOWLEDGED),
            ("start", Status.IN_PROGRESS),
            ("hold", Status.ON_HOLD),
            ("resume", Status.IN_PROGRESS),
            ("resolve", Status.RESOLVED),
            ("close", Status.CLOSED),
            ("reopen", Status.OPEN),
        ):
            with self.subTest(name):
                self.post(self.ben, "incident-move", name, note="Because.")
                self.assertEqual(self.stored().status, status)

    def test_it_asks_for_a_note_where_one_is_needed(self) -> None:
        services.transition(self.incident, Status.IN_PROGRESS, by=self.ben)

        self.assertContains(self.post(self.ben, "incident-move", "hold"), "required", status_code=400)
        self.client.force_login(self.ben)
        page = self.client.get(reverse("console:incident-move", args=[self.incident.reference, "hold"]))
        self.assertContains(page, "<textarea")
        self.assertEqual(self.post(self.ben, "incident-move", "nonsense").status_code, 404)

    def test_it_posts_an_update_and_moves_in_one_step(self) -> None:
        self.post(self.ben, "incident-update", message="Disk replaced.", visibility="public", then="resolve")

        self.assertEqual(kinds_of(self.incident)[-1], "resolved")
        self.assertEqual(self.incident.events.get(kind="resolved").body, "Disk replaced.")

    def test_it_keeps_an_internal_note_internal_when_it_moves(self) -> None:
        self.post(self.ben, "incident-update", message="zzsecret", visibility="internal", then="resolve")

        self.assertNotContains(self.open(self.reporter), "zzsecret")
        self.assertContains(self.open(self.ben), "zzsecret")

    def test_it_refuses_internal_notes_of_reporters(self) -> None:
        self.assertEqual(
            self.post(self.reporter, "incident-update", message="x", visibility="internal").status_code, 403
        )
        self.post(self.reporter, "incident-update", message="Any news?")
        self.assertEqual(IncidentEvent.objects.get(body="Any news?").visibility, "public")

    def test_it_previews_without_markup(self) -> None:
        self.client.force_login(self.reporter)

        shown = self.client.post(reverse("console:incident-preview"), {"message": "*a* <img src=x onerror=alert(1)>"})

        self.assertContains(shown, "<em>a</em>")
        self.assertNotContains(shown, "<img")


class RaceTests(IncidentActionTests):
    def test_it_tells_who_was_first_and_keeps_the_note(self) -> None:
        seen = str(self.stored().event_count)
        services.transition(self.incident, Status.ACKNOWLEDGED, by=self.admin)

        response = self.post(self.ben, "incident-move", "start", note="I have it.", seen=seen)

        self.assertContains(response, "Ada acknowledged this", status_code=409)
        self.assertContains(response, "I have it.", status_code=409)
        self.assertContains(response, "Do it anyway", status_code=409)
        self.assertEqual(self.stored().status, Status.ACKNOWLEDGED)
        self.post(self.ben, "incident-move", "start", note="I have it.")
        self.assertEqual(self.stored().status, Status.IN_PROGRESS)

    def test_it_never_reopens_by_an_acknowledgement_that_comes_late(self) -> None:
        seen = str(self.stored().event_count)
        services.transition(self.incident, Status.RESOLVED, by=self.admin)

        response = self.post(self.ben, "incident-update", message="On it.", then="acknowledge", seen=seen)

        self.assertContains(response, "Ada resolved this", status_code=409)
        self.assertContains(response, "Your note was kept.", status_code=409)
        self.assertNotContains(response, "Do it anyway", status_code=409)
        self.assertEqual(self.stored().status, Status.RESOLVED)
        self.assertFalse(IncidentEvent.objects.filter(body="On it.").exists())

    def test_it_adds_the_note_where_the_other_did_the_same(self) -> None:
        seen = str(self.stored().event_count)
        services.transition(self.incident, Status.ACKNOWLEDGED, by=self.admin)

        told = self.told(self.post(self.ben, "incident-move", "acknowledge", note="Me too.", seen=seen, hx=True))

        self.assertIn("Ada acknowledged this", told)
        self.assertEqual(kinds_of(self.incident)[-2:], ["acknowledged", "comment"])

    def test_it_is_not_disturbed_by_what_does_not_matter(self) -> None:
        seen = str(self.stored().event_count)
        services.update(self.incident, by=self.admin, fields={"location": "Room 4"})
        services.comment(self.incident, "Hello", by=self.admin)

        self.post(self.ben, "incident-move", "acknowledge", seen=seen)

        self.assertEqual(self.stored().status, Status.ACKNOWLEDGED)

    def test_it_warns_before_resolving_what_still_fires(self) -> None:
        source = make_source(name="Grafana")
        alert = fire(source, title="Disk full on db1")
        self.incident = alert.incident  # type: ignore[assignment]

        response = self.post(self.admin, "incident-move", "resolve", note="Should be fine.")

        self.assertContains(response, "Disk full on db1", status_code=409)
        self.assertContains(response, "Should be fine.", status_code=409)
        self.assertEqual(self.stored().status, Status.OPEN)
        self.post(self.admin, "incident-move", "resolve", note="Should be fine.", confirmed="1")
        self.assertEqual(self.stored().status, Status.RESOLVED)


class ChangeTests(IncidentActionTests):
    def change(self, group: str, user: User | None = None, **data: Any) -> Any:
        return self.post(user or self.ben, "incident-change", group, **data)

    def test_it_changes_only_what_was_edited(self) -> None:
        services.update(self.incident, by=self.admin, fields={"description": "Changed by Ada"})

        self.change(
            "details",
            **{
                "title": "Pay is down",
                "initial-title": "Checkout is down",
                "description": "**All** of it",
                "initial-description": "**All** of it",
            },
        )

        self.assertEqual((self.stored().title, self.stored().description), ("Pay is down", "Changed by Ada"))

    def test_it_tells_conflicts_in_the_same_field(self) -> None:
        seen = str(self.stored().event_count)
        services.update(self.incident, by=self.admin, fields={"severity": Severity.CRITICAL})
        data = {"severity": "1", "initial-severity": "2", "seen": seen}

        response = self.change("severity", **data)

        self.assertContains(response, "Ada changed the severity", status_code=409)
        self.assertContains(response, "Save anyway", status_code=409)
        self.assertEqual(self.stored().severity, Severity.CRITICAL)
        self.change("severity", **{**data, "seen": str(self.stored().event_count)})
        self.assertEqual(self.stored().severity, Severity.LOW)

    def test_it_hands_over_to_another_team_with_a_note(self) -> None:
        other = make_team("Network", make_responder())

        response = self.change(
            "assignment", **{"team": other.pk, "initial-team": self.team.pk, "note": "Looks like the switch."}
        )

        self.assertEqual(response.status_code, 302)
        self.assertEqual(self.stored().team, other)
        self.assertEqual(self.incident.events.filter(kind="team_changed").last().body, "Looks like the switch.")  # type: ignore[union-attr]

    def test_it_lets_a_restricted_incident_be_seen_only_when_told_to(self) -> None:
        services.update(self.incident, by=None, fields={"is_restricted": True})
        data = {"assignee": self.stranger.pk, "initial-assignee": ""}

        refused = self.change("assignment", **data)
        granted = self.change("assignment", **data, grants_access="on")

        self.assertEqual((refused.status_code, granted.status_code), (409, 302))
        self.assertEqual(self.stored().assignee, self.stranger)

    def test_it_restricts_and_unrestricts(self) -> None:
        self.change("access", **{"is_restricted": "true", "initial-is_restricted": "false"})
        self.assertTrue(self.stored().is_restricted)
        self.change("access", **{"is_restricted": "false", "initial-is_restricted": "true"})
        self.assertFalse(self.stored().is_restricted)

    def test_it_refuses_services_that_there_cannot_be(self) -> None:
        for number in ("9" * 30, "9" * 18, "x"):
            with self.subTest(number=number):
                response = self.post(self.ben, "incident-change", "details", title="Checkout is down", services=number)

                self.assertEqual(response.status_code, 400)

    def test_it_lets_reporters_edit_their_own_while_open(self) -> None:
        data = {"title": "Till 4 is down", "initial-title": "Checkout is down"}

        self.assertEqual(self.change("report", self.reporter, **data).status_code, 302)
        self.assertEqual(self.stored().title, "Till 4 is down")
        services.transition(self.incident, Status.RESOLVED, by=self.ben)
        self.assertEqual(self.change("report", self.reporter, **data).status_code, 403)
        self.assertNotContains(self.open(self.reporter), "/change/report/")

    def test_it_takes_and_releases(self) -> None:
        self.post(self.ben, "incident-take")
        self.assertEqual(self.stored().assignee, self.ben)
        self.post(self.ben, "incident-release")
        self.assertIsNone(self.stored().assignee)


class UndoTests(IncidentActionTests):
    def token_in(self, told: str) -> str:
        return told.split('name="token" value="')[1].split('"')[0]

    def test_it_offers_undo_in_the_toast_and_shows_the_result(self) -> None:
        told = self.told(self.post(self.ben, "incident-take", hx=True))

        self.client.force_login(self.ben)
        answer = self.client.post(
            reverse("console:undo"), {"token": self.token_in(told), "seen": "1"}, headers=HX
        ).content.decode()

        self.assertIsNone(self.stored().assignee)
        self.assertIn("Undone.", answer)
        self.assertIn('data-part="header"', answer)

    def test_it_offers_undo_without_scripts(self) -> None:
        page = self.told(self.post(self.ben, "incident-move", "resolve", follow=True))

        self.client.post(reverse("console:undo"), {"token": self.token_in(page)})

        self.assertEqual(self.stored().status, Status.OPEN)

    def test_it_refuses_when_somebody_changed_it_meanwhile(self) -> None:
        told = self.told(self.post(self.ben, "incident-take", hx=True))
        services.update(self.incident, by=self.admin, fields={"location": "Room 4"})

        answer = self.client.post(reverse("console:undo"), {"token": self.token_in(told)}, follow=True)

        self.assertContains(answer, "changed in the meantime")
        self.assertEqual(self.stored().assignee, self.ben)


class PeopleTests(IncidentActionTests):
    def test_it_follows_and_unfollows(self) -> None:
        self.post(self.stranger, "incident-follow")
        self.assertTrue(Subscription.objects.filter(incident=self.incident, user=self.stranger).exists())
        self.post(self.stranger, "incident-unfollow")
        self.assertFalse(Subscription.objects.filter(incident=self.incident, user=self.stranger).exists())

    def test_it_adds_and_removes_followers(self) -> None:
        self.post(self.ben, "incident-followers", user=self.outsider.pk)
        self.assertEqual(self.open(self.outsider).status_code, 200)
        self.post(self.ben, "incident-follower-remove", self.outsider.pk)
        self.assertEqual(self.open(self.outsider).status_code, 404)

    def test_it_links_and_unlinks(self) -> None:
        other = make_incident(title="The other one")
        self.post(self.ben, "incident-link", kind="related_to", target=other.reference.lower())
        link = IncidentLink.objects.get()

        self.assertContains(self.open(self.ben), "The other one")
        self.post(self.ben, "incident-unlink", link.pk)

        self.assertFalse(IncidentLink.objects.exists())

    def test_it_says_nothing_of_hidden_incidents(self) -> None:
        hidden = make_incident(by=self.admin, title="zzhidden", is_restricted=True)
        services.link(self.incident, hidden, "related_to", by=self.admin)
        link = IncidentLink.objects.get()

        for name in ("incident", "incident-live"):
            self.assertNotContains(self.open(self.ben, name, after="1"), hidden.reference)
        self.assertEqual(self.post(self.ben, "incident-unlink", link.pk).status_code, 404)
        self.assertContains(
            self.post(self.ben, "incident-link", kind="related_to", target=hidden.reference),
            "does not exist",
            status_code=400,
        )

    def test_it_marks_duplicates_and_merges(self) -> None:
        into = make_incident(title="The first one")
        self.post(self.ben, "incident-merge", into=into.reference)

        self.assertEqual(self.stored().status, Status.RESOLVED)
        self.assertEqual(IncidentLink.objects.get().target, into)

    def test_it_pages_somebody(self) -> None:
        response = self.post(self.ben, "incident-page", targets=[f"user:{self.admin.pk}"], message="Please help.")

        self.assertEqual(response.status_code, 302)
        self.assertContains(self.open(self.ben), "Who was called")
        self.assertNotContains(self.open(self.reporter), "Please help.")
        self.assertEqual(self.post(self.ben, "incident-page", targets=["user:999999"]).status_code, 400)


class RemovalTests(IncidentActionTests):
    def test_it_redacts_for_administrators(self) -> None:
        event = services.comment(self.incident, "password is hunter2", by=self.ben)

        self.post(self.admin, "incident-redact", event.seq, reason="A secret.")

        self.assertNotContains(self.open(self.admin), "hunter2")

    def test_it_deletes_naming_the_incident(self) -> None:
        self.client.force_login(self.admin)
        url = reverse("console:incident-delete", args=[self.incident.reference])

        self.assertContains(self.client.get(url), f"Delete {self.incident.reference} Checkout is down")
        self.client.post(url)

        self.assertIsNotNone(self.stored().deleted_at)
        self.assertEqual(self.open(self.ben).status_code, 404)

    def test_it_leads_back_to_a_list_of_any_words(self) -> None:
        response = self.post(self.admin, "incident-delete", hx=True, list="q=Küche\r\nX-Other: 1")

        self.assertEqual(response.status_code, 204)
        self.assertEqual(response["HX-Redirect"], "/incidents/?q=K%C3%BCche%0D%0AX-Other:%201")


class FileTests(IncidentActionTests):
    def attach(self, name: str = "photo.jpg") -> Attachment:
        return attaching.attach(self.incident, [inspected(picture(), name)], by=self.ben)[0]

    def test_it_adds_files(self) -> None:
        for user, status in ((self.reporter, 302), (self.ben, 302), (self.stranger, 403), (self.outsider, 404)):
            with self.subTest(user=user.name):
                response = self.post(user, "incident-files", files=upload(picture(), "photo.jpg"))
                self.assertEqual(response.status_code, status)
        self.assertContains(self.open(self.reporter), "photo.jpg")

    def test_it_names_the_file_that_is_refused(self) -> None:
        told = self.post(self.ben, "incident-files", files=upload(b"MZ\x90\x00" * 99, "setup.exe"), hx=True)

        self.assertContains(told, "setup.exe", status_code=415)
        self.assertEqual(self.post(self.ben, "incident-files", hx=True).status_code, 400)

    def test_it_sends_files_to_those_who_see_the_incident(self) -> None:
        number = self.attach().pk
        for user, file, original in (
            (self.reporter, 200, 403),
            (self.ben, 200, 200),
            (self.stranger, 200, 200),
            (self.admin, 200, 200),
            (self.outsider, 404, 404),
        ):
            with self.subTest(user=user.name):
                response = self.open(user, "incident-file", number, "file")
                self.assertEqual(response.status_code, file)
                if file == 200:
                    self.assertTrue(body_of(response))
                    self.assertIn("sandbox", response["Content-Security-Policy"])
                    self.assertEqual(response["X-Content-Type-Options"], "nosniff")
                    self.assertEqual(response["Cache-Control"], "private, no-cache")
                answer = self.open(user, "incident-file", number, "original")
                self.assertEqual(answer.status_code, original)
                if original == 200:
                    self.assertTrue(body_of(answer))  # read to its end, as a client does

    def test_it_sends_only_files_of_the_incident(self) -> None:
        number = self.attach().pk
        self.incident = make_incident(by=self.outsider)

        self.assertEqual(self.open(self.outsider, "incident-file", number, "file").status_code, 404)
        self.assertEqual(self.open(self.outsider, "incident-file", number, "nonsense").status_code, 404)

    def test_it_removes_files(self) -> None:
        number = self.attach().pk

        self.assertEqual(self.post(self.reporter, "incident-file-remove", number).status_code, 403)
        self.assertContains(self.open(self.ben, "incident-file-remove", number), "photo.jpg")
        self.post(self.ben, "incident-file-remove", number)

        self.assertFalse(Attachment.objects.exists())


class HostileTextTests(IncidentActionTests):
    TEXT = "\"><img src=x onerror=alert(1)><script>alert(2)</script>'"

    def test_it_runs_nothing_that_people_and_machines_write(self) -> None:
        services.update(
            self.incident, by=self.ben, fields={"title": self.TEXT, "description": self.TEXT, "location": self.TEXT}
        )
        services.comment(self.incident, self.TEXT, by=self.ben)
        services.comment(self.incident, self.TEXT, by=self.ben, visibility="internal")
        attaching.attach(self.incident, [inspected(picture(), f"{self.TEXT}.jpg")], by=self.ben)
        source = make_source(name="Grafana")
        alert = fire(source, title=self.TEXT, labels={"host": self.TEXT}, description=self.TEXT)
        alert.links = [{"href": "javascript:alert(3)", "text": self.TEXT}, {"href": 'https://x.example/"><script>'}]
        alert.incident = self.incident
        alert.save(update_fields=["links", "incident"])

        now = timezone.now().isoformat()
        for user in (self.ben, self.admin, self.reporter):
            for name, query in (
                ("incident", {}),
                ("incident", {"list": self.TEXT, "show": self.TEXT}),
                ("incident", {"as_of": now, "list": self.TEXT}),
                ("incident-live", {"after": "0"}),
                ("incident-suggestions", {}),
            ):
                with self.subTest(user=user.name, name=name, query=query):
                    page = self.told(self.open(user, name, **query))
                    self.assertNotRegex(page, r"<img src=x|<script>alert|href=\"javascript:|on\w+=alert\(1\)>\"")

    def test_it_shows_texts_that_run_backwards_apart(self) -> None:
        services.update(
            self.incident, by=self.ben, fields={"title": json.loads('"Payroll \\u05e9\\u05dc\\u05d5\\u05dd"')}
        )

        self.assertContains(self.open(self.ben), "<bdi>Payroll")
