"""What people ask in chats, and when each chat was last heard of."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.vocabulary import RequestState


class ChatRequest(models.Model):
    """A pressed button or a command, stored before the chat gets its answer, and done once.

    `key` is the SHA-256 of the chat's own name for it, so that what is delivered twice is one. `next_at` is when it is
    worked on next, NULL when nothing is left to do. `reply` says where the answer goes.
    """

    key = models.CharField(max_length=64, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=32, help_text=_("Kind of channel."))
    address = models.CharField(max_length=190, help_text=_("Who asks."))
    action = models.CharField(_("action"), max_length=32)
    number = models.BigIntegerField(_("number"), null=True, help_text=_("Of the incident."))
    text = models.TextField(blank=True, default="", help_text=_("A note, a code, or what a command named."))
    data = models.JSONField(default=dict, blank=True)
    reply = models.JSONField(default=dict, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=RequestState.choices, default=RequestState.WAITING)
    received_at = models.DateTimeField(_("received at"), db_index=True)
    next_at = models.DateTimeField(_("next at"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, help_text=_("To send the answer."))
    answer = models.TextField(blank=True, default="")
    asks_note = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("chat request")
        verbose_name_plural = _("chat requests")
        indexes = [models.Index(fields=["state", "next_at"], name="chat_request_due")]

    def __str__(self) -> str:
        return f"{self.action} by {self.kind}"


class ChatIntegration(models.Model):
    """When a chat last sent something: buttons that lead nowhere are noticed by its absence."""

    kind = models.CharField(max_length=32, primary_key=True)
    received_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("chat integration")

    def __str__(self) -> str:
        return self.kind
