"""Write escalation policies: what they name is kept as rows, so that nothing named is deleted."""

from collections.abc import Callable, Sequence

from core.actor import acting
from core.db.transactions import unit_of_work
from responders.models import EscalationPolicy, PolicyTarget
from responders.policies import policy_of
from users.models import User

Running = Callable[[EscalationPolicy], Sequence[int]]

_running: list[Running] = []
COLUMNS = frozenset({"schedule", "team", "user"})


@unit_of_work
def keep_targets(policy: EscalationPolicy) -> None:
    """Rewrite the rows of what the policy names."""
    named = {target.key for target in policy_of(values_of(policy)).named}
    known = {(row.kind, row.target_id): row for row in policy.targets.all()}
    gone = [row.pk for key, row in known.items() if key not in named]
    PolicyTarget.objects.filter(pk__in=gone).delete()
    PolicyTarget.objects.bulk_create(
        PolicyTarget(policy=policy, kind=kind, target_id=number, **({f"{kind}_id": number} if kind in COLUMNS else {}))
        for kind, number in sorted(named - set(known))
    )


@unit_of_work
def make_only_default_policy(policy: EscalationPolicy, *, by: User | None) -> None:
    """Make this the only default policy."""
    others = EscalationPolicy.objects.select_for_update().filter(is_default=True).exclude(pk=policy.pk).order_by("pk")
    with acting(by):
        for other in others:
            other.is_default = False
            other.save(update_fields=["is_default"])


def values_of(policy: EscalationPolicy) -> dict[str, object]:
    """Return what decides whom the policy pages."""
    names = ("name", "steps", "repeat", "wait_minutes", "on_exhausted", "reack_minutes")
    return {"id": policy.pk, **{name: getattr(policy, name) for name in names}}


def register_running(find: Running) -> None:
    """Say which incidents a policy runs for."""
    _running.append(find)


def running_for(policy: EscalationPolicy) -> list[int]:
    """Return the incidents that a policy runs for: they keep its values when it is deleted."""
    return [number for find in _running for number in find(policy)]
