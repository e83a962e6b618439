import hashlib
import re

from django.test import SimpleTestCase

from console.tests.markup import ROOT

VENDOR = ROOT / "static" / "vendor"
AXE = ROOT / "e2e" / "browser" / "vendor"
LINE = re.compile(r"^(?P<digest>[0-9a-f]{64}) [ *](?P<path>\S+)(?:\s.*)?$")


class VendorTests(SimpleTestCase):
    def test_it_ships_exactly_what_was_checked(self):
        for folder in (VENDOR, AXE):
            with self.subTest(folder.name):
                listed = checksums(folder)
                found = {
                    str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
                    for path in folder.rglob("*")
                    if path.is_file() and path.name != "CHECKSUMS"
                }

                self.assertEqual(found, listed)


def checksums(folder) -> dict[str, str]:
    lines = (folder / "CHECKSUMS").read_text(encoding="utf-8").splitlines()
    return {match["path"]: match["digest"] for line in lines if (match := LINE.match(line))}
