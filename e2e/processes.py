"""Programs that run beside the server: Debian's, and what they are started with."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from e2e.environments import Unavailable
from e2e.server import ROOT, eventually

DOWNLOAD_SECONDS = 120
STOP_SECONDS = 20
UNPACKED = ROOT / ".venv" / "e2e-debian"
INSTALLED_DATA = b"/usr/share/prometheus"
UNPACKED_DATA = b"usr//share/prometheus"  # the same, below the working directory


class Process:
    """A program that runs while entered, once `is_ready` says so. `log` is where it says what it does."""

    def __init__(
        self,
        command: list[str],
        log: Path,
        is_ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.command, self.log, self.is_ready, self.environment = command, log, is_ready, environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Process":
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command, cwd=self.log.parent, env=self.environment, stdout=output, stderr=output
            )
        try:
            eventually(self._has_started, f"{self.command[0]} to start")
        except AssertionError as error:
            self._end()
            raise RuntimeError(f"{self.command[0]} does not start:\n{self.log.read_text()[-2000:]}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        if error is not None:
            error.add_note(f"{self.command[0]} said:\n{self.log.read_text()[-1500:]}")

    def _has_started(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"it ended with {self._process.returncode}")
        return self.is_ready()

    def _end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def debian_program(name: str, package: str) -> str:
    """The path of a program: the one that is installed, else Debian's, unpacked into `.venv/e2e-debian`.

    Raises Unavailable when it cannot be downloaded.
    """
    if found := shutil.which(name):
        return found
    unpacked = UNPACKED / "usr" / "bin" / name
    if not unpacked.is_file():
        _unpack(name, package)
    _relocate(unpacked)
    return str(unpacked)


def lay_data(home: Path) -> None:
    """Where the working directory of an unpacked program is `home`: have it find there what it was unpacked with."""
    if UNPACKED.is_dir():
        (home / "usr").symlink_to(UNPACKED / "usr")


def _unpack(name: str, package: str) -> None:
    if shutil.which("apt-get") is None:
        raise Unavailable(f"{name} is not installed, and there is no apt-get to fetch Debian's {package} with")
    UNPACKED.mkdir(parents=True, exist_ok=True)
    _fetch(["apt-get", "download", "--quiet", package], UNPACKED)
    archives = sorted(UNPACKED.glob(f"{package}_*.deb"))
    _fetch(["dpkg-deb", "--extract", str(archives[-1]) if archives else package, str(UNPACKED)], UNPACKED)


def _relocate(program: Path) -> None:
    """Have a program look for its data below its working directory.

    Debian's Alertmanager has the path of its default texts compiled in, without an option for another, and does not
    start where they are not. The new path is as long as the old one, so that nothing else in the file moves.
    """
    content = program.read_bytes()
    if INSTALLED_DATA not in content:
        return
    moved = program.with_name(f"{program.name}.moved")
    moved.write_bytes(content.replace(INSTALLED_DATA, UNPACKED_DATA))
    moved.chmod(0o755)
    moved.replace(program)


def _fetch(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=DOWNLOAD_SECONDS)
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines() or ["no output"]
        raise Unavailable(f"{' '.join(command[:2])}: {lines[-1]}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Unavailable(str(error)) from error
