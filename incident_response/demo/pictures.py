import io
import math
import random
from collections.abc import Callable, Iterator

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = (960, 540)
INK, PAPER, GRID, LINE = "#1f2933", "#ffffff", "#e4e7eb", "#c81e1e"


def graph(title: str, unit: str, *, calm: float, peak: float, begins: float, top: float) -> bytes:
    """Draw a dashboard's line (PNG): `calm`, then `peak`."""
    picture, draw = _sheet(title)
    left, right, upper, lower = 90, SIZE[0] - 40, 90, SIZE[1] - 60
    for step in range(5):
        height = lower - step * (lower - upper) / 4
        draw.line([(left, height), (right, height)], fill=GRID)
        draw.text((left - 12, height), f"{top * step / 4:g} {unit}", INK, _font(15), anchor="rm")
    values = _line(title, calm, peak, begins)
    points = [(left + (right - left) * place, lower - (lower - upper) * min(value / top, 1)) for place, value in values]
    draw.line(points, fill=LINE, width=3, joint="curve")
    for hour in range(7):
        draw.text((left + (right - left) * hour / 6, lower + 14), f"{hour - 6} h", INK, _font(15), anchor="mt")
    return _png(picture)


def _line(seed: str, calm: float, peak: float, begins: float) -> Iterator[tuple[float, float]]:
    noise = random.Random(seed)  # noqa: S311 (a drawing, not a secret)
    level = calm
    for step in range(241):
        place = step / 240
        target = peak if place >= begins else calm
        level += (target - level) * 0.12
        yield place, max(level + noise.gauss(0, peak * 0.015), 0)


def page(title: str, sentence: str, *, width: int = 960) -> bytes:
    """Draw a browser window (PNG)."""
    picture = Image.new("RGB", (width, SIZE[1]), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.rectangle([0, 0, width, 56], fill="#cbd2d9")
    draw.rounded_rectangle([20, 12, width - 20, 44], radius=16, fill=PAPER)
    draw.text((40, 28), "https://shop.demo.example/checkout", INK, _font(16), anchor="lm")
    draw.text((width / 2, 230), title, INK, _font(44), anchor="mm")
    draw.text((width / 2, 300), sentence, "#52606d", _font(20), anchor="mm")
    return _png(picture)


def cabinet(seed: str, *, lamps: str) -> bytes:
    """Draw a rack, photo-like (JPEG)."""
    noise = random.Random(seed)  # noqa: S311 (a drawing, not a secret)
    picture = Image.linear_gradient("L").resize(SIZE).point(lambda level: 70 - level // 5).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for row in range(9):
        top = 24 + row * 56
        draw.rounded_rectangle([210, top, 750, top + 46], radius=4, fill=(30 + row * 3,) * 3, outline=(75,) * 3)
        for column in range(12):
            colour = lamps if noise.random() < 0.06 else "#3f9142"
            draw.ellipse([300 + column * 34, top + 18, 309 + column * 34, top + 27], fill=colour)
    grain = Image.effect_noise(SIZE, 38).convert("RGB")
    return _jpeg(Image.blend(picture.filter(ImageFilter.GaussianBlur(1.2)), grain, 0.12))


def backup_log() -> bytes:
    """Return the log of a slowing backup."""
    lines = ["01:00:00 INFO backup started target=object-store/nightly threads=1"]
    for part in range(1, 19):
        minute = 60 + round(15 * part + 13 * math.log1p(part))
        lines.append(f"{minute // 60:02}:{minute % 60:02}:11 INFO part {part:02}/18 written mb=20480")
    lines.append("07:25:40 WARN compression is the bottleneck cpu=100% of 1 core")
    return "\n".join([*lines, ""]).encode()


def _sheet(title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((40, 28), title, INK, _font(26))
    return picture, draw


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _png(picture: Image.Image) -> bytes:
    target = io.BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


def _jpeg(picture: Image.Image) -> bytes:
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=80)
    return target.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "disk-usage.png": lambda: graph("Orders database: disk usage", "%", calm=61, peak=100, begins=0.45, top=100),
    "payment-errors.png": lambda: graph("Payments declined", "%", calm=2, peak=19, begins=0.6, top=20),
    "picture-latency.png": lambda: graph(
        "Product pictures: time to load, p95", "s", calm=0.6, peak=11, begins=0.55, top=12
    ),
    "replica-lag.png": lambda: graph("Replication lag, replica 2", "min", calm=0.2, peak=40, begins=0.7, top=60),
    "checkout-errors.png": lambda: graph("Checkout: server errors", "%", calm=0.3, peak=48, begins=0.9, top=60),
    "error-page.png": lambda: page("Something went wrong", "Error 500. Please try again later."),
    "blank-checkout.png": lambda: page("", "", width=420),
    "rack-b12.jpg": lambda: cabinet("rack", lamps="#e12d39"),
    "switchboard.jpg": lambda: cabinet("switchboard", lamps="#f0b429"),
    "backup.log": backup_log,
}
