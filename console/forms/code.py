"""JSON that people type."""

import json
from typing import Any

import orjson
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

CODE = {"class": "mono", "spellcheck": "false", "autocapitalize": "none"}
MOST_QUOTED = 60


class CodeField(forms.CharField):
    """JSON, laid out for people and read as strictly as the API's; None if it is empty."""

    widget = forms.Textarea(attrs={**CODE, "rows": 12})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return value
        return "" if value is None else laid_out(value)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return read(text) if text else None


def laid_out(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def read(text: str) -> Any:
    """Return what JSON says. Raises ValidationError with the place where it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        lines = error.doc.splitlines() or [""]
        line = lines[min(error.lineno, len(lines)) - 1].strip()
        said = _("This is not JSON from line %(line)d, column %(column)d: %(text)s")
        words = {"line": error.lineno, "column": error.colno, "text": line[:MOST_QUOTED]}
        raise ValidationError(said % words) from error
