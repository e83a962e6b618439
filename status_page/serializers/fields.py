"""Fields that the status page's resources share."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import MAX_ID, TextField

TEXTS = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": {"type": "string"}}}


@extend_schema_field(TEXTS)
class TranslationsField(serializers.DictField):
    """Texts in other languages: {"de": {"title": "…"}}."""

    def __init__(self, **kwargs: Any) -> None:
        texts = serializers.DictField(child=TextField(allow_blank=True, trim_whitespace=False))
        super().__init__(child=texts, **kwargs)


class ComponentIdsField(serializers.ListField):
    """Ids of components on the page."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.IntegerField(min_value=1, max_value=MAX_ID), max_length=1000, **kwargs)
