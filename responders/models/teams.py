"""Teams, their members, and their services."""

from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.db.prepared import Parameter, prepared
from core.db.usage import usage_of
from core.text.names import NameField, validate_unique_ci
from users.models import User


class ActiveQuerySet(models.QuerySet[Any]):
    def active(self) -> Self:
        """Select what is not retired."""
        return self.filter(is_active=True)


ACTIVE = {"is_active": True}


class Team(models.Model):
    """People responsible for services."""

    name = NameField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True, default="")
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Clear to retire the team: it keeps its history but receives no new incidents."),
    )
    is_default = models.BooleanField(
        _("default team"),
        default=False,
        help_text=_("Receives anything not assigned to a team by a service, category, route or source."),
    )
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="teams")
    escalation_policy = models.ForeignKey(
        "responders.EscalationPolicy",
        verbose_name=_("escalation policy"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="teams",
        limit_choices_to=ACTIVE,
        help_text=_("Pages people for the team's incidents, unless their service names another policy."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ActiveQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        validate_unique_ci(self, "name")
        if self.is_default and not self.is_active:
            message = gettext("The default team cannot be retired; make another team the default first.")
            raise ValidationError({"is_active": message})
        if self.pk and not self.is_active:
            self._refuse_while_handed_work()

    def _refuse_while_handed_work(self) -> None:
        # Only configuration may be emptied; incidents keep their team.
        if handing := [str(usage) for usage in usage_of(self) if usage.may_be_emptied]:
            message = gettext("Work still comes to %(team)s from %(sources)s; give these another team first.") % {
                "team": self.name,
                "sources": ", ".join(handing),
            }
            raise ValidationError({"is_active": message})


class MembershipQuerySet(models.QuerySet["Membership"]):
    def team_ids_of(self, user: User) -> frozenset[int]:
        """Return a person's team ids, read once per request."""
        if not hasattr(user, "_team_ids"):
            rows = prepared("team ids of a person", _memberships).rows(user=user.pk)
            user._team_ids = frozenset(team for (team,) in rows)  # type: ignore[attr-defined]
        return user._team_ids  # type: ignore[attr-defined, no-any-return]


class Membership(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="memberships"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["team", "user"]
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


def _memberships() -> models.QuerySet[Membership, Any]:
    return Membership.objects.filter(user=Parameter("user")).order_by().values_list("team_id")


class Service(models.Model):
    """A system that incidents can affect, and its team."""

    name = NameField(_("name"), max_length=100, unique=True)
    slug = models.SlugField(_("slug"), max_length=100, unique=True, help_text=_("Identifier used in the API."))
    description = models.TextField(_("description"), blank=True, default="")
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Clear to retire it: it is no longer offered for new incidents.")
    )
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="services",
        limit_choices_to=ACTIVE,
    )
    escalation_policy = models.ForeignKey(
        "responders.EscalationPolicy",
        verbose_name=_("escalation policy"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="services",
        limit_choices_to=ACTIVE,
        help_text=_("Pages people for incidents that affect the service, in place of their team's policy."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ActiveQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("service")
        verbose_name_plural = _("services")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        validate_unique_ci(self, "name", "slug")
