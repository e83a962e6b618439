"""Fields of a runbook's definition: taken as they are and judged as a whole, described by what judges them."""

from abc import abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from drf_spectacular.utils import Direction
from rest_framework import serializers

from remediation.steps.parameters import MAX_PARAMETERS, ParameterKind, shape_of
from remediation.steps.port import Phase, all_kinds
from remediation.steps.schemas import Shape, listed, record, whole
from remediation.validation import LIMITS, MATCHED, MAX_STEPS


class DescribedField(serializers.Field[Any, Any, Any, Any]):
    """A field that describes itself when the document is made: kinds of steps register while the server starts."""

    @abstractmethod
    def shape(self, registry: ComponentRegistry, direction: Direction) -> Shape: ...


class DescribedFields(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = DescribedField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        return dict(self.target.shape(auto_schema.registry, direction))


class ParametersField(DescribedField, serializers.JSONField):
    """Typed parameters."""

    def shape(self, registry: ComponentRegistry, direction: Direction) -> Shape:
        shapes = {str(kind): shape_of(kind) for kind in ParameterKind}
        return listed(_one_of(registry, "Parameter", shapes), MAX_PARAMETERS, least=0)


class StepsField(DescribedField, serializers.JSONField):
    """Steps of any kind that is registered."""

    def shape(self, registry: ComponentRegistry, direction: Direction) -> Shape:
        shapes = {kind.kind: kind.shape() for kind in all_kinds()}
        if direction == "response":
            return listed(
                _one_of(registry, "Step", {word: _as_shown(shape) for word, shape in shapes.items()}), MAX_STEPS
            )
        return listed(_one_of(registry, "StepRequest", shapes), MAX_STEPS)


class MatcherField(DescribedField, serializers.JSONField):
    """Which incidents a runbook is proposed for by itself."""

    def shape(self, registry: ComponentRegistry, direction: Direction) -> Shape:
        return _component(registry, "RunbookMatcher", {**record(MATCHED), "minProperties": 1})


class LimitField(DescribedField, serializers.IntegerField):
    """A limit, by its name."""

    def shape(self, registry: ComponentRegistry, direction: Direction) -> Shape:
        return whole(*LIMITS[str(self.field_name)])


def _as_shown(shape: Shape) -> Shape:
    """Return the shape of stored steps, the oldest of which do not verify."""
    return {**shape, "required": [name for name in shape["required"] if name != Phase.VERIFY]}


def _one_of(registry: ComponentRegistry, noun: str, shapes: Mapping[str, Shape]) -> Shape:
    """Return a reference to the shape of one of several kinds."""
    found = {word: _component(registry, f"Runbook{word.capitalize()}{noun}", shape) for word, shape in shapes.items()}
    mapping = {word: reference["$ref"] for word, reference in found.items()}
    discriminator = {"propertyName": "kind", "mapping": mapping}
    return _component(registry, f"Runbook{noun}", {"oneOf": list(found.values()), "discriminator": discriminator})


def _component(registry: ComponentRegistry, name: str, shape: Shape) -> Shape:
    # copied, because hooks move enums out of what they are given
    made = ResolvedComponent(name, ResolvedComponent.SCHEMA, deepcopy(dict(shape)), name)  # type: ignore[no-untyped-call]
    registry.register_on_missing(made)
    reference: Shape = made.ref
    return reference
