"""The outbox and the ledger: what is sent to whom, and every attempt."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident, IncidentEvent
from notifications.models.contacts import ContactMethod
from notifications.models.rooms import RoomChannel, WebhookEndpoint
from notifications.vocabulary import PENDING, Importance, Kind, Outcome, Priority, Purpose, State


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def pending(self) -> "DeliveryQuerySet":
        """Select what has still to be sent."""
        return self.filter(state__in=PENDING)

    def due_by(self, channel: str, now: dt.datetime) -> "DeliveryQuerySet":
        """Select what a channel has to send now, the most urgent first."""
        # Without all priorities named, MariaDB reads the index through everything ever sent when much is due.
        of_channel = self.filter(channel=channel, priority__in=Priority.values)
        return of_channel.filter(next_attempt_at__lte=now).order_by("priority", "next_attempt_at")

    def carried_by(self, lead_id: int) -> "DeliveryQuerySet":
        """Select what a bundle still carries."""
        return self.filter(bundle=lead_id).exclude(state__in=(State.CANCELLED, State.ANSWERED))


class Delivery(models.Model):
    """A message to one recipient by one method; written by notifications.services only.

    `key` is the SHA-256 of cause, recipient and method. `next_attempt_at` is NULL when nothing is due, and the end of
    the lease while `leased_until` equals it. A bundled row is carried by its `bundle`.
    """

    key = models.CharField(max_length=64, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.POST)
    importance = models.CharField(_("importance"), max_length=8, choices=Importance.choices, default=Importance.LOW)
    channel = models.CharField(_("channel"), max_length=32, help_text=_("Kind of channel."))

    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        null=True,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
    )
    page_id = models.BigIntegerField(null=True)
    event = models.ForeignKey(  # its incident's end is this row's end
        IncidentEvent, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="deliveries")
    method = models.ForeignKey(ContactMethod, null=True, on_delete=models.SET_NULL, related_name="deliveries")
    room = models.ForeignKey(RoomChannel, null=True, on_delete=models.SET_NULL, related_name="deliveries")
    webhook = models.ForeignKey(WebhookEndpoint, null=True, on_delete=models.SET_NULL, related_name="deliveries")
    recipient = models.CharField(
        _("recipient"), max_length=200, help_text=_("Who, by what; kept when the method is removed.")
    )
    pace_key = models.CharField(max_length=64, blank=True, default="", help_text=_("Messages to one place share it."))

    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.WAITING)
    reason = models.CharField(
        _("reason"), max_length=300, blank=True, default="", help_text=_("Why it failed or was cancelled.")
    )
    created_at = models.DateTimeField(
        _("created at"),
    )
    due_at = models.DateTimeField(_("due at"), help_text=_("When it was to be sent first."))
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True)
    leased_until = models.DateTimeField(null=True)
    attempt_count = models.PositiveIntegerField(default=0)
    first_attempt_at = models.DateTimeField(null=True)
    gives_up_at = models.DateTimeField(_("gives up at"), null=True, help_text=_("No attempt begins after this."))
    held_because = models.CharField(_("held because"), max_length=200, blank=True, default="")
    bundle = models.ForeignKey(
        "self", verbose_name=_("bundle"), null=True, on_delete=models.SET_NULL, related_name="bundled"
    )
    bundle_count = models.PositiveIntegerField(
        _("bundle count"), default=0, help_text=_("Other deliveries that this one carries.")
    )

    handed_over_at = models.DateTimeField(_("handed over at"), null=True)
    accepted_at = models.DateTimeField(_("accepted at"), null=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    receipt_due_at = models.DateTimeField(
        _("receipt due at"), null=True, help_text=_("Without a receipt by then, the next way is tried.")
    )
    provider = models.CharField(_("provider"), max_length=64, blank=True, default="")
    provider_id = models.CharField(_("provider's id"), max_length=190, blank=True, default="")
    content = models.JSONField(default=dict, help_text=_("What the message says beyond the incident."))

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = [
            models.Index(fields=["channel", "priority", "next_attempt_at"], name="delivery_due"),
            models.Index(fields=["next_attempt_at"], name="delivery_next"),
            models.Index(fields=["leased_until"], name="delivery_lease"),
            models.Index(fields=["receipt_due_at"], name="delivery_receipt_due"),
            models.Index(fields=["incident", "user"], name="delivery_incident"),
            models.Index(fields=["page_id"], name="delivery_page"),
            models.Index(fields=["state", "channel"], name="delivery_state"),
            models.Index(fields=["pace_key", "state"], name="delivery_pace"),
            models.Index(fields=["created_at"], name="delivery_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient}"


class DeliveryAttempt(models.Model):
    """One attempt to send, recorded before it begins."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField(
        _("number"),
    )
    at = models.DateTimeField(
        _("at"),
    )
    ended_at = models.DateTimeField(_("ended at"), null=True)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices, default=Outcome.STARTED)
    provider = models.CharField(_("provider"), max_length=64, blank=True, default="")
    provider_id = models.CharField(max_length=190, blank=True, default="")
    detail = models.CharField(_("detail"), max_length=300, blank=True, default="")

    class Meta:
        ordering = ["delivery", "number"]
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="attempt_once")]
        indexes = [models.Index(fields=["provider_id"], name="attempt_provider")]

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.number} {self.outcome}"


class AnswerToken(models.Model):
    """Answers a page in its recipient's name, by link or reply code; stored as SHA-256."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="+")
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.SET_NULL, related_name="tokens")
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.purpose} of {self.user_id} for {self.incident_id}"


class Pace(models.Model):
    """When a place was last sent to, and how much lately; held while a message to it is claimed."""

    key = models.CharField(max_length=64, primary_key=True)
    last_at = models.DateTimeField(null=True)
    level = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.key


class ProviderLimit(models.Model):
    """A channel's allowance: messages that may still go out, as of `refilled_at`."""

    channel = models.CharField(max_length=32, primary_key=True)
    allowance = models.FloatField(default=0)
    refilled_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.channel


class DeliveryTally(models.Model):
    """Counters behind the metrics; one row each."""

    channel = models.CharField(max_length=32)
    name = models.CharField(max_length=32, help_text=_("attempt:<outcome>, or first:<seconds> for the histogram."))
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "name"], name="tally_of_channel")]

    def __str__(self) -> str:
        return f"{self.channel} {self.name}"
