"""Who is told by mail."""

import datetime as dt

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from status_page.models.page import Component
from status_page.vocabulary import SubscriberState
from users.addresses import AddressField


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def active(self) -> "SubscriberQuerySet":
        """Select those who have confirmed."""
        return self.filter(state=SubscriberState.ACTIVE)

    def expired(self, now: dt.datetime) -> "SubscriberQuerySet":
        """Select those whose row is to be removed."""
        return self.filter(expires_at__lte=now)


class Subscriber(models.Model):
    """An address that asked for updates; without components it is told of all.

    `email_key` is the SHA-256 of the address in lower case. `asked` is what a confirmation will put into effect:
    {"components": [ids], "language": code}; the link that confirms names `asked_at`. `expires_at` is when an
    unconfirmed or unsubscribed row is removed.
    """

    email = AddressField(_("email address"), max_length=254)
    email_key = models.CharField(max_length=64, unique=True, editable=False)
    language = models.CharField(_("language"), max_length=8, default="en")
    state = models.CharField(
        _("state"), max_length=16, choices=SubscriberState.choices, default=SubscriberState.PENDING
    )
    components = models.ManyToManyField(Component, blank=True, related_name="+", verbose_name=_("components"))
    asked = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    asked_at = models.DateTimeField(null=True, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    unsubscribed_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, db_index=True, editable=False)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["state", "id"], name="subscriber_state")]
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")

    def __str__(self) -> str:
        return self.email
