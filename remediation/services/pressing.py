"""Approve and reject runs by a button in a chat, in the name of whose account is linked."""

from django.utils.translation import gettext as _

from core.errors import Conflict, PermissionRefused
from core.text.sentences import Sentence
from incidents.actors import Actor
from incidents.models import Origin
from incidents.vocabulary import MachineKind
from remediation.models import Run
from remediation.permissions import absent
from remediation.services import deciding, telling
from users.models import User

APPROVED = Sentence("You approved %(runbook)s for %(incident)s. Execute it within 15 minutes, on its page.")
REJECTED = Sentence("You rejected %(runbook)s for %(incident)s.")


def approve(user: User, number: int, seen: str, chat: str) -> str:
    """Approve what the button was shown for. Raises as `deciding.approve`."""
    run = _shown_run(user, number, seen)
    deciding.approve(run, by=_actor(user, chat), digest=run.digest, origin=Origin.CHAT)
    return APPROVED.say(**_words(run))


def reject(user: User, number: int, seen: str, chat: str) -> str:
    """Reject what the button was shown for. Raises as `deciding.reject`."""
    run = _shown_run(user, number, seen)
    deciding.reject(run, by=_actor(user, chat), origin=Origin.CHAT)
    return REJECTED.say(**_words(run))


def _shown_run(user: User, number: int, seen: str) -> Run:
    """Return the run, if the person sees it and the button was made for what it does."""
    if not user.is_active:
        raise PermissionRefused(_("This account is deactivated."))
    run = Run.objects.visible_to(user).select_related("incident", "version__runbook").filter(pk=number).first()
    if run is None:
        raise absent()
    if len(seen) != telling.SEEN or not run.digest.startswith(seen):
        raise Conflict(_("This is not what you saw: read the run again."), code="digest_mismatch")
    return run


def _actor(user: User, chat: str) -> Actor:
    return Actor(user, user.name, MachineKind.CHANNEL, chat)


def _words(run: Run) -> dict[str, str]:
    return {"runbook": run.version.runbook.name, "incident": run.incident.reference}
