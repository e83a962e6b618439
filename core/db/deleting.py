"""Delete configuration that nothing uses."""

from typing import Any

from django.db.models import Model
from django.db.models.deletion import ProtectedError
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.db.usage import instead_of_deleting, switch_of, usage_of
from core.errors import Conflict


def delete_configuration(instance: Model, *, by: Any) -> None:
    """Delete a row. Raises Conflict for one in use, naming what uses it and what to do instead."""
    if used := usage_of(instance):
        instead, why_not = instead_of_deleting(instance)
        switch = {"instead": instead, "switch": switch_of(type(instance))}
        way_out = _("%(instead)s instead: %(switch)s = false.") % switch if instead else why_not
        counts = [{"kind": str(usage.model._meta.verbose_name), "count": usage.count} for usage in used]
        sentence = _("%(instance)s is used by %(names)s.") % {"instance": instance, "names": ", ".join(map(str, used))}
        raise Conflict(f"{sentence} {way_out}".rstrip(), code="in_use", used_by=counts)
    try:
        with acting(by):
            unit_of_work(instance.delete)()
    except ProtectedError as error:  # used just now
        raise Conflict(_("%(instance)s is in use.") % {"instance": instance}, code="in_use") from error
