"""Amazon SNS as moto plays it, which signs what it sends. Amazon itself is to be had only where the test says so."""

import shutil
import socket
from contextlib import AbstractContextManager
from typing import Any

from e2e.environments import Environment, Unavailable
from e2e.internet import Internet
from e2e.monitoring import one_alert
from e2e.processes import Process
from e2e.server import HOST, Server, free_port

TITLE = "Amazon SNS (moto)"
AMAZON = "sns.us-east-1.amazonaws.com"
NAMES = {"offline": "SNS, offline", "other": "SNS, another topic", "genuine": "SNS, genuine"}
OUR_TOPIC = "arn:aws:sns:us-east-1:123456789012:ours"
OTHER_TOPIC = "The message is from a different topic than this source's."


def run(server: Server) -> str:
    """An alarm whose signature nobody can vouch for, one of a topic that is not welcome, and one that is in order."""
    environment, port = Environment("sns", "moto[server,proxy]", "boto3"), free_port()
    secrets = {"offline": "", "other": OUR_TOPIC, "genuine": ""}
    keys = {one: server.new_source("sns", name=NAMES[one], signing_secret=secret) for one, secret in secrets.items()}
    aws, nothing, amazon = Internet(server, {AMAZON: port}), Internet(server, {}), Internet(server, {AMAZON: port})

    def publish(source: str, state: str) -> None:
        intake = f"{server.address}/intake/{keys[source]}/"
        environment.run("sns", intake, state, source, environment=aws.environment)

    with _moto(environment, server, port), aws:
        with nothing, _Behind(server, nothing):
            publish("offline", "ALARM")
            publish("other", "ALARM")
        with amazon, _Behind(server, amazon):
            publish("genuine", "ALARM")
            fired = one_alert(server, NAMES["genuine"], "firing")
            publish("genuine", "OK")
            one_alert(server, NAMES["genuine"], "resolved")

    refused = [event["reason"] for event in _events(server) if event["state"] == "failed"]
    alerts = {alert["source_name"] for alert in server.get("alerts/", page_size=200)["results"]}
    assert nothing.asked == [f"{AMAZON}:443"], f"the server asked {nothing.asked}"
    assert set(amazon.asked) == {f"{AMAZON}:443"}, f"the server asked {amazon.asked}"
    assert refused == [OTHER_TOPIC], refused
    assert not {NAMES["offline"], NAMES["other"]} & alerts, alerts
    assert fired["title"] == "CPU of genuine", fired
    return f"{environment.version('moto')}; refused without Amazon's word and of another topic, else fire and resolve"


class _Behind(AbstractContextManager[None]):
    """The server, started anew behind a proxy for as long as this is entered."""

    def __init__(self, server: Server, internet: Internet) -> None:
        self.server, self.internet, self.former = server, internet, dict(server.environment)

    def __enter__(self) -> None:
        self.server.environment |= self.internet.environment
        self.server.restart()

    def __exit__(self, *error: object) -> None:
        self.server.environment = self.former
        self.server.restart()


def _moto(environment: Environment, server: Server, port: int) -> Process:
    """moto as a proxy, which tells Amazon's services apart by their host names, as Amazon does."""
    if shutil.which("openssl") is None:
        raise Unavailable("moto's proxy needs openssl, which is not installed")

    def is_ready() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    command = [str(environment.folder / "bin" / "moto_proxy"), "--host", HOST, "--port", str(port)]
    return Process(command, server.folder / "moto.log", is_ready)


def _events(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get("intake-events/", page_size=200)["results"]
    return [event for event in found if event["format"] == "sns"]
