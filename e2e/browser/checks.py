"""What is looked at on every page: each function returns the faults it finds, one line each."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
AXE_OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
SLACK = 1  # px that rounding may add
FOCUS_STOPS = 12
TOUCH = 44

WIDER = """(slack) => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width + slack) return [];
  const scrolls = (element) => {
    for (let at = element.parentElement; at && at !== document.body; at = at.parentElement)
      if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(at).overflowX)) return true;
    return false;
  };
  const out = [...document.body.querySelectorAll('*')].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width && (box.right > width + slack || box.left < -slack) && !scrolls(element);
  });
  const named = (element) => `${element.localName}.${[...element.classList].join('.')}`;
  return [`${document.documentElement.scrollWidth} px wide: ${out.slice(0, 4).map(named).join(', ')}`];
}"""
OVERLAPPING = """() => {
  scrollTo(0, 0);
  const shown = [...document.querySelectorAll('header a, header button, nav a, nav button, summary')]
    .filter((element) => element.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .map((element) => [element, element.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && box.height > 1 && box.bottom > 0 && box.right > 0 && box.left < innerWidth);
  const found = [];
  shown.forEach(([one, a], index) => shown.slice(index + 1).forEach(([other, b]) => {
    if (one.contains(other) || other.contains(one)) return;
    const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (width > 2 && height > 2) found.push(`${one.outerHTML.slice(0, 80)} over ${other.outerHTML.slice(0, 80)}`);
  }));
  return found.slice(0, 3);
}"""
FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element);
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return {is_shown: ring || style.boxShadow !== 'none', what: element.outerHTML.slice(0, 120)};
}"""
UNREACHABLE = """() => {
  const roving = '[role=menu], [role=listbox], [role=tablist], [role=radiogroup], [role=grid], [role=toolbar]';
  const acting = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [role=button]')];
  const shown = acting.filter((element) => !element.disabled && element.checkVisibility({visibilityProperty: true}));
  const out = shown.filter((element) => element.tabIndex < 0 && !element.closest(roving)
    && !element.closest('[inert], [aria-hidden=true], .visually-hidden')
    && !element.closest('svg')?.parentElement.querySelector('table a[href]'));  // the same as a table
  return out.map((element) => `not reached by keyboard: ${element.outerHTML.slice(0, 120)}`).slice(0, 3);
}"""
SMALL = """(least) =>
  [...document.querySelectorAll('.button-primary, .actions button, .action-bar button, nav .button')]
  .filter((element) => element.checkVisibility({visibilityProperty: true}))
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && (box.height < least - 0.5 || box.width < least - 0.5))
  .map(([element, box]) => `${Math.round(box.width)} × ${Math.round(box.height)}: ${element.outerHTML.slice(0, 100)}`)
  .slice(0, 3)"""


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def accessibility(page: "Page") -> list[str]:
    """Return what axe-core finds against WCAG 2.2 AA."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate("(options) => axe.run(document, options)", AXE_OPTIONS)
    return [
        f"{rule['id']}: {node['target'][0]} {node['html'][:120]} ({_why(node)})"
        for rule in found["violations"]
        for node in rule["nodes"][:3]
    ]


def _why(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return checks[0]["message"][:160] if checks else ""


def width(page: "Page", pixels: int, height: int = 800) -> list[str]:
    """Return what makes the page wider than a window of this width."""
    page.set_viewport_size({"width": pixels, "height": height})
    return [f"at {pixels} px: {fault}" for fault in page.evaluate(WIDER, SLACK)]


def right_to_left(page: "Page") -> list[str]:
    """Return what breaks when the page is read from the right."""
    found = []
    page.evaluate("document.documentElement.dir = 'rtl'")
    for pixels in (1280, 390):
        found += [f"rtl {fault}" for fault in width(page, pixels)]
        found += [f"rtl at {pixels} px: {fault}" for fault in page.evaluate(OVERLAPPING)]
    page.evaluate("document.documentElement.dir = 'ltr'")
    return found


def overlaps(page: "Page") -> list[str]:
    """Return controls around the page that cover each other."""
    return list(page.evaluate(OVERLAPPING))


def keyboard(page: "Page") -> list[str]:
    """Return what the keyboard does not reach, and stops where nobody sees the focus."""
    found = list(page.evaluate(UNREACHABLE))
    page.evaluate("document.activeElement?.blur()")
    for _ in range(FOCUS_STOPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused and not focused["is_shown"]:
            found.append(f"no focus ring: {focused['what']}")
    return found


def touch(page: "Page") -> list[str]:
    """Return main controls too small for a thumb."""
    return list(page.evaluate(SMALL, TOUCH))
