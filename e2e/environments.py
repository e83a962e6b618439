"""The clients' own environments: `.venv/e2e-<name>`, made on demand and kept."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from e2e.server import ROOT

PROGRAMS = Path(__file__).resolve().parent / "programs"
INSTALL_SECONDS = 300
PROGRAM_SECONDS = 120
NPM = ("npm", "install", "--no-audit", "--no-fund", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")


class Unavailable(Exception):
    """The client cannot be had here; its sentence says why."""


class Environment:
    """A virtual environment with a client's packages. Raises Unavailable when they cannot be installed."""

    def __init__(self, name: str, *packages: str) -> None:
        self.folder = ROOT / ".venv" / f"e2e-{name}"
        self.python = self.folder / "bin" / "python"
        wanted = "\n".join(packages)
        stamp = self.folder / "packages.txt"  # written last, so that what failed half-way is done again
        if not stamp.is_file() or stamp.read_text() != wanted:
            _run([sys.executable, "-m", "venv", "--clear", str(self.folder)])
            _run([str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
            stamp.write_text(wanted)

    def version(self, package: str) -> str:
        """The installed version of a package."""
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        return _run([str(self.python), "-c", code]).strip()

    def run(self, program: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run `programs/<program>.py` there; what it printed. Raises AssertionError with its output when it fails."""
        # -P: a program may be called like the package that it imports.
        return run_program([str(self.python), "-P"], f"{program}.py", *arguments, environment=environment)


class NodeEnvironment:
    """A folder with a client's packages from npm. Raises Unavailable when they cannot be installed."""

    def __init__(self, name: str, *packages: str) -> None:
        self.folder = ROOT / ".venv" / f"e2e-{name}"
        missing = [program for program in ("node", "npm") if shutil.which(program) is None]
        if missing:
            raise Unavailable(f"{' and '.join(missing)} not installed")
        wanted, stamp = "\n".join(packages), self.folder / "packages.txt"
        if not stamp.is_file() or stamp.read_text() != wanted:
            self.folder.mkdir(parents=True, exist_ok=True)
            _run([*NPM, "--prefix", str(self.folder), *packages])
            stamp.write_text(wanted)

    def version(self, package: str) -> str:
        """The installed version of a package."""
        described = self.folder / "node_modules" / package / "package.json"
        return str(json.loads(described.read_text())["version"])

    def run(self, program: str, *arguments: str) -> str:
        """Run `programs/<program>.cjs` there; what it printed. Raises AssertionError with its output when it fails."""
        environment = {"NODE_PATH": str(self.folder / "node_modules")}
        return run_program(["node"], f"{program}.cjs", *arguments, environment=environment)


def run_program(
    interpreter: list[str], program: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> str:
    """What a file of `programs` printed. Raises AssertionError with its output when it fails."""
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [*interpreter, str(PROGRAMS / program), *arguments],
        env={**clean, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
    )
    if done.returncode:
        raise AssertionError(f"{program} {' '.join(arguments)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout.strip()


def _run(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS).stdout
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines() or ["no output"]
        reason = next((line for line in said if line.lower().startswith(("error", "npm error"))), said[-1])
        raise Unavailable(f"{command[-1]}: {reason}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Unavailable(str(error)) from error
