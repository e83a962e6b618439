from incidents import services
from incidents.models import Incident, Origin, Visibility
from incidents.tests.back_office import LIST, BackOfficeCase, page
from incidents.tests.factories import make_incident, make_service


class UpdateTests(BackOfficeCase):
    def test_it_saves_the_update_with_the_form(self) -> None:
        self.sign_in(self.admin)

        self.client.post(
            page(self.incident), self.form(location="Cellar", message="Pump is on.", visibility="internal")
        )

        changed, told = self.incident.events.order_by("-seq")[:2][::-1]
        self.assertEqual(changed.data["changes"], {"location": ["", "Cellar"]})
        self.assertEqual((told.body, told.visibility, told.origin), ("Pump is on.", Visibility.INTERNAL, Origin.ADMIN))

    def test_it_keeps_the_update_where_the_form_is_refused(self) -> None:
        self.sign_in(self.admin)

        answer = self.client.post(
            page(self.incident), self.form(title="", message="Pump is on.", visibility="internal")
        )

        self.assertContains(answer, "Pump is on.")
        self.assertFalse(self.incident.events.filter(body="Pump is on.").exists())

    def test_it_keeps_the_update_where_somebody_else_was_quicker(self) -> None:
        self.sign_in(self.admin)

        answer = self.client.post(
            page(self.incident), self.form(location="Cellar", message="Pump is on.", seen_version=0)
        )

        self.assertContains(answer, "Pump is on.")
        self.assertContains(answer, "changed by somebody else")

    def test_it_keeps_an_update_that_a_service_refuses(self) -> None:
        self.sign_in(self.outsider)

        answer = self.client.post(page(self.incident, "comment"), {"message": "Pump is on.", "visibility": "public"})

        self.assertContains(answer, "Pump is on.")
        self.assertContains(answer, "belongs to another team")

    def test_it_offers_no_form_that_would_be_refused(self) -> None:
        offered = {}
        for user in (self.admin, self.member, self.outsider):
            self.sign_in(user)
            shown = self.client.get(page(self.incident)).content.decode()
            offered[user] = ('name="message"' in shown, 'name="files"' in shown, "Reassign" in shown)

        self.assertEqual(
            offered,
            {self.admin: (True, True, True), self.member: (True, True, True), self.outsider: (False, False, False)},
        )

    def test_it_asks_nothing_of_who_would_be_refused(self) -> None:
        self.sign_in(self.outsider)

        for name in (("move", "resolve"), ("assign",)):
            with self.subTest(name):
                answer = self.client.get(page(self.incident, *name))

                self.assertRedirects(answer, page(self.incident))
                self.assertIn("belongs to another team", self.messages(answer))

    def test_it_shows_who_reads_an_update_and_offers_what_the_api_does(self) -> None:
        for user in (self.admin, self.member):
            self.sign_in(user)

            shown = self.client.get(page(self.incident)).content.decode()

            self.assertRegex(shown, r'type="radio"[^>]*value="public"[^>]*checked')
            self.assertIn("Internal: responders only", shown)


class TakingTests(BackOfficeCase):
    def test_it_takes_an_incident_on_its_page(self) -> None:
        self.sign_in(self.member)

        self.client.post(page(self.incident, "take"))

        self.incident.refresh_from_db()
        self.assertEqual(self.incident.assignee, self.member)
        self.assertNotContains(self.client.get(page(self.incident)), "Assign to me")

    def test_it_does_not_take_what_has_ended(self) -> None:
        services.resolve(self.incident, by=self.admin)
        self.sign_in(self.member)

        answer = self.client.post(page(self.incident, "take"))
        in_bulk = self.client.post(
            f"{LIST}?open=all", {"action": "assign_to_me", "_selected_action": [self.incident.pk]}
        )

        self.incident.refresh_from_db()
        self.assertIsNone(self.incident.assignee)
        self.assertIn("reopen it", self.messages(answer))
        self.assertIn("reopen it", self.messages(in_bulk))

    def test_it_reassigns_to_a_team_and_a_person(self) -> None:
        self.sign_in(self.member)
        sent = {"team": self.other_team.pk, "assignee": self.outsider.pk, "note": "It is the switch."}

        self.client.post(page(self.incident, "assign"), sent)

        self.incident.refresh_from_db()
        self.assertEqual((self.incident.team, self.incident.assignee), (self.other_team, self.outsider))
        self.assertTrue(self.incident.events.filter(body="It is the switch.").exists())

    def test_it_counts_in_bulk_what_it_changed(self) -> None:
        other = make_incident(by=self.admin, team=self.team)
        services.assign_person(other, self.member, by=self.admin)
        self.sign_in(self.member)

        answer = self.client.post(LIST, {"action": "assign_to_me", "_selected_action": [self.incident.pk, other.pk]})

        self.assertIn("1 incident assigned to you.", self.messages(answer))
        self.assertIn("1 incident was unchanged.", self.messages(answer))


class ListDefaultTests(BackOfficeCase):
    def shown(self, query: str = "") -> set[str]:
        return {row.title for row in self.client.get(LIST + query).context["cl"].result_list}

    def test_it_leaves_ended_incidents_out_until_they_are_asked_for(self) -> None:
        ended: Incident = make_incident(title="Disk replaced")
        services.resolve(ended, by=self.admin)
        self.sign_in(self.admin)

        self.assertEqual(self.shown(), {"Disk full"})
        for query in ("?open=all", "?q=disk", f"?q={ended.reference}", "?reported=week"):
            with self.subTest(query):
                self.assertIn("Disk replaced", self.shown(query))
        self.assertEqual(self.shown("?status=resolved"), {"Disk replaced"})
        self.assertContains(self.client.get(LIST), "Show all")
        self.assertNotContains(self.client.get(LIST + "?open=all"), "Show all")

    def test_it_filters_by_service(self) -> None:
        service = make_service()
        affected = make_incident(title="Mail is slow", services=[service])
        self.sign_in(self.admin)

        self.assertEqual(self.shown(f"?service={service.pk}"), {affected.title})
        self.assertEqual(self.shown("?service=nonsense"), set())
