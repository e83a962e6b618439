"""How a person is reached, and when by what."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.vocabulary import VERIFIED, Importance, MethodState


class ContactMethodQuerySet(models.QuerySet["ContactMethod"]):
    def verified(self) -> "ContactMethodQuerySet":
        """Select those proven to be the person's, failing ones too."""
        return self.filter(state__in=VERIFIED)


class ContactMethod(models.Model):
    """An address of a person on a channel; written by notifications.services.methods.

    `address_key` is the SHA-256 of kind and address; `code_digest` that of the code sent to it. `data` is the
    channel's: push keys, a conversation.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="contact_methods"
    )
    kind = models.CharField(_("kind"), max_length=32, help_text=_("See notifications.channels."))
    address = models.CharField(max_length=1000, blank=True, default="", help_text=_("Empty until a chat is linked."))
    address_key = models.CharField(max_length=64, editable=False)
    label = models.CharField(_("label"), max_length=100, blank=True, default="")
    state = models.CharField(_("state"), max_length=16, choices=MethodState.choices, default=MethodState.UNVERIFIED)
    reason = models.CharField(
        _("reason"), max_length=300, blank=True, default="", help_text=_("Why it is failing or disabled.")
    )
    failing_since = models.DateTimeField(_("failing since"), null=True)
    verified_at = models.DateTimeField(_("verified at"), null=True)
    code_digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    code_expires_at = models.DateTimeField(null=True, editable=False)
    code_tries = models.PositiveSmallIntegerField(default=0, editable=False)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = ContactMethodQuerySet.as_manager()

    class Meta:
        ordering = ["user", "id"]
        verbose_name = _("contact method")
        verbose_name_plural = _("contact methods")
        constraints = [models.UniqueConstraint(fields=["user", "address_key"], name="method_once")]
        indexes = [
            models.Index(fields=["address_key", "state"], name="method_address"),
            models.Index(fields=["code_digest"], name="method_code"),
        ]

    def __str__(self) -> str:
        return self.label or f"{self.kind} of {self.user_id}"

    @property
    def is_verified(self) -> bool:
        return self.state in VERIFIED


class NotificationRule(models.Model):
    """When a person is reached by which method; without one, every verified method at once.

    `steps` are [{"method": id, "delay_minutes": n}]; `quiet_hours` {"from": "22:00", "to": "07:00", "weekdays": [0–6,
    Monday is 0]} in the person's zone, for low importance only.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_rules")
    importance = models.CharField(max_length=8, choices=Importance.choices)
    steps = models.JSONField(default=list)
    quiet_hours = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["user", "importance"]
        constraints = [models.UniqueConstraint(fields=["user", "importance"], name="rule_once")]

    def __str__(self) -> str:
        return f"{self.importance} of {self.user_id}"


class LinkCode(models.Model):
    """A code shown in a chat to somebody without a linked account, who types it in on our pages."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    kind = models.CharField(max_length=32)
    address = models.CharField(max_length=1000)
    data = models.JSONField(default=dict, blank=True)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("link code")

    def __str__(self) -> str:
        return f"{self.kind} until {self.expires_at:%H:%M}"
