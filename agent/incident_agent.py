"""Run commands that approved runbooks ask for, on this machine: one file, for Python 3.9 or newer with cryptography.

It polls the server over HTTPS, and runs nothing but the commands of its own configuration, without a shell. Each job is
signed by the server, for this agent and for a short time; its id is on disk before it runs, so that none runs twice.

    incident_agent.py /etc/incident-agent/agent.toml [--check]
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import dataclasses
import fcntl
import http.client
import json
import logging
import os
import random
import re
import signal
import ssl
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VERSION = "1.0"
PREFIX = b"incident-response agent job 1\n"  # before what is signed
MAX_OUTPUT = 64 * 1024  # bytes
MAX_ANSWER = 256 * 1024
LONGEST_COMMAND = 3600  # seconds
TERM_SECONDS = 5.0
KEPT_SECONDS = 30 * 86_400.0
LONGEST_PAUSE = 60.0
HTTP_SECONDS = 30.0
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
SECRETS = (
    r"(?i)\b(authorization\s*[:=]\s*(?:bearer|basic|token)?\s*)\S+",
    r"(?i)\b((?:[a-z0-9_-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key))\s*[:=]\s*[\"']?)[^\s\"',;&]+",
    r"\b()(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    r"()-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    r"(://[^/\s:@]+:)[^/\s@]+(?=@)",
)
LOST = {"state": "unknown", "output": "The agent was ended."}
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
log = logging.getLogger("incident-agent")


class ConfigError(Exception):
    """The configuration cannot be used; the message names the place."""


class Refused(Exception):
    """A job that is not run; the message says why."""


# --- The configuration ------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Command:
    """What may be run under a name; `arguments` are the regular expressions of its placeholders."""

    name: str
    argv: tuple[str, ...]
    arguments: dict[str, re.Pattern[str]]
    seconds: int
    cwd: str
    environment: dict[str, str]

    def filled(self, values: Any) -> list[str]:
        """Return the argument vector. Raises Refused."""
        if not isinstance(values, dict) or set(values) != set(self.arguments):
            raise Refused(f"{self.name} takes the arguments {', '.join(sorted(self.arguments)) or 'none'}")
        for name, value in values.items():
            if not isinstance(value, str) or not self.arguments[name].fullmatch(value):
                raise Refused(f"the argument {name} does not match {self.arguments[name].pattern}")
            if value.startswith("-") or "\0" in value:
                raise Refused(f"the argument {name} looks like an option")
        return [PLACEHOLDER.sub(lambda match: values[match[1]], part) for part in self.argv]


@dataclasses.dataclass(frozen=True)
class Config:
    """What the agent's file says."""

    server: str
    agent: int
    key: str
    public_key: Ed25519PublicKey
    ca_file: str
    state: Path
    commands: dict[str, Command]
    redact: tuple[re.Pattern[str], ...]


def load(path: Path) -> Config:
    """Read and check the configuration: TOML, or JSON before Python 3.11. Raises ConfigError."""
    values = _parsed(path)
    _check_private(path, "the configuration", readable=True)
    known = {"server", "agent", "key_file", "public_key", "ca_file", "state", "commands", "redact", "allow_root"}
    if unknown := sorted(set(values) - known):
        raise ConfigError(f"unknown setting {unknown[0]}")
    if os.geteuid() == 0 and values.get("allow_root") is not True:
        raise ConfigError("it runs as root; give it a user of its own, or set allow_root = true above the commands")
    if type(values.get("agent")) is not int:
        raise ConfigError("agent must be the number that the server gave")
    commands = values.get("commands")
    if not isinstance(commands, dict) or not commands:
        raise ConfigError("there are no commands")
    state = Path(_text(values, "state", "/var/lib/incident-agent"))
    if not state.is_dir() or not os.access(state, os.W_OK):
        raise ConfigError(f"state: {state} is not a folder that it may write to")
    _check_private(state, "state", readable=True)
    return Config(
        server=_server(_text(values, "server")),
        agent=values["agent"],
        key=_key(Path(_text(values, "key_file"))),
        public_key=_public_key(_text(values, "public_key")),
        ca_file=_text(values, "ca_file", ""),
        state=state,
        commands={name: _command(name, spec) for name, spec in commands.items()},
        redact=tuple(_pattern("redact", text) for text in (*SECRETS, *values.get("redact", ()))),
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            found = json.loads(text)
        else:
            try:
                import tomllib
            except ImportError:
                raise ConfigError("this Python reads no TOML; write the configuration as agent.json") from None
            found = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path} must be an object")
    return found


def _text(values: dict[str, Any], name: str, default: str | None = None) -> str:
    value = values.get(name, default)
    if not isinstance(value, str) or (default is None and not value):
        raise ConfigError(f"{name} must be a text")
    return value


def _server(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    is_local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_local)):
        raise ConfigError("server must begin with https://")
    return url.rstrip("/")


def _key(path: Path) -> str:
    _check_private(path, "key_file", readable=False)
    try:
        key = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(f"key_file: {error}") from error
    if not key:
        raise ConfigError("key_file is empty")
    return key


def _check_private(path: Path, what: str, *, readable: bool) -> None:
    """Refuse a file that others could change, or, unless `readable`, read."""
    with contextlib.suppress(OSError):
        facts = path.stat()
        mode = facts.st_mode
        if facts.st_uid not in (0, os.geteuid()):
            raise ConfigError(f"{what}: {path} must belong to root, or to the user that the agent runs as")
        if mode & (stat.S_IWGRP | stat.S_IWOTH) or (not readable and mode & (stat.S_IRGRP | stat.S_IROTH)):
            raise ConfigError(f"{what}: {path} must be {'writable' if readable else 'readable'} by its owner only")


def _public_key(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise ConfigError("public_key must be the server's, in base64") from error


def _command(name: str, spec: Any) -> Command:
    place = f"commands.{name}"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,59}", name) or not isinstance(spec, dict):
        raise ConfigError(f"{place}: a command has a name of a to z, 0 to 9, - and _, and is a table")
    if unknown := sorted(set(spec) - {"argv", "arguments", "seconds", "cwd", "environment"}):
        raise ConfigError(f"{place}: unknown setting {unknown[0]}")
    argv, arguments = spec.get("argv"), spec.get("arguments", {})
    if not isinstance(argv, list) or not argv or not all(isinstance(part, str) for part in argv):
        raise ConfigError(f"{place}.argv must be a list of texts")
    if not Path(argv[0]).is_absolute() or "{" in argv[0] or not os.access(argv[0], os.X_OK):
        raise ConfigError(f"{place}.argv must begin with the whole path of a program that it may run")
    if {match for part in argv for match in PLACEHOLDER.findall(part)} != set(arguments):
        raise ConfigError(f"{place}: argv and arguments must name the same placeholders")
    seconds = spec.get("seconds", 60)
    if type(seconds) is not int or not 0 < seconds <= LONGEST_COMMAND:
        raise ConfigError(f"{place}.seconds must be from 1 to {LONGEST_COMMAND}")
    environment, cwd = spec.get("environment", {}), spec.get("cwd", "/")
    if not isinstance(environment, dict) or not all(isinstance(value, str) for value in environment.values()):
        raise ConfigError(f"{place}.environment must be a table of texts")
    if not isinstance(cwd, str) or not Path(cwd).is_dir():
        raise ConfigError(f"{place}.cwd must be a folder")
    patterns = {argument: _pattern(f"{place}.arguments", text) for argument, text in arguments.items()}
    return Command(name, tuple(argv), patterns, seconds, cwd, {**ENVIRONMENT, **environment})


def _pattern(place: str, text: Any) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, TypeError) as error:
        raise ConfigError(f"{place}: {text!r} is no regular expression: {error}") from error


# --- Jobs on disk -----------------------------------------------------------------------------------------------------


class Journal:
    """Every job that was ever begun, and its result until the server has it: a file each, written before the deed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(f"another agent uses {folder}") from error
        self._unsent = dict(self._left_behind())
        self._pruned_at = 0.0

    def begin(self, job: int) -> bool:
        """Note that a job begins; False if it began before."""
        try:
            handle = os.open(self._path(job), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return False
        os.fsync(handle)
        os.close(handle)
        self._sync_folder()
        self._unsent[job] = LOST
        return True

    def end(self, job: int, result: dict[str, Any]) -> None:
        """Keep a result until it is sent."""
        self._unsent[job] = result
        self._write(job, {"result": result})

    def sent(self, job: int) -> None:
        """Forget a result, not the job."""
        self._write(job, {"sent": True})
        self._unsent.pop(job, None)

    def unsent(self) -> list[tuple[int, dict[str, Any]]]:
        """Return the results to send; of a job that began and never ended, that nobody knows."""
        return sorted(self._unsent.items())

    def _left_behind(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for path in self.folder.glob("job-*"):
            text = path.read_text(encoding="utf-8")
            kept = json.loads(text) if text else {"result": LOST}
            if "result" in kept:
                yield int(path.name.removeprefix("job-")), kept["result"]

    def prune(self, now: float) -> None:
        """Drop jobs whose signature has expired long ago, once an hour."""
        if now < self._pruned_at + 3600:
            return
        self._pruned_at = now
        for path in self.folder.glob("job-*"):
            if path.stat().st_mtime < now - KEPT_SECONDS:
                path.unlink()

    def _path(self, job: int) -> Path:
        return self.folder / f"job-{job}"

    def _write(self, job: int, kept: dict[str, Any]) -> None:
        new = self.folder / "new"
        with new.open("w", encoding="utf-8") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path(job))
        self._sync_folder()

    def _sync_folder(self) -> None:
        handle = os.open(self.folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


# --- Running ----------------------------------------------------------------------------------------------------------


def verified(envelope: dict[str, Any], config: Config, now: float) -> dict[str, Any]:
    """Return the job that the server signed for this agent and this time. Raises Refused."""
    try:
        payload = base64.b64decode(envelope["payload"], validate=True)
        config.public_key.verify(base64.b64decode(envelope["signature"], validate=True), PREFIX + payload)
        job: dict[str, Any] = json.loads(payload)
        job_id, agent, begins, ends = job["job"], job["agent"], job["not_before"], job["expires"]
    except (InvalidSignature, ValueError, KeyError, TypeError) as error:
        raise Refused("the signature is not the server's") from error
    if agent != config.agent or type(job_id) is not int:
        raise Refused("the job is for another agent")
    if not begins <= now < ends:
        away = now - ends if now >= ends else begins - now
        raise Refused(f"by this machine's clock the job is {'over' if now >= ends else 'early'} by {away:.0f} s")
    return job


def run(command: Command, argv: list[str], seconds: int, redact: Callable[[str], str]) -> dict[str, Any]:
    """Run a command without a shell, end its whole group in time, and return the result."""
    limit = min(command.seconds, seconds)
    try:
        process = subprocess.Popen(  # noqa: S603 (the configuration's, with arguments that its patterns match)
            argv,
            cwd=command.cwd,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return {"state": "refused", "output": f"{argv[0]} cannot be run: {error.strerror}"}
    output = bytearray()
    is_cut: list[bool] = []
    reader = threading.Thread(target=_read, args=(process, output, is_cut), daemon=True)
    reader.start()
    try:
        process.wait(limit)
        state = "done" if process.returncode == 0 else "failed"
    except subprocess.TimeoutExpired:
        state = "timed_out"
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(TERM_SECONDS)
    _signal(process, signal.SIGKILL)  # what it left behind in its group
    process.wait()
    reader.join(1.0)
    if process.stdout is not None and not reader.is_alive():
        process.stdout.close()
    # cut again: what was put for secrets may be longer than they were
    text = UNPRINTABLE.sub("\ufffd", redact(bytes(output).decode("utf-8", "replace")))[:MAX_OUTPUT]
    text += "\n… cut" if is_cut else ""
    return {"state": state, "exit_code": process.returncode, "output": text}


def _read(process: subprocess.Popen[bytes], output: bytearray, is_cut: list[bool]) -> None:
    """Keep the beginning; read on, so that the command does not block."""
    pipe = process.stdout
    while pipe is not None and (part := os.read(pipe.fileno(), 65_536)):
        room = MAX_OUTPUT - len(output)
        output += part[:room]
        if len(part) > room:
            is_cut[:] = [True]


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class Agent:
    """Polls, runs and reports, one job at a time."""

    def __init__(self, config: Config) -> None:
        self.config, self.journal, self.stopping = config, Journal(config.state), threading.Event()
        context = ssl.create_default_context(cafile=config.ca_file or None)
        handlers = (urllib.request.ProxyHandler(), urllib.request.HTTPSHandler(context=context), _NoRedirects())
        self._opener = urllib.request.build_opener(*handlers)

    def work(self) -> None:
        """Work until it is stopped; the pause grows while the server is away."""
        failures = 0
        while not self.stopping.is_set():
            try:
                self.report()
                pause, failures = self.poll(), 0
            except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as error:
                failures += 1
                pause = min(LONGEST_PAUSE, 2.0 ** min(failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
                log.warning("the server cannot be reached: %s", error)
            self.stopping.wait(pause)

    def report(self) -> None:
        """Send what the server does not have yet."""
        for job, result in self.journal.unsent():
            status, _answer = self._post(f"agents/jobs/{job}/result/", result)
            if status >= 500 or status in (401, 403, 429):
                raise OSError(f"the result of job {job} was answered with {status}")
            if status != 200:
                log.warning("the result of job %d is not wanted: %d", job, status)
            self.journal.sent(job)
        self.journal.prune(time.time())

    def poll(self) -> float:
        """Ask for a job, run it, and return the seconds until the next question."""
        status, answer = self._post("agents/poll/", {"version": VERSION, "commands": sorted(self.config.commands)})
        if status != 200:
            raise OSError(f"the question for a job was answered with {status}")
        envelope = answer.get("job")
        if not envelope:
            return min(LONGEST_PAUSE, max(0.2, float(answer.get("poll_seconds", 5))))
        job_id = int(envelope["id"])
        try:
            job = verified(envelope, self.config, time.time())
        except Refused as error:
            # not in the journal: whoever forges a job must not keep the true one from running
            log.warning("job %d is refused: %s", job_id, error)
            self._post(f"agents/jobs/{job_id}/result/", _refusal(error))
        else:
            self._take(job)
        return 0.0

    def _take(self, job: dict[str, Any]) -> None:
        if not self.journal.begin(job["job"]):
            log.warning("job %d is not run a second time", job["job"])
            return
        try:
            self.journal.end(job["job"], self._run(job))
        except Refused as error:
            log.warning("job %d is refused: %s", job["job"], error)
            self.journal.end(job["job"], _refusal(error))

    def _run(self, job: dict[str, Any]) -> dict[str, Any]:
        command = self.config.commands.get(job.get("command", ""))
        if command is None:
            raise Refused("there is no such command in this agent's configuration")
        argv = command.filled(job.get("arguments"))
        log.info("job %d: %s", job["job"], argv)
        return run(command, argv, int(job["seconds"]), self._redacted)

    def _redacted(self, text: str) -> str:
        for pattern in self.config.redact:
            kept = r"\1" if pattern.pattern in SECRETS else ""  # what comes before the secret
            text = pattern.sub(f"{kept}[redacted]", text)
        return text

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Agent {self.config.key}", "Content-Type": "application/json"}
        headers["User-Agent"] = f"incident-agent/{VERSION}"
        url = f"{self.config.server}/api/v1/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310
        try:
            with self._opener.open(request, timeout=HTTP_SECONDS) as answer:
                content, status = answer.read(MAX_ANSWER), answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {}
        found = json.loads(content)
        return status, found if isinstance(found, dict) else {}


def _refusal(error: Refused) -> dict[str, Any]:
    return {"state": "refused", "output": f"Not run: {error}."}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The key goes to the configured server only."""

    def redirect_request(self, *_arguments: Any) -> None:
        """Follow none."""


def main() -> int:
    """Check the configuration, and work until SIGTERM."""
    parser = argparse.ArgumentParser(description="Runs commands that approved runbooks ask for.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--check", action="store_true", help="only check the configuration")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        config = load(options.config)
        if options.check:
            log.info("%s: %d commands for %s", options.config, len(config.commands), config.server)
            return 0
        agent = Agent(config)
    except (ConfigError, OSError) as error:
        log.error("%s", error)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stopping.set())
    agent.work()
    return 0


if __name__ == "__main__":
    sys.exit(main())
