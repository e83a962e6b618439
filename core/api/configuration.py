"""Serializers and viewset of plain configuration."""

import copy
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from django.db import IntegrityError
from django.db.models import Model
from django.utils import translation
from django.utils.datastructures import MultiValueDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.fields import (
    BooleanField,
    ChoiceField,
    Field,
    FileField,
    ListField,
    MultipleChoiceField,
    empty,
    get_error_detail,
)
from rest_framework.relations import ManyRelatedField, PrimaryKeyRelatedField, RelatedField
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer, ModelSerializer
from rest_framework.viewsets import ModelViewSet

from core.actor import acting
from core.api.idempotency import IdempotentWrites
from core.api.paging import Key, KeysetPagination
from core.api.permissions import ReadOrAdmin
from core.api.problems import refuse_unknown_parameters
from core.db.deleting import delete_configuration
from core.db.transactions import unit_of_work
from core.db.usage import switch_of
from core.errors import Conflict

MANY = (ListField, MultipleChoiceField, ManyRelatedField, BaseSerializer, FileField)

_fields: dict[type, dict[str, Any]] = {}


class StrictFields:
    """Refuses unknown fields: a misspelt change would silently not happen."""

    def get_fields(self) -> Any:
        """Build DRF's fields once per class: building takes longer than validating."""
        kind = type(self)
        if kind not in _fields:
            _fields[kind] = super().get_fields()  # type: ignore[misc]  # the serializer's
            for field in _fields[kind].values():
                with translation.override("en"):  # kept for all requests
                    field.error_messages.update(_sentences(field))
                if isinstance(field, BooleanField):
                    # DRF takes a form's missing flag for false
                    field.default_empty_html = empty
        # A serializer within a serializer has fields that know it, so that its copy needs its own.
        return {
            name: copy.deepcopy(field) if isinstance(field, BaseSerializer) else copy.copy(field)
            for name, field in _fields[kind].items()
        }

    def run_validation(self, data: Any = empty) -> Any:
        """Validate, reporting unknown names with all other errors."""
        complaints = self._misnamed(data) if isinstance(data, Mapping) else {}
        try:
            value = super().run_validation(data)  # type: ignore[misc]  # the serializer's
        except exceptions.ValidationError as error:
            if not complaints:
                raise
            found = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
            raise exceptions.ValidationError({**complaints, **found}) from error
        if complaints:
            raise exceptions.ValidationError(complaints)
        return value

    def _misnamed(self, data: Mapping[str, Any]) -> dict[str, list[exceptions.ErrorDetail]]:
        fields: Mapping[str, Any] = self.fields  # type: ignore[attr-defined]  # the serializer's
        found: dict[str, list[exceptions.ErrorDetail]] = {}
        if unknown := data.keys() - fields.keys():
            known = ", ".join(name for name, field in fields.items() if not field.read_only)
            for name in sorted(map(str, unknown)):
                text = f"Unknown or read-only field {name}. Valid fields: {known}."
                found[name] = [exceptions.ErrorDetail(text, "unknown_field")]
        if isinstance(data, MultiValueDict):  # DRF would take a form's last value
            for name in set(data) & set(fields):
                if len(data.getlist(name)) > 1 and not isinstance(fields[name], MANY):
                    text = f"{name} is given more than once; send it once."
                    found[name] = [exceptions.ErrorDetail(text, "repeated")]
        return found


def _sentences(field: Field[Any, Any, Any, Any]) -> dict[str, str]:
    if isinstance(field, ChoiceField):
        return {"invalid_choice": f'"{{input}}" is not one of {", ".join(map(str, field.choices))}.'}
    if not isinstance(field, RelatedField) or field.queryset is None:
        return {}
    noun = field.queryset.model._meta.verbose_name
    given = "{pk_value}" if isinstance(field, PrimaryKeyRelatedField) else "{value}"
    return {
        "does_not_exist": f"{capfirst(noun)} {given} does not exist.",
        "incorrect_type": f"Must be the id of a {noun}, a whole number.",
    }


class CleanedModelSerializer(StrictFields, ModelSerializer[Any]):
    """Validates with the model's `clean()` too."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = {**self._replaced(), **super().validate(attrs)}
        plain = {name: value for name, value in attrs.items() if name in self._own_columns()}
        model: Model = self.Meta.model(**{**self._present_values(), **plain})
        try:
            model.clean()
        except ModelValidationError as error:
            raise exceptions.ValidationError(get_error_detail(error)) from error
        return attrs

    def _replaced(self) -> dict[str, Any]:
        if self.instance is None or self.partial:
            return {}
        model = self.Meta.model
        columns = {field.name: field for field in model._meta.concrete_fields if field.name != switch_of(model)}
        sources = [field.source for field in self.fields.values() if not (field.read_only or field.write_only)]
        return {name: columns[name].get_default() for name in sources if name in columns}

    def update(self, instance: Model, validated_data: dict[str, Any]) -> Model:
        """Write only what was sent."""
        links = {field.name for field in instance._meta.many_to_many}
        columns = [name for name in validated_data if name not in links]
        for name in columns:
            setattr(instance, name, validated_data[name])
        instance.save(update_fields=columns)
        for name in validated_data.keys() & links:
            getattr(instance, name).set(validated_data[name])
        return instance

    def _own_columns(self) -> set[str]:
        return {field.name for field in self.Meta.model._meta.concrete_fields if not field.generated}

    def _present_values(self) -> dict[str, Any]:
        if self.instance is None:
            return {}
        return {name: getattr(self.instance, name) for name in self._own_columns()}


def lock_row(row: Model) -> None:
    """Lock the row until the transaction ends."""
    rows = type(row)._base_manager.select_for_update().order_by()
    list(rows.filter(pk=row.pk).values_list("pk"))


class ConfigurationViewSet(IdempotentWrites, ModelViewSet[Any]):
    """Readable by all signed-in users; writable by administrators."""

    permission_classes = [ReadOrAdmin]
    pagination_class = KeysetPagination
    orderings: dict[str, list[Key]] = {"name": [Key("name")], "id": [Key("id")]}
    default_ordering = "name"

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        refuse_unknown_parameters(request, KeysetPagination.parameters)
        return super().list(request, *args, **kwargs)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Omitted fields are reset to their defaults, except enabled state and secrets."""
        return unit_of_work(super().update)(request, *args, **kwargs)

    def get_object(self) -> Any:
        """Return the row, locked and reread before a change."""
        found = super().get_object()
        if self.action not in ("update", "partial_update"):
            return found
        lock_row(found)
        return super().get_object()

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        self._save(serializer)

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        self._save(serializer)

    def _save(self, serializer: BaseSerializer[Any]) -> None:
        save_configuration(serializer, by=self.request.user)

    def perform_destroy(self, instance: Model) -> None:
        delete_configuration(instance, by=self.request.user)


def save_configuration(serializer: BaseSerializer[Any], *, by: Any) -> None:
    """Store what a valid serializer holds. Raises Conflict for a row that exists."""
    try:
        with acting(by):
            unit_of_work(serializer.save)()
    except IntegrityError as error:
        raise Conflict(_("Already exists."), code="already_exists") from error
