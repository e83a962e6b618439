from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.forms.code import CODE
from console.forms.seen import SeenForm
from remediation.models import Agent, RunbookSecret
from remediation.services.secrets import MAX_VALUE

PLAIN = {"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}


class AgentForm(SeenForm):
    """An agent; its serializer judges the values."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("What steps call it, such as the machine’s name: web-1."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    description = forms.CharField(
        label=_("Description"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class SecretForm(SeenForm):
    """A secret of runbooks; its value is never shown again, not even after a mistake."""

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("What steps call it; letters, digits, - and _."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    url_prefix = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("It is sent only to addresses that begin so: https://ops.example/v1/"),
        widget=forms.URLInput(attrs=PLAIN),
    )
    header = forms.CharField(
        label=_("Header"), max_length=60, initial="Authorization", widget=forms.TextInput(attrs=PLAIN)
    )
    value = forms.CharField(
        label=_("Value"),
        max_length=MAX_VALUE,
        strip=False,
        help_text=_("The whole of the header, such as: Bearer …"),
        widget=forms.PasswordInput(attrs={**CODE, "autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, secret: RunbookSecret | None = None, **kwargs: Any) -> None:
        super().__init__(*args, initial=initial_of_secret(secret), **kwargs)
        if secret is not None:
            self.fields["value"].required = False
            self.fields["value"].label = _("New value")
            self.fields["value"].help_text = _("Empty: it stays as it is. Another address needs it again.")

    def as_service(self) -> dict[str, Any]:
        """Return the form as the service takes it."""
        return {**self.cleaned_data, "value": self.cleaned_data["value"] or None}


def initial_of_agent(agent: Agent) -> dict[str, Any]:
    return {"name": agent.name, "description": agent.description}


def initial_of_secret(secret: RunbookSecret | None) -> dict[str, Any]:
    """Return a secret as its form begins; when it was set tells whether its value changed meanwhile."""
    names = ("name", "url_prefix", "header", "updated_at")
    return {name: getattr(secret, name) for name in names} if secret is not None else {}
