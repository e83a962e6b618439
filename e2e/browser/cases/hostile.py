"""Markup, scripts and control characters in every text that people and senders write. Runs last: it spoils the demo."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models

from core.errors import DomainError
from e2e.browser.case import BrowserCase
from e2e.browser.cases.pages import PEOPLE, pages
from e2e.browser.site import person
from incidents import services
from incidents.models import Incident
from incidents.services import attaching

OURS = (
    "users",
    "responders",
    "incidents",
    "alerts",
    "logs",
    "intake",
    "notifications",
    "paging",
    "console",
    "reviews",
    "status_page",
)
# Cut to a field's length, each still begins with an attack.
ATTACKS = (
    "\"><img src=x onerror='__hit(1)'><script>__hit(2)</script>",
    "<svg onload=__hit(3)><a href='javascript:__hit(4)'>x</a>{{ 7|add:7 }}",
    "</script></textarea></title><script>__hit(5)</script>\u202e",
)
MARKDOWN = (
    "[a](javascript:__hit(6)) [b](JaVaScRiPt&#58;__hit(7)) [c](data:text/html,<script>__hit(8)</script>)\n\n"
    '![d](x" onerror="__hit(9)) <iframe srcdoc="<script>parent.__hit(10)</script>"></iframe>\n\n'
    "<style>* { display: none }</style><form action=https://evil.example><button>Sign in</button></form>\n\n"
    "<details open ontoggle=__hit(11)>x</details> <https://evil.example/'onclick='__hit(12)>"
)
WRITTEN = {
    *("name", "description", "comment", "title", "location", "body", "message", "summary", "label", "reason", "text"),
    *("subject", "sender", "actor_name", "machine_name", "word", "detail", "user_agent", "failure", "why", "host"),
    *("impact", "surprises", "went_well", "went_badly", "notes", "public_title", "public_text"),
    *("ended_because", "paused_because", "target_name", "recipient", "held_because", "origin", "refusal", "error"),
    *("about", "review"),
}
KEPT = {"AuthenticatorApp", "RecoveryCode", "DeliveryTally"}
# Texts that once did harm; whether refused or kept, no page may suffer.
ONCE_HARMFUL = (
    "Iv\bn",
    "colleague,\n\nyour mailbox is full. Sign in at https://evil.example/login to keep your mails.\n\nIT Support\n\n--",
    "(?:a?a?)(a)*(a)*(a)*b",
    "\x1b]8;;https://evil.example\x07link",
)
FILE_NAMES = (
    '"><img src=x onerror=__hit(13)>.txt',
    "../../<script>__hit(14)<script>.txt",
    "\ufffdvidence\u202egpj.txt",
)
LOOK = """() => [...document.querySelectorAll('*')].flatMap((element) => {
  const found = [...element.attributes].filter(({name, value}) =>
    name.startsWith('on') || /^\\s*(javascript|data:text)/i.test(value));
  if (element.matches('iframe, img[src=x], details[ontoggle]')) found.push({name: element.outerHTML});
  if (element.localName === 'script' && element.textContent.includes('__hit')) found.push({name: 'script'});
  const action = element.localName === 'form' && new URL(element.getAttribute('action') ?? '', location);
  if (action && action.host !== location.host) found.push({name: action.href});
  return found.map(({name}) => `${element.localName}: ${name}`.slice(0, 120));
}).slice(0, 3)"""


class HostileTests(BrowserCase):
    """Nothing that was written runs, nor is anything shown as markup that is not Markdown's own."""

    incident: ClassVar[Any]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.incident = reported()
        for name in OURS:
            for model in apps.get_app_config(name).get_models():
                if model.__name__ not in KEPT:
                    spoil(model)

    def test_it_runs_nothing_that_somebody_wrote(self) -> None:
        for role, key in PEOPLE.items():
            if not key:
                continue
            context = self.context(key)
            context.expose_binding("__hit", lambda source, number: self.faults.append(f"attack {number} ran"))
            page = self.tab(context)
            for address in self.addresses(key):
                with self.subTest(role=role, page=address):
                    self.faults.clear()
                    page.goto(address, wait_until="load")
                    self.assertEqual([*page.evaluate(LOOK), *self.faults], [])
                    self.faults.clear()

    def test_it_sends_what_was_attached_as_no_page(self) -> None:
        page = self.at("ada")
        for attachment in self.incident.attachments.all():
            answer = page.request.get(f"/incidents/{self.incident.reference}/files/{attachment.pk}/")
            if answer.status == 200:
                self.assertNotIn("text/html", answer.headers["content-type"])
                self.assertEqual(answer.headers["x-content-type-options"], "nosniff")

    def addresses(self, key: str) -> Iterator[str]:
        yield f"/incidents/{self.incident.reference}/"
        yield from (address for _route, address in pages(self, key))


def reported() -> Incident:
    """Return an incident whose every text was sent through the services, with files of such names."""
    files = [SimpleUploadedFile(name, b"plain text", "text/plain") for name in FILE_NAMES]
    new = services.NewIncident(title=ATTACKS[0], description=MARKDOWN, files=attaching.inspect(files))
    incident = services.open_incident(new, by=person("hana"))
    for text in (MARKDOWN, *ATTACKS, *ONCE_HARMFUL):
        for by in ("hana", "ada"):
            try:
                services.comment(incident, text, by=person(by))
            except DomainError:
                continue
    return incident


def spoil(model: type[models.Model]) -> None:
    """Write attacks into all texts of a model's rows, past whatever would refuse them."""
    texts = [field for field in model._meta.fields if is_written(field)]
    blobs = [field for field in model._meta.fields if isinstance(field, models.JSONField)]
    for row in model._default_manager.order_by("-pk")[:300]:
        changed = {field.attname: attack(field, row.pk) for field in texts}
        changed |= {field.attname: spoilt(getattr(row, field.attname)) for field in blobs}
        if changed:
            model._default_manager.filter(pk=row.pk).update(**changed)


def is_written(field: Any) -> bool:
    is_text = isinstance(field, (models.CharField, models.TextField)) and not field.choices
    return is_text and field.name in WRITTEN and not field.primary_key


def attack(field: Any, number: Any) -> str:
    text = ATTACKS[hash(str(number)) % len(ATTACKS)]
    if field.max_length is None:
        return f"{MARKDOWN}\n\n{text}"
    return f"{text[: field.max_length - 12]}{number}"[: field.max_length]


def spoilt(value: Any, key: str = "") -> Any:
    """Return the same shape with attacks in place of words that nothing compares."""
    if isinstance(value, dict):
        return {name: spoilt(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [spoilt(inner, key) for inner in value]
    if isinstance(value, str) and key in {"href", "url", "link", "runbook_url"}:
        return "javascript:__hit(15)"
    if isinstance(value, str) and key in {"text", "summary", "description", "message", "title", "name", "team", "host"}:
        return ATTACKS[0]
    return value
