"""What was learnt from past incidents, and what it suggested."""

import datetime as dt

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from assistant.vocabulary import LearntField, RoutingOutcome
from incidents.models import Incident
from incidents.vocabulary import Origin


class LearningSchedule(models.Model):
    """When to look next whether there is more to learn from; one row."""

    name = models.CharField(max_length=16, primary_key=True)
    due_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.due_at:%Y-%m-%d %H:%M}"


class RoutingModel(models.Model):
    """One training; its number is the version. `weights` is empty but for the newest.

    `figures` is {field: {examples, classes, held_out, right, in_three, said, said_right, because}} on the newest
    incidents, which were held out; `because` says why a field is not suggested.
    """

    trained_at = models.DateTimeField(_("trained at"))
    newest_at = models.DateTimeField(_("newest incident"), help_text=_("When the newest of its incidents was opened."))
    incidents = models.PositiveIntegerField(_("incidents"), help_text=_("From how many it learnt."))
    milliseconds = models.PositiveIntegerField(_("duration"), help_text=_("Milliseconds of training."))
    figures = models.JSONField(_("figures"), default=dict)
    weights = models.BinaryField(default=bytes, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("routing model")
        verbose_name_plural = _("routing models")

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class RoutingSuggestionQuerySet(models.QuerySet["RoutingSuggestion"]):
    """Suggestions."""

    def counted(self) -> "RoutingSuggestionQuerySet":
        """Select those of incidents that staff count."""
        return self.filter(incident__deleted_at__isnull=True, incident__is_restricted=False)


class RoutingSuggestion(models.Model):
    """What was suggested for one field of an incident that a person reported, and what it became.

    Values are ids of teams and categories, ranks of severities. `ranked` is [[value, confidence], …], best first;
    `suggested` is NULL where it was not sure enough to say anything.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="routing_suggestions")
    field = models.CharField(_("field"), max_length=16, choices=LearntField.choices)
    suggested = models.BigIntegerField(_("suggested"), null=True)
    ranked = models.JSONField(_("first three"), default=list)
    confidence = models.FloatField(_("confidence"), default=0)
    band = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(9)], help_text=_("Tens of per cent of the confidence.")
    )
    model_version = models.PositiveIntegerField(_("version"), help_text=_("The routing model's number."))
    opened_with = models.BigIntegerField(_("opened with"), null=True, help_text=_("The incident's value then."))
    became = models.BigIntegerField(_("became"), null=True, help_text=_("The value when it was last resolved."))
    outcome = models.CharField(
        _("outcome"), max_length=16, choices=RoutingOutcome.choices, default=RoutingOutcome.WAITING
    )
    origin = models.CharField(_("origin"), max_length=16, choices=Origin.choices)
    at = models.DateTimeField(_("at"))
    week = models.DateField(help_text=_("The Monday before, in UTC."))
    judged_at = models.DateTimeField(_("compared at"), null=True)

    objects = RoutingSuggestionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("routing suggestion")
        verbose_name_plural = _("routing suggestions")
        constraints = [models.UniqueConstraint(fields=["incident", "field"], name="routing_suggested_once")]
        indexes = [
            models.Index(fields=["week", "field", "outcome", "band"], name="routing_by_week"),
            models.Index(fields=["outcome", "at"], name="routing_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.field}"


def week_of(moment: dt.datetime) -> dt.date:
    """Return the Monday before or at a moment, in UTC."""
    day = moment.astimezone(dt.UTC).date()
    return day - dt.timedelta(days=day.weekday())
