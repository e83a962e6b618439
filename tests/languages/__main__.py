"""`python -m tests.languages` updates the catalogues; with `--await`, texts without translation may wait for one."""

import sys

from tests.languages import catalogues, checking, extracting


def main() -> int:
    """Update every catalogue and say what is wrong with it."""
    wanted = extracting.extraction(extracting.texts())
    found = list(extracting.problems())
    current = {
        language: catalogues.updated(catalogues.read(language), wanted, language) for language in catalogues.languages()
    }
    missing = {
        checking.entry_text(message)
        for catalogue in current.values()
        for message in catalogue
        if message.id and not all(catalogues.strings(message))
    }
    waiting = missing if "--await" in sys.argv else missing & catalogues.awaited()
    catalogues.write_lines(catalogues.FOLDER / "awaited.txt", waiting)
    for language, catalogue in current.items():
        catalogues.write(language, catalogue)
        copies = catalogues.allowed_copies(language)
        found += [
            f"{language}: {fault}" for fault in checking.faults(catalogue, wanted, copies=copies, awaited=waiting)
        ]
    print("\n".join(found) or f"{len(wanted)} texts in {', '.join(current)}")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
