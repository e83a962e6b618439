"""Files of incidents: telling what they are (pure), making copies that are safe to serve, storing and sending them.

`inspecting` judges a file by its content alone, with `pictures`, `containers` and `texts`; `storing` is the only
module that touches the storage; `serving` makes the answers. Rows and events are written by
incidents.services.attaching.
"""

from incidents.attachments.inspecting import Checked, inspect
from incidents.attachments.storing import discard, stored_keys

__all__ = ["Checked", "discard", "inspect", "stored_keys"]
