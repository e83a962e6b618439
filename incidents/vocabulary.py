"""The words of incidents."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """Where an incident stands; incidents.workflow says how it moves."""

    OPEN = "open", _("Open")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    IN_PROGRESS = "in_progress", _("In progress")
    ON_HOLD = "on_hold", _("On hold")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")


OPEN_STATUSES = (Status.OPEN, Status.ACKNOWLEDGED, Status.IN_PROGRESS, Status.ON_HOLD)


STATUS_OF_WORD = {status.value: status for status in Status}


class EventKind(models.TextChoices):
    """What happened, as the timeline names it."""

    CREATED = "created", _("Reported")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    STARTED = "started", _("Work started")
    HELD = "held", _("Put on hold")
    RESUMED = "resumed", _("Resumed")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Reopened")
    FIELD_CHANGED = "field_changed", _("Changed")
    TEAM_CHANGED = "team_changed", _("Team changed")
    ASSIGNEE_CHANGED = "assignee_changed", _("Assignee changed")
    SEVERITY_CHANGED = "severity_changed", _("Severity changed")
    PRIORITY_CHANGED = "priority_changed", _("Priority changed")
    COMMENT = "comment", _("Update")
    ATTACHMENT_ADDED = "attachment_added", _("File attached")
    ATTACHMENT_REMOVED = "attachment_removed", _("File removed")
    SUBSCRIBED = "subscribed", _("Follower added")
    UNSUBSCRIBED = "unsubscribed", _("Follower removed")
    ACCESS_GRANTED = "access_granted", _("Made visible to others")
    FOLLOWERS_LEFT = "followers_left", _("Followers not carried over")
    LINKED = "linked", _("Linked")
    UNLINKED = "unlinked", _("Link removed")
    REDACTED = "redacted", _("Redacted")
    ACK_BREACHED = "ack_breached", _("Not acknowledged in time")
    RESOLVE_BREACHED = "resolve_breached", _("Not resolved in time")
    DELETED = "deleted", _("Deleted")
    RESTORED = "restored", _("Restored")


class Visibility(models.TextChoices):
    """Who reads an event: everybody who sees the incident, or only those who work on incidents."""

    PUBLIC = "public", _("Public")
    INTERNAL = "internal", _("Internal")


# What an update is where nobody says; pages and API show the choice, and offer the same.
DEFAULT_VISIBILITY = Visibility.PUBLIC


class Origin(models.TextChoices):
    """Where an event came from."""

    API = "api", _("API")
    CONSOLE = "console", _("Web page")
    ADMIN = "admin", _("Admin")
    CHAT = "chat", _("Chat")
    EMAIL = "email", _("Email")
    ALERT = "alert", _("Alert")
    JOB = "job", _("Job")
    IMPORT = "import", _("Import")


class MachineKind(models.TextChoices):
    """What kind of machine acts by itself, or for somebody."""

    SOURCE = "source", _("Source")
    CHANNEL = "channel", _("Channel")
    ESCALATION = "escalation", _("Escalation")
    ASSISTANT = "assistant", _("Assistant")
    RUNBOOK = "runbook", _("Runbook")


class LinkKind(models.TextChoices):
    """How one incident stands to another."""

    DUPLICATE_OF = "duplicate_of", _("Duplicate of")
    RELATED_TO = "related_to", _("Related to")
    CAUSED_BY = "caused_by", _("Caused by")
