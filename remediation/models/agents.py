"""Agents, and the jobs that were made for them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.text.names import NameField, validate_unique_ci
from remediation.vocabulary import JobState, PhaseWord


class Agent(models.Model):
    """A program on a machine that runs allow-listed commands; it authenticates by a key, of which we keep the digest.

    While a key is replaced, the old one works until `old_key_until` or the first use of the new one.
    """

    name = NameField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), max_length=1000, blank=True, default="")
    is_enabled = models.BooleanField(_("enabled"), default=True)
    key_digest = models.CharField(max_length=64, unique=True, editable=False)
    key_prefix = models.CharField(_("key begins with"), max_length=4, editable=False)
    old_key_digest = models.CharField(  # noqa: DJ001 (NULL: there is none)
        max_length=64, null=True, unique=True, editable=False
    )
    old_key_until = models.DateTimeField(null=True, editable=False)
    version = models.CharField(_("version"), max_length=20, blank=True, default="", editable=False)
    commands = models.JSONField(_("commands"), default=list, editable=False)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("agent")
        verbose_name_plural = _("agents")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a taken name."""
        validate_unique_ci(self, "name")


class AgentJob(models.Model):
    """One command for one agent, for one phase of a run; fetched once, until `expires_at`. A day later it is deleted.

    `gives_up_at`: when nobody waits for its result any more.
    """

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="jobs", verbose_name=_("agent"))
    run = models.PositiveBigIntegerField()
    incident = models.PositiveBigIntegerField(db_index=True)
    phase = models.CharField(_("phase"), max_length=16, choices=PhaseWord.choices)
    idempotency_key = models.CharField(max_length=64, unique=True)
    state = models.CharField(_("state"), max_length=12, choices=JobState.choices, default=JobState.QUEUED)
    command = models.CharField(_("command"), max_length=60)
    arguments = models.JSONField(_("arguments"), default=dict)
    seconds = models.PositiveIntegerField()
    nonce = models.CharField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    gives_up_at = models.DateTimeField(db_index=True)
    fetched_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    output = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["agent", "state"], name="agent_job_waiting")]
        verbose_name = _("job of an agent")
        verbose_name_plural = _("jobs of agents")

    def __str__(self) -> str:
        return f"{self.command} #{self.pk}"
