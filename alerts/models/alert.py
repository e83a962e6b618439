"""Alerts, and the groups that share an incident."""

import hashlib
from collections.abc import Mapping

from django.db import models

from alerts.matching import values_of
from alerts.models.routing import Silence
from alerts.vocabulary import AlertStatus, Ending
from core.db.fields import FlagField
from core.severity import Severity
from incidents.models import Incident, Status
from intake.models.source import Source
from users.models import User


def pair_number(name: str, value: str) -> int:
    """A label's name and value as one signed 64-bit number (the start of their SHA-256): what the index holds."""
    digest = hashlib.sha256(f"{name}\0{value}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def pairs_of(labels: Mapping[str, str]) -> set[int]:
    """The numbers of all labels, of one with several values each of them."""
    return {pair_number(name, value) for name, said in labels.items() for value in values_of(said)}


class AlertQuerySet(models.QuerySet["Alert"]):
    """Selections of alerts."""

    def firing(self) -> "AlertQuerySet":
        """Those whose condition holds, as far as we know."""
        return self.filter(status=AlertStatus.FIRING)

    def labelled(self, name: str, value: str) -> "AlertQuerySet":
        """Those that carry this label with exactly this value."""
        carrying = AlertLabel.objects.filter(pair=pair_number(name, value), alert_id=models.OuterRef("pk"))
        return self.filter(models.Exists(carrying))

    def visible_to(self, user: User) -> "AlertQuerySet":
        """What a person may see: responders and administrators, but alerts of an incident that is hidden from them
        are hidden too; reporters see those of the incidents they follow."""
        if user.is_admin:
            return self
        seen = Incident.objects.visible_to(user)
        if not user.is_responder:
            return self.filter(incident__in=seen.values("pk"))
        # Asked of each alert's own incident: a list of all that are visible would be made anew for every page.
        return self.filter(models.Q(incident__isnull=True) | models.Exists(seen.filter(pk=models.OuterRef("incident"))))


class Alert(models.Model):
    """One condition that a source watches, from its first firing to its last word. Only alerts.services writes here.

    `key` is the SHA-256 of source and fingerprint. `starts_at` is when the present (or last) firing began, by the
    sender's clock where it told; `first_seen_at` and `last_seen_at` are ours. `occurrences` counts the messages that
    said it fires.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="alerts")
    key = models.CharField(max_length=64, unique=True, editable=False)
    fingerprint = models.CharField(max_length=500)
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
    expires_at = models.DateTimeField(null=True, help_text="Counts as resolved then, unless heard of again.")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.SET_NULL, related_name="alerts")
    silenced_by = models.ForeignKey(Silence, null=True, on_delete=models.SET_NULL, related_name="alerts")
    is_flapping = FlagField(default=False)
    changes = models.JSONField(default=list, help_text="Seconds since 1970 of its latest changes of status.")

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status"], name="alert_status"),
            models.Index(fields=["status", "silenced_by"], name="alert_quiet"),  # what a silence holds back
            models.Index(fields=["severity"], name="alert_severity"),
            models.Index(fields=["expires_at"], name="alert_expires"),
            models.Index(fields=["is_flapping"], name="alert_flapping"),
            models.Index(fields=["last_seen_at"], name="alert_last_seen"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_acknowledged(self) -> bool:
        """Whether somebody acknowledged its incident."""
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
    """One label of one alert, as a number: what a filter by label looks up. Rebuilt with its alert, never edited."""

    pk = models.CompositePrimaryKey("pair", "alert_id")
    pair = models.BigIntegerField()
    alert_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.pair} of {self.alert_id}"


class AlertGroup(models.Model):
    """Alerts that belong together: where the next one of the same key goes.

    `key` is the SHA-256 of what is grouped by and its values; `open_key` holds it while this is the key's present
    group and is NULL afterwards, so that the database itself allows one at a time. While `incident` is NULL, not
    enough has fired to open one; `pending` are the alerts that have, with when (seconds since 1970).
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
    opened_at = models.DateTimeField(null=True, help_text="When it opened its incident.")

    class Meta:
        indexes = [models.Index(fields=["route", "opened_at"], name="group_opened")]

    def __str__(self) -> str:
        return f"group {self.pk} of incident {self.incident_id}"


class EarlyResolve(models.Model):
    """The end of a firing that we have not heard of, kept for an hour by the alert's key (`alerts.transitions`)."""

    key = models.CharField(max_length=64, unique=True, editable=False)
    ended_at = models.DateTimeField()
    received_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key
