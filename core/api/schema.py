"""What all operations share in the OpenAPI document."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc
from drf_spectacular.utils import Direction, extend_schema_serializer
from rest_framework import serializers

JSON = "application/json"
WALL_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"


class WallClockTime(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A time of day; RFC 3339's `time` demands an offset."""

    target_class = "rest_framework.serializers.TimeField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        return {"type": "string", "pattern": WALL_CLOCK, "example": "09:00:00"}


class FieldErrorSerializer(serializers.Serializer[Any]):
    """One refused field."""

    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """A problem document (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = FieldErrorSerializer(many=True)  # type: ignore[assignment]
    request_id = serializers.CharField()


# for one row or many
ACTION_SUMMARIES = {
    "list": _("List {many}"),
    "create": _("Create {one}"),
    "retrieve": _("Get {one}"),
    "update": _("Replace {one}"),
    "partial_update": _("Update {one}"),
    "destroy": _("Delete {one}"),
}


class ProblemAutoSchema(AutoSchema):
    """Adds common errors, and summaries of viewsets' actions."""

    def get_summary(self) -> str | None:
        summary: str | None = super().get_summary()
        summary_template = ACTION_SUMMARIES.get(getattr(self.view, "action", ""))
        if summary or summary_template is None:
            return summary
        viewset: Any = self.view  # only these have actions
        names = viewset.queryset.model._meta
        one = str(names.verbose_name)
        article = "an" if one[0] in "aeio" or one.startswith(("SLA", "up")) else "a"
        return str(summary_template).format(one=f"{article} {one}", many=names.verbose_name_plural)

    def get_description(self) -> str:  # type: ignore[override]  # spectacular leaves out what DRF passes
        """Return the operation's description; the view's own on its list only, and none that repeats the summary."""
        description: str = super().get_description() or ""
        is_shared = hasattr(self.view, "list") and getattr(self.view, "action", "list") != "list"
        is_repeated = is_shared and description == get_doc(type(self.view))
        return "" if is_repeated or description.rstrip(".") == self.get_summary() else description

    def map_parsers(self) -> list[str]:
        """Describe JSON only: generated clients would send every type described."""
        media_types: list[str] = super().map_parsers()
        return [JSON] if JSON in media_types else media_types

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        responses = super()._get_response_bodies(direction)
        if direction != "response":
            return responses
        component = self.resolve_serializer(ProblemSerializer, "response")
        body = {"application/problem+json": {"schema": component.ref}}
        for code, text in self._possible_errors().items():
            responses.setdefault(code, {"content": body, "description": text})
        return responses

    def _possible_errors(self) -> dict[str, str]:
        errors = {"400": "The request is not valid."}
        if self.get_auth():
            errors |= {"401": "Missing or invalid credentials.", "403": "The caller lacks permission."}
        if "{" in self.path:
            errors["404"] = "Does not exist, or is not visible to the caller."
        if self.method in ("POST", "PUT", "PATCH", "DELETE"):
            errors |= {"409": "Conflicts with the current state.", "429": "Too many requests; see Retry-After."}
        if self.method in ("POST", "PUT", "PATCH"):
            errors |= {"413": "The request is too large.", "415": "Unsupported media type; see Accept."}
        errors["503"] = "The database or file store is unavailable or busy; see Retry-After."
        if self.method in ("PUT", "PATCH", "DELETE"):
            errors["412"] = "If-Match does not match the current version."
        # A view's `schema_errors` adds to these, or removes with None.
        errors |= getattr(self.view, "schema_errors", {})
        return {code: text for code, text in errors.items() if text}


def paged(serializer: type[serializers.BaseSerializer[Any]]) -> type[serializers.Serializer[Any]]:
    """Return a page's shape, for views without DRF's generics."""
    name = serializer.__name__.removesuffix("Serializer")
    fields = {
        "__doc__": "A page; `next` and `previous` are the URLs of the adjacent pages.",
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": serializer(many=True),
    }
    page: type[serializers.Serializer[Any]] = type(f"{name}PageSerializer", (serializers.Serializer,), fields)
    return extend_schema_serializer(many=False)(page)
