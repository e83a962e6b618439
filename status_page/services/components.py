"""Arrange what the page shows the state of."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.deleting import delete_configuration
from core.db.transactions import unit_of_work
from core.errors import DomainError
from incidents.actors import By, person
from status_page.models import Component, ComponentGroup, ImpactSpan
from status_page.permissions import require_admin
from status_page.services.checking import COMPONENT_TEXTS, GROUP_TEXTS, known, require_valid, translations_of
from status_page.services.page import changed, other_languages
from status_page.vocabulary import RANK, Impact

GROUP_FIELDS = ("name", "position", "translations")
COMPONENT_FIELDS = (
    *("name", "description", "group", "service", "position", "translations"),
    *("shows_uptime", "is_active"),
)
LAST_POSITION = 1_000_000


@unit_of_work
def add_component(*, by: By, values: Mapping[str, Any]) -> Component:
    """Add a component, last unless a position is given. Raises DomainError."""
    require_admin(by)
    return _write_component(Component(position=next_position()), values, by)


@unit_of_work
def edit_component(component: Component, *, by: By, changes: Mapping[str, Any]) -> Component:
    """Change a component; its `group` is a group, the name of one that is made if it is new, or None."""
    require_admin(by)
    return _write_component(Component.objects.select_for_update().get(pk=component.pk), changes, by)


@unit_of_work
def remove_component(component: Component, *, by: By) -> None:
    """Delete a component that nothing was announced about. Raises Conflict: take it off the page instead."""
    require_admin(by)
    delete_configuration(component, by=person(by))
    changed()


@unit_of_work
def reorder_components(ids: Sequence[int], *, by: By) -> None:
    """Put the components in this order. Raises DomainError unless each is named once."""
    require_admin(by)
    _reorder(Component.objects.select_for_update().order_by("pk"), ids, by)


@unit_of_work
def reorder_groups(ids: Sequence[int], *, by: By) -> None:
    """Put the groups in this order. Raises DomainError unless each is named once."""
    require_admin(by)
    _reorder(ComponentGroup.objects.select_for_update().order_by("pk"), ids, by)


def _reorder(rows: Iterable[Component | ComponentGroup], ids: Sequence[int], by: By) -> None:
    found = {row.pk: row for row in rows}
    if sorted(ids) != sorted(found):
        raise DomainError(_("Name each exactly once; the list has changed in the meantime."), field="ids")
    with acting(person(by)):
        for position, pk in enumerate(ids):
            if found[pk].position != position:
                found[pk].position = position
                found[pk].save(update_fields=["position"])
    changed()


@unit_of_work
def add_group(*, by: By, values: Mapping[str, Any]) -> ComponentGroup:
    """Add a group of components. Raises DomainError."""
    require_admin(by)
    return _write_group(ComponentGroup(position=next_group_position()), values, by)


@unit_of_work
def edit_group(group: ComponentGroup, *, by: By, changes: Mapping[str, Any]) -> ComponentGroup:
    """Change a group. Raises DomainError."""
    require_admin(by)
    return _write_group(ComponentGroup.objects.select_for_update().get(pk=group.pk), changes, by)


@unit_of_work
def remove_group(group: ComponentGroup, *, by: By) -> None:
    """Delete an empty group. Raises Conflict."""
    require_admin(by)
    delete_configuration(group, by=person(by))
    changed()


def statuses() -> dict[int, Impact]:
    """Return the worst present impact of each component; those without any are operational."""
    spans = ImpactSpan.objects.filter(ended_at=None)
    worst: dict[int, Impact] = {}
    for component, word in spans.order_by().values_list("component_id", "impact"):
        impact = Impact(word)
        worst[component] = max(impact, worst.get(component, Impact.OPERATIONAL), key=RANK.__getitem__)
    return worst


def _write_component(component: Component, values: Mapping[str, Any], by: By) -> Component:
    changes = known(values, COMPONENT_FIELDS)
    if "translations" in changes:
        changes["translations"] = translations_of(changes["translations"], COMPONENT_TEXTS, other_languages())
    if isinstance(changes.get("group"), str):
        changes["group"] = _group_named(changes["group"], by)
    _write(component, changes, by)
    return component


def _write_group(group: ComponentGroup, values: Mapping[str, Any], by: By) -> ComponentGroup:
    changes = known(values, GROUP_FIELDS)
    if "translations" in changes:
        changes["translations"] = translations_of(changes["translations"], GROUP_TEXTS, other_languages())
    _write(group, changes, by)
    return group


def _write(row: Component | ComponentGroup, changes: Mapping[str, Any], by: By) -> None:
    is_new = row.pk is None
    for name, value in changes.items():
        setattr(row, name, value)
    require_valid(row, ["name", *changes] if is_new else list(changes))
    with acting(person(by)):
        row.save() if is_new else row.save(update_fields=list(changes))
    changed()


def _group_named(name: str, by: By) -> ComponentGroup | None:
    """Return the group of this name, in any case, made if there is none; None for no name."""
    wanted = " ".join(name.split())
    if not wanted:
        return None
    same = (group for group in ComponentGroup.objects.all() if group.name.casefold() == wanted.casefold())
    return next(same, None) or add_group(by=by, values={"name": wanted})


def next_position() -> int:
    last = Component.objects.aggregate(last=Max("position"))["last"]
    return 0 if last is None else int(last) + 1


def next_group_position() -> int:
    last = ComponentGroup.objects.aggregate(last=Max("position"))["last"]
    return 0 if last is None else int(last) + 1
