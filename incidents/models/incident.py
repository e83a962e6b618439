"""The incident."""

import datetime as dt
import os
import time
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.db.fields import FlagField
from core.severity import Priority, Severity
from incidents.models.configuration import Category
from incidents.models.people import Subscription
from incidents.vocabulary import OPEN_STATUSES, Status
from responders.models import Membership, Service, Team
from users.models import User


def new_uid() -> uuid.UUID:
    """Return a UUID version 7 (RFC 9562 §5.7)."""
    value = bytearray((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10))
    value[6] = (value[6] & 0x0F) | 0x70
    value[8] = (value[8] & 0x3F) | 0x80
    return uuid.UUID(bytes=bytes(value))


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Incidents."""

    def present(self) -> "IncidentQuerySet":
        """Select those not deleted."""
        return self.filter(deleted_at__isnull=True)

    def open(self) -> "IncidentQuerySet":
        return self.filter(is_open=True)

    def visible_to(self, user: User) -> "IncidentQuerySet":
        """Select what a person may see: responders unrestricted incidents and their own, reporters followed ones."""
        present = self.present()
        if user.is_admin:
            return present
        followed = Q(pk__in=Subscription.objects.filter(user=user).values("incident"))
        if not user.is_responder:
            return present.filter(followed)
        concerned = Q(assignee_id=user.pk) | Q(team_id__in=Membership.objects.team_ids_of(user)) | followed
        # Said as a negation, which no index answers: with one for each alternative, SQLite would collect and sort
        # nearly everything instead of walking the list's own index.
        return present.filter(~Q(is_restricted=True) | concerned)

    @staticmethod
    def visibility_key(user: User) -> tuple[int, str, frozenset[int]]:
        """Return all that `visible_to` depends on."""
        return user.pk, user.role, Membership.objects.team_ids_of(user) if user.is_responder else frozenset()

    def counted(self) -> "IncidentQuerySet":
        """Select what staff count: neither deleted nor restricted."""
        return self.present().filter(is_restricted=False)

    def breach_due(self, now: dt.datetime) -> "IncidentQuerySet":
        """Select those with a due time that has passed unmarked."""
        return self.present().filter(next_breach_at__lte=now)


# What the metrics group by and add up, and what says who sees it.
MEASURED = (
    "created_at",
    "severity",
    "priority",
    "assignee",
    "team",
    "category",
    "status",
    "ack_seconds",
    "resolve_seconds",
    "ack_breached",
    "resolve_breached",
    "ack_due_at",
    "resolve_due_at",
    "reopen_count",
)


class Incident(models.Model):
    """Something that went wrong, from report to closure; written by incidents.services only.

    Times are UTC, `*_seconds` whole seconds. `sla` holds the policy's values of the opening; `next_breach_at` is the
    next due time to watch.
    """

    uid = models.UUIDField(unique=True, default=new_uid, editable=False)
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True, default="")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.OPEN)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity.choices, default=Severity.MEDIUM)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.P3)
    is_priority_given = models.BooleanField(
        default=False, help_text=_("Somebody set it; else it follows the severity.")
    )
    category = models.ForeignKey(
        Category,
        verbose_name=_("category"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents",
        db_index=False,
    )
    location = models.CharField(_("location"), max_length=200, blank=True, default="")
    services = models.ManyToManyField(Service, verbose_name=_("services"), blank=True, related_name="incidents")
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents",
        db_index=False,
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("assignee"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assigned_incidents",
        db_index=False,
    )
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reporter"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reported_incidents",
        db_index=False,
    )
    is_restricted = FlagField(
        _("restricted"), default=False, help_text=_("Visible only to the people involved and administrators.")
    )
    origin_system = models.CharField(max_length=64, default="api", help_text=_("The system that opened it."))
    external_id = models.CharField(max_length=190, blank=True, default="", help_text=_("Its id in that system."))
    external_key = models.CharField(  # noqa: DJ001 (NULL is what lets many incidents have none)
        max_length=64, null=True, unique=True, editable=False, help_text=_("SHA-256 of both, exact bytes.")
    )

    occurred_at = models.DateTimeField(_("occurred at"), help_text=_("When it happened, as far as known."))
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    deleted_at = models.DateTimeField(null=True)
    ack_seconds = models.PositiveIntegerField(null=True)
    resolve_seconds = models.PositiveIntegerField(null=True)
    reopen_count = models.PositiveIntegerField(default=0)

    sla = models.JSONField(default=dict)
    clock_started_at = models.DateTimeField(help_text=_("Opened or last reopened; due times count from here."))
    ack_due_at = models.DateTimeField(null=True)
    resolve_due_at = models.DateTimeField(null=True)
    ack_breached = FlagField(default=False)
    resolve_breached = FlagField(default=False)
    paused_at = models.DateTimeField(null=True, help_text=_("Since when it is on hold."))
    paused_seconds = models.PositiveIntegerField(default=0)
    next_breach_at = models.DateTimeField(null=True)

    version = models.PositiveIntegerField(default=1)
    event_count = models.PositiveIntegerField(default=0)
    head_digest = models.CharField(max_length=64, blank=True, default="")
    last_occurred_at = models.DateTimeField(null=True, editable=False, help_text=_("Of the timeline's last event."))
    last_received_at = models.DateTimeField(null=True, editable=False, help_text=_("Of the timeline's last event."))
    row_digest = models.CharField(  # noqa: DJ001 (NULL is what those have that were written before)
        max_length=64, null=True, editable=False, help_text=_("HMAC over the other columns that acts write.")
    )
    tallied_as = models.CharField(max_length=100, blank=True, default="", help_text=_("The counts it is in."))
    is_tallied = FlagField(default=False)
    is_open = models.GeneratedField(
        expression=Case(When(status__in=OPEN_STATUSES, then=Value(True)), default=Value(False)),
        output_field=FlagField(),
        db_persist=True,
    )

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        # Each list that is served at any size walks one of these (both databases append the primary key).
        indexes = [
            models.Index(fields=["created_at"], name="incident_created"),
            models.Index(fields=["updated_at"], name="incident_updated"),
            models.Index(fields=["resolve_due_at"], name="incident_resolve_due"),
            models.Index(fields=["is_open", "created_at"], name="incident_open"),
            models.Index(fields=["status", "created_at"], name="incident_status"),
            models.Index(fields=["severity", "created_at"], name="incident_severity"),
            models.Index(fields=["priority", "created_at"], name="incident_priority"),
            models.Index(fields=["category", "created_at"], name="incident_category"),
            models.Index(fields=["team", "severity", "created_at"], name="incident_team_severity"),
            models.Index(fields=["team", "is_open", "created_at"], name="incident_team_open"),
            models.Index(fields=["assignee", "is_open", "created_at"], name="incident_assignee"),
            models.Index(fields=["reporter", "created_at"], name="incident_reporter"),
            models.Index(fields=["location", "created_at"], name="incident_location"),
            models.Index(fields=["next_breach_at"], name="incident_next_breach"),
            models.Index(fields=["is_tallied"], name="incident_untallied"),
            # Metrics over everything or a span of time are added up from this one alone, without looking at a row.
            models.Index(fields=["is_restricted", "deleted_at", *MEASURED], name="incident_measured"),
            # Percentiles over everything are read off these by position (see incidents.percentiles).
            *(
                models.Index(fields=["is_restricted", "deleted_at", *columns], name=f"incident_by_{name}")
                for name, columns in {
                    "ack": ["ack_seconds"],
                    "resolve": ["resolve_seconds"],
                    "severity_ack": ["severity", "ack_seconds"],
                    "severity_resolve": ["severity", "resolve_seconds"],
                }.items()
            ),
        ]

    def __str__(self) -> str:
        return f"INC-{self.pk} {self.title}"

    @property
    def reference(self) -> str:
        """INC- and the number."""
        return f"INC-{self.pk}"

    @property
    def is_still_open(self) -> bool:
        """As `is_open`, for an unsaved status."""
        return self.status in OPEN_STATUSES

    @property
    def etag(self) -> str:
        """The entity tag of this version."""
        return f'"{self.version}"'
