from incidents import services
from incidents.models import Incident, Origin, Status, Subscription
from incidents.tests.back_office import LIST, BackOfficeCase
from incidents.tests.factories import make_incident


class ActionTests(BackOfficeCase):
    def run_action(self, name: str, *incidents: Incident, url: str = LIST, **more: object):
        sent = {"action": name, "_selected_action": [incident.pk for incident in incidents], **more}
        return self.client.post(url, sent)

    def test_it_tells_how_it_went_for_each(self) -> None:
        free = make_incident()
        self.sign_in(self.outsider)

        answer = self.run_action("acknowledge", self.incident, free)

        told = self.messages(answer)
        self.assertIn("1 incident acknowledged.", told)
        self.assertIn(f"{self.incident.reference} belongs to another team", told)
        free.refresh_from_db()
        self.assertEqual((free.status, free.events.last().origin), (Status.ACKNOWLEDGED, Origin.ADMIN))

    def test_it_assigns_a_team_after_asking_which(self) -> None:
        self.sign_in(self.admin)

        asked = self.run_action("assign_team", self.incident)
        self.run_action("assign_team", self.incident, apply="1", team=self.other_team.pk, note="Yours.")

        self.incident.refresh_from_db()
        self.assertContains(asked, "admin-autocomplete")
        self.assertEqual(self.incident.team, self.other_team)
        self.assertEqual(self.incident.events.last().body, "Yours.")

    def test_it_assigns_a_person(self) -> None:
        self.sign_in(self.admin)

        self.run_action("assign_person", self.incident, apply="1", assignee=self.member.pk)
        refused = self.run_action("assign_person", self.incident, apply="1", assignee=self.reporter.pk)

        self.incident.refresh_from_db()
        self.assertEqual(self.incident.assignee, self.member)
        self.assertContains(refused, "Select a valid choice")

    def test_it_lets_a_responder_take_what_is_theirs(self) -> None:
        self.sign_in(self.member)

        self.run_action("assign_to_me", self.incident)

        self.incident.refresh_from_db()
        self.assertEqual(self.incident.assignee, self.member)

    def test_it_resolves_with_a_note(self) -> None:
        self.sign_in(self.member)

        self.run_action("resolve", self.incident, apply="1", note="Fixed.")

        self.incident.refresh_from_db()
        self.assertEqual(self.incident.status, Status.RESOLVED)
        self.assertEqual(self.incident.events.last().body, "Fixed.")

    def test_it_never_acts_on_everything_that_matches(self) -> None:
        self.sign_in(self.admin)

        answer = self.run_action("acknowledge", self.incident, select_across="1")

        self.incident.refresh_from_db()
        self.assertIn("one page at a time", self.messages(answer))
        self.assertEqual(self.incident.status, Status.OPEN)

    def test_it_restores_and_purges_several(self) -> None:
        other = make_incident()
        for incident in (self.incident, other):
            services.delete(incident, by=self.admin)
        self.sign_in(self.admin)
        url = f"{LIST}?deleted=yes"

        self.run_action("restore_selected", self.incident, url=url)
        asked = self.run_action("purge_selected", other, url=url)
        self.run_action("purge_selected", other, url=url, apply="1")

        self.assertContains(asked, "cannot be undone")
        self.assertEqual(list(Incident.objects.present()), [self.incident])
        self.assertFalse(Incident.objects.filter(pk=other.pk).exists())

    def test_it_lets_responders_neither_assign_people_nor_delete(self) -> None:
        self.sign_in(self.member)

        for name in ("assign_person", "delete_selected", "purge_selected"):
            self.run_action(name, self.incident, apply="1", post="yes", assignee=self.member.pk)

        self.incident.refresh_from_db()
        self.assertEqual((self.incident.assignee, self.incident.deleted_at), (None, None))

    def test_it_deletes_several_by_hiding_them(self) -> None:
        self.sign_in(self.admin)

        self.run_action("delete_selected", self.incident, post="yes")

        self.incident.refresh_from_db()
        self.assertIsNotNone(self.incident.deleted_at)
        self.assertTrue(Subscription.objects.filter(incident=self.incident).exists())
