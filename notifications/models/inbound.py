"""Mails that came in: the queue, and the evidence."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from notifications.vocabulary import InboundState


class InboundMailQuerySet(models.QuerySet["InboundMail"]):
    def due(self, now: dt.datetime) -> "InboundMailQuerySet":
        """Select those to process, oldest first."""
        return self.filter(due_at__lte=now).order_by("due_at", "id")


class InboundMail(models.Model):
    """A mail, stored before it was acknowledged to the server that brought it.

    `message_key` is the SHA-256 of Message-ID and sender, or of the whole mail without one. `due_at` is NULL once
    nothing is left to do. `envelope_sender` is NULL if not known, "" if the mail cannot be returned.
    """

    message_key = models.CharField(max_length=64, unique=True, editable=False)
    raw = models.BinaryField()
    byte_count = models.PositiveBigIntegerField(_("byte count"), help_text=_("Size of the mail."))
    is_cut = models.BooleanField(default=False, help_text=_("Only its beginning is kept."))
    sender = models.CharField(_("sender"), max_length=320, blank=True, default="")
    subject = models.CharField(max_length=300, blank=True, default="")
    recipient = models.CharField(
        _("recipient"), max_length=320, blank=True, default="", help_text=_("Where the server delivered it.")
    )
    envelope_sender = models.CharField(max_length=320, null=True)  # noqa: DJ001 (not known, or known to be empty)
    state = models.CharField(max_length=16, choices=InboundState.choices, default=InboundState.WAITING)
    reason = models.CharField(max_length=500, blank=True, default="")
    received_at = models.DateTimeField(_("received at"), db_index=True)
    due_at = models.DateTimeField(null=True, db_index=True, editable=False)
    processed_at = models.DateTimeField(_("processed at"), null=True)
    tries = models.PositiveSmallIntegerField(default=0, editable=False)
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("accepted by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("Who vouched for it."),
    )

    objects = InboundMailQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("inbound mail")
        verbose_name_plural = _("inbound mails")
        indexes = [
            models.Index(fields=["state", "id"], name="inbound_state"),
            models.Index(fields=["sender", "processed_at"], name="inbound_sender"),
        ]

    def __str__(self) -> str:
        return self.subject or f"Mail {self.pk}"
