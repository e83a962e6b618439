"""Every route, every method, every kind of person: who may do what, in one table."""

import datetime as dt
import itertools
import re
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.test import TestCase, override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from alerts.models import Heartbeat
from alerts.tests.factories import fire, make_key, make_route, make_silence, make_source
from console.models import SavedView
from core.severity import Severity
from incidents.models import LinkKind, ReportRule
from incidents.services import comment, link
from incidents.services.attaching import attach, inspect
from incidents.tests.factories import make_category, make_incident, make_policy, make_service, make_team
from incidents.tests.files import picture, upload
from intake.models import IntakeEvent
from intake.vocabulary import IntakeState
from logs.lines import Line
from logs.tests.factories import make_lines
from logs.tests.rules import make_rule
from notifications.models import NotificationRule, RoomChannel
from notifications.tests.factories import make_delivery, make_method, make_webhook
from paging.tests.factories import make_escalation, step
from remediation.models import FreezeWindow
from remediation.services.secrets import set_secret
from remediation.tests.agents import make_agent
from remediation.tests.factories import make_runbook
from remediation.tests.factories import propose as propose_run
from responders.models import HandoverNote, ImportedCalendar, ShiftSwap
from responders.tests.schedules import layer, make_override, make_schedule
from reviews.services.editing import add_factor
from reviews.tests.factories import make_item, make_review
from reviews.tests.factories import make_rule as make_review_rule
from status_page.models import ComponentGroup, UpdateTemplate
from status_page.tests.factories import make_component, make_maintenance, make_public_incident, make_subscriber
from tests.people import signed_in
from users.services import create_personal_token
from users.tests.factories import PASSWORD, make_admin, make_reporter, make_responder

PEOPLE = ("anonymous", "reporter", "other reporter", "responder", "outside responder", "admin")

ANYBODY = (200, 200, 200, 200, 200, 200)
SIGNED_IN = (401, 200, 200, 200, 200, 200)
RESPONDERS = (401, 403, 403, 200, 200, 200)
RESPONDERS_CREATE = (401, 403, 403, 201, 201, 201)
ADMINS = (401, 403, 403, 403, 403, 200)
ADMINS_CREATE = (401, 403, 403, 403, 403, 201)
ADMINS_DELETE = (401, 403, 403, 403, 403, 204)

# What people may do to one incident. `reporter` reported it, `responder` is in its team.
SEE = (401, 200, 404, 200, 200, 200)
EDIT = (401, 200, 404, 200, 403, 200)
WORK = (401, 403, 404, 200, 403, 200)
SAY = (401, 201, 404, 201, 403, 201)

API = "api/v1/"
ONE = f"{API}incidents/<id>/"
FILE = f"{API}attachments/<id>/"
LOG_DOORS = (
    *("v1/logs/", "loki/api/v1/push/", "gelf/", "services/collector/", "services/collector/event/"),
    *("services/collector/event/1.0/", "services/collector/raw/", "services/collector/raw/1.0/"),
)
NEW_NAME = {"name": "Other", "slug": "other"}
NEW_POLICY = {"name": "New", "severity": "low", "category": "{category}", "ack_minutes": 5}

MATCHING = {"matchers": [{"name": "host", "value": "db-3"}]}
SILENCE = {**MATCHING, "ends_at": "2999-01-01T00:00:00Z", "starts_at": "2998-12-31T00:00:00Z"}
BEAT = {"source": "{source}", "name": "new", "interval_minutes": 5}
OWN_VIEWS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", f"{API}saved-views/", None, SIGNED_IN),
    ("post", f"{API}saved-views/", {"name": "Mine"}, (401, 201, 201, 201, 201, 201)),
    ("get", f"{API}saved-views/<pk>/", None, (401, 404, 404, 200, 404, 404)),
    ("put", f"{API}saved-views/<pk>/", {"name": "Mine"}, (401, 404, 404, 200, 404, 404)),
    ("patch", f"{API}saved-views/<pk>/", {"name": "Mine"}, (401, 404, 404, 200, 404, 404)),
    ("delete", f"{API}saved-views/<pk>/", None, (401, 404, 404, 204, 404, 404)),
]
CONFIGURED_ALERTS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", f"{API}suggestions/accuracy/", None, ADMINS),
    ("get", f"{API}sources/", None, ADMINS),
    ("post", f"{API}sources/", {"name": "New", "kind": "generic"}, ADMINS_CREATE),
    ("get", f"{API}sources/<pk>/", None, ADMINS),
    ("put", f"{API}sources/<pk>/", {"name": "New", "kind": "generic"}, ADMINS),
    ("patch", f"{API}sources/<pk>/", {"name": "New"}, ADMINS),
    ("delete", f"{API}sources/<pk>/", None, (401, 403, 403, 403, 403, 409)),  # it has alerts
    ("post", f"{API}sources/<pk>/test/", {}, ADMINS),
    ("post", f"{API}sources/<pk>/teach/", {"field": "status", "word": "gone", "means": "resolved"}, ADMINS),
    ("post", f"{API}sources/<pk>/keys/", {}, ADMINS_CREATE),
    ("delete", f"{API}sources/<pk>/keys/<key_id>/", None, ADMINS_DELETE),
    ("get", f"{API}heartbeats/", None, ADMINS),
    ("post", f"{API}heartbeats/", BEAT, ADMINS_CREATE),
    ("get", f"{API}heartbeats/<pk>/", None, ADMINS),
    ("put", f"{API}heartbeats/<pk>/", BEAT, ADMINS),
    ("patch", f"{API}heartbeats/<pk>/", {"interval_minutes": 7}, ADMINS),
    ("delete", f"{API}heartbeats/<pk>/", None, ADMINS_DELETE),
    ("get", f"{API}routes/", None, RESPONDERS),
    ("post", f"{API}routes/", {"name": "New"}, ADMINS_CREATE),
    ("get", f"{API}routes/<pk>/", None, RESPONDERS),
    ("put", f"{API}routes/<pk>/", {"name": "New"}, ADMINS),
    ("patch", f"{API}routes/<pk>/", {"name": "New"}, ADMINS),
    ("delete", f"{API}routes/<pk>/", None, ADMINS_DELETE),
    ("post", f"{API}routes/reorder/", {"ids": ["{route}"]}, ADMINS),
    ("post", f"{API}routes/simulate/", {"alert": {"title": "x"}}, RESPONDERS),
    ("get", f"{API}silences/", None, RESPONDERS),
    ("post", f"{API}silences/", SILENCE, RESPONDERS_CREATE),
    ("get", f"{API}silences/<pk>/", None, RESPONDERS),
    ("put", f"{API}silences/<pk>/", SILENCE, RESPONDERS),
    ("patch", f"{API}silences/<pk>/", {"comment": "x"}, RESPONDERS),
    ("delete", f"{API}silences/<pk>/", None, (401, 403, 403, 204, 204, 204)),
    ("post", f"{API}silences/<pk>/end/", {}, RESPONDERS),
]

AGENTS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", f"{API}agents/", None, ADMINS),
    ("post", f"{API}agents/", {"name": "New"}, ADMINS_CREATE),
    ("get", f"{API}agents/<pk>/", None, ADMINS),
    ("put", f"{API}agents/<pk>/", {"name": "New"}, ADMINS),
    ("patch", f"{API}agents/<pk>/", {"description": "x"}, ADMINS),
    ("delete", f"{API}agents/<pk>/", None, ADMINS_DELETE),
    ("post", f"{API}agents/<pk>/key/", {}, ADMINS_CREATE),
    # agents only, by their own keys
    ("post", f"{API}agents/poll/", {"version": "1", "commands": []}, (401,) * 6),
    ("post", f"{API}agents/jobs/<job_id>/result/", {"state": "done"}, (401,) * 6),
]

TOMORROW = {"from": "2150-01-01T00:00:00Z", "to": "2150-01-02T00:00:00Z", "add": ["{member}"]}
SWAP = {"from": "2150-01-01T00:00:00Z", "to": "2150-01-02T00:00:00Z", "schedule": "{schedule}"}
TEAM_CREATES = (401, 403, 403, 201, 403, 201)
OPEN_TILL = {"starts_at": "2198-12-31T00:00:00Z", "ends_at": "2199-01-01T00:00:00Z"}
PUBLIC = f"{API}status/incidents/"
MAINTENANCE = f"{API}status/maintenance/"
STATUS_PAGE: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", f"{API}status/page/", None, RESPONDERS),
    ("patch", f"{API}status/page/", {"name": "Acme"}, ADMINS),
    ("get", f"{API}status/page/logo/", None, (401, 403, 403, 404, 404, 404)),
    ("post", f"{API}status/page/logo/", "a logo", ADMINS),
    ("delete", f"{API}status/page/logo/", None, ADMINS_DELETE),
    ("post", f"{API}status/page/access-key/", {}, ADMINS_CREATE),
    *(
        row
        for name in ("groups", "components", "templates")
        for row in (
            ("get", f"{API}status/{name}/", None, RESPONDERS),
            ("post", f"{API}status/{name}/", {"name": "New"}, ADMINS_CREATE),
            ("get", f"{API}status/{name}/<pk>/", None, RESPONDERS),
            ("put", f"{API}status/{name}/<pk>/", {"name": "New"}, ADMINS),
            ("patch", f"{API}status/{name}/<pk>/", {"name": "New"}, ADMINS),
            ("delete", f"{API}status/{name}/<pk>/", None, ADMINS_DELETE),
        )
    ),
    ("post", f"{API}status/components/reorder/", {"ids": ["{component}"]}, ADMINS),
    ("get", "status/subscribe/", None, (302,) * 6),
    *(("get", f"status/{name}/<token>/", None, (404,) * 6) for name in ("confirm", "manage", "unsubscribe")),
    ("get", f"{API}status/subscribers/", None, ADMINS),
    ("post", f"{API}status/subscribers/", {"email": "new@example.org"}, ADMINS_CREATE),
    ("post", f"{API}status/subscribers/import/", {"subscribers": [{"email": "new@example.org"}]}, ADMINS),
    ("get", f"{API}status/subscribers/<subscriber_id>/", None, ADMINS),
    ("delete", f"{API}status/subscribers/<subscriber_id>/", None, ADMINS_DELETE),
    ("get", PUBLIC, None, RESPONDERS),
    ("post", PUBLIC, {"title": "New", "message": "x", "impact": "degraded"}, RESPONDERS_CREATE),
    ("post", MAINTENANCE, {"title": "New", "message": "x", **OPEN_TILL}, RESPONDERS_CREATE),
    ("get", MAINTENANCE, None, RESPONDERS),
    *(
        row
        for one in (PUBLIC, MAINTENANCE)
        for row in (
            ("get", f"{one}<pk>/", None, RESPONDERS),
            ("patch", f"{one}<pk>/", {"title": "Other"}, RESPONDERS),
            ("delete", f"{one}<pk>/", None, ADMINS_DELETE),
            ("get", f"{one}<announcement_id>/updates/", None, RESPONDERS),
            ("post", f"{one}<announcement_id>/updates/", {"message": "x"}, RESPONDERS_CREATE),
            ("get", f"{one}<announcement_id>/updates/<pk>/", None, RESPONDERS),
            ("patch", f"{one}<announcement_id>/updates/<pk>/", {"message": "x"}, RESPONDERS),
        )
    ),
]
ON_CALL: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", f"{API}schedules/", None, SIGNED_IN),
    ("post", f"{API}schedules/", {"name": "New"}, ADMINS_CREATE),
    ("get", f"{API}schedules/<pk>/", None, SIGNED_IN),
    ("put", f"{API}schedules/<pk>/", {"name": "New"}, ADMINS),
    ("patch", f"{API}schedules/<pk>/", {"name": "New"}, ADMINS),
    ("delete", f"{API}schedules/<pk>/", None, ADMINS_DELETE),
    *(("get", f"{API}schedules/<pk>/{what}/", None, SIGNED_IN) for what in ("on-call", "shifts", "gaps", "fairness")),
    ("get", f"{API}schedules/<schedule_id>/overrides/", None, SIGNED_IN),
    ("post", f"{API}schedules/<schedule_id>/overrides/", TOMORROW, TEAM_CREATES),
    ("get", f"{API}schedules/<schedule_id>/overrides/<pk>/", None, SIGNED_IN),
    ("put", f"{API}schedules/<schedule_id>/overrides/<pk>/", TOMORROW, (401, 403, 403, 200, 403, 200)),
    ("patch", f"{API}schedules/<schedule_id>/overrides/<pk>/", {"comment": "x"}, (401, 403, 403, 200, 403, 200)),
    ("delete", f"{API}schedules/<schedule_id>/overrides/<pk>/", None, (401, 403, 403, 204, 403, 204)),
    ("get", f"{API}schedules/<schedule_id>/handover-notes/", None, RESPONDERS),
    ("post", f"{API}schedules/<schedule_id>/handover-notes/", {"text": "All quiet"}, (401, 403, 403, 201, 403, 201)),
    ("get", f"{API}schedules/<schedule_id>/handover-notes/<pk>/", None, RESPONDERS),
    ("put", f"{API}schedules/<schedule_id>/handover-notes/<pk>/", {"text": "x"}, (401, 403, 403, 200, 403, 200)),
    ("patch", f"{API}schedules/<schedule_id>/handover-notes/<pk>/", {"text": "x"}, (401, 403, 403, 200, 403, 200)),
    ("delete", f"{API}schedules/<schedule_id>/handover-notes/<pk>/", None, (401, 403, 403, 204, 403, 204)),
    ("get", f"{API}schedules/<schedule_id>/calendars/", None, RESPONDERS),
    ("post", f"{API}schedules/<schedule_id>/calendars/", {"name": "x"}, (401, 403, 403, 403, 403, 400)),  # no address
    ("get", f"{API}schedules/<schedule_id>/calendars/<pk>/", None, RESPONDERS),
    ("put", f"{API}schedules/<schedule_id>/calendars/<pk>/", {"name": "Other"}, ADMINS),
    ("patch", f"{API}schedules/<schedule_id>/calendars/<pk>/", {"name": "Other"}, ADMINS),
    ("delete", f"{API}schedules/<schedule_id>/calendars/<pk>/", None, ADMINS_DELETE),
    ("get", f"{API}schedules/<pk>/calendar.ics", None, (401,) * 6),  # a token opens it, whoever the person is
    ("post", f"{API}schedules/<pk>/calendar-token/", {}, (401, 201, 201, 201, 201, 201)),
    ("delete", f"{API}schedules/<pk>/calendar-token/", None, (401, 204, 204, 204, 204, 204)),
    ("get", f"{API}me/shifts.ics", None, (401,) * 6),
    ("post", f"{API}me/calendar-token/", {}, (401, 201, 201, 201, 201, 201)),
    ("delete", f"{API}me/calendar-token/", None, (401, 204, 204, 204, 204, 204)),
    ("get", f"{API}shift-swaps/", None, SIGNED_IN),
    # the member of the team is on shift
    ("post", f"{API}shift-swaps/", SWAP, (401, 409, 409, 201, 409, 409)),
    ("get", f"{API}shift-swaps/<pk>/", None, SIGNED_IN),
    ("put", f"{API}shift-swaps/<pk>/", SWAP, (401, 403, 403, 200, 403, 200)),
    ("patch", f"{API}shift-swaps/<pk>/", {"comment": "x"}, (401, 403, 403, 200, 403, 200)),
    ("delete", f"{API}shift-swaps/<pk>/", None, (401, 403, 403, 204, 403, 204)),
    ("post", f"{API}shift-swaps/<pk>/take/", {}, (401, 403, 403, 409, 403, 200)),  # not one's own
    ("post", f"{API}shift-swaps/<pk>/approve/", {}, (401, 403, 403, 409, 403, 409)),  # nobody has taken it
]

WEBHOOK = {"name": "New", "url": "https://new.example/hooks"}
ROOM = {"name": "New", "kind": "email", "address": "new@example.org"}
OWN = (401, 404, 404, 200, 404, 404)  # the responder's
OWN_SENT = (401, 404, 404, 202, 404, 404)
NOTIFICATIONS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", f"{API}channels/", None, ADMINS),
    ("post", f"{API}channels/", ROOM, ADMINS_CREATE),
    ("get", f"{API}channels/<pk>/", None, ADMINS),
    ("put", f"{API}channels/<pk>/", ROOM, ADMINS),
    ("patch", f"{API}channels/<pk>/", {"name": "Other"}, ADMINS),
    ("delete", f"{API}channels/<pk>/", None, ADMINS_DELETE),
    ("post", f"{API}channels/<pk>/test/", {}, (401, 403, 403, 403, 403, 202)),
    ("get", f"{API}webhooks/", None, ADMINS),
    ("post", f"{API}webhooks/", WEBHOOK, ADMINS_CREATE),
    ("get", f"{API}webhooks/<pk>/", None, ADMINS),
    ("put", f"{API}webhooks/<pk>/", WEBHOOK, ADMINS),
    ("patch", f"{API}webhooks/<pk>/", {"name": "Other"}, ADMINS),
    ("delete", f"{API}webhooks/<pk>/", None, ADMINS_DELETE),
    ("post", f"{API}webhooks/<pk>/test/", {}, (401, 403, 403, 403, 403, 202)),
    ("post", f"{API}webhooks/<pk>/secret/", {}, ADMINS_CREATE),
    ("get", f"{API}webhooks/<pk>/deliveries/", None, ADMINS),
    ("post", f"{API}webhooks/<pk>/deliveries/<delivery_id>/redeliver/", {}, (401, 403, 403, 403, 403, 404)),
    ("get", f"{API}me/contact-methods/push-key/", None, SIGNED_IN),
    ("post", f"{API}channels/<pk>/confirm/", {"code": "1"}, (401, 403, 403, 403, 403, 400)),
    ("get", f"{API}deliveries/", None, ADMINS),
    ("get", f"{API}deliveries/<delivery_id>/", None, ADMINS),
    ("post", f"{API}deliveries/<delivery_id>/retry/", {}, ADMINS),
    ("post", f"{API}deliveries/<delivery_id>/cancel/", {}, ADMINS),
    ("post", f"{API}deliveries/<delivery_id>/release/", {}, (401, 403, 403, 403, 403, 409)),  # it is not held
    ("get", f"{API}me/contact-methods/", None, SIGNED_IN),
    (
        "post",
        f"{API}me/contact-methods/",
        {"kind": "email", "address": "new@example.org"},
        (401, 201, 201, 201, 201, 201),
    ),
    ("post", f"{API}me/contact-methods/link/", {"code": "NOBODYS"}, (401, 400, 400, 400, 400, 400)),
    ("get", f"{API}me/contact-methods/<method_id>/", None, OWN),
    ("patch", f"{API}me/contact-methods/<method_id>/", {"label": "Home"}, OWN),
    ("delete", f"{API}me/contact-methods/<method_id>/", None, (401, 404, 404, 204, 404, 404)),
    ("post", f"{API}me/contact-methods/<method_id>/code/", {}, OWN_SENT),
    ("post", f"{API}me/contact-methods/<method_id>/test/", {}, OWN_SENT),
    ("post", f"{API}me/contact-methods/<method_id>/verify/", {"code": "1"}, (401, 404, 404, 409, 404, 404)),
    ("get", f"{API}me/notification-rules/", None, SIGNED_IN),
    ("post", f"{API}me/notification-rules/", {"importance": "low", "steps": []}, (401, 400, 400, 400, 400, 400)),
    ("get", f"{API}me/notification-rules/<importance>/", None, OWN),
    ("delete", f"{API}me/notification-rules/<importance>/", None, (401, 404, 404, 204, 404, 404)),
    ("get", f"{API}me/notifications/", None, SIGNED_IN),
    ("post", f"{API}me/notifications/read/", {"all": True}, SIGNED_IN),
    ("get", f"{API}readiness/", None, RESPONDERS),
]

STEPS = {"steps": [{"targets": [{"kind": "team", "id": "{team}"}]}]}
ESCALATION: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", f"{API}escalation-policies/", None, SIGNED_IN),
    ("post", f"{API}escalation-policies/", {"name": "New", **STEPS}, ADMINS_CREATE),
    ("get", f"{API}escalation-policies/<pk>/", None, SIGNED_IN),
    ("put", f"{API}escalation-policies/<pk>/", {"name": "New", **STEPS}, ADMINS),
    ("patch", f"{API}escalation-policies/<pk>/", {"repeat": 2}, ADMINS),
    ("delete", f"{API}escalation-policies/<pk>/", None, ADMINS_DELETE),
    ("post", f"{API}escalation-policies/<policy_id>/simulate/", {}, RESPONDERS),
]

REVIEW_RULE = {"name": "New", "min_severity": "high"}
OF_REVIEWS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", f"{API}reviews/", None, RESPONDERS),
    ("get", f"{API}action-items/", None, RESPONDERS),
    ("get", f"{API}action-items/summary/", None, RESPONDERS),
    ("get", f"{API}action-items/export/", None, RESPONDERS),
    ("get", f"{API}review-rules/", None, RESPONDERS),
    ("post", f"{API}review-rules/", REVIEW_RULE, ADMINS_CREATE),
    ("get", f"{API}review-rules/<pk>/", None, RESPONDERS),
    ("put", f"{API}review-rules/<pk>/", REVIEW_RULE, ADMINS),
    ("patch", f"{API}review-rules/<pk>/", {"within_days": 3}, ADMINS),
    ("delete", f"{API}review-rules/<pk>/", None, ADMINS_DELETE),
]
RUNBOOK = {"name": "New", "steps": [{"kind": "fake", "targets": ["web"]}]}
RUNBOOK_SECRET = {"name": "new", "url_prefix": "https://ops.example/", "value": "Bearer x"}
FREEZE = {"name": "Sale", "starts_at": "2150-01-01T00:00:00Z", "ends_at": "2150-01-02T00:00:00Z"}
REMEDIATION: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", f"{API}runbooks/", None, RESPONDERS),
    ("post", f"{API}runbooks/", RUNBOOK, ADMINS_CREATE),
    ("get", f"{API}runbooks/<id>/", None, RESPONDERS),
    ("patch", f"{API}runbooks/<id>/", {"max_targets": 2}, ADMINS),
    ("delete", f"{API}runbooks/<id>/", None, (401, 403, 403, 403, 403, 409)),  # it has runs
    ("get", f"{API}runbooks/<id>/versions/", None, RESPONDERS),
    ("post", f"{API}runbooks/<id>/release/", {}, (401, 403, 403, 403, 403, 409)),  # it is not paused
    ("get", f"{API}runbook-secrets/", None, ADMINS),
    ("post", f"{API}runbook-secrets/", RUNBOOK_SECRET, ADMINS_CREATE),
    ("get", f"{API}runbook-secrets/<id>/", None, ADMINS),
    ("patch", f"{API}runbook-secrets/<id>/", {"value": "y"}, ADMINS),
    ("delete", f"{API}runbook-secrets/<id>/", None, ADMINS_DELETE),
    ("get", f"{API}freeze-windows/", None, RESPONDERS),
    ("post", f"{API}freeze-windows/", FREEZE, ADMINS_CREATE),
    ("get", f"{API}freeze-windows/<pk>/", None, RESPONDERS),
    ("put", f"{API}freeze-windows/<pk>/", FREEZE, ADMINS),
    ("patch", f"{API}freeze-windows/<pk>/", {"name": "Other"}, ADMINS),
    ("delete", f"{API}freeze-windows/<pk>/", None, ADMINS_DELETE),
    ("get", f"{API}remediation/stop/", None, RESPONDERS),
    ("post", f"{API}remediation/stop/", {"reason": "Fire"}, RESPONDERS_CREATE),
    ("delete", f"{API}remediation/stop/", None, (401, 403, 403, 403, 403, 409)),  # nothing is stopped
    ("get", f"{API}runs/", None, RESPONDERS),
]
SETTLEMENT = {"finding": "acted", "note": "The pod is new."}
# Of an incident's runs; reporters see none.
DECIDE = (401, 403, 403, 200, 403, 200)
RUN_ROWS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("post", f"{ONE}runs/", {"runbook": "{runbook}"}, (401, 403, 403, 201, 403, 201)),
    ("get", f"{API}runs/<id>/", None, RESPONDERS),
    *(("post", f"{API}runs/<id>/{what}/", {}, DECIDE) for what in ("reject", "dry-run", "abort")),
    ("post", f"{API}runs/<id>/approve/", {"digest": "{digest}"}, DECIDE),
    ("post", f"{API}runs/<id>/execute/", {}, (401, 403, 403, 409, 403, 409)),  # nobody approved it
    ("post", f"{API}runs/<id>/settle/", SETTLEMENT, (401, 403, 403, 409, 403, 409)),  # it did not end unknown
]
ITS_REVIEW = f"{API}reviews/<review_id>/"
# Of an incident's review; reporters see none.
READ_REVIEW = RESPONDERS
EDIT_REVIEW = (401, 403, 403, 200, 403, 200)
ADD_TO_REVIEW = (401, 403, 403, 201, 403, 201)
TAKE_FROM_REVIEW = (401, 403, 403, 204, 403, 204)
REVIEW_ROWS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("post", f"{API}reviews/", {"incident": "{second}"}, ADD_TO_REVIEW),
    ("get", f"{API}reviews/<pk>/", None, READ_REVIEW),
    ("patch", f"{API}reviews/<pk>/", {"summary": "x"}, EDIT_REVIEW),
    ("delete", f"{API}reviews/<pk>/", None, (401, 403, 403, 403, 403, 204)),
    ("post", f"{API}reviews/<pk>/publish/", {}, (401, 403, 403, 400, 403, 400)),  # it has no public edition
    ("delete", f"{API}reviews/<pk>/publish/", None, (401, 403, 403, 409, 403, 409)),
    *(("get", f"{ITS_REVIEW}{what}/", None, READ_REVIEW) for what in ("moments", "factors", "participants")),
    *(("get", f"{ITS_REVIEW}{what}/", None, READ_REVIEW) for what in ("action-items", "markdown", "pdf")),
    ("post", f"{ITS_REVIEW}moments/", {"at": "2026-01-01T00:00:00Z", "text": "x"}, ADD_TO_REVIEW),
    ("post", f"{ITS_REVIEW}moments/from-timeline/", {"events": ["{event}"]}, ADD_TO_REVIEW),
    ("post", f"{ITS_REVIEW}factors/", {"text": "x"}, ADD_TO_REVIEW),
    ("post", f"{ITS_REVIEW}participants/", {"user": "{other}"}, ADD_TO_REVIEW),
    ("post", f"{ITS_REVIEW}action-items/", {"title": "x"}, ADD_TO_REVIEW),
    *(
        (method, f"{ITS_REVIEW}{what}/<id>/", body, EDIT_REVIEW if body else TAKE_FROM_REVIEW)
        for what, change in (("moments", "text"), ("factors", "text"), ("participants", "notes"))
        for method, body in (("patch", {change: "x"}), ("delete", None))
    ),
    ("get", f"{API}action-items/<id>/", None, READ_REVIEW),
    ("patch", f"{API}action-items/<id>/", {"title": "x"}, EDIT_REVIEW),
    ("delete", f"{API}action-items/<id>/", None, TAKE_FROM_REVIEW),
]

# (method, route, body or query, statuses for PEOPLE). Words in braces are ids of the objects in setUpTestData.
ROWS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", "favicon.ico", None, ANYBODY),
    ("get", "status-access/", None, (302,) * 6),  # to the sign-in page, without a session
    ("get", "livez", None, ANYBODY),
    ("get", "readyz", None, ANYBODY),
    ("get", "health/", None, ANYBODY),
    ("get", "health", None, ANYBODY),
    ("get", "metrics", None, (401,) * 6),
    ("get", "api/schema/", None, ANYBODY),
    ("get", "api/docs/", None, ANYBODY),
    ("get", "api/redoc/", None, ANYBODY),
    ("get", "forgotten-password/", None, ANYBODY),
    ("post", "forgotten-password/", {}, (400,) * 6),
    ("get", "reset-password/", None, ANYBODY),
    ("post", "reset-password/", {}, (400,) * 6),
    # Webhooks of providers: a signature or token opens them, whoever the person is
    *(("post", f"integrations/twilio/{name}", {}, (403,) * 6) for name in ("voice", "sms", "status")),
    *(
        (method, f"integrations/sms-gateway/{name}", {}, (403,) * 6)
        for method in ("get", "post")
        for name in ("receipts", "replies")
    ),
    # Doors of senders: a key opens them, whoever the person is
    *((method, "intake/<key>/", None, (403,) * 6) for method in ("get", "post", "put")),
    *((method, "intake/<key>/heartbeat/", None, (403,) * 6) for method in ("get", "post", "put")),
    *(
        (method, f"intake/<key>/heartbeat/<name>/{rest}", None, (403,) * 6)
        for method in ("get", "post", "put")
        for rest in ("", "fail/")
    ),
    ("post", "api/v2/alerts/", [], (401, 403, 403, 403, 403, 403)),
    # What chats call: a signature or a secret lets them in
    *(
        ("post", f"integrations/{path}", {}, (403,) * 6)
        for path in ("slack/interactions", "slack/commands", "telegram")
    ),
    ("post", "v2/enqueue/", {}, (400,) * 6),
    ("post", "v2/change/enqueue/", {}, (400,) * 6),
    *((method, "v2/alerts/", None, (401,) * 6) for method in ("get", "post")),
    ("get", "v2/alerts/requests/<request_id>/", None, (401,) * 6),
    *(
        (method, f"v2/alerts/<identifier>/{rest}", None, (401,) * 6)
        for method in ("get", "post", "put", "patch", "delete")
        for rest in ("", "<action>/")
    ),
    *((method, "v2/heartbeats/<name>/ping/", None, (401,) * 6) for method in ("get", "post", "put", "patch")),
    ("get", "v2/heartbeats/<name>/", None, (401,) * 6),
    *(("post", path, [], (401, 403, 403, 403, 403, 403)) for path in LOG_DOORS),
    *((method, "services/collector/health/", None, ANYBODY) for method in ("get", "post")),
    *((method, "services/collector/health/1.0/", None, ANYBODY) for method in ("get", "post")),
    ("get", "invitation/", None, ANYBODY),
    ("post", "invitation/", {}, (400,) * 6),
    ("get", "verify-email/", None, ANYBODY),
    *((method, "a/<token>/", None, (404,) * 6) for method in ("get", "post")),
    ("post", "verify-email/", {}, (400,) * 6),
    ("get", f"{API}system/info/", None, ADMINS),
    # Accounts
    ("post", f"{API}auth/register/", {"email": "new@example.com", "password": PASSWORD, "name": "N"}, (201,) * 6),
    ("post", f"{API}auth/token/", {"email": "owner@example.com", "password": PASSWORD}, ANYBODY),
    ("post", f"{API}auth/token/refresh/", {"refresh": "nonsense"}, (401,) * 6),
    ("post", f"{API}auth/logout/", {}, (401, 204, 204, 204, 204, 204)),
    ("get", f"{API}auth/me/", None, SIGNED_IN),
    ("patch", f"{API}auth/me/", {"name": "Me"}, SIGNED_IN),
    ("post", f"{API}auth/password/", {"current_password": PASSWORD, "new_password": "quite another one"}, SIGNED_IN),
    ("post", f"{API}auth/password-reset/", {"email": "owner@example.com"}, (202,) * 6),
    ("post", f"{API}auth/password-reset/confirm/", {"uid": "x", "token": "x", "new_password": PASSWORD}, (400,) * 6),
    ("post", f"{API}auth/verify-email/", {"token": "x"}, (400,) * 6),
    ("get", f"{API}me/tokens/", None, SIGNED_IN),
    ("post", f"{API}me/tokens/", {"name": "script"}, (401, 201, 201, 201, 201, 201)),
    ("delete", f"{API}me/tokens/<pk>/", None, (401, 204, 404, 404, 404, 404)),  # the reporter's own
    ("get", f"{API}users/", None, RESPONDERS),
    ("get", f"{API}users/<pk>/", None, ADMINS),
    ("patch", f"{API}users/<pk>/", {"is_active": True}, ADMINS),
    ("get", f"{API}users/<pk>/deactivation/", None, ADMINS),
    # Configuration
    ("get", f"{API}teams/", None, SIGNED_IN),
    ("post", f"{API}teams/", {"name": "New"}, ADMINS_CREATE),
    ("get", f"{API}teams/<pk>/", None, SIGNED_IN),
    ("put", f"{API}teams/<pk>/", {"name": "New"}, ADMINS),
    ("patch", f"{API}teams/<pk>/", {"name": "New"}, ADMINS),
    ("delete", f"{API}teams/<pk>/", None, (401, 403, 403, 403, 403, 409)),  # incidents name it
    ("get", f"{API}teams/<team_id>/members/", None, SIGNED_IN),
    ("post", f"{API}teams/<team_id>/members/", {"user": "{outsider}"}, ADMINS_CREATE),
    ("delete", f"{API}teams/<team_id>/members/<user_id>/", None, ADMINS_DELETE),
    ("get", f"{API}services/", None, SIGNED_IN),
    ("post", f"{API}services/", NEW_NAME, ADMINS_CREATE),
    ("get", f"{API}services/<pk>/", None, SIGNED_IN),
    ("put", f"{API}services/<pk>/", NEW_NAME, ADMINS),
    ("patch", f"{API}services/<pk>/", {"name": "Other"}, ADMINS),
    ("delete", f"{API}services/<pk>/", None, ADMINS_DELETE),
    ("get", f"{API}categories/", None, SIGNED_IN),
    ("post", f"{API}categories/", NEW_NAME, ADMINS_CREATE),
    ("get", f"{API}categories/<pk>/", None, SIGNED_IN),
    ("put", f"{API}categories/<pk>/", NEW_NAME, ADMINS),
    ("patch", f"{API}categories/<pk>/", {"name": "Other"}, ADMINS),
    ("delete", f"{API}categories/<pk>/", None, ADMINS_DELETE),
    ("get", f"{API}sla-policies/", None, SIGNED_IN),
    ("post", f"{API}sla-policies/", NEW_POLICY, ADMINS_CREATE),
    ("get", f"{API}sla-policies/<pk>/", None, SIGNED_IN),
    ("put", f"{API}sla-policies/<pk>/", NEW_POLICY, ADMINS),
    ("patch", f"{API}sla-policies/<pk>/", {"ack_minutes": 7}, ADMINS),
    ("delete", f"{API}sla-policies/<pk>/", None, ADMINS_DELETE),
    ("get", f"{API}report-rules/", None, RESPONDERS),
    ("post", f"{API}report-rules/", {"name": "New", "severity": "low"}, ADMINS_CREATE),
    ("get", f"{API}report-rules/<pk>/", None, RESPONDERS),
    ("put", f"{API}report-rules/<pk>/", {"name": "New", "severity": "low"}, ADMINS),
    ("patch", f"{API}report-rules/<pk>/", {"severity": "low"}, ADMINS),
    ("delete", f"{API}report-rules/<pk>/", None, ADMINS_DELETE),
    ("post", f"{API}report-rules/reorder/", {"ids": ["{report_rule}"]}, ADMINS),
    ("post", f"{API}report-rules/simulate/", {"title": "x"}, RESPONDERS),
    *ON_CALL,
    # Alerts
    *AGENTS,
    *CONFIGURED_ALERTS,
    *OWN_VIEWS,
    *ESCALATION,
    *STATUS_PAGE,
    ("get", f"{API}alerts/", None, SIGNED_IN),
    ("get", f"{API}changes/", None, RESPONDERS),
    ("post", f"{API}changes/", {"summary": "Deploy"}, RESPONDERS_CREATE),
    ("get", f"{API}intake-events/", None, ADMINS),
    ("get", f"{API}intake-events/<event_id>/", None, ADMINS),
    ("post", f"{API}intake-events/<event_id>/replay/", {}, (401, 403, 403, 403, 403, 200)),
    ("post", f"{API}intake-events/replay/", {"state": "failed"}, ADMINS),
    *NOTIFICATIONS,
    # What logs tell
    ("get", f"{API}detection-rules/", None, RESPONDERS),
    ("post", f"{API}detection-rules/", {"name": "New"}, ADMINS_CREATE),
    ("get", f"{API}detection-rules/<pk>/", None, RESPONDERS),
    ("put", f"{API}detection-rules/<pk>/", {"name": "New"}, ADMINS),
    ("patch", f"{API}detection-rules/<pk>/", {"threshold": 7}, ADMINS),
    ("delete", f"{API}detection-rules/<pk>/", None, ADMINS_DELETE),
    ("post", f"{API}detection-rules/<pk>/backtest/", {}, RESPONDERS),
    ("post", f"{API}detection-rules/backtest/", {}, RESPONDERS),
    ("get", f"{API}detection-rules/templates/", None, RESPONDERS),
    ("get", f"{API}logs/", None, RESPONDERS),
    ("post", f"{API}logs/", {"message": "x"}, (401, 403, 403, 202, 202, 202)),
    ("get", f"{API}logs/<id>/", None, RESPONDERS),
    ("get", f"{API}logs/templates/", None, RESPONDERS),
    ("post", f"{API}simulate-incident/", {}, (401, 403, 403, 403, 403, 202)),
    # Incidents
    ("get", f"{API}incidents/", None, SIGNED_IN),
    ("post", f"{API}incidents/", {"title": "New"}, (401, 201, 201, 201, 201, 201)),
    ("post", f"{API}incidents/", {"title": "New", "team": "{team}"}, (401, 403, 403, 201, 201, 201)),
    ("get", f"{API}incidents/summary/", None, SIGNED_IN),
    ("get", f"{API}incidents/export/", None, SIGNED_IN),
    ("post", f"{API}incidents/bulk/", {"ids": ["{incident}"], "severity": "high"}, RESPONDERS),
    ("get", f"{API}metrics/sla/", None, SIGNED_IN),
    *OF_REVIEWS,
    *REMEDIATION,
]
INCIDENT_ROWS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", f"{ONE}escalation/", None, (401, 403, 404, 200, 200, 200)),
    ("post", f"{ONE}page/", {"targets": [{"kind": "team", "id": "{team}"}]}, (401, 403, 404, 201, 403, 201)),
    ("get", ONE, None, SEE),
    ("put", ONE, {"title": "Changed"}, EDIT),
    ("patch", ONE, {"title": "Changed"}, EDIT),
    ("patch", ONE, {"severity": "low"}, WORK),
    ("patch", ONE, {"status": "acknowledged"}, WORK),
    ("patch", ONE, {"team": None}, WORK),
    ("patch", ONE, {"assignee": "{member}"}, WORK),
    ("patch", ONE, {"is_restricted": True}, WORK),
    ("delete", ONE, None, (401, 403, 404, 403, 403, 204)),
    ("get", f"{ONE}timeline/", None, SEE),
    ("post", f"{ONE}timeline/", {"message": "Hello"}, SAY),
    ("post", f"{ONE}timeline/", {"message": "Hush", "visibility": "internal"}, (401, 403, 404, 201, 403, 201)),
    ("get", f"{ONE}history/", None, SEE),
    ("get", f"{ONE}subscribers/", None, SEE),
    ("post", f"{ONE}subscribers/", {}, (401, 200, 404, 201, 201, 201)),
    ("post", f"{ONE}subscribers/", {"user": "{other}"}, (401, 403, 404, 201, 403, 201)),
    ("delete", f"{ONE}subscribers/", None, (401, 409, 404, 404, 404, 404)),  # oneself; only the reporter follows
    ("get", f"{ONE}links/", None, SEE),
    ("post", f"{ONE}links/", {"kind": "related_to", "target": "{second}"}, (401, 403, 404, 201, 403, 201)),
    ("delete", f"{ONE}links/?link={{link}}", None, (401, 403, 404, 204, 403, 204)),
    ("get", f"{ONE}attachments/", None, SEE),
    ("post", f"{ONE}attachments/", "a file", SAY),
    ("post", f"{API}timeline/<event_id>/redact/", {}, (401, 403, 404, 403, 403, 200)),
    ("delete", FILE, None, (401, 204, 404, 204, 403, 204)),
    ("get", f"{FILE}file/", None, SEE),
    ("get", f"{FILE}thumbnail/", None, (401, 404, 404, 404, 404, 404)),  # not made yet
    ("get", f"{FILE}original/", None, (401, 403, 404, 200, 200, 200)),
    ("get", f"{ONE}alerts/", None, SEE),
    ("get", f"{ONE}changes/", None, (401, 403, 403, 200, 200, 200)),
    ("get", f"{ONE}suggestions/", None, SEE),
    ("post", f"{ONE}suggestions/<suggestion_id>/verdict/", {"useful": True}, (401, 403, 403, 200, 200, 200)),
    ("post", f"{ONE}suggestions/ask/", {"task": "causes"}, (401, 403, 403, 409, 409, 409)),  # no model here
    ("post", f"{ONE}merge/", {"into": "{second}"}, WORK),
    ("get", f"{API}alerts/<alert_id>/", None, SEE),
    ("post", f"{API}alerts/<alert_id>/move/", {"incident": "{second}"}, WORK),
    ("post", f"{API}alerts/split/", {"alerts": ["{alert}"]}, (401, 403, 404, 201, 403, 201)),
    *REVIEW_ROWS,
    *RUN_ROWS,
]


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each (method, route) that the resolver knows; converters and regular expressions shortened to `<name>`."""
    for entry in resolver.url_patterns:
        path = prefix + _plain(str(entry.pattern))
        if isinstance(entry, URLResolver):
            # Pages have tests of their own (console.tests.test_pages), as the back office has.
            if path != "admin/" and entry.namespace != "console":
                yield from routes(entry, path)
        elif isinstance(entry, URLPattern):
            for method in methods_of(entry.callback):
                yield method, path


def _plain(pattern: str) -> str:
    pattern = pattern.removeprefix("^").removesuffix("$").removesuffix(r"\Z").replace("/?", "/").replace(r"\.", ".")
    return re.sub(r"<\w+:(\w+)>", r"<\1>", re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern))


def methods_of(view: Any) -> list[str]:
    """What a view answers to, apart from HEAD and OPTIONS; plain functions are read-only here."""
    actions = getattr(view, "actions", None)
    if actions:
        return [method for method in actions if method != "head"]
    view_class = getattr(view, "cls", getattr(view, "view_class", None))
    if view_class is None:
        return [method.lower() for method in getattr(view, "methods", ["GET"]) if method != "HEAD"]
    return [name for name in ("get", "post", "put", "patch", "delete") if hasattr(view_class, name)]


@override_settings(RATES_PER_ADDRESS={}, METRICS_TOKEN="a token that nobody here has")
class PermissionMatrixTests(TestCase):
    rows, incident_rows = ROWS, INCIDENT_ROWS

    @classmethod
    def setUpTestData(cls) -> None:
        owner, other = make_reporter(email="owner@example.com"), make_reporter()
        member, outsider, admin = make_responder(), make_responder(), make_admin()
        cls.clients = [APIClient(), *(signed_in(user) for user in (owner, other, member, outsider, admin))]
        cls.team = make_team("Database", member)
        make_team("Elsewhere", outsider)
        cls.own_token, _ = create_personal_token(owner, name="script", scope="read", expires_at=None)
        rule = ReportRule.objects.create(name="Report rule", severity=Severity.HIGH, words=["leak"])
        cls.ids = {
            "report_rule": rule.pk,
            "outsider": outsider.pk,
            "member": member.pk,
            "other": other.pk,
            "team": cls.team.pk,
        }
        cls.paths = {
            "teams/<pk>/": cls.team.pk,
            "services/<pk>/": make_service().pk,
            "categories/<pk>/": make_category("disk").pk,
            "sla-policies/<pk>/": make_policy(severity=Severity.HIGH).pk,
            "report-rules/<pk>/": rule.pk,
            "review-rules/<pk>/": make_review_rule().pk,
            "saved-views/<pk>/": SavedView.objects.create(user=member, name="Open").pk,
            "me/tokens/<pk>/": cls.own_token.pk,
            "users/<pk>/": other.pk,
            "<team_id>": cls.team.pk,
            "<key>": "nobodys-key",
            "<user_id>": member.pk,
            "<suggestion_id>": "summary",
        }
        cls.make_on_call(member)
        cls.make_status_page()
        cls.source = make_source()
        make_key(cls.source)
        cls.ids |= {"source": cls.source.pk, "route": make_route(is_enabled=False).pk}
        cls.paths |= {
            "sources/<pk>/": cls.source.pk,
            "<key_id>": cls.source.keys.get().pk,
            "heartbeats/<pk>/": Heartbeat.objects.create(source=cls.source, name="backup").pk,
            "routes/<pk>/": cls.ids["route"],
            "escalation-policies/<pk>/": make_escalation(step(member)).pk,
            "<policy_id>": make_escalation(step(member)).pk,
            "silences/<pk>/": make_silence(("host", "=", "nowhere")).pk,
        }
        method = make_method(member, "email")
        NotificationRule.objects.create(user=member, importance="high", steps=[{"method": 1, "delay_minutes": 0}])
        cls.paths |= {
            "channels/<pk>/": RoomChannel.objects.create(name="Ops", kind="email", address="ops@example.org").pk,
            "webhooks/<pk>/": make_webhook().pk,
            "agents/<pk>/": make_agent()[0].pk,
            "<job_id>": 1,
            "<delivery_id>": make_delivery(method).pk,
            "<method_id>": method.pk,
            "<importance>": "high",
        }
        cls.paths["detection-rules/<pk>/"] = make_rule().pk
        cls.paths["logs/<id>/"] = make_lines(Line("up"))[0].pk
        cls.make_remediation(admin)
        cls.category = make_category("paper")
        cls.ids["category"] = cls.category.pk
        cls.plain = cls.make_world(owner, admin, is_restricted=False)
        cls.restricted = cls.make_world(owner, admin, is_restricted=True)
        failed = IntakeEvent.objects.create(
            source=cls.source, format="generic", body=b"{", state=IntakeState.FAILED, received_at=timezone.now()
        )
        cls.paths["intake-events/<event_id>/"] = failed.pk

    @classmethod
    def make_on_call(cls, member: Any) -> None:
        """A schedule of the team with an override and a swap to come."""
        schedule = make_schedule(layer(member), team=cls.team)
        override = make_override(schedule, "2150-01-01T00:00", "2150-01-02T00:00", add=(member,))
        swap = ShiftSwap.objects.create(
            schedule=schedule, requester=member, starts_at=override.starts_at, ends_at=override.ends_at
        )
        cls.ids["schedule"] = schedule.pk
        cls.paths |= {
            "schedules/<pk>/": schedule.pk,
            "<schedule_id>": schedule.pk,
            "overrides/<pk>/": override.pk,
            "handover-notes/<pk>/": HandoverNote.objects.create(
                schedule=schedule, hand_over_at=timezone.now(), author=member, text="All quiet"
            ).pk,
            "calendars/<pk>/": ImportedCalendar.objects.create(schedule=schedule, name="Team").pk,
            "shift-swaps/<pk>/": swap.pk,
        }

    @classmethod
    def make_remediation(cls, admin: Any) -> None:
        """A runbook, a secret and a freeze window that is over."""
        cls.runbook = make_runbook("web", by=admin)
        secret = {"name": "ops", "url_prefix": "https://ops.example/", "value": "x"}
        past = timezone.now() - dt.timedelta(days=2)
        frozen = FreezeWindow.objects.create(name="Past", starts_at=past, ends_at=past + dt.timedelta(days=1))
        cls.ids["runbook"] = cls.runbook.pk
        cls.paths |= {
            "runbooks/<id>/": cls.runbook.pk,
            "runbook-secrets/<id>/": set_secret(None, by=admin, **secret).pk,
            "freeze-windows/<pk>/": frozen.pk,
        }

    @classmethod
    def make_status_page(cls) -> None:
        """A component, a group and a template, and an announcement of each kind."""
        cls.ids["component"] = make_component().pk
        public = make_public_incident()
        tomorrow = timezone.now() + dt.timedelta(days=1)
        planned = make_maintenance(starts_at=tomorrow, ends_at=tomorrow + dt.timedelta(hours=1))
        cls.paths |= {
            "status/groups/<pk>/": ComponentGroup.objects.create(name="Shop").pk,
            "status/components/<pk>/": cls.ids["component"],
            "status/templates/<pk>/": UpdateTemplate.objects.create(name="Begin").pk,
            "status/subscribers/<subscriber_id>/": make_subscriber("reader@example.org").pk,
            "status/incidents/<pk>/": public.pk,
            "status/maintenance/<pk>/": planned.pk,
            "status/incidents/<announcement_id>/updates/<pk>/": (public.pk, public.updates.get().pk),
            "status/maintenance/<announcement_id>/updates/<pk>/": (planned.pk, planned.updates.get().pk),
            "status/incidents/<announcement_id>/": public.pk,
            "status/maintenance/<announcement_id>/": planned.pk,
        }

    @classmethod
    def make_world(cls, owner: Any, admin: Any, *, is_restricted: bool) -> dict[str, Any]:
        """An incident of the team with a comment, a link and a file, and a second one."""
        incident = make_incident(by=owner)
        second = make_incident(by=owner)
        type(incident).objects.filter(pk__in=[incident.pk, second.pk]).update(
            team=cls.team, is_restricted=is_restricted
        )
        incident.refresh_from_db()
        target = make_incident(by=owner)
        review = make_review(incident, by=admin, owner=admin)
        run = propose_run(incident, cls.runbook, by=admin)
        return {
            "review": review.pk,
            "moment": review.moments.first().pk,
            "factor": add_factor(review, by=admin, text="A factor").pk,
            "participant": review.participants.first().pk,
            "item": make_item(review, by=admin).pk,
            "run": run.pk,
            "digest": run.digest,
            "incident": incident.pk,
            "second": second.pk,
            "alert": cls.make_alert(incident),
            "link": link(incident, target, LinkKind.RELATED_TO, by=admin).pk,
            "event": comment(incident, "A secret", by=owner).pk,
            "file": attach(incident, inspect([upload(picture(), "a.jpg")]), by=owner)[0].pk,
        }

    @classmethod
    def make_alert(cls, incident: Any) -> int:
        """An alert of the incident."""
        alert = fire(cls.source, f"of {incident.pk}")
        type(alert).objects.filter(pk=alert.pk).update(incident=incident)
        return alert.pk

    def test_it_knows_every_route_and_method(self) -> None:
        known = {(method, route.split("?")[0]) for method, route, *_rest in [*self.rows, *self.incident_rows]}

        self.assertEqual(self.routed(), known)

    def test_it_lets_each_person_do_what_they_may(self) -> None:
        for row in [*self.rows, *self.incident_rows]:
            self.check(*row, self.plain)

    def test_it_hides_restricted_incidents_from_responders_outside(self) -> None:
        for method, route, body, statuses in self.incident_rows:
            anonymous, owner, other, member, _outsider, admin = statuses
            self.check(method, route, body, (anonymous, owner, other, member, 404, admin), self.restricted)

    def routed(self) -> set[tuple[str, str]]:
        return set(routes(get_resolver()))

    def check(self, method: str, route: str, body: Any, statuses: tuple[int, ...], world: dict[str, Any]) -> None:
        path = "/" + self.filled(route, world)
        for person, client, expected in zip(PEOPLE, self.clients, statuses, strict=True):
            with self.subTest(f"{method.upper()} {path} {body or ''} as {person}"):
                answer = self.send(client, method, path, body, world)

                self.assertIn(
                    answer.status_code, (200, 503) if path.startswith("/health") or path == "/readyz" else (expected,)
                )
                if answer.status_code == 403 and route not in LOG_DOORS:
                    said = answer.json()  # a text, where a vendor's senders expect one
                    self.assertTrue((said if isinstance(said, str) else said["detail"]).endswith("."), said)

    def send(self, client: APIClient, method: str, path: str, body: Any, world: dict[str, Any]) -> Any:
        """The answer; whatever was done is undone."""
        ids = {**self.ids, **world}
        with transaction.atomic():
            if body == "a file":
                answer = client.post(path, {"attachments": [upload(picture(), "b.jpg")]}, format="multipart")
            elif body == "a logo":
                answer = client.post(path, {"logo": upload(picture(), "b.jpg")}, format="multipart")
            elif method == "get":
                answer = client.get(path)
            else:
                answer = getattr(client, method)(path, _meant(body, ids))
            transaction.set_rollback(True)
        return answer

    def filled(self, route: str, world: dict[str, Any]) -> str:
        """The route with ids in it."""
        for pattern, pk in self.paths.items():
            if pattern in route:
                numbers = iter(pk if isinstance(pk, tuple) else itertools.repeat(pk))
                filled = re.sub(r"<\w+>", lambda _name, left=numbers: str(next(left)), pattern)  # type: ignore[misc]
                route = route.replace(pattern, filled)
        for part in ("moment", "factor", "participant"):
            route = route.replace(f"/{part}s/<id>", f"/{part}s/{world[part]}")
        route = route.replace("action-items/<id>", f"action-items/{world['item']}")
        route = route.replace("<review_id>", str(world["review"])).replace("reviews/<pk>", f"reviews/{world['review']}")
        route = route.replace("/runs/<id>", f"/runs/{world['run']}")
        route = route.replace("<alert_id>", str(world["alert"]))
        route = route.replace("<event_id>", str(world["event"])).replace("{link}", str(world["link"]))
        return route.replace("<id>", str(world["file"] if "/attachments/<id>" in route else world["incident"]))


def _meant(body: Any, ids: dict[str, Any]) -> Any:
    """The body, with numbers for the words in braces."""
    if isinstance(body, dict):
        return {name: _meant(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [_meant(value, ids) for value in body]
    match = re.fullmatch(r"{(\w+)}", body) if isinstance(body, str) else None
    return ids[match.group(1)] if match else body
