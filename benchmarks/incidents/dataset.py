"""Making the data sets, and knowing whether the ones that are there will do."""

import hashlib
import json
import shutil
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from django.db import models

from benchmarks.databases import DATA, KEYS, ROOT, Database
from benchmarks.incidents import history, people
from benchmarks.incidents.loading import Loader, Rows, loader_for
from benchmarks.incidents.tables import Table
from incidents.models import FeedCursor, Incident, IncidentEvent, Subscription, Tally
from incidents.services.tallies import Key, keys_of

CHUNK = 5_000
SAMPLE = 600  # incidents; the one with the long timeline is among them
WORKERS = 2
SEARCH = ("incidents_search", ["incident_id", "document"])
OWN_APPS = ("core", "users", "responders", "incidents")
THROUGH: type[models.Model] = Incident.services.through
LOADED: list[type[models.Model]] = [Incident, IncidentEvent, THROUGH, Subscription]


def ensure(databases: list[Database]) -> None:
    """Make the data sets (all of one size) that are not there or were made by another generator or schema."""
    wanted = [database for database in databases if not _is_usable(database)]
    if wanted:
        _make(wanted)
    for database in databases:
        database.create()
        database.inside("incidents.upkeep.tidy", database.size)


def fingerprint(size: int) -> str:
    """Changes when the same size would give other rows: it is taken from the first of them."""
    parts = [line for lines in people.lines().values() for line in lines]
    parts += [line for lines in _play(size, 1, SAMPLE)[0].values() for line in lines]
    return hashlib.sha256("".join([KEYS["HISTORY_KEY"], *parts]).encode()).hexdigest()


def migration_hashes() -> dict[str, str]:
    """Each migration of ours with the hash of its file: one edited in place asks for new data, a new one does not."""
    files = [path for app in OWN_APPS for path in sorted((ROOT / app / "migrations").glob("0*.py"))]
    return {str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}


def _is_usable(database: Database) -> bool:
    try:
        [(made, migrations)] = database.query("SELECT fingerprint, migrations FROM bench_made")
    except database.error:
        return False
    return made == fingerprint(database.size) and json.loads(migrations).items() <= migration_hashes().items()


# --- Made in other processes ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chunk:
    """A run of incidents, as files."""

    files: list[Rows]
    labels: "Counter[str]"


_player: dict[int, history.Player] = {}


def make_chunk(size: int, first_id: int, last_id: int, folder: Path) -> Chunk:
    """Play these incidents and write their rows to files."""
    lines, labels = _play(size, first_id, last_id)
    files = []
    for model in LOADED:
        table = Table(model)
        offset = {} if model is Incident else {"id": 0}
        files.append(_write(folder, first_id, table.name, table.columns, lines[table.name], offset, table.uuid_columns))
    files.append(_write(folder, first_id, *SEARCH, lines[SEARCH[0]], {}, set()))
    return Chunk(files, labels)


def _play(size: int, first_id: int, last_id: int) -> "tuple[dict[str, list[str]], Counter[str]]":
    """The rows of these incidents by table, and what they are counted under. Ids of other rows count from 1."""
    player = _player.setdefault(size, history.Player(size))
    known = {model: Table(model) for model in LOADED}
    lines: dict[str, list[str]] = {table.name: [] for table in known.values()} | {SEARCH[0]: []}
    labels: Counter[str] = Counter()
    ids = {model: count(1) for model in LOADED}
    for played in player.play(first_id, last_id):
        labels[played.incident.tallied_as] += 1
        for model, rows in _rows_of(played, ids):
            lines[known[model].name] += [known[model].line_of(row) for row in rows]
        lines[SEARCH[0]].append(f"{played.incident.pk}\t{played.document}\n")
    return lines, labels


def _rows_of(played: history.Played, ids: dict[Any, Iterator[int]]) -> Iterator[tuple[Any, list[Any]]]:
    incident = played.incident
    yield Incident, [incident]
    for event in played.events:
        event.pk = event.feed_seq = next(ids[IncidentEvent])
    yield IncidentEvent, played.events
    yield (
        THROUGH,
        [THROUGH(pk=next(ids[THROUGH]), incident_id=incident.pk, service_id=pk) for pk in played.service_ids],
    )
    yield (
        Subscription,
        [
            Subscription(pk=next(ids[Subscription]), incident=incident, user_id=pk, created_at=incident.created_at)
            for pk in played.follower_ids
        ],
    )


def _write(
    folder: Path,
    first_id: int,
    table: str,
    columns: list[str],
    lines: list[str],
    offsets: dict[str, int],
    uuid_columns: set[str],
) -> Rows:
    path = folder / f"{table}-{first_id}.tsv"
    path.write_text("".join(lines), encoding="utf-8")
    return Rows(table, columns, path, len(lines), offsets, frozenset(uuid_columns))


# --- Loaded from here -------------------------------------------------------------------------------------------------


def _make(databases: list[Database]) -> None:
    size = databases[0].size
    started = time.monotonic()
    loaders = [loader_for(database) for database in databases]
    for database, loader in zip(databases, loaders, strict=True):
        database.clear()
        database.create()
        loader.begin([*(Table(model).name for model in LOADED), SEARCH[0]])
    folder = DATA / f"rows-{size}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _load_all(loaders, size, folder)
    shutil.rmtree(folder)
    _say(f"{size:,} incidents: building indexes …")
    with ThreadPoolExecutor(len(loaders)) as threads:
        list(threads.map(lambda loader: loader.finish(), loaders))
    for database in databases:
        database.query("CREATE TABLE bench_made (fingerprint VARCHAR(64) NOT NULL, migrations TEXT NOT NULL)")
        database.query(f"INSERT INTO bench_made VALUES ('{fingerprint(size)}', '{json.dumps(migration_hashes())}')")
        database.inside("incidents.upkeep.check", size)
    _say(f"{size:,} incidents made in {time.monotonic() - started:.0f} s\n")


def _load_all(loaders: list[Loader], size: int, folder: Path) -> None:
    started = time.monotonic()
    _load_people(loaders, folder)
    labels: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    done = 0
    with ThreadPoolExecutor(len(loaders)) as threads:
        for chunk in _chunks(size, folder):
            files = [_shifted(rows, counts) for rows in chunk.files]
            list(threads.map(lambda loader, files=files: [loader.load(rows) for rows in files], loaders))
            for rows in files:
                rows.path.unlink()
            labels += chunk.labels
            done = min(done + CHUNK, size)
            seconds = time.monotonic() - started
            _say(f"{done:,} of {size:,} incidents, {seconds:.0f} s, about {seconds / done * (size - done):.0f} s to go")
    events = counts[Table(IncidentEvent).name]
    _load_rows(loaders, folder, FeedCursor, [FeedCursor(name="head", position=events)])
    _load_rows(loaders, folder, Tally, _tallies(labels))


def _chunks(size: int, folder: Path) -> Iterator[Chunk]:
    """The chunks in order, a few of them made ahead."""
    waiting: deque[Future[Chunk]] = deque()
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as pool:
        for first_id in range(1, size + 1, CHUNK):
            last_id = min(first_id + CHUNK - 1, size)
            waiting.append(pool.submit(make_chunk, size, first_id, last_id, folder))
            if len(waiting) > 3 * WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _shifted(rows: Rows, counts: "Counter[str]") -> Rows:
    """The same rows with ids that go on where the last chunk ended; events' places in the feed are their ids."""
    by = counts[rows.table]
    counts[rows.table] += rows.count
    offsets = dict.fromkeys(rows.offsets, by)
    if rows.table == Table(IncidentEvent).name:
        offsets["feed_seq"] = by
    return Rows(rows.table, rows.columns, rows.path, rows.count, offsets, rows.uuid_columns)


def _load_people(loaders: list[Loader], folder: Path) -> None:
    for model, lines in people.lines().items():
        _load_lines(loaders, folder, Table(model), lines)


def _load_rows(loaders: list[Loader], folder: Path, model: type[models.Model], rows: list[Any]) -> None:
    table = Table(model)
    _load_lines(loaders, folder, table, [table.line_of(row) for row in rows])


def _load_lines(loaders: list[Loader], folder: Path, table: Table, lines: list[str]) -> None:
    rows = _write(folder, 0, table.name, table.columns, lines, {}, table.uuid_columns)
    for loader in loaders:
        loader.load(rows)


def _tallies(labels: "Counter[str]") -> list[Tally]:
    counts: Counter[Key] = Counter()
    for label, number in labels.items():
        for key in keys_of(label):
            counts[key] += number
    return [
        Tally(pk=pk, dimension=dimension, value=value, count=number)
        for pk, ((dimension, value), number) in enumerate(sorted(counts.items()), 1)
    ]


def _say(text: str) -> None:
    """Progress: one line that is written over on a terminal."""
    end = "\r" if sys.stderr.isatty() else "\n"
    print(text.ljust(78), end=end, file=sys.stderr, flush=True)
