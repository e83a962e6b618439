"""Files of incidents: telling what they are (pure), making copies that are safe to serve, storing and sending them.

`inspecting` judges a file by its content alone, with `charsets` and `texts`, and has pictures copied by the processes
that `decoders` runs: their program is `decoder`, with `pictures`, `animations` and `structure`. `storing` is the only
module that touches the storage; `verifying` knows stored files again; `serving` makes the answers. Rows and events are
written by incidents.services.attaching.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from incidents.attachments.inspecting import Checked, inspect
    from incidents.attachments.storing import discard, stored_keys

__all__ = ["Checked", "discard", "inspect", "stored_keys"]

HOMES = {"Checked": "inspecting", "inspect": "inspecting", "discard": "storing", "stored_keys": "storing"}


def __getattr__(name: str) -> Any:
    """Imported when asked for: the processes that decode pictures come by here, and start without Django."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
