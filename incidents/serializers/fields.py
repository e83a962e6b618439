"""Serializer fields of incidents."""

import datetime as dt
import re
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import FlagField, RowField
from core.api.schema import WALL_CLOCK
from core.db import rows
from core.db.prepared import Parameter
from incidents.kinds import all_kinds
from incidents.models import Category
from incidents.sla import MIDNIGHT, is_midnight

TEXT = models.CharField()


class GrantField(FlagField):
    """Whether others may gain access to a restricted incident."""

    def __init__(self, **kwargs: Any) -> None:
        sentence = _(
            "Allow a change that gives people access to a restricted incident; only its team and administrators may."
        )
        super().__init__(**{"default": False, "help_text": sentence, **kwargs})


class CategoryField(serializers.SlugRelatedField[Category]):
    """A category by its slug."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            return super().to_internal_value(data)
        try:
            found = rows.select(Category, "slug", _category, slug=data)
        except UnicodeEncodeError:
            self.fail("invalid")
        return found[0] if found else self.fail("does_not_exist", slug_name="slug", value=data)


def _category() -> models.QuerySet[Category]:
    return Category.objects.filter(slug=Parameter("slug", TEXT))


class AssigneeField(RowField):
    """A person by id, or `me`."""

    def to_internal_value(self, data: Any) -> Any:
        return self.context["request"].user if data == "me" else super().to_internal_value(data)


@extend_schema_field({"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "example": "INC-20"}]})
class NumberField(serializers.IntegerField):
    """An incident by its number or its reference."""

    default_error_messages = {"invalid": _("Send numbers or references of incidents, such as 20 or INC-20.")}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str):
            data = re.sub(r"^INC-(?=\d)", "", data, flags=re.IGNORECASE)
        return super().to_internal_value(data)


class KindField(serializers.ChoiceField):
    """A kind of event that is registered."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[], **kwargs)

    @property
    def choices(self) -> dict[str, Any]:
        return dict(all_kinds())

    @choices.setter
    def choices(self, choices: Any) -> None: ...


@extend_schema_field({"type": "string", "pattern": rf"{WALL_CLOCK}|^{MIDNIGHT}(:00)?$", "example": "17:00:00"})
class EndTimeField(serializers.TimeField):
    """A time of day at which something ends; 24:00 and 00:00 are the end of the day."""

    def to_internal_value(self, value: Any) -> dt.time:
        said = value.strip() if isinstance(value, str) else value
        return dt.time.min if is_midnight(said) else super().to_internal_value(said)

    def to_representation(self, value: Any) -> Any:
        return f"{MIDNIGHT}:00" if value == dt.time.min else super().to_representation(value)
