from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from console.models import SavedView
from core.api.configuration import StrictFields
from core.api.fields import LineField


class SavedViewSerializer(StrictFields, serializers.ModelSerializer[SavedView]):
    """A named query of the incident list, yours alone."""

    name = LineField(max_length=60)
    query = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, help_text=_("A query string of the incident list.")
    )

    class Meta:
        model = SavedView
        fields = ["id", "name", "query", "is_default", "created_at"]
        read_only_fields = ["id", "created_at"]


def fields_of(view: SavedView, given: dict[str, Any]) -> dict[str, Any]:
    """Return a view's fields as they will be."""
    return {name: given.get(name, getattr(view, name)) for name in ("name", "query", "is_default")}
