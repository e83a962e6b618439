"""Show a secret once."""

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _


def show_secret(request: HttpRequest, secret: str) -> None:
    """Show what a webhook is signed with, on the next page only; nothing without one."""
    if secret:
        text = _("The secret is %(secret)s. Copy it now: it is not shown again.")
        messages.warning(request, text % {"secret": secret})
