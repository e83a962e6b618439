import codecs

BYTE_ORDER_MARK = "\ufeff"
LONGEST_MARK = 4
MARKS = (  # longest first: UTF-32's little-endian mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def marked_as(start: bytes) -> str:
    return next((encoding for mark, encoding in MARKS if start.startswith(mark)), "")


def unmarked(body: bytes) -> bytes:
    """Return the body in UTF-8 without mark (PowerShell writes UTF-16)."""
    encoding = marked_as(body)
    if encoding.startswith(("utf-16", "utf-32")):
        return body.decode(encoding, "replace").encode()
    stripped = body.lstrip()
    return stripped.removeprefix(codecs.BOM_UTF8) if stripped.startswith(codecs.BOM_UTF8) else body
