"""Alerts, and the groups that share an incident."""

import hashlib
from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _

from alerts.matching import values_of
from alerts.models.routing import Silence
from alerts.vocabulary import AlertStatus, Ending
from core.db.fields import FlagField
from core.severity import Severity
from incidents.models import Incident, Status
from intake.models.source import Source
from users.models import User


def pair_number(name: str, value: str) -> int:
    """Return a label as a signed 64-bit number (start of its SHA-256), for the index."""
    digest = hashlib.sha256(f"{name}\0{value}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def pairs_of(labels: Mapping[str, str]) -> set[int]:
    """Return the numbers of all labels and their values."""
    return {pair_number(name, value) for name, said in labels.items() for value in values_of(said)}


class AlertQuerySet(models.QuerySet["Alert"]):
    """Selections of alerts."""

    def firing(self) -> "AlertQuerySet":
        return self.filter(status=AlertStatus.FIRING)

    def labelled(self, name: str, value: str) -> "AlertQuerySet":
        """Select those with exactly this label."""
        carrying = AlertLabel.objects.filter(pair=pair_number(name, value), alert_id=models.OuterRef("pk"))
        return self.filter(models.Exists(carrying))

    def visible_to(self, user: User) -> "AlertQuerySet":
        """Select what a person may see: staff, except hidden incidents' alerts; reporters, those of incidents they
        follow."""
        if user.is_admin:
            return self
        seen = Incident.objects.visible_to(user)
        if not user.is_responder:
            return self.filter(incident__in=seen.values("pk"))
        # per alert: a list of all visible incidents would be rebuilt for every page
        return self.filter(models.Q(incident__isnull=True) | models.Exists(seen.filter(pk=models.OuterRef("incident"))))


class Alert(models.Model):
    """A condition that a source watches. Only alerts.services writes here.

    `key` is the SHA-256 of source and fingerprint. `starts_at` is the firing's start by the sender's clock where
    given; `first_seen_at` and `last_seen_at` are ours; `occurrences` counts firing messages.
    """

    source = models.ForeignKey(Source, verbose_name=_("source"), on_delete=models.PROTECT, related_name="alerts")
    key = models.CharField(max_length=64, unique=True, editable=False)
    fingerprint = models.CharField(_("fingerprint"), max_length=500)
    status = models.CharField(max_length=16, choices=AlertStatus.choices, default=AlertStatus.FIRING)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    labels = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    links = models.JSONField(default=list)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=8, choices=Ending.choices, blank=True, default="")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    occurrences = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField(null=True, help_text=_("When the alert is resolved unless it is seen again."))
    incident = models.ForeignKey(Incident, null=True, on_delete=models.SET_NULL, related_name="alerts")
    silenced_by = models.ForeignKey(Silence, null=True, on_delete=models.SET_NULL, related_name="alerts")
    is_flapping = FlagField(default=False)
    changes = models.JSONField(default=list, help_text=_("Unix times of the latest status changes."))

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        indexes = [
            models.Index(fields=["status"], name="alert_status"),
            models.Index(fields=["status", "silenced_by"], name="alert_silenced"),  # what a silence holds back
            models.Index(fields=["severity"], name="alert_severity"),
            models.Index(fields=["expires_at"], name="alert_expires"),
            models.Index(fields=["is_flapping"], name="alert_flapping"),
            models.Index(fields=["last_seen_at"], name="alert_last_seen"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_acknowledged(self) -> bool:
        return self.incident is not None and self.incident.status != Status.OPEN


def serialize_alert(alert: Alert) -> dict[str, str]:
    """Return an alert as an incident's timeline names it."""
    return {
        "title": alert.title,
        "severity": Severity(alert.severity).word,
        "source": alert.source.name,
        "fingerprint": alert.fingerprint[:100],
    }


class AlertLabel(models.Model):
    """A label as a number, for filters; rebuilt with its alert."""

    pk = models.CompositePrimaryKey("pair", "alert_id")
    pair = models.BigIntegerField()
    alert_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.pair} of {self.alert_id}"


class AlertGroup(models.Model):
    """Alerts that share an incident.

    `key` is the SHA-256 of what is grouped by; `open_key` equals it while the group is current, and is NULL
    afterwards, so that the database allows one. While `incident` is NULL too few have fired; `pending` are those, with
    when.
    """

    key = models.CharField(max_length=64, editable=False)
    open_key = models.CharField(  # noqa: DJ001 (NULL is what lets a key have many past groups)
        max_length=64, null=True, unique=True, editable=False
    )
    source = models.ForeignKey(Source, null=True, on_delete=models.CASCADE, related_name="+")
    route = models.ForeignKey("alerts.Route", null=True, on_delete=models.SET_NULL, related_name="groups")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.CASCADE, related_name="alert_groups")
    labels = models.JSONField(default=dict)
    pending = models.JSONField(default=list)
    is_storm = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, help_text=_("When the incident was opened."))

    class Meta:
        indexes = [
            models.Index(fields=["route", "opened_at"], name="group_opened"),
            models.Index(fields=["key"], name="group_key"),  # earlier groups of the same key
        ]

    def __str__(self) -> str:
        return f"group {self.pk} of incident {self.incident_id}"


class EarlyResolve(models.Model):
    """The end of an unseen firing, kept for an hour (`alerts.transitions`)."""

    key = models.CharField(max_length=64, unique=True, editable=False)
    ended_at = models.DateTimeField()
    received_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key
