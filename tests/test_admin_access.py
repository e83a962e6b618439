"""Who may open which page of the admin site: every page, for every kind of person."""

import datetime as dt
from http import HTTPStatus

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.http import HttpResponse
from django.test import TestCase
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from alerts.models import ChangeEvent, Heartbeat
from alerts.tests.factories import fire, make_route, make_silence, make_source
from assistant.models import ModelBudget, ModelCall, ModelSwitch, RoutingModel, RoutingSuggestion, Verdict, week_of
from core.severity import Severity
from incidents.models import Incident, ReportRule, SlaPolicy
from incidents.tests.factories import make_category, make_incident, make_service, make_team
from intake.models import IntakeEvent
from logs.models import DetectionRule, LogEntry
from paging.tests.factories import make_escalation, step
from remediation.models import FreezeWindow
from remediation.services import stopping
from remediation.services.secrets import set_secret
from remediation.tests.agents import make_agent
from remediation.tests.factories import make_runbook
from remediation.tests.factories import propose as propose_run
from responders.models import ShiftSwap, Team
from responders.tests.schedules import layer, make_schedule
from reviews.services.editing import add_factor
from reviews.tests.factories import make_item, make_review
from reviews.tests.factories import make_rule as make_review_rule
from status_page.models import Component, ComponentGroup, UpdateTemplate
from status_page.services.page import the_page
from status_page.tests.factories import make_component, make_public_incident, make_subscriber
from users.models import User
from users.tests.factories import PASSWORD, make_admin, make_reporter, make_responder

# What a responder may open (everything else below /admin/ is for administrators), by the name of the address.
# Actions on one incident are open to responders as pages; whether they may act, the services say.
RESPONDER_MODELS = (
    "incidents_incident",
    "incidents_category",
    "incidents_slapolicy",
    "incidents_reportrule",
    "responders_team",
    "responders_service",
    "responders_escalationpolicy",
    "responders_schedule",
    "responders_shiftswap",
    "alerts_alert",
    "alerts_route",
    "alerts_silence",
    "logs_logentry",
    "logs_detectionrule",
    *(f"status_page_{model}" for model in ("statuspage", "component", "componentgroup", "updatetemplate")),
    *(f"status_page_{model}" for model in ("impactspan", "publicincident", "publicupdate")),
    *(f"remediation_{model}" for model in ("runbook", "run", "freezewindow", "stop")),
    *(f"reviews_{model}" for model in ("review", "actionitem", "moment", "factor", "participant", "reviewrule")),
)
RESPONDER_PAGES = frozenset(
    {
        "index",
        "app_list",
        "jsi18n",
        "search",
        "password_change",
        "password_change_done",
        "autocomplete",
        "view_on_site",
        *(f"{model}_{page}" for model in RESPONDER_MODELS for page in ("changelist", "change")),
        "responders_team_export",
        "responders_service_export",
        *(
            f"incidents_incident_{page}"
            for page in ("move", "take", "assign", "comment", "timeline", "attach", "attachment")
        ),
        "incidents_incident_remove_attachment",
        "alerts_alert_merge",
        "alerts_alert_move",
        "alerts_alert_split",
        "alerts_route_try",
        "alerts_silence_add",
        "logs_detectionrule_try",
        "responders_escalationpolicy_simulate",
        "status_page_publicincident_add",
    }
)
# The ends of the addresses that only administrators may post to.
WRITING = (
    *("_add", "_change", "_delete", "import", "_redact", "_restore", "_purge", "_password"),
    *(
        "source_key",
        "_new_key",
        "_revoke",
        "_sample",
        "_switch",
        "_switch_off",
        "_replay",
        "_dismiss",
        "_dismiss_all",
        "_accept",
    ),
    *("_teach", "_line_up", "schedule_calendar"),
)
# Forms that responders post, whose services decide.
OPEN_FORMS = frozenset(
    {
        *("password_change", "alerts_silence_add", "status_page_publicincident_add"),
        *("status_page_publicincident_change", "status_page_publicupdate_change"),
    }
)
MODELS = [(model._meta.app_label, model._meta.model_name) for model in admin.site._registry]
OPEN_TO_ALL = frozenset({"login", "logout"})


def admin_names() -> list[tuple[str, URLPattern]]:
    """Each named address of the admin site."""
    resolver = get_resolver()
    found = next(
        pattern for pattern in resolver.url_patterns if isinstance(pattern, URLResolver) and pattern.app_name == "admin"
    )
    return list(_flat(found))


def _flat(resolver: URLResolver):
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _flat(pattern)
        elif pattern.name:
            yield pattern.name, pattern


def schedule_rows(team: Team) -> dict[str, object]:
    """A schedule and a swap."""
    user = make_responder()
    schedule = make_schedule(layer(user), team=team)
    tomorrow = timezone.now() + dt.timedelta(days=1)
    swap = ShiftSwap.objects.create(
        schedule=schedule, requester=user, starts_at=tomorrow, ends_at=tomorrow + dt.timedelta(hours=1)
    )
    return {"schedule": schedule, "shiftswap": swap}


def alert_rows() -> dict[str, object]:
    """One of each row that alerts and logs have a page for."""
    source = make_source()
    now = timezone.now()
    return {
        "source": source,
        "alert": fire(source),
        "route": make_route(),
        "silence": make_silence(("host", "=", "a")),
        "heartbeat": Heartbeat.objects.create(source=source, name="nightly"),
        "intakeevent": IntakeEvent.objects.first(),
        "detectionrule": DetectionRule.objects.first(),
        "logentry": LogEntry.objects.create(timestamp=now, message="Refused", received_at=now),
        "changeevent": ChangeEvent.objects.create(summary="Deploy", occurred_at=now, received_at=now),
    }


def status_page_rows() -> dict[str, object]:
    """One of each row that the status page has a page for."""
    public = make_public_incident(components=[make_component(group="Shop")])
    return {
        "statuspage": the_page(),
        "component": Component.objects.get(),
        "componentgroup": ComponentGroup.objects.get(),
        "updatetemplate": UpdateTemplate.objects.create(name="Begin"),
        "impactspan": public.spans.get(),
        "publicincident": public,
        "publicupdate": public.updates.get(),
        "subscriber": make_subscriber("reader@example.org"),
    }


def review_rows(incident: Incident) -> dict[str, object]:
    """One of each row that reviews have a page for."""
    review = make_review(incident)
    return {
        "review": review,
        "moment": review.moments.first(),
        "factor": add_factor(review, by=make_admin(), text="No reminder"),
        "participant": review.participants.first(),
        "actionitem": make_item(review),
        "reviewrule": make_review_rule(),
    }


def learning_rows(incident: Incident) -> dict[str, object]:
    """One of each row that learning has a page for."""
    now = timezone.now()
    training = RoutingModel.objects.create(trained_at=now, newest_at=now, incidents=1, milliseconds=1)
    told = {"suggested": incident.severity, "at": now, "week": week_of(now), "origin": "api"}
    suggestion = RoutingSuggestion.objects.create(
        incident=incident, field="severity", model_version=training.pk, ranked=[[incident.severity, 0.8]], **told
    )
    return {"routingmodel": training, "routingsuggestion": suggestion}


def remediation_rows(incident: Incident, admin: User) -> dict[str, object]:
    """One of each row that remediation has a page for."""
    now = timezone.now()
    runbook = make_runbook("web", by=admin)
    secret = {"name": "ops", "url_prefix": "https://ops.example/", "value": "x"}
    return {
        "runbook": runbook,
        "run": propose_run(incident, runbook, by=admin),
        "freezewindow": FreezeWindow.objects.create(name="Sale", starts_at=now, ends_at=now + dt.timedelta(days=1)),
        "stop": stopping.stop(by=admin, reason="Fire"),
        "agent": make_agent()[0],
        "runbooksecret": set_secret(None, by=admin, **secret),
    }


class AdminAccessTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.team = make_team("Database", make_responder())
        cls.reporter, cls.responder, cls.admin = make_reporter(), make_responder(), make_admin()
        cls.incident = make_incident(by=cls.reporter)
        cls.rows = {
            "incident": cls.incident,
            "team": cls.team,
            **schedule_rows(cls.team),
            "service": make_service(),
            "escalationpolicy": make_escalation(step(cls.admin)),
            "category": make_category(),
            "slapolicy": SlaPolicy.objects.first(),
            "reportrule": ReportRule.objects.create(name="Leaks", severity=Severity.HIGH, words=["leak"]),
            "user": cls.reporter,
            **alert_rows(),
            **status_page_rows(),
            **review_rows(cls.incident),
            **remediation_rows(cls.incident, cls.admin),
            "modelcall": ModelCall.objects.create(incident=cls.incident, task="causes"),
            "modelbudget": ModelBudget.objects.create(scope="day:2026-03-02"),
            "modelswitch": ModelSwitch.objects.create(),
            "verdict": Verdict.objects.create(
                incident=cls.incident, suggestion="summary", user=cls.admin, is_useful=True
            ),
            **learning_rows(cls.incident),
        }

    def test_it_sends_strangers_to_the_sign_in(self) -> None:
        for name, url in self._urls():
            with self.subTest(name):
                answer = self.client.get(url)

                self.assertEqual(answer.status_code, HTTPStatus.FOUND)
                self.assertIn(reverse("admin:login"), answer["Location"])

    def test_it_lets_no_reporter_in(self) -> None:
        self.client.force_login(self.reporter)

        for name, url in self._urls():
            with self.subTest(name):
                answer = self.client.get(url)

                self.assertIn(answer.status_code, {HTTPStatus.FOUND, HTTPStatus.FORBIDDEN})

    def test_it_shows_responders_their_pages_only(self) -> None:
        self.client.force_login(self.responder)

        for name, url in self._urls():
            with self.subTest(name):
                answer = self.client.get(url)

                if name in RESPONDER_PAGES:
                    self.assertNotEqual(answer.status_code, HTTPStatus.INTERNAL_SERVER_ERROR)
                    self._assert_let_in(name, answer)
                else:
                    self.assertIn(answer.status_code, {403, 404, 405}, answer)

    def test_it_shows_administrators_every_page(self) -> None:
        self.client.force_login(self.admin)

        for name, url in self._urls():
            if name.endswith(("_delete", "_add")) or name in {"autocomplete", "view_on_site"}:
                continue
            with self.subTest(name):
                answer = self.client.get(url)

                self.assertIn(answer.status_code, {200, 302, 404, 405}, name)

    def test_it_changes_nothing_for_responders_by_post(self) -> None:
        self.client.force_login(self.responder)

        for name, url in self._urls():
            if name not in OPEN_FORMS and name.endswith(WRITING):
                with self.subTest(name):
                    answer = self.client.post(url, {"name": "x", "apply": "1"})

                    self.assertIn(answer.status_code, {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})

    def test_it_leads_a_reporter_who_signs_in_to_what_is_open(self) -> None:
        wanted = self.client.get(reverse("admin:index"), follow=True)

        answer = self.client.post(
            reverse("console:sign-in"), {"email": self.reporter.email, "password": PASSWORD, "next": "/admin/"}
        )

        self.assertEqual(wanted.redirect_chain[-1][0], "/sign-in/?next=%2Fadmin%2F")
        self.assertRedirects(answer, reverse("console:incidents"), fetch_redirect_response=False)
        self.assertEqual(self.client.get(reverse("admin:login")).status_code, 403)

    def test_it_signs_a_responder_in(self) -> None:
        answer = self.client.post(
            reverse("console:sign-in"), {"email": self.responder.email.upper(), "password": PASSWORD, "next": "/admin/"}
        )

        self.assertRedirects(answer, reverse("admin:index"), fetch_redirect_response=False)

    def test_it_lets_scripts_evaluate_below_the_admin_only(self) -> None:
        self.client.force_login(self.admin)

        inside = self.client.get(reverse("admin:index"))
        outside = self.client.get("/api/docs/")

        self.assertIn("'unsafe-eval'", inside["Content-Security-Policy"])
        self.assertNotIn("'unsafe-eval'", outside["Content-Security-Policy"])

    def test_it_registers_no_page_twice_or_by_accident(self) -> None:
        registered = {model._meta.label_lower for model in admin.site._registry}

        self.assertEqual(
            registered,
            {
                "incidents.incident",
                "incidents.category",
                "incidents.slapolicy",
                "incidents.reportrule",
                "responders.team",
                "responders.service",
                "responders.schedule",
                "responders.shiftswap",
                "assistant.verdict",
                *("assistant.routingsuggestion", "assistant.routingmodel"),
                *("assistant.modelcall", "assistant.modelbudget", "assistant.modelswitch"),
                "alerts.alert",
                "alerts.changeevent",
                "alerts.heartbeat",
                "intake.intakeevent",
                "alerts.route",
                "alerts.silence",
                "intake.source",
                "logs.detectionrule",
                "logs.logentry",
                "responders.escalationpolicy",
                "paging.escalationalarm",
                "paging.page",
                "reviews.actionitem",
                "reviews.factor",
                "reviews.moment",
                "reviews.participant",
                "reviews.review",
                "reviews.reviewrule",
                *(f"remediation.{one}" for one in ("agent", "freezewindow", "run", "runbook", "runbooksecret", "stop")),
                "status_page.component",
                "status_page.componentgroup",
                "status_page.impactspan",
                "status_page.publicincident",
                "status_page.publicupdate",
                "status_page.statuspage",
                "status_page.subscriber",
                "status_page.updatetemplate",
                "notifications.chatrequest",
                "notifications.contactmethod",
                "notifications.delivery",
                "notifications.inboundmail",
                "notifications.roomchannel",
                "notifications.webhookendpoint",
                "users.user",
                "users.session",
                "users.personaltoken",
                "auditlog.logentry",
                "axes.accessattempt",
                "axes.accessfailurelog",
            },
        )

    def _assert_let_in(self, name: str, answer: HttpResponse) -> None:
        if name == "password_change":
            self.assertRedirects(answer, reverse("console:settings-security"), fetch_redirect_response=False)
        elif name not in {"autocomplete", "view_on_site"}:
            self.assertIn(answer.status_code, {200, 404, 405}, name)

    def _urls(self) -> list[tuple[str, str]]:
        found = []
        for name, pattern in admin_names():
            if name in OPEN_TO_ALL:
                continue
            found.append((name, reverse(f"admin:{name}", kwargs=self._arguments(name, pattern))))
        return found

    def _arguments(self, name: str, pattern: URLPattern) -> dict[str, object]:
        model = next((found for app, found in MODELS if name.startswith(f"{app}_{found}_")), "")
        row = self.rows.get(model)
        known = {
            "object_id": str(row.pk) if row else "1",
            "pk": row.pk if row else 1,
            "seq": 1,
            "name": "acknowledge",
            "attachment_id": 1,
            "incident_id": self.rows["incident"].pk,
            "key_id": 1,
            "kind": "grafana",
            "variant": "file",
            "id": "1",
            "app_label": "incidents",
            "content_type_id": ContentType.objects.get_for_model(User).pk,
        }
        return {key: known[key] for key in pattern.pattern.converters} or self._by_expression(name)

    def _by_expression(self, name: str) -> dict[str, object]:
        return {"app_label": "incidents"} if name == "app_list" else {}
