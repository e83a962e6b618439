"""Splunk as a store that detection rules search."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from core.text.sentences import Sentence
from integrations.splunk.client import search
from logs.sources.http import why_untrusting
from logs.sources.outside import RuleTemplate, Store

QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
COMMENT = re.compile(r"```.*?```", re.DOTALL)
INNER = re.compile(r"\[[^\[\]]*\]")
OWN_TIME = re.compile(r"\b_?(?:index_)?(?:earliest|latest)\s*=", re.IGNORECASE)
# Commands that write or send, which nobody confirms here.
RISKY = re.compile(
    r"\|\s*(collect|delete|dump|map|mcollect|meventcollect|outputcsv|outputlookup|run|runshellscript|script|sendalert|"
    r"sendemail|stash|summaryindex|sumindex|tscollect)\b",
    re.IGNORECASE,
)
EXAMPLE = "index=main level=ERROR"

SET_UP = Sentence("Splunk is not set up: set %(names)s.")


def validate(query: str) -> str:
    """Return a search as Splunk takes it. Raises ValidationError for one with its own times, or that changes data."""
    text = query.strip()
    plain = COMMENT.sub(" ", QUOTED.sub('""', text))
    if found := RISKY.search(plain):
        raise ValidationError(_("A rule only reads; leave out the command %(name)s.") % {"name": found[1]})
    outer = plain
    while INNER.search(outer):
        outer = INNER.sub("", outer)
    if OWN_TIME.search(outer.lstrip("| ").partition("|")[0]):
        raise ValidationError(_("The rule's window says when to search; leave out earliest= and latest=."))
    return text if re.match(r"\||search\b", text) else f"search {text}"


def why_unusable() -> str:
    """Return which settings are missing, if any."""
    if missing := [name for name in ("SPLUNK_URL", "SPLUNK_TOKEN") if not getattr(settings, name)]:
        return SET_UP.say(names=", ".join(missing))
    return why_untrusting("SPLUNK_CA")


def lag() -> int:
    """Return the seconds that events take to be found."""
    seconds: int = settings.SPLUNK_LAG_SECONDS
    return seconds


TEMPLATES = (
    RuleTemplate(
        key="error_rate",
        title=_lazy("Error rate"),
        about=_lazy(
            "Many errors of one host within five minutes: log levels, and responses of 500 and more. "
            "Write your indexes for index=*, which searches all that the token may."
        ),
        query="index=* (log_level=ERROR OR level=ERROR OR level=CRITICAL OR severity=ERROR OR status>=500)",
        threshold=50,
        severity="high",
        check_interval_seconds=60,
        window_seconds=300,
        group_by=("host",),
    ),
    RuleTemplate(
        key="cloudtrail_errors",
        title=_lazy("CloudTrail errors"),
        about=_lazy(
            "Calls to AWS that fail again and again, by error and call: missing permissions, throttling. "
            "Write your indexes for index=*, which searches all that the token may."
        ),
        query="index=* sourcetype=aws:cloudtrail errorCode=* NOT errorCode=success",
        threshold=5,
        severity="medium",
        check_interval_seconds=300,
        window_seconds=300,
        group_by=("errorCode", "eventName"),
    ),
)
STORE = Store("splunk", "Splunk", search, validate, why_unusable, lag, EXAMPLE, TEMPLATES, "SPL")
