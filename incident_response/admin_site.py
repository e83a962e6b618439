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
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

Label = str | Promise

# Group, then (title, icon, model) of its pages.
PAGES: tuple[tuple[Label, tuple[tuple[Label, str, str], ...]], ...] = (
    (
        _("Work"),
        ((_("Incidents"), "emergency", "incidents.incident"), (_("Alerts"), "notifications_active", "alerts.alert")),
    ),
    (
        _("On call"),
        (
            (_("Schedules"), "calendar_month", "responders.schedule"),
            (_("Shift swaps"), "swap_horiz", "responders.shiftswap"),
            (_("Contact methods"), "contact_phone", "notifications.contactmethod"),
            (_("Channels"), "forum", "notifications.roomchannel"),
            (_("Webhooks"), "webhook", "notifications.webhookendpoint"),
            (_("Escalation policies"), "stairs", "responders.escalationpolicy"),
            (_("Pages"), "notification_important", "paging.page"),
            (_("Nobody reached"), "crisis_alert", "paging.escalationalarm"),
            (_("Deliveries"), "outbox", "notifications.delivery"),
            (_("Chat requests"), "chat", "notifications.chatrequest"),
            (_("Inbound mail"), "mark_email_unread", "notifications.inboundmail"),
        ),
    ),
    (
        _("Intake"),
        (
            (_("Sources"), "input", "intake.source"),
            (_("Routes"), "alt_route", "alerts.route"),
            (_("Silences"), "notifications_off", "alerts.silence"),
            (_("Heartbeats"), "ecg_heart", "alerts.heartbeat"),
            (_("Intake events"), "inbox", "intake.intakeevent"),
            (_("Changes"), "deployed_code_history", "alerts.changeevent"),
        ),
    ),
    (
        _("Logs"),
        ((_("Log lines"), "notes", "logs.logentry"), (_("Detection rules"), "troubleshoot", "logs.detectionrule")),
    ),
    (
        _("Status page"),
        (
            (_("Public incidents"), "campaign", "status_page.publicincident"),
            (_("Public updates"), "chat_bubble", "status_page.publicupdate"),
            (_("Components"), "widgets", "status_page.component"),
            (_("Subscribers"), "mark_email_read", "status_page.subscriber"),
            (_("Component groups"), "folder", "status_page.componentgroup"),
            (_("Update templates"), "draft", "status_page.updatetemplate"),
            (_("Impacts"), "bar_chart", "status_page.impactspan"),
            (_("Presentation"), "web", "status_page.statuspage"),
        ),
    ),
    (
        _("Reviews"),
        (
            (_("Reviews"), "rate_review", "reviews.review"),
            (_("Action items"), "task_alt", "reviews.actionitem"),
            (_("Moments"), "schedule", "reviews.moment"),
            (_("Contributing factors"), "account_tree", "reviews.factor"),
            (_("Participants"), "group", "reviews.participant"),
            (_("Review rules"), "rule", "reviews.reviewrule"),
        ),
    ),
    (
        _("Assistant"),
        (
            (_("Verdicts"), "thumbs_up_down", "assistant.verdict"),
            (_("Routing suggestions"), "alt_route", "assistant.routingsuggestion"),
            (_("Routing models"), "model_training", "assistant.routingmodel"),
            (_("Model calls"), "neurology", "assistant.modelcall"),
            (_("Model budgets"), "payments", "assistant.modelbudget"),
            (_("Language model"), "power_settings_new", "assistant.modelswitch"),
        ),
    ),
    (
        _("Remediation"),
        (
            (_("Runbooks"), "menu_book", "remediation.runbook"),
            (_("Runs"), "play_circle", "remediation.run"),
            (_("Freeze windows"), "ac_unit", "remediation.freezewindow"),
            (_("Global stops"), "front_hand", "remediation.stop"),
            (_("Agents"), "smart_toy", "remediation.agent"),
            (_("Secrets of runbooks"), "key", "remediation.runbooksecret"),
        ),
    ),
    (
        _("Teams"),
        (
            (_("Teams"), "groups", "responders.team"),
            (_("Services"), "dns", "responders.service"),
        ),
    ),
    (
        _("Rules"),
        (
            (_("Rules for reports"), "call_split", "incidents.reportrule"),
            (_("Categories"), "category", "incidents.category"),
            (_("SLA policies"), "timer", "incidents.slapolicy"),
        ),
    ),
    (
        _("People"),
        (
            (_("Users"), "person", "users.user"),
            (_("API sessions"), "devices", "users.session"),
            (_("Personal tokens"), "key", "users.personaltoken"),
        ),
    ),
    (
        _("Records"),
        (
            (_("Audit log"), "history", "auditlog.logentry"),
            (_("Locks"), "lock", "axes.accessattempt"),
            (_("Refused sign-ins"), "block", "axes.accessfailurelog"),
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
    console = {"title": gettext("Console"), "icon": "arrow_back", "link": reverse("console:dashboard")}
    home = {"title": gettext("Home"), "icon": "home", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"title": "", "items": [console, home]}]
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
