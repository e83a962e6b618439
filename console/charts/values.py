"""What charts are made of, as plain values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Format = Callable[[float], str]

HEIGHT = 150  # pixels of the plot; widths are percentages
FOOT = 22  # beneath it, for labels
TEXTURES = {  # over 8 × 8 pixels, so that no two tones differ by colour alone
    "high": "M-2 2L2 -2M0 8L8 0M6 10L10 6",
    "medium": "M0 2H8M0 6H8",
    "low": "M2 2h1M6 6h1",
    "two": "M-2 6L2 10M0 0L8 8M6 -2L10 2",
    "three": "M2 0V8M6 0V8",
    "four": "M0 4H8M4 0V8",
    "five": "M2 6h1M6 2h1",
    "six": "M0 4L4 0L8 4",
}


@dataclass(frozen=True)
class Cell:
    """A value of a chart's table: as shown, as exported, and the list behind it."""

    text: str
    value: object = ""
    url: str = ""


@dataclass(frozen=True)
class Empty:
    """What a chart without data says, and the way on."""

    sentence: str
    action: str = ""
    url: str = ""


@dataclass(frozen=True)
class Series:
    """One part of each column; its tone (a severity, or one to six) is its colour and pattern."""

    key: str
    label: str
    tone: str

    @property
    def texture(self) -> str:
        return TEXTURES.get(self.tone, "")


@dataclass(frozen=True)
class Column:
    """A span of time: its values by series, and the lists behind them."""

    label: str
    short: str
    values: Mapping[str, int]
    url: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """A horizontal bar; `more` are further cells of its row."""

    label: str
    value: float
    url: str = ""
    tone: str = "one"
    text: str = ""
    more: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Point:
    """Durations of a span of time in seconds; None where there are none."""

    label: str
    short: str
    mean: float | None
    p50: int | None
    p90: int | None
    count: int
    pending: int = 0
    url: str = ""
    pending_url: str = ""


@dataclass(frozen=True)
class Moment:
    """One place of a density strip or row of a heat map."""

    label: str
    value: float
    url: str = ""
    text: str = ""


@dataclass(frozen=True)
class Mark:
    """A drawn rectangle: x and width in percent, y and height in pixels."""

    x: str
    y: int
    width: str
    height: int
    tone: str
    label: str
    url: str


@dataclass(frozen=True)
class Tick:
    """A label of an axis, with its line."""

    at: str
    text: str


@dataclass(frozen=True)
class Chart:
    """All that a template draws; `shapes` is what the kind of chart needs beyond marks and ticks."""

    id: str
    title: str
    kind: str
    summary: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    marks: tuple[Mark, ...] = ()
    hits: tuple[Mark, ...] = ()
    across: tuple[Tick, ...] = ()
    up: tuple[Tick, ...] = ()
    legend: tuple[Series, ...] = ()
    shapes: Mapping[str, object] = field(default_factory=dict)
    empty: Empty | None = None
    height: int = HEIGHT
    full_height: int = HEIGHT + FOOT

    @property
    def template(self) -> str:
        return "console/charts/_empty.html" if self.is_empty else f"console/charts/_{self.kind}.html"

    @property
    def is_empty(self) -> bool:
        return self.empty is not None

    @property
    def label_y(self) -> int:
        return self.height + 16
