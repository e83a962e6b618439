import datetime as dt
from typing import Any
from unittest import mock

from django.test import TestCase
from django.utils import timezone

from core.errors import DomainError, PermissionRefused
from responders.models import HandoverNote
from responders.services import handing_over
from responders.tests.schedules import at, layer, make_schedule, make_team
from users.tests.factories import client_of, make_admin, make_responder


class HandoverNoteTests(TestCase):
    def setUp(self) -> None:
        self.ana, self.ben, self.other = make_responder(name="Ana"), make_responder(name="Ben"), make_responder()
        self.schedule = make_schedule(layer(self.ana, self.ben), team=make_team("Kitchen", self.ana))
        self.now = at("2026-01-07T12:00")  # Ana's week

    def write(self, **more: Any) -> HandoverNote:
        return handing_over.write_note(
            self.schedule, **{"text": "Disk 3 is odd", "by": self.ana, "now": self.now, **more}
        )

    def test_it_is_for_the_next_hand_over_and_told_to_who_comes(self) -> None:
        with mock.patch("responders.services.handing_over.announce") as announce:
            note = self.write()

        self.assertEqual(note.hand_over_at, at("2026-01-12T08:00"))
        notice = announce.call_args.args[0]
        self.assertEqual(list(notice.users), [self.ben.pk])
        self.assertNotIn("Disk", notice.title + notice.body)

    def test_it_is_written_by_who_is_on_call_the_team_and_administrators(self) -> None:
        self.write(by=make_admin())
        self.write(by=self.ben, now=at("2026-01-13T12:00"))  # on call, in no team

        for by in (self.ben, self.other):
            with self.assertRaises(PermissionRefused):
                self.write(by=by)

    def test_it_refuses_no_text_and_far_hand_overs(self) -> None:
        for wrong in (
            {"text": "  "},
            {"hand_over_at": at("2025-12-01T00:00")},
            {"hand_over_at": at("2027-01-01T00:00")},
        ):
            with self.subTest(wrong), self.assertRaises(DomainError):
                self.write(**wrong)

    def test_it_is_changed_by_its_author_and_administrators(self) -> None:
        note = self.write()

        edited = handing_over.edit_note(note, text="Disk 4", by=self.ana, now=self.now)
        with self.assertRaises(PermissionRefused):
            handing_over.edit_note(note, text="x", by=self.ben, now=self.now)
        with self.assertRaises(PermissionRefused):
            handing_over.remove_note(note, by=self.ben)
        handing_over.remove_note(note, by=make_admin())

        self.assertEqual((edited.text, edited.edited_at), ("Disk 4", self.now))
        self.assertFalse(HandoverNote.objects.exists())

    def test_it_finds_the_notes_of_a_shift(self) -> None:
        note = self.write()
        self.write(hand_over_at=self.now)

        found = handing_over.notes_between([self.schedule.pk], at("2026-01-12T08:00"), at("2026-01-19T08:00"))

        self.assertEqual(found, [note])

    def test_it_is_offered_over_rest(self) -> None:
        client, path = client_of(self.ana), f"/api/v1/schedules/{self.schedule.pk}/handover-notes/"
        soon = (timezone.now() + dt.timedelta(days=2)).isoformat()

        made = client.post(path, {"text": "Quiet week", "hand_over_at": soon})
        listed = client.get(path).json()["results"]
        moved = client.patch(f"{path}{made.json()['id']}/", {"hand_over_at": timezone.now().isoformat()})
        empty = client.post(path, {"text": ""})

        self.assertEqual((made.status_code, made.json()["author"]["name"]), (201, "Ana"))
        self.assertEqual([one["text"] for one in listed], ["Quiet week"])
        self.assertEqual((moved.status_code, empty.status_code), (400, 400))
