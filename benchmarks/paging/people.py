"""What people do while everything is killed: report incidents and acknowledge them, again where an answer was lost.

`python -m benchmarks.paging.people ACTION FIRST NUMBER PER_SECOND TEAM …`; repeated, it goes on where it stopped.
"""

import sys
import time
from collections.abc import Iterator

PATIENCE_SECONDS = 300.0


def report(first: int, number: int, per_second: float, teams: list[int]) -> None:
    """Open incidents at a steady pace."""
    from benchmarks.paging.world import open_incidents

    for one in _paced(range(first, first + number), per_second):
        _insist(lambda one=one: open_incidents(str(one), "1", str(teams[one % len(teams)])))


def acknowledge(first: int, number: int, per_second: float) -> None:
    """Acknowledge incidents: every other one as soon as it is there, the others once somebody was paged."""
    from incidents.models import Incident, Origin, Status
    from incidents.services import acknowledge as answer
    from users.models import Role, User

    person, _ = User.objects.get_or_create(email="bench@example.com", defaults={"name": "Bench", "role": Role.ADMIN})
    for one in _paced(range(first, first + number), per_second):

        def attempt(one: int = one) -> bool:
            incident = Incident.objects.filter(title=f"page {one}").first()
            if incident is None or (one % 2 and incident.status == Status.OPEN and not incident.pages.exists()):
                return False
            if incident.status == Status.OPEN:
                answer(incident, by=person, origin=Origin.API)
            return True

        _insist(attempt)


def _paced(numbers: range, per_second: float) -> Iterator[int]:
    begun = time.monotonic()
    for place, number in enumerate(numbers):
        time.sleep(max(0.0, begun + place / per_second - time.monotonic()))
        yield number


def _insist(action: object) -> None:
    """Do it until it is done, through restarts of the database."""
    from django.db import Error, connection

    from core.errors import Busy, DatabaseUnavailable

    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if action() is not False:  # type: ignore[operator]
                return
        except (Error, Busy, DatabaseUnavailable):
            connection.close()
        if time.monotonic() > deadline:
            raise RuntimeError("not done")
        time.sleep(0.1)


if __name__ == "__main__":
    import django

    django.setup()
    from benchmarks.paging.faults import from_environment

    from_environment()
    _action, _first, _number, _pace, *_teams = sys.argv[1:]
    if _action == "report":
        report(int(_first), int(_number), float(_pace), [int(team) for team in _teams])
    else:
        acknowledge(int(_first), int(_number), float(_pace))
