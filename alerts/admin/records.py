"""Intake events and changes, read-only."""

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alerts.admin.badges import alert_badge, incident_link, safe_links
from alerts.models import Alert, ChangeEvent
from alerts.routing import alert_key
from alerts.services.processing import read
from core.backoffice.badges import ago, cut
from core.backoffice.base import ReadOnlyAdmin
from intake.admin import SourceFilter, register_card
from intake.models import IntakeEvent
from intake.vocabulary import IntakeState
from users.models import User

MOST_READ = 256 * 1024  # bytes of a body
MOST_ALERTS = 50


def alerts_card(event: IntakeEvent, user: User) -> SafeString:
    """Return the alerts that an event speaks of, found by reading it once more."""
    rows = [(alert, alert_badge(alert), incident_link(alert.incident)) for alert in _alerts_of(event, user)]
    return render_to_string("admin/alerts/intake_alerts.html", {"rows": rows})


register_card(alerts_card)


def _alerts_of(event: IntakeEvent, user: User) -> list[Alert]:
    if event.source is None or event.state == IntakeState.LIMITED or len(event.body) > MOST_READ:
        return []
    keys = [alert_key(event.source.pk, update.identity) for update in read(event).updates[:MOST_ALERTS]]
    found = Alert.objects.visible_to(user).filter(key__in=keys)
    return list(found.select_related("incident", "source").order_by("id"))


@admin.register(ChangeEvent)
class ChangeEventAdmin(ReadOnlyAdmin):
    ordering = ("-occurred_at", "-id")
    list_display = ("occurred", "summary_display", "service", "origin", "source")
    list_display_links = ("summary_display",)
    list_select_related = ("source", "service")
    list_filter = (SourceFilter,)
    fields = (
        "summary",
        "occurred_at",
        "received_at",
        "service",
        "origin",
        "source",
        "details_display",
        "links_display",
    )

    @admin.display(description=_("When"))
    def occurred(self, change: ChangeEvent) -> SafeString | str:
        return ago(change.occurred_at)

    @admin.display(description=_("Change"))
    def summary_display(self, change: ChangeEvent) -> SafeString:
        return format_html('<span class="ir-title">{}</span>', change.summary)

    @admin.display(description=_("Details"))
    def details_display(self, change: ChangeEvent) -> SafeString:
        rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", cut(change.details))
        return (
            format_html('<table class="ir-table"><tbody>{}</tbody></table>', rows)
            if rows
            else SafeString(gettext("None."))
        )

    @admin.display(description=_("Links"))
    def links_display(self, change: ChangeEvent) -> SafeString | str:
        anchor = '<a class="ir-link" href="{}" rel="noopener noreferrer nofollow" target="_blank">{} ↗</a>'
        return format_html_join(" · ", anchor, safe_links(change.links)) or gettext("None.")
