"""QR codes as paths of SVG."""

from dataclasses import dataclass

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

QUIET = 4  # modules of margin that readers need


@dataclass(frozen=True)
class Drawing:
    """A path within a square of `size`."""

    path: str
    size: int


def drawn(text: str) -> Drawing:
    """Return the dark modules of a text's QR code."""
    code: QRCode = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET)
    code.add_data(text)
    rows = code.get_matrix()
    dark = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return Drawing("".join(dark), len(rows))
