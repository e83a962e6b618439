"""Tags about what the public is told."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.templatetags.console import icon
from status_page.vocabulary import Impact, State

register = template.Library()

SHAPES = {
    Impact.OPERATIONAL: "check",
    Impact.MAINTENANCE: "settings",
    Impact.DEGRADED: "diamond-half",
    Impact.PARTIAL_OUTAGE: "triangle-filled",
    Impact.MAJOR_OUTAGE: "octagon-filled",
}


@register.simple_tag
def impact(value: str) -> SafeString:
    """Show an impact as shape and word."""
    found = Impact(value)
    return format_html(
        '<span class="impact impact-{}">{}<span>{}</span></span>', found.value, icon(SHAPES[found]), found.label
    )


@register.filter
def state_word(value: str) -> str:
    """Return a public state as people read it."""
    return str(State(value).label)
