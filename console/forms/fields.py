"""Form fields that several pages share."""

from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from alerts.vocabulary import MatchOperator

BLANK_ROWS = 2
OPERATORS = (
    (MatchOperator.EQUAL, _("is")),
    (MatchOperator.NOT_EQUAL, _("is not")),
    (MatchOperator.MATCHES, _("matches")),
    (MatchOperator.MATCHES_NOT, _("does not match")),
)


class ActiveRowField(forms.ChoiceField):
    """One of a model's active rows; a stored one that was retired stays in sight, and the API refuses it."""

    def __init__(self, model: Any, *, key: str = "pk", blank: Any, **options: Any) -> None:
        self.model, self.key = model, key
        rows = model.objects
        super().__init__(
            choices=lambda: [("", blank), *rows.active().order_by("name").values_list(key, "name")],
            required=False,
            **options,
        )

    def keep(self, stored: Any) -> None:
        """Offer the stored row too."""
        if stored in (None, "") or str(stored) in {str(value) for value, _label in self.choices}:
            return
        name = self.model.objects.filter(**{self.key: stored}).values_list("name", flat=True).first()
        self.choices = [*self.choices, (stored, _("%(name)s (retired)") % {"name": name or stored})]


class MomentField(forms.DateTimeField):
    """A time in the person's zone, to the minute."""

    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


class NamesField(forms.CharField):
    """Names separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return [name.strip() for name in str(value or "").replace("\n", ",").split(",") if name.strip()]

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """Leave the names to the serializer."""


class RowsWidget(forms.Widget):
    """Rows of inputs; blank ones do not count."""

    columns: tuple[str, ...] = ()
    row_template = ""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        lists = MultiValueDict(data) if not isinstance(data, MultiValueDict) else data
        given = [lists.getlist(f"{name}_{column}") for column in self.columns]
        rows = [dict(zip(self.columns, values, strict=True)) for values in zip(*given, strict=False)]
        return [row for row in rows if any(value.strip() for column, value in row.items() if column != "op")]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        rows = [row for row in value or [] if isinstance(row, dict)]
        blank = [dict.fromkeys(self.columns, "") for _n in range(BLANK_ROWS if not rows else 1)]
        context = {"name": name, "rows": [*rows, *blank], "blank": blank[0], "operators": OPERATORS}
        return render_to_string(self.row_template, context)

    def id_for_label(self, id_: str) -> str:
        return ""


class MatchersWidget(RowsWidget):
    columns = ("name", "op", "value")
    row_template = "console/forms/_matchers.html"


class PairsWidget(RowsWidget):
    columns = ("name", "value")
    row_template = "console/forms/_pairs.html"


class RowsField(forms.Field):
    """Rows as they were entered; the serializer judges them."""

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")


class MatchersField(RowsField):
    widget = MatchersWidget

    def clean(self, value: Any) -> Any:
        rows = super().clean(value)
        return [{**row, "name": row["name"].strip(), "op": row["op"] or "="} for row in rows]


class PairsField(RowsField):
    widget = PairsWidget

    def clean(self, value: Any) -> dict[str, str]:
        return {row["name"].strip(): row["value"] for row in super().clean(value)}


def zone_help() -> str:
    """Name the zone that times are in."""
    return str(_("Times are in %(zone)s.") % {"zone": timezone.get_current_timezone_name()})
