from django.db import models
from django.utils.translation import gettext_lazy as _


class RunState(models.TextChoices):
    """Where an escalation stands."""

    RUNNING = "running", _("Running")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    EXHAUSTED = "exhausted", _("Nobody answered")
    ENDED = "ended", _("Ended")


class Importance(models.TextChoices):
    """Which of a person's rules a page follows: high for critical and high incidents."""

    HIGH = "high", _("High")
    LOW = "low", _("Low")


class AlarmReason(models.TextChoices):
    """Why nobody was reached."""

    EXHAUSTED = "exhausted", _("The policy is exhausted and nobody has answered.")
    ALL_FAILED = "all_failed", _("Every attempt to reach the people of a step failed.")
    NO_POLICY = "no_policy", _("No escalation policy fits.")
    EMPTY_STEP = "empty_step", _("A step of the policy had nobody to page.")


class PagingEventKind(models.TextChoices):
    """Escalation's events on an incident's timeline."""

    ESCALATION_STARTED = "escalation_started", _("Escalation started")
    PAGED = "paged", _("Paged")
    STEP_SKIPPED = "step_skipped", _("Step skipped")
    NOBODY_REACHED = "nobody_reached", _("Nobody reached")
    PAGED_AGAIN = "paged_again", _("Paging again")
    ESCALATION_ENDED = "escalation_ended", _("Escalation ended")
