"""Every address of the earlier systems, every method, every kind of person."""

from typing import Any

from django.test import override_settings
from django.urls import get_resolver

from tests import test_permission_matrix as matrix

FORBIDDEN = (403, 403, 403, 403, 403, 403)  # by its signature, whoever asks
MOVED = (302, 302, 302, 302, 302, 302)


@override_settings(ROOT_URLCONF="incident_response.legacy.tests.urlconf", SLACK_SIGNING_SECRET="")
class LegacyMatrixTests(matrix.PermissionMatrixTests):
    rows: Any = [
        ("get", "system/info", None, matrix.ADMINS),
        ("get", "incidents", None, matrix.SIGNED_IN),
        ("post", "incidents", {"title": "New", "severity": "HIGH"}, (401, 201, 201, 201, 201, 201)),
        ("post", "incidents", {"title": "New", "assigned_team": "Database"}, (401, 403, 403, 201, 201, 201)),
        ("post", "simulate-incident", {"severity": "HIGH"}, (401, 403, 403, 403, 403, 202)),
        ("post", "test-slack", {}, matrix.ADMINS),
        ("get", "test-splunk", None, matrix.ADMINS),
        ("post", "test-splunk", {}, matrix.ADMINS),
        ("post", "test-ai", {}, matrix.ADMINS),
        ("post", "webhooks/slack", {}, FORBIDDEN),
        ("get", "docs", None, MOVED),
        ("get", "logs", None, matrix.RESPONDERS),
        ("post", "logs", {"message": "up"}, (401, 403, 403, 202, 202, 202)),
        ("get", "alerts", None, matrix.SIGNED_IN),
        ("get", "tickets", None, matrix.SIGNED_IN),
        ("get", "ticket", None, matrix.SIGNED_IN),
        ("post", "ticket", {"title": "New", "priority": "HIGH"}, (401, 201, 201, 201, 201, 201)),
    ]
    incident_rows: Any = [
        ("get", "incidents/<id>", None, matrix.SEE),
        ("put", "incidents/<id>", {"title": "Changed"}, matrix.EDIT),
        ("put", "incidents/<id>", {"status": "IN_PROGRESS"}, matrix.WORK),
        ("put", "incidents/<id>", {"severity": "LOW"}, matrix.WORK),
        ("put", "incidents/<id>", {"affected_systems": ["elsewhere"]}, matrix.WORK),
        ("get", "tickets/<id>", None, matrix.SEE),
        ("patch", "tickets/<id>", {"description": "Changed"}, matrix.EDIT),
        ("patch", "tickets/<id>", {"status": "RESOLVED"}, matrix.WORK),
        ("patch", "tickets/<id>/priority", {"priority": "LOW"}, matrix.WORK),
        ("get", "ticket?id={incident}", None, matrix.SEE),
    ]

    def routed(self) -> set[tuple[str, str]]:
        """Those that are there with LEGACY_ROUTES on only; RedirectView takes every method, and is read here."""
        everything = {row for row in matrix.routes(get_resolver()) if not (row[1] == "docs" and row[0] != "get")}
        with override_settings(ROOT_URLCONF="incident_response.urls"):
            return everything - set(matrix.routes(get_resolver()))

    def filled(self, route: str, world: dict[str, int]) -> str:
        return super().filled(route.replace("{incident}", str(world["incident"])), world)
