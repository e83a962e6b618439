"""People's methods and rules, read for many at once."""

from collections.abc import Collection
from dataclasses import dataclass, field

from core.db import rows
from notifications.channels.port import channel_of
from notifications.models import ContactMethod, NotificationRule
from notifications.services.outbox import EMAIL, Target, of_account, of_method
from notifications.vocabulary import VERIFIED, MethodState
from users.models import User


@dataclass
class Recipient:
    """A person with all methods and rules."""

    user: User
    methods: list[ContactMethod] = field(default_factory=list)
    rules: dict[str, NotificationRule] = field(default_factory=dict)

    def usable(self) -> dict[int, ContactMethod]:
        """Return the verified methods of channels that this installation knows."""
        return {method.pk: method for method in self.methods if method.state in VERIFIED and channel_of(method.kind)}

    def mail_targets(self) -> list[Target]:
        """Return where mail to the person goes: their verified addresses, else the account's own, once proven."""
        mails = [method for method in self.usable().values() if method.kind == EMAIL]
        if mails:
            return [of_method(method, self.user.name) for method in mails]
        return [of_account(self.user)] if self.user.email_verified_at is not None and channel_of(EMAIL) else []

    def all_targets(self) -> list[Target]:
        """Return every method that was not disabled, verified or not, and the account's own address."""
        methods = [one for one in self.methods if one.state != MethodState.DISABLED and one.address]
        targets = [of_method(method, self.user.name) for method in methods if channel_of(method.kind)]
        addresses = {method.address.lower() for method in methods if method.kind == EMAIL}
        if channel_of(EMAIL) and self.user.email.lower() not in addresses:
            targets.append(of_account(self.user))
        return targets


def load(user_ids: Collection[int]) -> dict[int, Recipient]:
    """Return active people by id, in three queries."""
    people = {pk: Recipient(user) for pk, user in rows.by_id(User, user_ids).items() if user.is_active}
    for method in sorted(rows.select_in(ContactMethod, "user", people), key=lambda method: method.pk):
        people[method.user_id].methods.append(method)
    for rule in rows.select_in(NotificationRule, "user", people):
        people[rule.user_id].rules[rule.importance] = rule
    return people
