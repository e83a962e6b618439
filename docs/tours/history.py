"""Report and resolve 48 incidents of three kinds, as people would in some weeks: what a tour then learns from.

The environment says where (API) and as whom: tokens of a reporter (REPORTER) and an administrator (ADMIN).
"""

import itertools
import os
import sys
from typing import Any

import httpx2

KINDS = (
    (
        "Warehouse Systems",
        "hardware",
        "low",
        (
            "Label printer jams at packing table {}",
            "Labels come out blank at table {}",
            "Printer {} prints half a label",
        ),
    ),
    (
        "Platform",
        "outage",
        "high",
        ("VPN tunnel drops for room {}", "No tunnel to the intranet from site {}", "VPN client {} cannot connect"),
    ),
    (
        "Storefront",
        "performance",
        "medium",
        ("Cart needs a minute to load for customer {}", "Payment page {} is slow", "Search of customers takes {} s"),
    ),
)
OF_EACH = 16


def send(method: str, path: str, token: str, body: dict[str, Any] | None = None) -> Any:
    """Return the JSON that the API answers."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx2.request(method, f"{os.environ['API']}/{path}", json=body, headers=headers, timeout=60)
    return answer.raise_for_status().json()


def main() -> None:
    """Report, correct and resolve."""
    reporter, admin = os.environ["REPORTER"], os.environ["ADMIN"]
    teams = {one["name"]: one["id"] for one in send("GET", "teams/", admin)["results"]}
    for number, (team, category, severity, titles) in itertools.product(range(1, OF_EACH + 1), KINDS):
        title = titles[number % len(titles)].format(number)
        made = send("POST", "incidents/", reporter, {"title": title, "severity": "low"})
        fields = {"team": teams[team], "category": category, "severity": severity}
        send("PATCH", f"incidents/{made['id']}/", admin, fields)
        send("PATCH", f"incidents/{made['id']}/", admin, {"status": "resolved", "note": "Done."})
    sys.stdout.write(f"{OF_EACH * len(KINDS)} incidents\n")


if __name__ == "__main__":
    main()
