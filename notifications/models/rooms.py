"""Where teams and machines are told: rooms and webhooks."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.text.names import NameField
from notifications.vocabulary import DEFAULT_EVENTS, BodyFormat, MethodState
from responders.models import Team


def default_events() -> list[str]:
    return list(DEFAULT_EVENTS)


class RoomChannel(models.Model):
    """A room or list of a team; administrators add it, so its address is trusted. Without a team it is told of all."""

    name = NameField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=32, help_text=_("See notifications.channels."))
    address = models.CharField(_("address"), max_length=1000)
    team = models.ForeignKey(
        Team, verbose_name=_("team"), null=True, blank=True, on_delete=models.SET_NULL, related_name="channels"
    )
    events = models.JSONField(
        _("events"), default=default_events, blank=True, help_text=_("Kinds of events that it is told of.")
    )
    data = models.JSONField(default=dict, blank=True)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    state = models.CharField(max_length=16, choices=MethodState.choices, default=MethodState.OK)
    reason = models.CharField(max_length=300, blank=True, default="", help_text=_("Why it is failing or disabled."))
    failing_since = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("channel")
        verbose_name_plural = _("channels")

    def __str__(self) -> str:
        return self.name


class WebhookEndpoint(models.Model):
    """A program that is told by Standard Webhooks; while its secret rotates, both secrets sign."""

    name = NameField(_("name"), max_length=100, unique=True)
    url = models.CharField(_("URL"), max_length=1000)
    secret = models.CharField(max_length=100, editable=False, help_text=_("whsec_…; shown once."))
    old_secret = models.CharField(max_length=100, blank=True, default="", editable=False)
    old_secret_until = models.DateTimeField(null=True, editable=False)
    team = models.ForeignKey(
        Team, verbose_name=_("team"), null=True, blank=True, on_delete=models.SET_NULL, related_name="webhooks"
    )
    events = models.JSONField(
        _("events"), default=default_events, blank=True, help_text=_("Kinds of events that it is told of.")
    )
    format = models.CharField(
        _("format"),
        max_length=16,
        choices=BodyFormat.choices,
        blank=True,
        default="",
        help_text=_("Of the body; see its guide."),
    )
    mirrors = models.JSONField(
        _("mirrors"),
        default=list,
        blank=True,
        help_text=_("Kinds or names of sources behind the address: what came from them is never sent back there."),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    state = models.CharField(max_length=16, choices=MethodState.choices, default=MethodState.OK)
    reason = models.CharField(max_length=300, blank=True, default="", help_text=_("Why it is failing or disabled."))
    failing_since = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name
