"""System checks for mistakes that only show in production."""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections
from django.http.request import validate_host
from django.utils import timezone

MARIADB_AT_LEAST = (10, 6)
MYSQL_AT_LEAST = (8, 0)


@register(Tags.files)
def media_is_writable(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that attachments can be stored."""
    if settings.S3_BUCKET:
        return []
    folder = settings.MEDIA_ROOT
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent  # it will be created
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return []
    return [Error(f"MEDIA_ROOT ({settings.MEDIA_ROOT}) cannot be written to.", id="incident_response.E001")]


@register(Tags.security, deploy=True)
def public_url_is_secure(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that mailed links match secure cookies."""
    if not settings.SECURE_TRANSPORT or settings.PUBLIC_URL.startswith("https://"):
        return []
    hint = "Set PUBLIC_URL to the https:// address people use, or PLAIN_HTTP=true on a machine of your own."
    return [Warning("PUBLIC_URL is not an https:// address.", hint=hint, id="incident_response.W001")]


@register(Tags.security)
def twilio_can_call_back(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that receipts, replies and calls find this server."""
    from notifications.channels.twilio.client import why_unreachable

    if not settings.TWILIO_ACCOUNT_SID:
        return []
    hint = "Without it, calls are not made, and receipts and replies of SMS do not arrive."
    public = urlsplit(settings.PUBLIC_URL)
    reasons = [why_unreachable()]
    if public.scheme != "https":
        reasons.append("Twilio should call this server by https; PUBLIC_URL is another address.")
    if not validate_host(public.hostname or "", settings.ALLOWED_HOSTS):
        reasons.append(f"ALLOWED_HOSTS lacks {public.hostname}, the host of PUBLIC_URL.")
    return [Warning(reason, hint=hint, id="incident_response.W003") for reason in reasons if reason]


@register(Tags.security)
def model_is_whole(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that a language model is configured wholly or not at all."""
    hint = "Set ASSISTANT_PROVIDER, or leave out all other settings of the model; docs/assistant-model.md lists them."
    return [Error(problem, hint=hint, id="incident_response.E006") for problem in _faults_of_model()]


def _faults_of_model() -> list[str]:
    provider, set_up = settings.ASSISTANT_PROVIDER, settings
    named = ("ASSISTANT_MODEL", "ASSISTANT_URL", "ASSISTANT_API_KEY", "ASSISTANT_REGION")
    if not provider:
        given = [name for name in named if getattr(set_up, name)]
        return [f"{', '.join(given)} without ASSISTANT_PROVIDER: no model is used."] if given else []
    faults = [] if set_up.ASSISTANT_MODEL else ["ASSISTANT_MODEL is missing."]
    if provider == "bedrock":
        faults += [] if set_up.ASSISTANT_REGION else ["ASSISTANT_REGION is missing."]
        faults += ["Bedrock takes no ASSISTANT_API_KEY."] if set_up.ASSISTANT_API_KEY else []
        faults += [] if find_spec("boto3") else ["Bedrock needs the extra for AWS: requirements-aws.txt."]
    else:
        faults += ["ASSISTANT_REGION is for bedrock only."] if set_up.ASSISTANT_REGION else []
    if not set_up.ASSISTANT_API_KEY and (
        provider == "anthropic" or (provider == "openai" and not set_up.ASSISTANT_URL)
    ):
        faults.append("ASSISTANT_API_KEY is missing.")
    if set_up.ASSISTANT_URL and urlsplit(set_up.ASSISTANT_URL).scheme not in ("http", "https"):
        faults.append("ASSISTANT_URL is no address of http or https.")
    if bool(set_up.ASSISTANT_PRICE_IN) != bool(set_up.ASSISTANT_PRICE_OUT):
        faults.append("Set both ASSISTANT_PRICE_IN and ASSISTANT_PRICE_OUT, or neither.")
    return faults


@register(Tags.database)
def server_suits_us(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Check MySQL's or MariaDB's version, mode and isolation."""
    return [
        message
        for alias in databases or []
        if connections[alias].vendor == "mysql"
        for message in _server_messages(connections[alias])
    ]


@register(Tags.database)
def conditions_hold(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Report stored conditions that are refused today."""
    if not databases:
        return []
    from alerts.services.rules import faulty

    try:
        found = faulty(timezone.now())
    except DatabaseError:
        return []
    hint = "Mend it in the back office; until then it stays as it was stored."
    return [
        Warning(f"The {one._meta.verbose_name} “{one}”: {why}", hint=hint, id="incident_response.W002")
        for one, why in found
    ]


def _server_messages(connection: Any) -> list[CheckMessage]:
    is_mariadb, version = connection.mysql_is_mariadb, connection.mysql_version
    wanted = MARIADB_AT_LEAST if is_mariadb else MYSQL_AT_LEAST
    messages: list[CheckMessage] = []
    if version < wanted:
        name = "MariaDB" if is_mariadb else "MySQL"
        needed, found = ".".join(map(str, wanted)), ".".join(map(str, version))
        messages.append(Error(f"{name} {needed} or newer is needed; this is {found}.", id="incident_response.E002"))
    with connection.cursor() as cursor:
        # MySQL has only the second name, our oldest MariaDB only the first.
        variable = "tx_isolation" if is_mariadb and version < (11, 1) else "transaction_isolation"
        cursor.execute(f"SELECT @@{variable}, @@sql_mode, @@character_set_connection")
        isolation, mode, charset = cursor.fetchone()
    if isolation != "READ-COMMITTED":
        messages.append(Error(f"The isolation level is {isolation}, not READ-COMMITTED.", id="incident_response.E003"))
    if "STRICT_TRANS_TABLES" not in mode:
        messages.append(Error("Strict mode is off: values could be cut silently.", id="incident_response.E004"))
    if charset != "utf8mb4":
        messages.append(Error(f"The connection speaks {charset}, not utf8mb4.", id="incident_response.E005"))
    return messages
