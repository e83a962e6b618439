from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assistant.vocabulary import SuggestionKind
from core.db.fields import ExactCharField
from incidents.models import Incident


class VerdictQuerySet(models.QuerySet["Verdict"]):
    def counts(self) -> dict[str, dict[bool, int]]:
        """Return by kind how many were useful, and how many not."""
        found: dict[str, dict[bool, int]] = {kind.value: {True: 0, False: 0} for kind in SuggestionKind}
        for kind, is_useful, number in self.order_by().values_list("kind", "is_useful").annotate(models.Count("pk")):
            found.setdefault(kind, {True: 0, False: 0})[is_useful] = number
        return found


class Verdict(models.Model):
    """Whether somebody found a suggestion useful; `snapshot` is what it said then.

    `related` is the other incident that the suggestion is about.
    """

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="verdicts", db_index=False
    )
    suggestion = ExactCharField(_("suggestion"), max_length=64, help_text=_("Its id."))
    kind = models.CharField(_("kind"), max_length=16, choices=SuggestionKind.choices)
    related = models.ForeignKey(Incident, null=True, on_delete=models.SET_NULL, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.PROTECT, related_name="+"
    )
    is_useful = models.BooleanField(_("useful"))
    snapshot = models.JSONField(default=dict)
    at = models.DateTimeField(_("at"), default=timezone.now)

    objects = VerdictQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["incident", "user", "suggestion"], name="verdict_once")]
        indexes = [models.Index(fields=["kind", "is_useful"], name="verdict_kind")]
        verbose_name = _("verdict")
        verbose_name_plural = _("verdicts")

    def __str__(self) -> str:
        return f"{self.suggestion} of INC-{self.incident_id}"
