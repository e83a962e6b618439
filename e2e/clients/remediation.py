"""The agent as a process, and a Kubernetes API, both driven by approved runs of one runbook."""

import tempfile
from pathlib import Path
from typing import Any

import httpx2

from agent.tests.processes import Machine
from e2e.server import Server, eventually
from e2e.stand_ins.kubernetes.cluster import Cluster
from e2e.stand_ins.kubernetes.server import StandIn

TITLE = "the agent and Kubernetes: approved runs, power cuts"
LEASE_SECONDS = 4
RUN_SECONDS = 60
RESTARTED = "kubectl.kubernetes.io/restartedAt"
APPROVER = """
from users.models import User
from users.services import create_personal_token
other = User.objects.create_superuser("approver@example.com", None, name="Approver")
print(create_personal_token(other, name="e2e", scope="write")[1])
"""
COMMAND = {"command": "restart-web", "arguments": {"unit": "{unit}"}, "seconds": 5}
RUNBOOK = {
    "name": "Restart the shop",
    "risk": "b",
    "parameters": [{"name": "unit", "kind": "choice", "choices": ["web", "slow"]}],
    "steps": [
        {"kind": "agent", "agent": "web-1", "act": COMMAND, "verify": {"command": "answers"}},
        {"kind": "kubernetes", "act": {"operation": "restart", "namespace": "shop", "name": "web"}},
    ],
    "cooldown_seconds": 0,
    "daily_cap_per_target": 10,
    "max_percent": 100,
}


def run(server: Server) -> str:
    """A run that is verified; one during which the server is killed; one during which the agent is."""
    cluster = Cluster(pace=0.2)
    cluster.add("shop", "web")
    folder = Path(tempfile.mkdtemp(prefix="agent-", dir=server.folder))
    with StandIn(cluster) as stand_in:
        server.environment |= {
            "KUBERNETES_URL": stand_in.url,
            "KUBERNETES_TOKEN": "cluster-token",
            "REMEDIATION_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        server.restart()
        shop = _Shop(server, folder)
        try:
            shop.machine.start()
            shop.follow("web", "verified")
            assert shop.machine.runs() == ["web"], shop.machine.runs()
            marks = {
                cluster.get("deployments", "shop", "web")["spec"]["template"]["metadata"]["annotations"][RESTARTED]
            }

            shop.follow("slow", "verified", killing=server.kill, then=server.start)
            assert shop.machine.runs() == ["web", "slow"], shop.machine.runs()
            marks.add(
                cluster.get("deployments", "shop", "web")["spec"]["template"]["metadata"]["annotations"][RESTARTED]
            )

            shop.follow("slow", "unknown", killing=shop.break_down, then=shop.machine.start)
            assert shop.machine.runs() == ["web", "slow", "slow"], shop.machine.runs()
        finally:
            shop.machine.kill()
        assert len(marks) == len(stand_in.writes()) == 2, stand_in.writes()
    server.manage("verify_history")
    return "verified with both, verified through a kill of the server, unknown after a kill of the agent; nothing twice"


class _Shop:
    """An incident, a runbook, two administrators and a machine."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.approver = server.shell(APPROVER)
        made = self.post("agents/", {"name": "web-1"})
        self.machine = Machine(
            folder, server=server.address, agent=made["id"], key=made["key"], public_key=made["public_key"]
        )
        self.silent = folder / "silent"
        self.machine.settings["commands"]["answers"] = {"argv": ["/usr/bin/test", "!", "-e", str(self.silent)]}
        self.machine.write()
        self.runbook = self.post("runbooks/", RUNBOOK)["id"]
        self.incident = self.post("incidents/", {"title": "The shop is slow", "description": "x"})["id"]

    def break_down(self) -> None:
        """Have the unit answer no more, and kill the agent."""
        self.silent.touch()
        self.machine.kill()

    def post(self, path: str, body: Any, *, token: str = "", status: int | None = None) -> Any:
        """Return the JSON of an answer that succeeded, or that has this status."""
        headers = {"Authorization": f"Token {token or self.server.token}"}
        answer = httpx2.post(f"{self.server.address}/api/v1/{path}", json=body, headers=headers, timeout=30)
        is_good = answer.is_success if status is None else answer.status_code == status
        assert is_good, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def follow(self, unit: str, state: str, *, killing: Any = None, then: Any = None) -> None:
        """Propose, approve and execute; kill something while the command runs; wait for the end."""
        values = {"runbook": self.runbook, "parameters": {"unit": unit}}
        run = self.post(f"incidents/{self.incident}/runs/", values)
        number, seen = run["id"], {"digest": run["digest"]}
        self.post(f"runs/{number}/approve/", seen, status=403)  # one's own
        self.post(f"runs/{number}/approve/", seen, token=self.approver)
        before = len(self.machine.runs())
        self.post(f"runs/{number}/execute/", {})
        if killing is not None:
            eventually(lambda: len(self.machine.runs()) > before, "the command to begin")
            killing()
            then()
        eventually(
            lambda: self.server.get(f"runs/{number}/")["state"] == state,
            f"a run that is {state}",
            but=lambda: self.server.get(f"runs/{number}/"),
            seconds=RUN_SECONDS,
        )
