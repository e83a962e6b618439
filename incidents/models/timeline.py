"""The timeline: the events of each incident, sealed by a chain of digests."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.vocabulary import Origin, Visibility
from users.models import User


class IncidentEventQuerySet(models.QuerySet["IncidentEvent"]):
    """Events."""

    def readable_by(self, user: User) -> "IncidentEventQuerySet":
        """Select what a person may read of incidents that they see: reporters public events only."""
        if user.is_admin or user.is_responder:
            return self
        return self.filter(visibility=Visibility.PUBLIC)

    def waiting_for_feed(self) -> "IncidentEventQuerySet":
        """Select committed events without a place in the feed."""
        return self.filter(feed_seq__isnull=True)

    def feed_after(self, position: int) -> "IncidentEventQuerySet":
        return self.filter(feed_seq__gt=position).order_by("feed_seq")


class IncidentEvent(models.Model):
    """One fact about one incident. Rows are only added; redaction alone empties a text."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField(help_text=_("Place in the incident's timeline, from 1."))
    kind = models.CharField(max_length=24, help_text=_("See incidents.kinds."))
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=150, blank=True, default="")
    machine_kind = models.CharField(max_length=16, blank=True, default="", help_text=_("What acted, if not a person."))
    machine_name = models.CharField(
        max_length=100, blank=True, default="", help_text=_("Its name, such as a source's.")
    )
    origin = models.CharField(max_length=16, choices=Origin.choices)
    visibility = models.CharField(max_length=16, choices=Visibility.choices, default=Visibility.PUBLIC)
    occurred_at = models.DateTimeField(help_text=_("When it happened."))
    received_at = models.DateTimeField(help_text=_("When we received it."))
    body = models.TextField(blank=True, default="", help_text=_("What somebody wrote."))
    data = models.JSONField(default=dict, help_text=_("Facts; changed fields as data.changes: {field: [from, to]}."))
    schema = models.PositiveSmallIntegerField(default=1, help_text=_("Version of the sealed form."))
    digest = models.CharField(max_length=64, help_text=_("HMAC over the previous digest and this event."))
    redacted_at = models.DateTimeField(null=True)
    feed_seq = models.BigIntegerField(
        null=True, help_text=_("Place in the feed; NULL while waiting, 0 for history that is never announced.")
    )

    objects = IncidentEventQuerySet.as_manager()

    class Meta:
        ordering = ["incident", "seq"]
        constraints = [models.UniqueConstraint(fields=["incident", "seq"], name="event_seq_once")]
        indexes = [models.Index(fields=["feed_seq"], name="event_feed")]

    def __str__(self) -> str:
        return f"{self.incident_id}/{self.seq} {self.kind}"

    @property
    def actor_label(self) -> str:
        """Who acted, for people: Ada, Ada in Opsgenie, or Opsgenie; empty for the system."""
        return " in ".join(name for name in (self.actor_name, self.machine_name) if name)


class FeedCursor(models.Model):
    """How far a reader has read the feed; `head` is the last number assigned."""

    name = models.CharField(max_length=64, primary_key=True)
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"
