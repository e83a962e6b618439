"""Form fields for the steps of a policy: a row of inputs per step, in their order."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from core.severity import SEVERITY_WORDS
from responders import targets
from responders.policies import ALARM, ALL, DAYS, NEXT, ROUND_ROBIN, SKIP
from responders.serializers import StepSerializer
from responders.serializers.policies import MAX_STEPS, MAX_TARGETS, missing_targets

SPARE = 2  # empty rows
STRATEGIES = [
    (ALL, _("everybody")),
    (ROUND_ROBIN, _("one person, in turn")),
    (NEXT, _("who is on call next")),
]
PARTS = (
    *("position", "delay", "targets", "strategy", "severity", "days", "from", "to", "zone"),
    *("if_empty", "acks"),
)
Choices = list[tuple[Any, Any]]


def target_choices() -> Choices:
    """Return all targets, by kind; each names its kind, which what is chosen would not show otherwise."""
    return [
        (
            str(one.label),
            [(f"{kind}:{number}", f"{name} ({kind_name(one)})") for number, name in one.all_names().items()],
        )
        for kind, one in targets.target_kinds().items()
    ]


def kind_name(kind: targets.TargetKind) -> str:
    return str(kind.label)


def _word(target: Mapping[str, Any]) -> str:
    return f"{target['kind']}:{target['id']}"


def _target(word: str) -> dict[str, Any]:
    kind, _colon, number = word.partition(":")
    return {"kind": kind, "id": int(number) if _is_number(number) else number}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


class JsonInput(forms.HiddenInput):
    """The opening value, to tell edits from others' changes."""

    def format_value(self, value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value or [])


class StepsWidget(forms.Widget):
    """A table of steps, and some empty rows; a row without targets is no step."""

    template_name = "admin/paging/steps_widget.html"

    def __init__(self) -> None:
        super().__init__()
        choices: Choices = []
        self.inputs: dict[str, forms.Widget] = {
            "position": UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "class": "ir-narrow"}),
            "delay": UnfoldAdminIntegerFieldWidget(attrs={"min": 0, "class": "ir-narrow"}),
            "targets": UnfoldAdminSelect2MultipleWidget(choices=choices),
            "strategy": UnfoldAdminSelectWidget(choices=STRATEGIES),
            "severity": UnfoldAdminSelectWidget(choices=[("", _("any")), *SEVERITY_WORDS]),
            "days": UnfoldAdminTextInputWidget(attrs={"placeholder": "Mon Tue Wed Thu Fri"}),
            "from": UnfoldAdminTextInputWidget(attrs={"placeholder": "08:00", "class": "ir-narrow"}),
            "to": UnfoldAdminTextInputWidget(attrs={"placeholder": "18:00", "class": "ir-narrow"}),
            "zone": UnfoldAdminTextInputWidget(attrs={"placeholder": "Europe/Zurich"}),
            "if_empty": UnfoldAdminSelectWidget(choices=choices),
            "acks": UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "class": "ir-narrow"}),
        }

    @property
    def media(self) -> forms.Media:
        return self.inputs["targets"].media

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        choices = target_choices()
        self.inputs["targets"].choices = choices  # type: ignore[attr-defined]
        self.inputs["if_empty"].choices = [  # type: ignore[attr-defined]
            (SKIP, _("go on at once")),
            (ALARM, _("raise the alarm")),
            *choices,
        ]
        rows = [_inputs_of(step, number) for number, step in enumerate(value or [], 1)]
        rows += [_blank(len(rows) + number) for number in range(1, SPARE + 1)]
        context = super().get_context(name, value, attrs)
        context["rows"] = [self._row(name, number, row) for number, row in enumerate(rows)]
        context["count"] = {"name": f"{name}-count", "value": len(rows)}
        return context

    def _row(self, name: str, number: int, values: dict[str, Any]) -> dict[str, Any]:
        html = {}
        for part, widget in self.inputs.items():
            key = f"{name}-{number}-{part}"
            html[part] = widget.render(key, values[part], {"id": f"id_{key}", "aria-label": part})
        return html

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        count = str(data.get(f"{name}-count") or "0")
        number = min(int(count), MAX_STEPS + SPARE) if _is_number(count) else 0
        rows = [
            {part: self.inputs[part].value_from_datadict(data, files, f"{name}-{place}-{part}") for part in PARTS}
            for place in range(number)
        ]
        filled = [row for row in rows if row["targets"]]
        filled.sort(key=lambda row: int(row["position"]) if _is_number(str(row["position"])) else MAX_STEPS)
        return [_step_of(row) for row in filled]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-count" not in data


def _blank(position: int) -> dict[str, Any]:
    blank = dict.fromkeys(PARTS, "")
    return {**blank, "position": position, "delay": 5, "strategy": ALL, "if_empty": SKIP, "acks": 1}


def _inputs_of(step: Mapping[str, Any], position: int) -> dict[str, Any]:
    only_in = step.get("only_in") or {}
    hours = only_in.get("business_hours") or {}
    if_empty = step.get("if_empty") or SKIP
    return {
        "position": position,
        "delay": step.get("delay_minutes", 0),
        "targets": [_word(target) for target in step.get("targets", ())],
        "strategy": step.get("strategy") or ALL,
        "severity": only_in.get("min_severity") or "",
        "days": " ".join(DAYS[day] if isinstance(day, int) else str(day) for day in hours.get("weekdays", ())),
        "from": hours.get("from", ""),
        "to": hours.get("to", ""),
        "zone": hours.get("time_zone", ""),
        "if_empty": if_empty if isinstance(if_empty, str) else _word(if_empty),
        "acks": step.get("needs_acks") or 1,
    }


def _step_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as the API takes it; what cannot be understood is left for the serializer to refuse."""
    only_in: dict[str, Any] = {"min_severity": row["severity"]} if row["severity"] else {}
    if any(row[part] for part in ("days", "from", "to", "zone")):
        known = {day.lower(): number for number, day in enumerate(DAYS)}
        words = str(row["days"] or "").replace(",", " ").split()
        days = [known.get(word[:3].lower(), word) for word in words]
        only_in["business_hours"] = {
            "weekdays": days,
            "from": row["from"],
            "to": row["to"],
            "time_zone": row["zone"] or "UTC",
        }
    if_empty = row["if_empty"] or SKIP
    return {
        "delay_minutes": row["delay"] or 0,
        "targets": [_target(word) for word in row["targets"]],
        "strategy": row["strategy"] or ALL,
        "only_in": only_in or None,
        "if_empty": if_empty if if_empty in (SKIP, ALARM) else _target(if_empty),
        "needs_acks": row["acks"] or 1,
    }


class StepsField(forms.Field):
    """The steps of a policy; the API's own rules decide, and each error names its step."""

    widget = StepsWidget
    hidden_widget = JsonInput

    def __init__(self, *, initial_steps: Any = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known: set[tuple[str, int]] = set()

    def to_python(self, value: Any) -> list[Any]:
        return json.loads(value) if isinstance(value, str) and value else list(value or [])

    def clean(self, value: Any) -> list[dict[str, Any]]:
        steps = self.to_python(value)
        if not steps:
            raise forms.ValidationError(_("A policy needs at least one step: choose whom the first one pages."))
        try:
            read: list[dict[str, Any]] = StepSerializer(many=True).run_validation(steps)
        except exceptions.ValidationError as error:
            raise forms.ValidationError(list(_sentences(error.detail))) from error
        if missing := missing_targets({"steps": read}, self.known):
            raise forms.ValidationError(list(_sentences(missing["steps"])))
        return read

    def has_changed(self, initial: Any, data: Any) -> bool:
        before = [_comparable(step) for step in self.to_python(initial)]
        return before != [_comparable(step) for step in self.to_python(data)]


def _comparable(step: Mapping[str, Any]) -> dict[str, Any]:
    return {part: str(value) for part, value in _inputs_of(step, 0).items()}


def _sentences(errors: Any, place: str = "") -> Iterator[str]:
    """Yield DRF's errors as sentences with their place: Step 2, delay minutes: …"""
    pairs = enumerate(errors) if isinstance(errors, list) else errors.items() if isinstance(errors, dict) else ()
    if isinstance(errors, list) and all(isinstance(one, str) for one in errors):
        for one in errors:
            yield f"{place}: {one}" if place else str(one)
        return
    for key, inner in pairs:
        if not inner:
            continue
        part = f"Step {key + 1}" if isinstance(key, int) and not place else "" if isinstance(key, int) else str(key)
        words = part.replace("_", " ")
        yield from _sentences(inner, ", ".join(filter(None, (place, words))))


class TargetsField(forms.MultipleChoiceField):
    """Whom to page, without a step."""

    widget = UnfoldAdminSelect2MultipleWidget
    hidden_widget = JsonInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=target_choices, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return [one if isinstance(one, str) else _word(one) for one in value or []]

    def to_python(self, value: Any) -> list[Any]:
        words = json.loads(value) if isinstance(value, str) and value else value or []
        return [one if isinstance(one, str) else _word(one) for one in words]

    def clean(self, value: Any) -> list[dict[str, Any]]:
        words: Any = super().clean(value)
        if len(words) > MAX_TARGETS:
            raise forms.ValidationError(_("At most %(number)s targets.") % {"number": MAX_TARGETS})
        return [_target(word) for word in words]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))
