"""The provider that the operator chose, and whether it may be asked now."""

import datetime as dt

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from assistant.models import ModelSwitch
from assistant.models.calls import ONLY
from assistant.providers.anthropic import Anthropic
from assistant.providers.bedrock import Bedrock
from assistant.providers.openai import OpenAI
from assistant.providers.port import Limits, Provider
from core.db.transactions import unit_of_work

MAX_TOKENS = 1500  # of an answer
FAILURES = 3  # in a row, until nothing is asked for a while
PAUSE = dt.timedelta(minutes=5)


def configured() -> Provider | None:
    """Return the provider of the settings; None if there is none."""
    model, url = settings.ASSISTANT_MODEL, settings.ASSISTANT_URL
    match settings.ASSISTANT_PROVIDER:
        case "anthropic":
            return Anthropic(model, settings.ASSISTANT_API_KEY, url)
        case "bedrock":
            return Bedrock(model, settings.ASSISTANT_REGION, url)
        case "openai":
            return OpenAI(model, settings.ASSISTANT_API_KEY, url, is_json=settings.ASSISTANT_JSON_MODE)
    return None


def limits() -> Limits:
    return Limits(seconds=float(settings.ASSISTANT_SECONDS), max_tokens=MAX_TOKENS)


def the_switch() -> ModelSwitch:
    """Return the switch as it stands, unsaved if nobody has touched it."""
    return ModelSwitch.objects.filter(pk=ONLY).first() or ModelSwitch(pk=ONLY)


def is_open(switch: ModelSwitch, now: dt.datetime) -> bool:
    """Return whether the breaker keeps everybody from asking."""
    return switch.open_until is not None and switch.open_until > now


def admit(now: dt.datetime) -> bool:
    """Return whether one may ask; after a pause only one process may try, until it knows."""
    switch = the_switch()
    if not switch.is_enabled or is_open(switch, now):
        return False
    if switch.open_until is None:
        return True
    until = now + dt.timedelta(seconds=2 * settings.ASSISTANT_SECONDS)
    return bool(ModelSwitch.objects.filter(pk=ONLY, open_until=switch.open_until).update(open_until=until))


def succeeded() -> None:
    """Close the breaker."""
    ModelSwitch.objects.filter(pk=ONLY).exclude(failures=0, open_until=None).update(failures=0, open_until=None)


@unit_of_work
def failed(why: str, now: dt.datetime, *, pause: dt.timedelta = PAUSE) -> None:
    """Count a failure; several in a row open the breaker for everybody."""
    ModelSwitch.objects.get_or_create(pk=ONLY)
    mine = ModelSwitch.objects.filter(pk=ONLY)
    mine.update(failures=F("failures") + 1, last_failure=why[:200], failed_at=now)
    mine.filter(failures__gte=FAILURES).update(open_until=now + pause)


@unit_of_work
def set_enabled(is_enabled: bool) -> ModelSwitch:
    """Stop or resume asking; resuming forgets earlier failures."""
    switch, _is_new = ModelSwitch.objects.select_for_update().get_or_create(pk=ONLY)
    switch.is_enabled = is_enabled
    names = ["is_enabled"]
    if is_enabled:
        switch.failures, switch.open_until = 0, None
        names += ["failures", "open_until"]
    switch.save(update_fields=names)
    return switch


def today(now: dt.datetime | None = None) -> dt.date:
    return (now or timezone.now()).astimezone(dt.UTC).date()
