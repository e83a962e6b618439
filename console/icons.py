"""Add symbols of Lucide (ISC licence) to the sprite: `python -m console.icons folder name…`."""

import re
import sys
from pathlib import Path

SPRITE = Path(__file__).resolve().parent.parent / "static/console/icons.svg"


def symbol(name: str, svg: str) -> str:
    """Return an icon's drawing as a symbol of the sprite."""
    inner = re.sub(r"\s+", " ", re.sub(r"<!--.*?-->", "", svg, flags=re.S).split(">", 1)[1].rsplit("</svg>", 1)[0])
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round">{inner.strip()}</symbol>'
    )


def add(folder: Path, names: list[str]) -> None:
    """Put the named icons of a folder into the sprite, replacing those of the same name."""
    lines = SPRITE.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines[1:-1] if not any(line.startswith(f'<symbol id="{name}"') for name in names)]
    new = [symbol(name, (folder / f"{name}.svg").read_text(encoding="utf-8")) for name in names]
    SPRITE.write_text("\n".join([lines[0], *sorted(kept + new), lines[-1], ""]), encoding="utf-8")


if __name__ == "__main__":
    add(Path(sys.argv[1]), sys.argv[2:])
