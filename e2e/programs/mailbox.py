"""A mail server that keeps what it gets. Arguments: its port, and the folder for the mails, a file each."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

port, folder = int(sys.argv[1]), Path(sys.argv[2])


class Keep:
    """Write each mail whole before it is accepted."""

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        part = folder / f".{time.time_ns()}"
        part.write_bytes(envelope.content)
        part.rename(folder / f"{time.time_ns()}.eml")
        return "250 kept"


controller = Controller(Keep(), hostname="127.0.0.1", port=port)
controller.start()
asyncio.new_event_loop().run_forever()
