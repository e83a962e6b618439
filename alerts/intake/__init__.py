"""Taking in what senders send: quickly, durably, in every vendor's manner.

A door (see `doors`) speaks one vendor's protocol. `serve` answers one request once what it holds is committed;
`committer` keeps all that wait at the same time in one transaction.
"""

from alerts.intake.doors import Door, find, register
from alerts.intake.serving import serve

__all__ = ["Door", "find", "register", "serve"]
