"""What surrounds every page of the back office."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.admin import apps
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

# Group, then (title, icon, model) of its pages.
PAGES: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Work",
        (("Incidents", "emergency", "incidents.incident"), ("Alerts", "notifications_active", "alerts.alert")),
    ),
    (
        "On call",
        (
            ("Schedules", "calendar_month", "responders.schedule"),
            ("Shift swaps", "swap_horiz", "responders.shiftswap"),
            ("Contact methods", "contact_phone", "notifications.contactmethod"),
            ("Channels", "forum", "notifications.roomchannel"),
            ("Webhooks", "webhook", "notifications.webhookendpoint"),
            ("Escalation policies", "stairs", "responders.escalationpolicy"),
            ("Pages", "notification_important", "paging.page"),
            ("Nobody reached", "crisis_alert", "paging.escalationalarm"),
            ("Deliveries", "outbox", "notifications.delivery"),
            ("Chat requests", "chat", "notifications.chatrequest"),
            ("Inbound mail", "mark_email_unread", "notifications.inboundmail"),
        ),
    ),
    (
        "Intake",
        (
            ("Sources", "input", "intake.source"),
            ("Routes", "alt_route", "alerts.route"),
            ("Silences", "notifications_off", "alerts.silence"),
            ("Heartbeats", "ecg_heart", "alerts.heartbeat"),
            ("Intake events", "inbox", "intake.intakeevent"),
            ("Changes", "deployed_code_history", "alerts.changeevent"),
        ),
    ),
    ("Logs", (("Log lines", "notes", "logs.logentry"), ("Detection rules", "troubleshoot", "logs.detectionrule"))),
    (
        "Status page",
        (
            ("Public incidents", "campaign", "status_page.publicincident"),
            ("Public updates", "chat_bubble", "status_page.publicupdate"),
            ("Components", "widgets", "status_page.component"),
            ("Component groups", "folder", "status_page.componentgroup"),
            ("Update templates", "draft", "status_page.updatetemplate"),
            ("Impacts", "bar_chart", "status_page.impactspan"),
            ("Presentation", "web", "status_page.statuspage"),
        ),
    ),
    (
        "Teams",
        (
            ("Teams", "groups", "responders.team"),
            ("Services", "dns", "responders.service"),
        ),
    ),
    (
        "Rules",
        (
            ("Rules for reports", "call_split", "incidents.reportrule"),
            ("Categories", "category", "incidents.category"),
            ("SLA policies", "timer", "incidents.slapolicy"),
        ),
    ),
    (
        "People",
        (
            ("Users", "person", "users.user"),
            ("API sessions", "devices", "users.session"),
            ("Personal tokens", "key", "users.personaltoken"),
        ),
    ),
    (
        "Records",
        (
            ("Audit log", "history", "auditlog.logentry"),
            ("Locks", "lock", "axes.accessattempt"),
            ("Refused sign-ins", "block", "axes.accessfailurelog"),
        ),
    ),
)


class AdminConfig(apps.AdminConfig):
    default_site = "incident_response.admin_site.BackOfficeSite"


class BackOfficeSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold is untyped
    """Django's admin site; only here may scripts evaluate expressions (Alpine.js)."""

    site_url = None
    index_template = "admin/home.html"

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Require sign-in; set the content security policy."""
        return self._loosened(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send to the one sign-in, and refuse who is signed in and may not enter."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return redirect(f"{reverse('console:sign-in')}?{urlencode({REDIRECT_FIELD_NAME: wanted})}")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        return redirect("console:settings-security")

    @staticmethod
    def _loosened(view: Callable[..., Any]) -> Callable[..., Any]:
        return csp_replace(settings.ADMIN_SOURCES)(view)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages that a person may open."""
    console = {"title": "Console", "icon": "arrow_back", "link": reverse("console:dashboard")}
    home = {"title": "Home", "icon": "home", "link": reverse("admin:index")}
    groups = [{"title": "", "items": [console, home]}]
    for title, pages in PAGES:
        items = [
            {"title": name, "icon": symbol, "link": reverse(f"admin:{model.replace('.', '_')}_changelist")}
            for name, symbol, model in pages
            if request.user.has_perm(model.replace(".", ".view_"))
        ]
        if items:
            groups.append({"title": title, "items": items})
    return groups


def stylesheet(request: HttpRequest) -> str:
    return static("admin_ours/back_office.css")


def favicon(request: HttpRequest) -> str:
    return static("favicon.svg")


def shows_history(request: HttpRequest) -> bool:
    """Return whether a page links to its audit log."""
    from auditlog.registry import auditlog
    from django.apps import apps

    match = request.resolver_match
    app_label, _, rest = (match.url_name or "").partition("_") if match else ("", "", "")
    model = apps.all_models.get(app_label, {}).get(rest.partition("_")[0])
    is_audited = model is None or auditlog.contains(model)
    return is_audited and bool(getattr(request.user, "is_superuser", False))
