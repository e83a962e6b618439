"""What people choose for their pages."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.text.names import NameField


class Theme(models.TextChoices):
    SYSTEM = "system", _("As the device")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Density(models.TextChoices):
    COMPACT = "compact", _("Compact")
    REGULAR = "regular", _("Regular")
    COMFORTABLE = "comfortable", _("Comfortable")


def _nothing() -> dict[str, Any]:
    return {}


class Preferences(models.Model):
    """A person's choices; without a row, the defaults hold.

    `dashboard` is {cards: [names in order]}, `columns` the incident list's chosen ones in order; empty: the defaults.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="preferences"
    )
    theme = models.CharField(max_length=16, choices=Theme.choices, default=Theme.SYSTEM)
    density = models.CharField(max_length=16, choices=Density.choices, default=Density.REGULAR)
    has_shortcuts = models.BooleanField(_("keyboard shortcuts"), default=True)
    dashboard = models.JSONField(default=_nothing, blank=True)
    columns = models.JSONField(default=list, blank=True)

    class Meta:
        verbose_name_plural = _("preferences")

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"


class SavedView(models.Model):
    """A named query of the incident list; `query` is its query string."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = NameField(max_length=60)
    query = models.CharField(max_length=2000, blank=True, default="")
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="saved_view_name")]

    def __str__(self) -> str:
        return self.name
