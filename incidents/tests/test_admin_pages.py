from http import HTTPStatus
from unittest.mock import patch
from zoneinfo import ZoneInfo

from incidents import services
from incidents.models import EventKind, Incident, Origin, Status
from incidents.tests.back_office import LIST, BackOfficeCase, page
from incidents.tests.factories import make_incident


class PageTests(BackOfficeCase):
    def test_it_moves_through_the_lifecycle(self) -> None:
        self.sign_in(self.member)

        self.client.post(page(self.incident, "move", "acknowledge"))
        self.client.post(page(self.incident, "move", "hold"), {"note": "Waiting for a part."})

        self.incident.refresh_from_db()
        last = self.incident.events.order_by("-seq")[0]
        self.assertEqual(self.incident.status, Status.ON_HOLD)
        self.assertEqual((last.body, last.origin, last.actor), ("Waiting for a part.", Origin.ADMIN, self.member))

    def test_it_names_the_list_once_above_it(self) -> None:
        self.sign_in(self.member)

        links = f'<a href="{LIST}" class="align-middle'
        above_incident = self.client.get(page(self.incident)).content.decode()
        above_category = self.client.get("/admin/incidents/category/").content.decode()

        self.assertIn(links, above_incident)
        self.assertNotIn('<a href="/admin/incidents/" class="align-middle', above_incident)
        self.assertIn('<a href="/admin/incidents/" class="align-middle', above_category)

    def test_it_asks_for_a_note_where_one_is_needed(self) -> None:
        services.acknowledge(self.incident, by=self.admin)
        self.sign_in(self.member)

        asked = self.client.get(page(self.incident, "move", "hold"))
        refused = self.client.post(page(self.incident, "move", "hold"), {"note": " "})

        self.assertContains(asked, 'name="note"')
        self.assertContains(refused, "This field is required")
        self.incident.refresh_from_db()
        self.assertEqual(self.incident.status, Status.ACKNOWLEDGED)

    def test_it_resolves_without_a_note(self) -> None:
        self.sign_in(self.member)

        self.client.post(page(self.incident, "move", "resolve"), {"note": "", "apply": "1"})

        self.incident.refresh_from_db()
        self.assertEqual(self.incident.status, Status.RESOLVED)

    def test_it_says_why_a_move_is_refused(self) -> None:
        self.sign_in(self.outsider)

        answer = self.client.post(page(self.incident, "move", "acknowledge"))

        self.assertIn("belongs to another team", self.messages(answer))

    def test_it_says_whose_an_incident_of_another_team_is(self) -> None:
        self.sign_in(self.outsider)

        answer = self.client.get(page(self.incident))

        self.assertContains(answer, "belongs to another team")

    def test_it_offers_moves_to_those_who_may(self) -> None:
        offered = {}
        for user in (self.admin, self.member, self.outsider):
            self.sign_in(user)
            offered[user] = (
                page(self.incident, "move", "acknowledge") in self.client.get(page(self.incident)).content.decode()
            )

        self.assertEqual(offered, {self.admin: True, self.member: True, self.outsider: False})

    def test_it_shows_responders_a_page_without_fields_to_edit(self) -> None:
        self.sign_in(self.member)

        answer = self.client.get(page(self.incident))

        self.assertNotContains(answer, 'name="title"')
        self.assertContains(answer, 'name="message"')

    def test_it_tells_times_to_the_second_with_their_zone(self) -> None:
        self.member.time_zone = "Asia/Tokyo"
        self.member.save()
        self.sign_in(self.member)

        answer = self.client.get(page(self.incident))

        local = self.incident.created_at.astimezone(ZoneInfo("Asia/Tokyo"))
        self.assertContains(answer, f"{local:%H:%M:%S} JST</time>")
        self.assertContains(answer, f"{local:%H:%M:%S} JST by")

    def test_it_tells_a_link_from_both_ends(self) -> None:
        other = make_incident(title="Twin")
        services.link(other, self.incident, "duplicate_of", by=self.admin)
        self.sign_in(self.member)

        original, duplicate = self.client.get(page(self.incident)), self.client.get(page(other))

        self.assertContains(original, f"{other.reference} is a duplicate of this incident")
        self.assertContains(original, f'href="{page(other)}">{other}</a> is a duplicate of this')
        self.assertContains(duplicate, f"Duplicate of {self.incident.reference}")
        self.assertContains(duplicate, f'Duplicate of <a class="ir-link" href="{page(self.incident)}"')

    def test_it_names_no_linked_incident_that_is_hidden(self) -> None:
        secret = make_incident(title="Secret twin", is_restricted=True)
        services.link(secret, self.incident, "related_to", by=self.admin)
        self.sign_in(self.member)

        self.assertNotContains(self.client.get(page(self.incident)), "Secret twin")

    def test_it_adds_updates(self) -> None:
        self.sign_in(self.member)

        self.client.post(page(self.incident, "comment"), {"message": "Looking.", "visibility": "internal"})

        last = self.incident.events.order_by("-seq")[0]
        self.assertEqual((last.kind, last.body, last.visibility), (EventKind.COMMENT, "Looking.", "internal"))

    def test_it_pages_the_timeline(self) -> None:
        for number in range(4):
            services.comment(self.incident, f"Comment {number}", by=self.member)
        self.sign_in(self.member)

        with patch("incidents.admin.timeline.PAGE_SIZE", 3):
            first = self.client.get(page(self.incident, "timeline"))
            second = self.client.get(page(self.incident, "timeline"), {"before": first.context["more_before"]})

        shown = [line.event.seq for answer in (first, second) for line in answer.context["lines"]]
        self.assertEqual(shown, [6, 5, 4, 3, 2, 1])
        self.assertIsNone(second.context["more_before"])

    def test_it_removes_a_leaked_text(self) -> None:
        event = services.comment(self.incident, "The password is hunter2", by=self.member)
        self.sign_in(self.admin)

        self.client.post(page(self.incident, "redact", event.seq), {"reason": "a password", "apply": "1"})

        event.refresh_from_db()
        self.assertNotIn("hunter2", event.body)
        self.assertEqual(self.incident.events.order_by("-seq")[0].kind, EventKind.REDACTED)

    def test_it_deletes_restores_and_purges(self) -> None:
        self.sign_in(self.admin)

        self.client.post(page(self.incident, "delete"), {"post": "yes"})
        self.incident.refresh_from_db()
        deleted_at = self.incident.deleted_at
        listed = [self.client.get(url).context["cl"].result_list for url in (LIST, f"{LIST}?deleted=yes")]
        opened = self.client.get(page(self.incident))
        self.client.post(page(self.incident, "restore"))
        self.incident.refresh_from_db()

        self.assertIsNotNone(deleted_at)
        self.assertEqual([list(rows) for rows in listed], [[], [self.incident]])
        self.assertContains(opened, "This incident was deleted")
        self.assertIsNone(self.incident.deleted_at)

    def test_it_purges_what_was_deleted_only(self) -> None:
        self.sign_in(self.admin)

        refused = self.client.post(page(self.incident, "purge"), {"apply": "1"})
        services.delete(self.incident, by=self.admin)
        self.client.post(page(self.incident, "purge"), {"apply": "1"})

        self.assertIn("only deleted incidents can be purged", self.messages(refused))
        self.assertFalse(Incident.objects.filter(pk=self.incident.pk).exists())

    def test_it_refuses_get_for_what_writes(self) -> None:
        services.delete(self.incident, by=self.admin)
        self.sign_in(self.admin)

        answers = [self.client.get(page(self.incident, name)) for name in ("restore", "attach")]

        self.assertEqual({answer.status_code for answer in answers}, {HTTPStatus.METHOD_NOT_ALLOWED})
