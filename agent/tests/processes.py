"""The agent as a process of its own, and the command that it may run."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).resolve().parents[1] / "incident_agent.py"
SCRIPT = """
import os, sys, time
sign, word = sys.argv[1:3]
with open({folder!r} + "/runs", "a") as file:
    file.write(word + "\\n")
if word == "environment":
    print(sorted(os.environ), os.getcwd())
elif word == "slow":
    time.sleep(3)
elif word == "endless":
    if os.fork() == 0:
        time.sleep(3)
        open({folder!r} + "/survivor", "w").close()
    print("begun", flush=True)
    time.sleep(60)
elif word == "huge":
    for number in range(3000):
        print("x" * 1023)
elif word == "secret":
    print("password=hunter2 Authorization: Bearer abc.def ticket-4711 \\x00")
elif word == "broken":
    print("no such unit", file=sys.stderr)
    sys.exit(3)
"""


class Machine:
    """A folder with the agent's configuration, key, state, and the runs of its command."""

    def __init__(self, folder: Path, *, server: str, agent: int, key: str, public_key: str, **settings: Any) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir(exist_ok=True)
        (folder / "script.py").write_text(SCRIPT.format(folder=str(folder)))
        (folder / "key").write_text(key)
        (folder / "key").chmod(0o600)
        self.config = folder / "agent.json"
        self.settings = {
            "server": server,
            "agent": agent,
            "key_file": str(folder / "key"),
            "public_key": public_key,
            "state": str(self.state),
            "allow_root": True,
            "redact": ["ticket-[0-9]+"],
            "commands": {
                "restart-web": {
                    "argv": [sys.executable, str(folder / "script.py"), "restart", "{unit}"],
                    "arguments": {"unit": "[a-z-]+"},
                    "seconds": 5,
                }
            },
            **settings,
        }
        self.write()
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, **settings: Any) -> None:
        self.config.write_text(json.dumps({**self.settings, **settings}))
        self.config.chmod(0o600)

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, str(PROGRAM), str(self.config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "SECRET": "of ours"})

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(timeout=10)
        self.process = None
        return code

    def check(self) -> tuple[int, str]:
        """Return what `--check` says of the configuration."""
        command = [sys.executable, str(PROGRAM), str(self.config), "--check"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stderr

    def runs(self) -> list[str]:
        """Return what was run, in order."""
        path = self.folder / "runs"
        return path.read_text().split() if path.exists() else []

    def log(self) -> str:
        return (self.folder / "log").read_text()


def eventually(look: Any, *, seconds: float = 60) -> Any:
    """Return what `look` finds, as soon as it finds anything."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")
