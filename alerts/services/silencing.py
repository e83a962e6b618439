"""What a silence would hold back."""

from collections.abc import Iterable
from dataclasses import dataclass

from alerts import validation
from alerts.decide import stored_facts
from alerts.matching import Matcher, first_failing
from alerts.models import Alert
from users.models import User

MAX_MATCHERS = 20
LOOKED_AT = 2000
SHOWN = 20
UNREAD = ("description", "annotations", "links", "changes")


@dataclass(frozen=True)
class Preview:
    """Firing alerts that matchers select: the newest, and how many, of which `held` have an incident already."""

    alerts: list[Alert]
    count: int
    held: int
    is_complete: bool


def preview(matchers: Iterable[Matcher], *, viewer: User) -> Preview:
    """Return which firing alerts visible to the viewer match; the newest LOOKED_AT are looked at."""
    wanted = tuple(matchers)
    firing = Alert.objects.visible_to(viewer).firing().order_by("-id").select_related("source", "incident")
    rows = list(firing.defer(*UNREAD)[: LOOKED_AT + 1])
    looked_at = rows[:LOOKED_AT] if wanted else []
    found = [alert for alert in looked_at if first_failing(wanted, stored_facts(alert)) is None]
    held = sum(alert.incident_id is not None for alert in found)
    return Preview(found[:SHOWN], len(found), held, is_complete=len(rows) <= LOOKED_AT)


def like(alert: Alert) -> list[dict[str, str]]:
    """Return matchers of its source and all labels, for people to widen."""
    labels = {"label.source" if name == "source" else name: value for name, value in sorted(alert.labels.items())}
    facts = {**labels, "source": alert.source.name}
    facts.pop("severity", None)
    written = [{"name": name, "op": "=", "value": value} for name, value in facts.items()]
    return [matcher for matcher in written if _can_be(matcher)][:MAX_MATCHERS]


def _can_be(matcher: dict[str, str]) -> bool:
    try:
        validation.matchers([matcher])
    except ValueError:
        return False
    return True
