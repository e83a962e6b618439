"""Forms about who is told by mail."""

import csv
import io
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from status_page.models import Component
from status_page.services.subscribing import Request
from status_page.vocabulary import SubscriberState

LONGEST = 2_000_000  # of an import, in bytes
HEADER = "email"


class SubscriberFilterForm(forms.Form):
    """What the list shows."""

    q = forms.CharField(label=gettext_lazy("Address contains"), required=False, max_length=254)
    state = forms.ChoiceField(
        label=gettext_lazy("State"), required=False, choices=[("", gettext_lazy("Any")), *SubscriberState.choices]
    )


class ImportForm(forms.Form):
    """Addresses to take over from elsewhere."""

    rows = forms.CharField(
        label=gettext_lazy("Addresses"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One per line; after commas, if you like, a language's code and components by name, these separated by "
            "semicolons: ann@example.org, de, Website; API"
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("or a CSV file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
        help_text=gettext_lazy("The same columns, in UTF-8."),
    )
    has_consent = forms.BooleanField(
        label=gettext_lazy("It is on record that each of them agreed to receive these mails"),
        error_messages={"required": gettext_lazy("Without their consent, nobody may be written to.")},
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        text = _text_of(given["file"]) if given.get("file") else given.get("rows", "")
        given["requests"] = requests_of(text)
        if not given["requests"] and not self.errors:
            self.add_error("rows", _("Paste at least one address, or choose a file."))
        return given


def requests_of(text: str) -> list[Request]:
    """Return the rows of a CSV text. Raises ValidationError, which names the line."""
    names = {one.name.casefold(): one.pk for one in Component.objects.active()}
    found = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text), skipinitialspace=True), 1):
            values = [cell.strip() for cell in cells]
            if any(values) and not (number == 1 and values[0].casefold() == HEADER):
                found.append(_request(number, values, names))
    except csv.Error as error:
        raise forms.ValidationError(_("This is no CSV: %(error)s.") % {"error": error}) from error
    return found


def _request(number: int, values: list[str], names: dict[str, int]) -> Request:
    email, language, components = (*values, "", "")[:3]
    wanted = [name.strip() for name in components.split(";") if name.strip()]
    if unknown := [name for name in wanted if name.casefold() not in names]:
        words = {"number": number, "name": unknown[0]}
        raise forms.ValidationError(_("Line %(number)s: there is no component %(name)s.") % words)
    return Request(email, language, [names[name.casefold()] for name in wanted])


def _text_of(file: Any) -> str:
    data: bytes = file.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise forms.ValidationError(_("The file may have at most 2 MB."))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise forms.ValidationError(_("The file is not in UTF-8.")) from error
