"""The sentences that the form's script says."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def texts() -> dict[str, Any]:
    """Return them by name; those with a number by its plural form."""
    return {
        "waiting": _plural(
            lambda n: ngettext("%(n)s report waiting to be sent", "%(n)s reports waiting to be sent", n)
        ),
        "untitled": _("Without a title"),
        "restored": _("What you wrote was restored."),
        "saved": _("Draft kept on this device."),
        "not_saved": _("This browser keeps no drafts; send the report before you leave."),
        "elsewhere": _("Another tab holds your draft; this one starts a new report."),
        "sending": _("Sending…"),
        "queued": _("No connection. The report is kept on this device and sent as soon as there is one."),
        "try_later": _("The server could not take it just now. It is tried again by itself."),
        "signed_out": _("You are signed out. Sign in, and it is sent."),
        "other_person": _("Somebody else is signed in. It waits for the person who wrote it."),
        "refused": _("The report was not sent. See what is marked below."),
        "refused_waiting": _("Not sent: %(why)s"),
        "send_now": _("Send now"),
        "edit": _("Edit"),
        "discard": _("Delete"),
        "undo": _("Undo"),
        "discarded": _("Deleted."),
        "sent": _("Sent as %(reference)s"),
        "remove": _("Remove"),
        "remove_file": _("Remove %(file)s"),
        "shrinking": _("Making %(file)s smaller…"),
        "shrunk": _("%(file)s was made smaller to fit."),
        "too_large": _("%(file)s is larger than %(megabytes)s MB and was left out."),
        "too_many": _("More than %(most)s files: %(file)s was left out."),
        "empty": _("%(file)s is empty and was left out."),
        "wrong_kind": _("%(file)s is of a kind that is not taken, and was left out."),
        "adopt": _("A report was written here while nobody was signed in:"),
        "adopt_yes": _("It is mine"),
        "uploaded": _("%(percent)s %% sent"),
    }


def _plural(said: Any) -> dict[str, str]:
    return {"one": said(1), "other": said(2)}
