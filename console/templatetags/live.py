from typing import Any

from django import template

from notifications.channels.push import vapid

register = template.Library()


@register.simple_tag
def push_setup() -> dict[str, Any]:
    """Return the key that browsers subscribe with, and what the operator must set."""
    return {"key": vapid.public_key(), "why_unusable": vapid.why_unusable()}
