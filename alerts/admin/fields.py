"""Form fields that show stored JSON as people would write it."""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from alerts import validation
from alerts.matching import MatcherInvalid, lines_of, matchers_from, parse_lines

MATCHERS_HELP = _(
    "One matcher per line; all must match. Write a label, severity or source, then = != =~ (matches) or !~ (does not "
    'match), then the value, such as severity=~"high|critical".'
)


def area(rows: int, placeholder: str = "") -> Any:
    """Return a fixed-width text area."""
    return UnfoldAdminTextareaWidget(attrs={"rows": rows, "placeholder": placeholder, "spellcheck": "false"})


class WrittenField(forms.CharField):
    """A value written as text."""

    def written(self, value: Any) -> str:
        raise NotImplementedError

    def read(self, text: str) -> Any:
        """Parse the text. Raises ValueError."""
        raise NotImplementedError

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else self.written(value)

    def to_python(self, value: Any) -> Any:
        try:
            return self.read(str(value or ""))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def run_validators(self, value: Any) -> None:
        """Skip validators of texts: the value is none."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.read(str(data or "")) != (initial or self.read("")))
        except ValueError:
            return True


class LabelNamesField(WrittenField):
    """Separated by commas or lines."""

    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "cluster, alertname"})

    def written(self, value: Any) -> str:
        return ", ".join(map(str, value))

    def read(self, text: str) -> list[str]:
        return validation.label_names(text.replace(",", " ").split())


class SeverityMapField(WrittenField):
    """One a line: `sev0 = critical`."""

    widget = area(3, "sev0 = critical")

    def written(self, value: Any) -> str:
        return "\n".join(f"{theirs} = {ours}" for theirs, ours in value.items())

    def read(self, text: str) -> dict[str, str]:
        return validation.severity_map({name: value.lower() for name, value in pairs(text, "sev0 = critical")})


class StatusMapField(WrittenField):
    """One a line: `check.up = resolved`."""

    widget = area(3, "check.up = resolved")

    def written(self, value: Any) -> str:
        return "\n".join(f"{theirs} = {ours}" for theirs, ours in value.items())

    def read(self, text: str) -> dict[str, str]:
        return validation.status_map({name: value.lower() for name, value in pairs(text, "check.up = resolved")})


class TemplatesField(WrittenField):
    """One a line: `title = {{ check.name }}`; labels as `labels.host`."""

    widget = area(4, "title = {{ check.name }}\nlabels.host = {{ host }}")

    def written(self, value: Any) -> str:
        rows = [(name, said) for name, said in value.items() if name != "labels"]
        rows += [(f"labels.{name}", said) for name, said in value.get("labels", {}).items()]
        return "\n".join(f"{name} = {said}" for name, said in rows)

    def read(self, text: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, said in pairs(text, "title = {{ check.name }}"):
            if name.startswith("labels."):
                found.setdefault("labels", {})[name.removeprefix("labels.")] = said
            else:
                found[name] = said
        return found


class MatchersField(WrittenField):
    """Prometheus' matchers, one a line."""

    widget = area(4, 'severity=~"high|critical"')

    def written(self, value: Any) -> str:
        try:
            return lines_of(matchers_from(value))
        except MatcherInvalid:
            return json.dumps(value)  # invalid in the database: shown to be mended

    def read(self, text: str) -> list[dict[str, str]]:
        return [{"name": one.name, "op": one.op.value, "value": one.value} for one in parse_lines(text)]


def readable(fieldsets: Any, **instead: str) -> list[Any]:
    """Return fieldsets with words in place of JSON."""

    def named(field: Any) -> Any:
        return tuple(map(named, field)) if isinstance(field, (list, tuple)) else instead.get(field, field)

    return [(title, {**options, "fields": named(options["fields"])}) for title, options in fieldsets]


def pairs(text: str, example: str) -> list[tuple[str, str]]:
    """Parse lines `name = value`. Raises ValueError."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        name, sign, value = line.partition("=")
        if not line.strip():
            continue
        if not sign or not name.strip():
            raise ValueError(
                gettext("Line %(number)d: expected the form %(example)s") % {"number": number, "example": example}
            )
        found.append((name.strip(), value.strip()))
    return found


def checked(form: forms.ModelForm, name: str, check: Callable[[Any], Any]) -> None:  # type: ignore[type-arg]
    """Replace a field's value by `check`'s result, or add its error."""
    if name not in form.cleaned_data:
        return
    try:
        form.cleaned_data[name] = check(form.cleaned_data[name])
    except ValueError as error:
        form.add_error(name, str(error))
