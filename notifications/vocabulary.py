"""The words of notifications."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from paging.vocabulary import Importance as Importance


class Kind(models.TextChoices):
    """What a message is about."""

    PAGE = "page", _("Page")
    UPDATE = "update", _("Update")
    NOTICE = "notice", _("Notice")
    CODE = "code", _("Code")
    TEST = "test", _("Test")
    STATUS = "status", _("Status page")


class State(models.TextChoices):
    """How far a delivery got; only an answer by a human counts as reached."""

    WAITING = "waiting", _("Waiting")
    HELD = "held", _("Held")
    HANDED_OVER = "handed_over", _("Handed over")
    ACCEPTED = "accepted", _("Accepted")
    DELIVERED = "delivered", _("Delivered")
    ANSWERED = "answered", _("Answered")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


PENDING = (State.WAITING, State.HELD)
SENT = (State.HANDED_OVER, State.ACCEPTED, State.DELIVERED, State.ANSWERED)


class Outcome(models.TextChoices):
    """What came of one attempt; later receipts raise it."""

    STARTED = "started", _("Started")
    INTERRUPTED = "interrupted", _("Interrupted")
    HANDED_OVER = "handed_over", _("Handed over")
    ACCEPTED = "accepted", _("Accepted")
    DELIVERED = "delivered", _("Delivered")
    RETRY = "retry", _("To be repeated")
    FAILED = "failed", _("Failed")
    NO_RECEIPT = "no_receipt", _("No receipt")


class Priority(models.IntegerChoices):
    """What is sent first through a busy channel."""

    PAGE = 0, _("Page")
    PERSONAL = 1, _("Codes, tests and notices")
    POST = 2, _("Update")
    EDIT = 3, _("Edit of an earlier message")
    BULK = 4, _("To subscribers")


class MethodState(models.TextChoices):
    """Whether a contact method works."""

    UNVERIFIED = "unverified", _("Unverified")
    OK = "ok", _("Works")
    FAILING = "failing", _("Failing")
    DISABLED = "disabled", _("Disabled")


class BodyFormat(models.TextChoices):
    """How the body of a webhook is laid out."""

    PLAIN = "", _("Plain")
    CLOUDEVENTS = "cloudevents", _("CloudEvents")


VERIFIED = (MethodState.OK, MethodState.FAILING)


class RequestState(models.TextChoices):
    """How far a request from a chat got."""

    WAITING = "waiting", _("Waiting")
    UNLINKED = "unlinked", _("Waits for a linked account")
    ANSWERED = "answered", _("Answer not sent yet")
    DONE = "done", _("Done")
    EXPIRED = "expired", _("Expired")


class Purpose(models.TextChoices):
    """How an answer token comes back."""

    LINK = "link", _("Link")
    REPLY = "reply", _("Reply code")


class InboundState(models.TextChoices):
    """What became of a mail that came in."""

    WAITING = "waiting", _("Waiting")
    OPENED = "opened", _("Incident opened")
    COMMENTED = "commented", _("Added to an incident")
    BOUNCE = "bounce", _("Bounce")
    IGNORED = "ignored", _("Ignored")
    HELD = "held", _("Held")
    FAILED = "failed", _("Failed")


# What rooms and webhooks are told of unless somebody chooses.
DEFAULT_EVENTS = ("created", "acknowledged", "resolved", "reopened", "comment", "run_proposed")
# What subscribers and reporters are told of, besides public comments.
SUBSCRIBER_EVENTS = ("created", "acknowledged", "resolved")


class Problem(models.TextChoices):
    """Why a page would not surely reach a person."""

    INACTIVE = "inactive", _("Account deactivated")
    REPORTER = "reporter", _("Only a reporter")
    NO_METHOD = "no_method", _("No contact method")
    NO_VERIFIED_METHOD = "no_verified_method", _("No verified contact method")
    NO_WORKING_METHOD = "no_working_method", _("No channel in use")
    ALL_FAILING = "all_failing", _("All contact methods fail")
    RULE_BROKEN = "rule_broken", _("Rule with a step that reaches nobody")
