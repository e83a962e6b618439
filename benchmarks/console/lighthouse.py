"""What Lighthouse says of the pages on a phone, with its simulated throttling."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from statistics import median
from typing import Any

import httpx2

from benchmarks.console.weight import PERSON, TITLES
from benchmarks.databases import ROOT
from benchmarks.report import Line
from e2e.browser import chromium
from e2e.browser.site import Site
from e2e.environments import Unavailable

VERSION = "12.8.2"
FOLDER = Path(os.environ.get("LIGHTHOUSE") or ROOT / ".venv" / "lighthouse")
CATEGORIES = ("performance", "accessibility", "best-practices")
RUNS = 3
INSTALL_SECONDS, RUN_SECONDS = 600, 180
LCP, TBT, SCORE = 1.8, 100, 95
Report = dict[str, Any]


def measure(site: Site) -> dict[str, list[Report]]:
    """Return the reports of each page; Unavailable says why there are none."""
    program = _program()
    return {path: [_run(program, site, path) for _ in range(RUNS)] for path in TITLES}


def lines(found: dict[str, list[Report]]) -> list[Line]:
    """Return what must be reached: the median of the runs."""
    made = []
    for path, reports in found.items():
        title = TITLES[path]
        made.append(
            Line(title, "LCP, s", median(_audit(report, "largest-contentful-paint") for report in reports) / 1000, LCP)
        )
        made.append(Line(title, "TBT, ms", median(_audit(report, "total-blocking-time") for report in reports), TBT))
        for category in CATEGORIES:
            score = median(report["categories"][category]["score"] * 100 for report in reports)
            made.append(Line(title, category.replace("-", " "), score, SCORE, at_least=True))
    return made


def faults(found: dict[str, list[Report]]) -> list[str]:
    """Return the audits that lower a score of accessibility or best practices."""
    names = set()
    for path, reports in found.items():
        for category in CATEGORIES[1:]:
            audits = (reference["id"] for reference in reports[-1]["categories"][category]["auditRefs"])
            names |= {f"{TITLES[path]}: {name}" for name in audits if reports[-1]["audits"][name]["score"] == 0}
    return sorted(names)


def _audit(report: Report, name: str) -> float:
    return float(report["audits"][name]["numericValue"])


def _program() -> Path:
    program = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not shutil.which("node") or not shutil.which("npm"):
        raise Unavailable("no Node.js: `apt install nodejs npm`")
    if not program.is_file():
        command = [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(FOLDER),
            f"lighthouse@{VERSION}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        if done.returncode:
            raise Unavailable(f"npm does not install Lighthouse: {done.stderr.strip()[-200:]}")
    return program


def _run(program: Path, site: Site, path: str) -> Report:
    cookies = {cookie["name"]: cookie["value"] for cookie in site.cookies(PERSON)}
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    # Chromium drops added cookies where a page redirects.
    address = str(httpx2.get(f"{site.address}{path}", cookies=cookies, follow_redirects=True).url)
    command = [
        *("node", str(program), address, "--quiet", "--output=json", "--form-factor=mobile"),
        *("--throttling-method=simulate", f"--only-categories={','.join(CATEGORIES)}"),
        "--chrome-flags=--headless=new --no-sandbox",
        f"--extra-headers={json.dumps({'Cookie': cookie})}",
    ]
    environment = {**os.environ, "CHROME_PATH": chromium.find()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS)
    if done.returncode:
        raise RuntimeError(f"Lighthouse failed on {path}: {done.stderr[-500:]}")
    report: Report = json.loads(done.stdout)
    if report["finalDisplayedUrl"] != address:
        raise RuntimeError(f"Lighthouse asked for {address} and saw {report['finalDisplayedUrl']}")
    return report
