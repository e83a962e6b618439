from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerts import validation
from alerts.vocabulary import MatchOperator
from responders.models import Service

MAX_ID = 2**63 - 1


class CheckedField(serializers.JSONField):
    """JSON that a function validates; ValueError refuses it."""

    check: Callable[[Any], Any]

    def to_internal_value(self, data: Any) -> Any:
        try:
            return self.check(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error), code="invalid") from error


class MatcherSerializer(serializers.Serializer[Any]):
    """A condition on a label, `severity` or `source`; regular expressions match the whole value."""

    name = serializers.CharField(max_length=200)
    op = serializers.ChoiceField(choices=MatchOperator.choices, required=False)
    value = serializers.CharField(required=False, allow_blank=True)


@extend_schema_field(MatcherSerializer(many=True))
class MatchersField(CheckedField):
    """All must hold."""

    check = staticmethod(validation.matchers)


@extend_schema_field(serializers.ListField(child=serializers.CharField()))
class LabelNamesField(CheckedField):
    check = staticmethod(validation.label_names)


@extend_schema_field(serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=6)))
class WeekdaysField(CheckedField):
    """0 is Monday."""

    check = staticmethod(validation.weekdays)


class ServiceField(serializers.SlugRelatedField[Service]):
    """A service by its slug."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="slug", **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)
