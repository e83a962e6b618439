from typing import Any

from axes.models import AccessAttempt, AccessFailureLog
from axes.utils import reset
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from core.api.clients import network_label
from core.backoffice.base import ReadOnlyAdmin
from users.addresses import canonical
from users.lockout import failures_of_client
from users.models import PersonalToken, Session
from users.services.personal_tokens import delete_personal_token
from users.services.sessions import end_sessions


def may_revoke(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


class RevocableAdmin(ReadOnlyAdmin):
    """Records that an action ends."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, canonical(search_term))
        return found

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return may_revoke(request)


@admin.register(Session)
class SessionAdmin(RevocableAdmin):
    ordering = ("-created_at", "-id")
    list_display = ("user", "created_at", "rotated_at", "expires_at", "state", "ip_address", "user_agent")
    list_display_links = None
    list_select_related = ("user",)
    search_fields = ("user__email__istartswith",)
    search_help_text = _("Start of an email address")
    fields = (
        "user",
        "created_at",
        "rotated_at",
        "expires_at",
        "revoked_at",
        "revoked_reason",
        "ip_address",
        "user_agent",
    )
    actions = ("revoke",)

    @display(description=_("State"), label={"active": "success", "ended": "default", "expired": "default"})  # type: ignore[untyped-decorator]
    def state(self, session: Session) -> tuple[str, str]:
        if session.revoked_at:
            return "ended", gettext("ended")
        is_active = session.expires_at > timezone.now()
        return ("active", gettext("active")) if is_active else ("expired", gettext("expired"))

    @admin.action(description=_("End these sessions"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        ended = sum(
            end_sessions(session.user, reason="revoked", only=session) for session in queryset.select_related("user")
        )
        self.message_user(
            request,
            ngettext("%(count)s session ended.", "%(count)s sessions ended.", ended) % {"count": ended},
            messages.SUCCESS,
        )


@admin.register(PersonalToken)
class PersonalTokenAdmin(RevocableAdmin):
    ordering = ("-id",)
    list_display = ("name", "user", "prefix", "scope", "created_at", "expires_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__email__istartswith", "prefix")
    search_help_text = _("Start of an email address, or the token's first characters")
    fields = ("name", "user", "prefix", "scope", "created_at", "expires_at", "last_used_at")
    actions = ("revoke",)

    @admin.action(description=_("Revoke these tokens"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[PersonalToken]) -> None:
        tokens = list(queryset.select_related("user"))
        for token in tokens:
            delete_personal_token(token)
        self.message_user(
            request,
            ngettext("%(count)s token revoked.", "%(count)s tokens revoked.", len(tokens)) % {"count": len(tokens)},
            messages.SUCCESS,
        )


# Titles as in the menu.
AccessAttempt._meta.app_config.verbose_name = _("Records")
AccessAttempt._meta.verbose_name, AccessAttempt._meta.verbose_name_plural = _("lock"), _("locks")
AccessFailureLog._meta.verbose_name, AccessFailureLog._meta.verbose_name_plural = (
    _("refused sign-in"),
    _("refused sign-ins"),
)


class SignInRecordAdmin(RevocableAdmin):
    ordering = ("-id",)
    search_fields = ("username__istartswith", "ip_address")
    search_help_text = _("Start of an email address, or an IP address")


@admin.register(AccessAttempt)
class AccessAttemptAdmin(SignInRecordAdmin):
    """Failed sign-ins that count towards a lock."""

    list_display = ("username", "client", "failures_since_start", "locked", "attempt_time", "path_info")
    fields = ("username", "client", "user_agent", "failures_since_start", "attempt_time", "path_info")
    actions = ("unlock", "unlock_client")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessAttempt]:
        rows: QuerySet[AccessAttempt] = super().get_queryset(request)
        return rows.annotate(client_failures=failures_of_client())

    @display(description=_("Client"))  # type: ignore[untyped-decorator]
    def client(self, attempt: AccessAttempt) -> str:
        return network_label(attempt.ip_address)

    @display(description=_("Lock"), label={"locked": "danger", "client locked": "danger"})  # type: ignore[untyped-decorator]
    def locked(self, attempt: AccessAttempt) -> tuple[str, str] | str:
        if attempt.attempt_time <= timezone.now() - settings.AXES_COOLOFF_TIME:
            return ""
        if attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT:
            return "locked", gettext("locked")
        is_client_locked = attempt.client_failures >= settings.LOGIN_CLIENT_FAILURE_LIMIT
        return ("client locked", gettext("client locked")) if is_client_locked else ""

    @admin.action(description=_("Unlock"), permissions=["revoke"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[AccessAttempt]) -> None:
        attempts = list(queryset)
        for attempt in attempts:
            reset(username=attempt.username, ip=attempt.ip_address)
        self.message_user(
            request,
            gettext("Unlocked: %(count)s. They can sign in again.") % {"count": len(attempts)},
            messages.SUCCESS,
        )

    @admin.action(description=_("Unlock the whole client"), permissions=["revoke"])
    def unlock_client(self, request: HttpRequest, queryset: QuerySet[AccessAttempt]) -> None:
        clients = sorted(set(queryset.values_list("ip_address", flat=True)), key=str)
        for client in clients:
            AccessAttempt.objects.filter(ip_address=client).delete()
        networks = ", ".join(map(network_label, clients))
        self.message_user(
            request, gettext("Everybody at %(networks)s can sign in again.") % {"networks": networks}, messages.SUCCESS
        )


@admin.register(AccessFailureLog)
class AccessFailureAdmin(SignInRecordAdmin):
    """Every refused sign-in."""

    list_display = ("username", "ip_address", "attempt_time", "locked_out", "path_info")
    fields = ("username", "ip_address", "user_agent", "attempt_time", "locked_out", "path_info")
