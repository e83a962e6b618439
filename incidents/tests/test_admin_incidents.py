import datetime as dt
from unittest.mock import patch

from auditlog.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.db.clock import database_now
from core.severity import Severity
from incidents import services
from incidents.models import Incident, IncidentEvent, Origin, Status
from incidents.tests.back_office import LIST, BackOfficeCase, page
from incidents.tests.factories import make_category, make_incident, make_policy, make_service


class ListTests(BackOfficeCase):
    def test_it_shows_badges_and_due_marks(self) -> None:
        make_policy(severity=Severity.CRITICAL, ack_minutes=5, resolve_minutes=60)
        make_incident(severity=Severity.CRITICAL, at=timezone.now() - dt.timedelta(days=1))
        self.sign_in(self.admin)

        answer = self.client.get(LIST)

        self.assertContains(answer, "ir-severity-critical")
        self.assertContains(answer, "acknowledgement overdue · resolution overdue")
        self.assertContains(answer, "2 incidents")

    def test_it_says_that_nothing_was_found(self) -> None:
        self.sign_in(self.admin)

        self.assertContains(self.client.get(LIST, {"q": "unheard-of"}), "Nothing found.")

    def test_it_filters(self) -> None:
        category = make_category(default_team=self.other_team)
        mine = make_incident(title="Mine", category=category, severity=Severity.HIGH, is_restricted=True)
        services.assign_person(mine, self.admin, by=self.admin)
        services.acknowledge(mine, by=self.admin)
        self.sign_in(self.admin)
        both = {"Mine", "Disk full"}
        cases = {
            "open=yes": both,
            "open=no": set(),
            "status=acknowledged": {"Mine"},
            "severity=high": {"Mine"},
            "severity=nonsense": set(),
            f"team={self.team.pk}": {"Disk full"},
            "team=none": set(),
            "team=x": set(),
            f"category={category.pk}": {"Mine"},
            "category=none": {"Disk full"},
            "to=me": {"Mine"},
            "to=none": {"Disk full"},
            f"assignee__id__exact={self.admin.pk}": {"Mine"},
            "breached=any": set(),
            "restricted=yes": {"Mine"},
            "reported=week": both,
            "deleted=yes": set(),
            "status=open&severity=medium": {"Disk full"},
        }

        for query, expected in cases.items():
            with self.subTest(query):
                found = self.client.get(f"{LIST}?{query}").context["cl"].result_list

                self.assertEqual({incident.title for incident in found}, expected)

    def test_it_sorts_by_severity(self) -> None:
        low, critical = make_incident(severity=Severity.LOW), make_incident(severity=Severity.CRITICAL)
        self.sign_in(self.admin)

        rows = self.client.get(f"{LIST}?o=-3").context["cl"].result_list

        self.assertEqual(list(rows), [critical, self.incident, low])

    def test_it_searches_as_the_api_does(self) -> None:
        make_incident(title="Another", description="with another text")
        self.sign_in(self.admin)

        answers = {text: self.client.get(LIST, {"q": text, "open": "yes"}) for text in ("disk", "  ", "+-*", "nothing")}

        shown = {
            text: sorted(row.title for row in answer.context["cl"].result_list) for text, answer in answers.items()
        }
        self.assertEqual(shown, {"disk": ["Disk full"], "  ": ["Another", "Disk full"], "+-*": [], "nothing": []})
        self.assertContains(answers["disk"], 'value="disk"')

    def test_it_pages_what_it_finds(self) -> None:
        for number in range(4):
            make_incident(title=f"Disk {number}")
        self.sign_in(self.admin)
        seen, query = [], "?q=disk"

        with patch("incidents.admin.incidents.IncidentAdmin.list_per_page", 2):
            while query:
                changes = self.client.get(LIST + query).context["cl"]
                seen.append([row.title for row in changes.result_list])
                query = changes.next_url

        self.assertEqual(seen, [["Disk 3", "Disk 2"], ["Disk 1", "Disk 0"], ["Disk full"]])

    def test_it_finds_a_reference(self) -> None:
        make_incident()
        self.sign_in(self.admin)

        answer = self.client.get(LIST, {"q": f"inc-{self.incident.pk}"})

        self.assertEqual([row.pk for row in answer.context["cl"].result_list], [self.incident.pk])

    def test_it_hides_restricted_incidents_from_other_teams(self) -> None:
        hidden = make_incident(title="Secret", is_restricted=True)
        services.assign_team(hidden, self.team, by=self.admin)

        for user, is_seen in ((self.outsider, False), (self.member, True), (self.admin, True)):
            with self.subTest(user=user):
                self.sign_in(user)

                listed, opened = self.client.get(LIST), self.client.get(page(hidden), follow=True)
                home, log = self.client.get(reverse("admin:index")), self.client.get(page(hidden, "timeline"))

                self.assertEqual("Secret" in listed.content.decode(), is_seen)
                self.assertEqual("Secret" in home.content.decode(), is_seen)
                self.assertEqual(log.status_code, 200 if is_seen else 404)
                self.assertEqual(opened.context.get("incident") == hidden, is_seen)

    def test_it_hides_restricted_incidents_from_autocompletes(self) -> None:
        make_incident(title="Secret", is_restricted=True)
        self.sign_in(self.outsider)
        url = reverse("admin:autocomplete")
        query = {"app_label": "incidents", "model_name": "subscription", "field_name": "incident"}

        answer = self.client.get(url, query)

        self.assertEqual([row["text"] for row in answer.json()["results"]], [str(self.incident)])


class ScaleTests(BackOfficeCase):
    def test_it_costs_the_same_queries_at_any_number(self) -> None:
        self._grow_to(10)
        few = self._measured()
        self._grow_to(200)

        many = self._measured()

        self.assertEqual({key: len(queries) for key, queries in few.items()}, {k: len(q) for k, q in many.items()})
        for key, queries in many.items():
            with self.subTest(key):
                self.assertLessEqual(len(queries), 22)
                self.assertFalse([sql for sql in queries if "OFFSET" in sql])

    def _measured(self) -> dict[tuple[str, str], list[str]]:
        found = {}
        for user in (self.admin, self.member):
            self.sign_in(user)
            for url in (LIST, f"{LIST}?open=yes&severity=medium&o=-3", page(self.incident), reverse("admin:index")):
                found[user.role, url] = self._queries(url)
        return found

    def test_it_opens_the_home_page_with_few_queries(self) -> None:
        self._grow_to(30)

        for user in (self.admin, self.member):
            self.sign_in(user)

            self.assertLessEqual(len(self._queries(reverse("admin:index"))), 20)

    def test_it_counts_to_a_limit(self) -> None:
        self._grow_to(30)
        self.sign_in(self.admin)

        with patch("core.backoffice.paging.CAP", 20), CaptureQueriesContext(connection) as queries:
            answer = self.client.get(LIST)

        reads = [query["sql"] for query in queries if 'FROM "incidents_incident"' in query["sql"].replace("`", '"')]
        self.assertContains(answer, "20+ incidents")
        self.assertEqual([sql for sql in reads if "COUNT(" in sql], [])
        self.assertTrue(reads[0].endswith("LIMIT 21"), reads[0])

    def test_it_sorts_in_one_direction_only(self) -> None:
        self.sign_in(self.admin)

        orders = [self.client.get(f"{LIST}?o={o}").context["cl"].queryset.query.order_by for o in ("3", "-3", "7.3")]

        self.assertEqual(
            orders,
            [
                ("severity", "created_at", "id"),
                ("-severity", "-created_at", "-id"),
                ("-created_at", "-id"),
            ],
        )

    def _grow_to(self, number: int) -> None:
        for index in range(number - Incident.objects.count()):
            incident = make_incident(by=self.reporter, title=f"Number {index}")
            services.assign_person(incident, self.member, by=self.admin)

    def _queries(self, url: str) -> list[str]:
        self.client.get(url)
        database_now()  # one reading serves some seconds
        with CaptureQueriesContext(connection) as queries:
            self.assertEqual(self.client.get(url).status_code, 200)
        return [query["sql"] for query in queries]


class FormTests(BackOfficeCase):
    def test_it_reports_through_the_service(self) -> None:
        service, category = make_service(team=self.team), make_category()
        self.sign_in(self.admin)
        sent = self.form(title="New", severity=4, category=category.pk, services=[service.pk], team="")

        answer = self.client.post(reverse("admin:incidents_incident_add"), sent)

        incident = Incident.objects.get(title="New")
        self.assertRedirects(answer, LIST, fetch_redirect_response=False)
        self.assertEqual((incident.reporter, incident.team, incident.severity), (self.admin, self.team, 4))
        self.assertEqual(incident.services.get(), service)
        self.assertEqual(incident.events.get().origin, Origin.ADMIN)

    def test_it_leaves_one_event_for_each_field(self) -> None:
        service = make_service()
        self.sign_in(self.admin)
        before = self.incident.event_count

        self.client.post(
            page(self.incident),
            self.form(title="Disk full again", location="Zürich", assignee=self.member.pk, services=[service.pk]),
        )

        events = IncidentEvent.objects.filter(incident=self.incident, seq__gt=before).order_by("seq")
        changed = [list(event.data["changes"]) for event in events]
        self.assertEqual(changed, [["title"], ["location"], ["services"], ["assignee"]])
        self.assertEqual({event.actor for event in events}, {self.admin})
        self.assertEqual({event.origin for event in events}, {Origin.ADMIN})

    def test_it_writes_nothing_for_a_form_that_changes_nothing(self) -> None:
        self.sign_in(self.admin)

        self.client.post(page(self.incident), self.form())

        self.assertEqual(IncidentEvent.objects.filter(incident=self.incident).count(), self.incident.event_count)

    def test_it_lets_priority_follow_severity_or_stand(self) -> None:
        self.sign_in(self.admin)

        self.client.post(page(self.incident), self.form(priority=4))
        self.incident.refresh_from_db()
        given = (self.incident.priority, self.incident.is_priority_given)
        self.client.post(page(self.incident), self.form(priority="", severity=1))
        self.incident.refresh_from_db()

        self.assertEqual(given, (4, True))
        self.assertEqual((self.incident.priority, self.incident.is_priority_given), (1, False))

    def test_it_refuses_a_form_of_an_old_version_and_keeps_what_was_entered(self) -> None:
        self.sign_in(self.admin)
        old = self.form(title="Mine")
        services.update(self.incident, by=self.member, fields={"title": "Theirs"})

        answer = self.client.post(page(self.incident), old)

        self.assertContains(answer, "was changed by somebody else")
        self.assertContains(answer, 'value="Mine"')
        self.incident.refresh_from_db()
        self.assertEqual(self.incident.title, "Theirs")

    def test_it_refuses_a_form_without_a_version(self) -> None:
        self.sign_in(self.admin)

        answer = self.client.post(page(self.incident), self.form(seen_version="", title="Other"))

        self.assertContains(answer, "does not say which version")

    def test_it_ignores_a_status_in_the_form(self) -> None:
        self.sign_in(self.admin)

        self.client.post(page(self.incident), self.form(status="closed", title="Other"))

        self.incident.refresh_from_db()
        self.assertEqual((self.incident.title, self.incident.status), ("Other", Status.OPEN))

    def test_it_offers_only_people_who_can_respond(self) -> None:
        self.sign_in(self.admin)
        query = {"app_label": "incidents", "model_name": "incident", "field_name": "assignee"}

        answer = self.client.get(reverse("admin:autocomplete"), query)

        offered = {row["id"] for row in answer.json()["results"]}
        self.assertEqual(offered, {str(user.pk) for user in (self.admin, self.member, self.outsider)})

    def test_it_records_who_changed_it_in_the_audit_log(self) -> None:
        self.sign_in(self.admin)

        self.client.post(page(self.incident), self.form(location="Bern"))

        entry = LogEntry.objects.get_for_object(self.incident).first()
        self.assertEqual(entry.actor, self.admin)
        self.assertEqual(set(entry.changes), {"location"})
