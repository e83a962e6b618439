"""Tags of the console's templates."""

import datetime as dt
from typing import Any

from django import forms, template
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.reporting.words import percent
from core.severity import SEVERITY_OF_WORD, WORD_OF_SEVERITY
from core.text.markdown import render_note
from core.text.moments import shown
from incidents.vocabulary import STATUS_OF_WORD
from users.models import User

register = template.Library()

SHAPES = {"critical": "octagon-filled", "high": "triangle-filled", "medium": "diamond-half", "low": "circle-hollow"}
SEVERITY_LABELS = {
    "critical": gettext_lazy("Critical"),
    "high": gettext_lazy("High"),
    "medium": gettext_lazy("Medium"),
    "low": gettext_lazy("Low"),
}
RECENT = dt.timedelta(hours=24)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Show a symbol; without a label it is decoration."""
    file = static("console/icons.svg")
    if not label:
        return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', file, name)
    return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"></use></svg>', label, file, name)


@register.simple_tag
def severity(value: int | str) -> SafeString:
    """Show a severity as shape and word."""
    word = WORD_OF_SEVERITY.get(value, "") if isinstance(value, int) else value
    if word not in SEVERITY_OF_WORD:
        return format_html('<span class="severity">{}</span>', value)
    return format_html(
        '<span class="severity severity-{}">{}<span>{}</span></span>', word, icon(SHAPES[word]), SEVERITY_LABELS[word]
    )


@register.simple_tag
def status(value: str) -> SafeString:
    """Show a status as a word."""
    label = STATUS_OF_WORD[value].label if value in STATUS_OF_WORD else value
    return format_html('<span class="status status-{}">{}</span>', value, label)


@register.simple_tag
def when(moment: dt.datetime | None, style: str = "long") -> SafeString | str:
    """Show a time in the person's zone, UTC on hover; pages refresh how long ago it was where it is recent.

    `style`: long (date, time, zone), short (time, and the date unless today), brief (short, but past days
    without the time), or day.
    """
    if moment is None:
        return "—"
    local = timezone.localtime(moment)
    text = {"long": _long, "short": _short, "brief": _brief, "day": _day}[style](local)
    return format_html(
        '<time datetime="{}" title="{}" data-style="{}">{}</time>',
        moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        style,
        text,
    )


def _long(local: dt.datetime) -> str:
    return f"{shown(local, 'long')} {local.tzname()}"


def _short(local: dt.datetime) -> str:
    age = timezone.now() - local
    if dt.timedelta(0) <= age < RECENT:
        return ago(int(age.total_seconds()))
    return shown(local, "short" if local.year == timezone.localtime().year else "long")


def _brief(local: dt.datetime) -> str:
    if timezone.now() - local < RECENT:
        return _short(local)
    return shown(local, "brief" if local.year == timezone.localtime().year else "date")


def _day(local: dt.datetime) -> str:
    return shown(local, "weekday")


def ago(seconds: int) -> str:
    """Say how long ago something was, for less than a day."""
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        minutes = seconds // 60
        return ngettext("%(n)d min ago", "%(n)d min ago", minutes) % {"n": minutes}
    hours = seconds // 3600
    return ngettext("%(n)d h ago", "%(n)d h ago", hours) % {"n": hours}


@register.simple_tag
def duration(seconds: float | None) -> str:
    """Say a length of time in its two largest units, one where the second is none."""
    if seconds is None:
        return "—"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days and not hours:
        return _("%(days)d d") % {"days": days}
    if days:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
    if hours and not minutes:
        return _("%(hours)d h") % {"hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes and not rest:
        return _("%(minutes)d min") % {"minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)d s") % {"seconds": rest}


@register.simple_tag
def person(user: User | None, nobody: str = "—") -> SafeString | str:
    """Show a person's name, kept apart from the text around it."""
    return nobody if user is None else format_html("<bdi>{}</bdi>", str(user))


@register.simple_tag(takes_context=True)
def query_with(context: Any, **changes: Any) -> str:
    """Return the page's query string with some parameters changed; None removes one."""
    request: HttpRequest = context["request"]
    parameters = request.GET.copy()
    parameters.pop("cursor", None)
    for name, value in changes.items():
        if value is None:
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"


@register.filter
def markdown(text: str) -> SafeString:
    """Render what people wrote as Markdown, cleaned."""
    return render_note(text or "")


register.filter("percent", percent)


@register.inclusion_tag("console/_field.html")
def field(bound: forms.BoundField, hint: str = "") -> dict[str, Any]:
    """Show a form's field with label, help and errors, each tied to it."""
    described = [f"{bound.id_for_label}_help"] if bound.help_text or hint else []
    described += [f"{bound.id_for_label}_errors"] if bound.errors else []
    attributes = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    widget = bound.field.widget
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=attributes),
        "hint": hint,
        "is_check": isinstance(widget, forms.CheckboxInput),
        "is_group": isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple),
    }
