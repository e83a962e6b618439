"""Inputs that forms of the status page share."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget


class TranslationsField(forms.JSONField):
    """Texts in other languages, as JSON."""

    def __init__(self, *names: str, **kwargs: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"})
        example = ", ".join(f'"{name}": "…"' for name in names)
        text = _("For each other language of the page: %(example)s") % {"example": f'{{"de": {{{example}}}}}'}
        super().__init__(required=False, widget=widget, help_text=text, label=_("translations"), **kwargs)

    def clean(self, value: Any) -> Any:
        return super().clean(value) or {}

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(super().has_changed(initial or {}, data or "{}"))


class CodesField(forms.CharField):
    """Codes in order, separated by commas."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return [word.strip() for word in super().clean(value).split(",") if word.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        given = initial if isinstance(initial, list) else [word.strip() for word in str(initial or "").split(",")]
        return bool(given != [word.strip() for word in str(data or "").split(",") if word.strip()])
