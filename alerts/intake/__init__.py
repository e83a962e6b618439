"""Taking in what senders send: quickly, durably, in every vendor's manner.

A door (see `doors`) speaks one vendor's protocol. `serve` takes any number of requests and answers each after all of
them are committed in one transaction; `committer` gathers the requests that wait at the same time.
"""

from alerts.intake.doors import Door, find, register
from alerts.intake.serving import serve

__all__ = ["Door", "find", "register", "serve"]
