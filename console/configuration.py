"""Save plain configuration from a form, through the API's serializers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django import forms
from django.db.models import Model
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import BaseSerializer

from core.api.configuration import lock_row, save_configuration
from core.db.transactions import unit_of_work
from core.errors import DomainError
from users.models import User


def store(
    form: forms.Form,
    serializer_class: type[BaseSerializer[Any]],
    data: Mapping[str, Any],
    *,
    by: User,
    instance: Model | None = None,
    **set_by_server: Any,
) -> Any:
    """Return the stored row, or None with the refusals on the form's fields."""
    with refusals_on(form):
        return write(serializer_class, data, by=by, instance=instance, **set_by_server)
    return None


@contextmanager
def refusals_on(form: forms.Form) -> Iterator[None]:
    """Put refusals on the form's fields instead of raising them."""
    try:
        yield
    except ValidationError as error:
        add_refusals(form, error.detail)
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)


@unit_of_work
def write(
    serializer_class: type[BaseSerializer[Any]],
    data: Mapping[str, Any],
    *,
    by: User,
    instance: Model | None = None,
    **set_by_server: Any,
) -> Any:
    """Return the stored row. Raises ValidationError or DomainError."""
    if instance is not None:
        lock_row(instance)
        instance.refresh_from_db()
    serializer = serializer_class(instance, data=data, partial=instance is not None)
    serializer.is_valid(raise_exception=True)
    serializer.validated_data.update(set_by_server)
    save_configuration(serializer, by=by)
    return serializer.instance


def add_refusals(form: forms.Form, detail: Any) -> None:
    """Put the API's refusals on the form's fields of the same names."""
    found = detail if isinstance(detail, dict) else {None: detail}
    for name, texts in found.items():
        for text in sentences(texts):
            form.add_error(name if name in form.fields else None, text)


def sentences(detail: Any) -> list[str]:
    """Return all sentences of a refusal."""
    if isinstance(detail, dict):
        return [text for inner in detail.values() for text in sentences(inner)]
    if isinstance(detail, list):
        return [text for inner in detail for text in sentences(inner)]
    return [str(detail)]
