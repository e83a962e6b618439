"""Files of incidents: recognise them, copy them safely, store them, send them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from incidents.attachments.inspecting import Checked, inspect
    from incidents.attachments.storing import discard, stored_keys

__all__ = ["Checked", "discard", "inspect", "stored_keys"]

HOMES = {"Checked": "inspecting", "inspect": "inspecting", "discard": "storing", "stored_keys": "storing"}


def __getattr__(name: str) -> Any:
    """Import names on demand, because the processes that decode pictures start without Django."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
