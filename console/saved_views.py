"""A person's named queries of the incident list."""

from types import SimpleNamespace
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _

from console.models import SavedView
from core.api.paging import KeysetPagination
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, NotFound
from incidents.filters import INCIDENTS
from incidents.models import Incident
from users.models import User

MOST = 50


def of(user: User) -> list[SavedView]:
    """Return a person's views by name."""
    return list(SavedView.objects.filter(user=user))


def view_of(user: User, pk: int) -> SavedView:
    """Return one of a person's views. Raises NotFound."""
    found = SavedView.objects.filter(user=user, pk=pk).first()
    if found is None:
        raise NotFound(_("This view does not exist."))
    return found


def checked_query(text: str, user: User) -> str:
    """Return a query string without its place. Raises ValidationError for filters that the list does not know."""
    parameters = QueryDict(text.lstrip("?"), mutable=True)
    parameters.pop("cursor", None)
    request: Any = SimpleNamespace(GET=parameters, query_params=parameters, user=user)
    with INCIDENTS.refusing(request, also=KeysetPagination.parameters):
        INCIDENTS.select(Incident.objects.none(), request)
        KeysetPagination().start(Incident, request, INCIDENTS)
    return parameters.urlencode()


@unit_of_work
def save_view(user: User, *, name: str, query: str, is_default: bool = False, pk: int | None = None) -> SavedView:
    """Store a view; one of the same name is replaced unless `pk` says which one is meant. Raises DomainError."""
    query = checked_query(query, user)
    if len(query) > 2000:
        raise DomainError(_("The filters of this view are too long to keep."), field="query")
    same_name = SavedView.objects.select_for_update().filter(user=user, name=name)
    view = view_of(user, pk) if pk is not None else same_name.first() or SavedView(user=user)
    if pk is not None and same_name.exclude(pk=pk).exists():
        raise Conflict(_("You have another view of this name."), field="name")
    if view.pk is None and SavedView.objects.filter(user=user).count() >= MOST:
        raise Conflict(_("You have %(most)d views already; delete one first.") % {"most": MOST})
    if is_default:
        SavedView.objects.filter(user=user, is_default=True).update(is_default=False)
    view.name, view.query, view.is_default = name, query, is_default
    try:
        view.full_clean(exclude=["user"], validate_constraints=False, validate_unique=False)
    except ValidationError as error:
        raise DomainError(" ".join(error.messages), field=next(iter(error.message_dict))) from error
    view.save()
    return view


@unit_of_work
def set_default(user: User, pk: int | None) -> None:
    """Begin a person's list with one of their views, or with the usual one."""
    chosen = view_of(user, pk) if pk is not None else None
    SavedView.objects.filter(user=user, is_default=True).update(is_default=False)
    if chosen is not None:
        SavedView.objects.filter(pk=chosen.pk).update(is_default=True)


def delete_view(user: User, pk: int) -> None:
    """Delete one of a person's views. Raises NotFound."""
    view_of(user, pk).delete()
