import hashlib
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from console.forms.fields import ActiveRowField
from core.api.jsonio import to_json


class SeenForm(forms.Form):
    """A form of stored values, which knows what they were when it was opened."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, ActiveRowField):
                field.keep(self.initial.get(name))
        self.initial["seen"] = hashlib.sha256(to_json(_plain(self.initial))).hexdigest()

    def clean(self) -> dict[str, Any]:
        """Refuse once what somebody else changed meanwhile."""
        given = super().clean() or self.cleaned_data
        seen = given.pop("seen", "")
        if seen and seen != self.initial["seen"]:
            self.data = self.data.copy()
            self.data[self.add_prefix("seen")] = self.initial["seen"]
            said = _(
                "Somebody changed this after you opened it. Reload to see it, or save again to put yours in its place."
            )
            self.add_error(None, said)
        return given


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in sorted(value.items()) if name != "seen"}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else str(value)
