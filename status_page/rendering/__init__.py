"""The page as files: plain values in, paths and bytes out."""

from status_page.rendering.site import render
from status_page.rendering.snapshot import Snapshot

__all__ = ["Snapshot", "render"]
