"""The words of remediation."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Risk(models.TextChoices):
    """Who may approve: of class A whoever proposed it too, of class B somebody else."""

    A = "a", _("Class A")
    B = "b", _("Class B")


class RunState(models.TextChoices):
    """How far a run got; after `unknown` a person has to look."""

    PROPOSED = "proposed", pgettext_lazy("run", "Proposed")
    APPROVED = "approved", pgettext_lazy("run", "Approved")
    REJECTED = "rejected", pgettext_lazy("run", "Rejected")
    EXECUTING = "executing", pgettext_lazy("run", "Executing")
    VERIFIED = "verified", pgettext_lazy("run", "Verified")
    ROLLED_BACK = "rolled_back", pgettext_lazy("run", "Rolled back")
    UNKNOWN = "unknown", pgettext_lazy("run", "Unknown, check")
    ABORTED = "aborted", pgettext_lazy("run", "Aborted")


WAITING = (RunState.PROPOSED, RunState.APPROVED)  # what may still be executed
LIVE = (*WAITING, RunState.EXECUTING)
FAILURES = (RunState.ROLLED_BACK, RunState.UNKNOWN)  # what pauses a runbook when it comes twice


class Finding(models.TextChoices):
    """What somebody found an unknown run to have done."""

    ACTED = "acted", pgettext_lazy("run", "It acted")
    DID_NOT_ACT = "did_not_act", pgettext_lazy("run", "It did not act")


class Activity(models.TextChoices):
    """What the engine is doing for a run."""

    NOTHING = "", pgettext_lazy("activity", "Nothing")
    DRY_RUN = "dry_run", pgettext_lazy("activity", "Dry run")
    EXECUTION = "execution", pgettext_lazy("activity", "Execution")


class PhaseWord(models.TextChoices):
    """What is asked of a step."""

    DRY_RUN = "dry_run", pgettext_lazy("phase", "Dry run")
    CHECK = "check", pgettext_lazy("phase", "Check")
    ACT = "act", pgettext_lazy("phase", "Act")
    VERIFY = "verify", pgettext_lazy("phase", "Verify")
    ROLL_BACK = "roll_back", pgettext_lazy("phase", "Roll back")


class PhaseState(models.TextChoices):
    """How far a phase got; `started` is written before anything is sent.

    A failed one ended; of an unknown or interrupted one, nobody knows what it did.
    """

    STARTED = "started", pgettext_lazy("phase", "Started")
    WAITING = "waiting", pgettext_lazy("phase", "Waiting")
    DONE = "done", pgettext_lazy("phase", "Done")
    FAILED = "failed", pgettext_lazy("phase", "Failed")
    UNKNOWN = "unknown", pgettext_lazy("phase", "Unknown")
    INTERRUPTED = "interrupted", pgettext_lazy("phase", "Interrupted")


class JobState(models.TextChoices):
    """How far an agent's job got; what comes after `fetched` is what the agent reports."""

    QUEUED = "queued", pgettext_lazy("job", "Queued")
    FETCHED = "fetched", pgettext_lazy("job", "Fetched")
    DONE = "done", pgettext_lazy("job", "Done")
    FAILED = "failed", pgettext_lazy("job", "Failed")
    TIMED_OUT = "timed_out", pgettext_lazy("job", "Timed out")
    REFUSED = "refused", pgettext_lazy("job", "Refused")
    UNKNOWN = "unknown", pgettext_lazy("job", "Unknown")
    EXPIRED = "expired", pgettext_lazy("job", "Never fetched")


REPORTED = (JobState.DONE, JobState.FAILED, JobState.TIMED_OUT, JobState.REFUSED, JobState.UNKNOWN)


class RunEventKind(models.TextChoices):
    """A run's events on the incident's timeline."""

    RUN_PROPOSED = "run_proposed", _("Remediation proposed")
    RUN_APPROVED = "run_approved", _("Remediation approved")
    RUN_REJECTED = "run_rejected", _("Remediation rejected")
    RUN_DRY_RUN = "run_dry_run", _("Remediation tried without effect")
    RUN_STARTED = "run_started", _("Remediation started")
    RUN_STEP = "run_step", _("Step of a remediation")
    RUN_VERIFIED = "run_verified", _("Remediation verified")
    RUN_DONE = "run_done", _("Remediation done, not verified")
    RUN_ROLLED_BACK = "run_rolled_back", _("Remediation rolled back")
    RUN_UNKNOWN = "run_unknown", _("Remediation unknown, check")
    RUN_ABORTED = "run_aborted", _("Remediation aborted")
    RUN_REFUSED = "run_refused", _("Remediation by a rule refused")
    RUN_SETTLED = "run_settled", _("Unknown remediation settled")
