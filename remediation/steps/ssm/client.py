"""AWS Systems Manager; boto3 is imported only when something is asked."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from django.conf import settings

DELIVERY_SECONDS = 60  # for an instance to fetch a command
MOST_INSTANCES = 2000
MOST_PAGES = 10  # of commands that are searched
UNSENT = ("EndpointConnectionError", "ConnectTimeoutError", "NoCredentialsError", "PartialCredentialsError")
NOT_YET = "InvocationDoesNotExist"


class SsmError(Exception):
    """A call failed; the message is for people, `code` is Amazon's."""

    def __init__(self, message: str, *, code: str = "", may_have_arrived: bool = False) -> None:
        super().__init__(message)
        self.message, self.code, self.may_have_arrived = message, code, may_have_arrived


@dataclass(frozen=True)
class Document:
    """A document of commands: its hash, and the names of its parameters."""

    name: str
    digest: str
    parameters: frozenset[str]


@dataclass(frozen=True)
class Invocation:
    """What became of a command on its instance."""

    status: str
    details: str
    output: str


def why_unusable() -> str:
    """Return what is missing; empty if nothing is."""
    if find_spec("boto3") is None:
        return "Install the extra for AWS (requirements-aws.txt)."
    return "" if settings.SSM_REGION else "Set SSM_REGION to the region of the instances."


@cache
def _client(region: str, endpoint: str) -> Any:
    import boto3
    from botocore.config import Config

    # one attempt: a command that was sent must not be sent again
    config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1}, max_pool_connections=16)
    return boto3.session.Session().client("ssm", region_name=region, endpoint_url=endpoint or None, config=config)


@contextmanager
def _calling() -> Iterator[Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield _client(settings.SSM_REGION, settings.SSM_ENDPOINT_URL)
    except ClientError as error:
        answer: Mapping[str, Any] = error.response
        code = str(answer.get("Error", {}).get("Code", ""))
        said = str(answer.get("Error", {}).get("Message", ""))[:300]
        is_theirs = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
        raise SsmError(f"Amazon SSM refused: {code}. {said}".strip(), code=code, may_have_arrived=is_theirs) from error
    except BotoCoreError as error:
        name = type(error).__name__
        raise SsmError(f"Amazon SSM did not answer ({name}).", may_have_arrived=name not in UNSENT) from error


def instances(filters: Mapping[str, list[str]]) -> list[Mapping[str, Any]]:
    """Return the managed instances that pass all filters, online or not. Raises SsmError."""
    wanted = [{"Key": key, "Values": values} for key, values in filters.items()]
    request: dict[str, Any] = {"Filters": wanted} if wanted else {}
    if "InstanceIds" not in filters:
        request["MaxResults"] = 50
    found: list[Mapping[str, Any]] = []
    while len(found) <= MOST_INSTANCES:
        with _calling() as ssm:
            answer = ssm.describe_instance_information(**request)
        found += answer["InstanceInformationList"]
        if not (more := answer.get("NextToken")):
            return found
        request["NextToken"] = more
    raise SsmError(f"There are more than {MOST_INSTANCES} managed instances.")


def document(name: str) -> Document:
    """Return a document that can be sent. Raises SsmError."""
    with _calling() as ssm:
        found = ssm.describe_document(Name=name)["Document"]
    if found.get("DocumentType") != "Command" or found.get("Status", "Active") != "Active":
        raise SsmError(f"{name} is no active document of commands.")
    parameters = frozenset(parameter["Name"] for parameter in found.get("Parameters", []))
    return Document(name, str(found.get("Hash", "")), parameters)


def send(
    instance: str, name: str, digest: str, parameters: Mapping[str, list[str]], *, comment: str, seconds: int
) -> str:
    """Send a command to one instance, and return its id; a document that changed is refused. Raises SsmError."""
    takes_seconds = name in ("AWS-RunShellScript", "AWS-RunPowerShellScript")
    timed = {**parameters, **({"executionTimeout": [str(seconds)]} if takes_seconds else {})}
    request: dict[str, Any] = {
        "InstanceIds": [instance],
        "DocumentName": name,
        "Parameters": timed,
        "Comment": comment,
        "TimeoutSeconds": DELIVERY_SECONDS,
        "MaxErrors": "0",
        "MaxConcurrency": "1",
    }
    if digest:
        request |= {"DocumentHash": digest, "DocumentHashType": "Sha256"}
    with _calling() as ssm:
        return str(ssm.send_command(**request)["Command"]["CommandId"])


def find(instance: str, comment: str, since: dt.datetime) -> str:
    """Return the id of the command with a comment; empty if there is none (yet). Raises SsmError."""
    filters = [{"key": "InvokedAfter", "value": since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}]
    request: dict[str, Any] = {"InstanceId": instance, "Filters": filters, "MaxResults": 50}
    for _page in range(MOST_PAGES):
        with _calling() as ssm:
            answer = ssm.list_commands(**request)
        for command in answer["Commands"]:
            if command.get("Comment") == comment and instance in command.get("InstanceIds", []):
                return str(command["CommandId"])
        if not (more := answer.get("NextToken")):
            break
        request["NextToken"] = more
    return ""


def invocation(command: str, instance: str) -> Invocation | None:
    """Return what became of a command; None while the instance does not have it yet. Raises SsmError."""
    try:
        with _calling() as ssm:
            answer = ssm.get_command_invocation(CommandId=command, InstanceId=instance)
    except SsmError as error:
        if error.code == NOT_YET:
            return None
        raise
    parts = (answer.get("StandardOutputContent", ""), answer.get("StandardErrorContent", ""))
    output = "\n".join(part.rstrip() for part in parts if part)
    return Invocation(answer["Status"], str(answer.get("StatusDetails", "")).replace(" ", ""), output)
