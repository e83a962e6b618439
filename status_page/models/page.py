"""The page itself, and what it shows the state of."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.text.names import NameField, validate_unique_ci
from responders.models import Service

ONLY = 1  # the key of the one page


class StatusPage(models.Model):
    """How the page presents itself; the one row is made when it is first needed.

    `languages` are codes, the page's main one first. `translations` are {code: {field: text}}, here and in what the
    page shows. `access_digest` is the SHA-256 of the key that opens a private page. `revision` counts changes; the
    files are of `written_revision`.
    """

    name = NameField(_("name"), max_length=100, default="Status")
    about = models.TextField(_("introduction"), max_length=2000, blank=True, default="")
    support_url = models.URLField(_("where to get help"), max_length=500, blank=True, default="")
    logo = models.BinaryField(_("logo"), default=bytes, blank=True)
    languages = models.JSONField(_("languages"), default=list)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    translations = models.JSONField(_("translations"), default=dict, blank=True)
    is_private = models.BooleanField(_("private"), default=False)
    access_digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    takes_subscribers = models.BooleanField(_("subscriptions by email"), default=True)
    revision = models.PositiveBigIntegerField(default=1, editable=False)
    written_revision = models.PositiveBigIntegerField(default=0, editable=False)
    written_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("status page")
        verbose_name_plural = _("status page")

    def __str__(self) -> str:
        return self.name


class ComponentGroup(models.Model):
    """Components that belong together."""

    name = NameField(_("name"), max_length=100, unique=True)
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)
    translations = models.JSONField(_("translations"), default=dict, blank=True)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("component group")
        verbose_name_plural = _("component groups")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a taken name."""
        validate_unique_ci(self, "name")


class ComponentQuerySet(models.QuerySet["Component"]):
    def active(self) -> "ComponentQuerySet":
        """Select those on the page."""
        return self.filter(is_active=True)


class Component(models.Model):
    """Something whose state the public is told: the website, the API."""

    name = NameField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=500, blank=True, default="")
    group = models.ForeignKey(
        ComponentGroup,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="components",
        verbose_name=_("group"),
    )
    service = models.ForeignKey(
        Service,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="components",
        verbose_name=_("service"),
        help_text=_("Proposed when an incident of this service is published."),
    )
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)
    translations = models.JSONField(_("translations"), default=dict, blank=True)
    shows_uptime = models.BooleanField(_("bars of 90 days"), default=True)
    is_active = models.BooleanField(_("on the page"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ComponentQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("component")
        verbose_name_plural = _("components")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a taken name."""
        validate_unique_ci(self, "name")
