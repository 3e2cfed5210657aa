"""Writes small dumps for tests: a row is a dictionary of attributes, or text or bytes that go in as they are."""

import bz2
import gzip
import lzma
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import py7zr

Row = Mapping[str, object]
AnyRow = Row | str | bytes

HEADER = '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n'
FOOTER = "</posts>\n"


def question(number: int, *, accepted: int | None = None, tags: str = "<python>", **more: object) -> dict[str, object]:
    """A question that every rule keeps."""
    row: dict[str, object] = {
        "Id": number,
        "PostTypeId": 1,
        "CreationDate": f"2010-01-01T00:00:{number % 60:02d}.000",
        "Score": 1,
        "ViewCount": 10,
        "Title": f"How do I do thing {number}?",
        "Body": f"<p>I tried this {number}:</p><pre><code>thing({number})\n</code></pre>",
        "Tags": tags,
        "OwnerUserId": 5,
    }
    if accepted is not None:
        row["AcceptedAnswerId"] = accepted
    return row | more


def answer(number: int, parent: int, **more: object) -> dict[str, object]:
    """An answer that every rule keeps."""
    return {
        "Id": number,
        "PostTypeId": 2,
        "ParentId": parent,
        "CreationDate": "2010-01-02T00:00:00.000",
        "Score": 2,
        "Body": f"<p>Use <code>other({number})</code> instead.</p>",
        "OwnerDisplayName": "Ann",
    } | more


def xml_row(row: Row) -> str:
    """A row as a dump writes it: one line, line breaks as references."""
    attributes = " ".join(
        f"{name}={quoteattr(str(value), {chr(10): '&#xA;', chr(9): '&#x9;', chr(13): '&#xD;'})}"
        for name, value in row.items()
        if value is not None
    )
    return f"  <row {attributes} />\n"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a dump is written down around its rows, which changes nothing of what it says."""

    bom: bool = True
    declaration: str = '<?xml version="1.0" encoding="utf-8"?>'
    line_end: str = "\n"
    root: str = "posts"
    comment: str = ""


PLAIN = Layout()
ODD_LAYOUTS = (
    Layout(bom=False, line_end="\r\n"),
    Layout(declaration="", root="anything"),
    Layout(bom=False, comment='<!-- made by hand: <row Id="1" PostTypeId="1" /> -->', root="row-table"),
    Layout(line_end="\r\n", comment="<!-- made - by - hand -->", root="Posts"),
)


def to_bytes(rows: Iterable[AnyRow], layout: Layout = PLAIN) -> bytes:
    """A dump of rows, a comment of the layout before the root, before every third row and at the end."""
    head = [layout.declaration, layout.comment, f"<{layout.root}>"]
    pieces = ["\ufeff".encode() if layout.bom else b"", *((line + "\n").encode() for line in head if line)]
    for number, row in enumerate(rows):
        if layout.comment and number % 3 == 0:
            pieces.append(f"  {layout.comment}\n".encode())
        text = xml_row(row) if isinstance(row, Mapping) else row
        pieces.append(text if isinstance(text, bytes) else text.encode())
    pieces.append(f"</{layout.root}>\n{layout.comment}".encode())
    return b"".join(pieces).replace(b"\n", layout.line_end.encode())


def write_dump(path: Path, rows: Iterable[AnyRow], layout: Layout = PLAIN) -> Path:
    """A dump of rows in a plain file."""
    path.write_bytes(to_bytes(rows, layout))
    return path


CONTAINERS = ("xml", "gz", "bz2", "xz", "7z", "bzip2.7z", "folder")


def write_container(folder: Path, data: bytes, container: str, *, table: str = "Posts") -> Path:
    """A table in one of CONTAINERS; of a folder the folder itself is what to build from."""
    if container == "folder":
        (folder / "folder").mkdir(exist_ok=True)
        (folder / "folder" / f"{table.lower()}.xml").write_bytes(data)
        return folder / "folder"
    path = folder / f"{table}.{container}"
    if container.endswith("7z"):
        method = py7zr.FILTER_BZIP2 if container.startswith("bzip2") else py7zr.FILTER_LZMA2
        with py7zr.SevenZipFile(path, "w", filters=[{"id": method}]) as archive:
            archive.writestr(b"<badges>\n</badges>", "Badges.xml")
            archive.writestr(data, f"{table}.xml")
    else:
        pack = {"xml": bytes, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[container]
        path.write_bytes(pack(data))
    return path


def shuffled(rows: Iterable[AnyRow], seed: int) -> list[AnyRow]:
    """The rows in another order."""
    rows = list(rows)
    random.Random(seed).shuffle(rows)
    return rows


def threads(count: int) -> list[Row]:
    """Questions 1, 3, 5 … each accepted by the answer that follows, in three languages."""
    tags = ("<python><list>", "|c#|linq|", "<go>")
    rows: list[Row] = []
    for number in range(count):
        rows.append(question(2 * number + 1, accepted=2 * number + 2, tags=tags[number % 3]))
        rows.append(answer(2 * number + 2, 2 * number + 1))
    return rows


_DATE = 'CreationDate="2010-01-01T00:00:00.000"'
UNREADABLE: dict[str, bytes] = {
    "not UTF-8": b'  <row Id="901" PostTypeId="2" ParentId="1" Body="caf' + b'\xe9" ' + _DATE.encode() + b" />\n",
    "not well-formed": f'  <row Id="902" PostTypeId="2" ParentId="1" Body="a & b" {_DATE} />\n'.encode(),
    "forbidden character": f'  <row Id="903" PostTypeId="2" ParentId="1" Body="a&#x1F;b" {_DATE} />\n'.encode(),
    "no id": f'  <row PostTypeId="2" ParentId="1" Body="x" {_DATE} />\n'.encode(),
    "no post type": f'  <row Id="905" ParentId="1" Body="x" {_DATE} />\n'.encode(),
    "no body": f'  <row Id="906" PostTypeId="2" ParentId="1" Body="" {_DATE} />\n'.encode(),
    "no parent": f'  <row Id="907" PostTypeId="2" Body="x" {_DATE} />\n'.encode(),
    "no title": f'  <row Id="908" PostTypeId="1" Body="x" {_DATE} />\n'.encode(),
    "no date": b'  <row Id="909" PostTypeId="2" ParentId="1" Body="x" />\n',
    "impossible date": b'  <row Id="910" PostTypeId="2" ParentId="1" Body="x" CreationDate="2010-13-01T00:00:00" />\n',
    "impossible score": f'  <row Id="911" PostTypeId="2" ParentId="1" Body="x" Score="many" {_DATE} />\n'.encode(),
    "impossible id": f'  <row Id="-12" PostTypeId="2" ParentId="1" Body="x" {_DATE} />\n'.encode(),
}
"""A row for each reason why a row is no post, but for the one that asks for 16 MiB."""

_WORDS = (  # noqa: SIM905 - a list of them fills a page
    "the value of this list is not what we expect when our loop reads every line from that file and then it"
    " returns nothing because some index was wrong before you call them with an empty string or a broken path"
).split()
_TAGS = ("<python><list>", "|python-3.x|", "<go>", "|c#|linq|", "<java><sql>", "<sql>", "<c++11>", "")
_SECRETS = ("ann.smith@post-office.org", "AKIAQ7DLW2NFZ4TKXB6M", "")
BENCHMARK_TEXT = "remove every second element from a nested linked list of weights"
"""A text that stands in some threads of ``odd_threads``."""


def _prose(rng: random.Random, n_words: int) -> str:
    return " ".join(rng.choice(_WORDS) for _ in range(n_words))


def _body(rng: random.Random) -> str:
    """A body: mostly prose with code, some too short, not English, or with what must not be passed on."""
    kind = rng.random()
    if kind < 0.05:
        return "<p>no</p>"
    if kind < 0.1:
        return f"<p>Ich habe das Problem, dass meine Schleife nicht über alle Zeilen läuft: {rng.random()}</p>"
    parts = [f"<p>{_prose(rng, rng.randint(15, 40))} {rng.choice(_SECRETS)}</p>"]
    if rng.random() < 0.8:
        parts.append(f"<pre><code>call({rng.randint(0, 999)})\n  &amp;x &lt; {rng.randint(0, 9)}\n</code></pre>")
    if rng.random() < 0.1:
        parts.append(f"<p>How to {BENCHMARK_TEXT}?</p>")
    parts.append(f"<p>{_prose(rng, rng.randint(15, 40))}</p>")
    return "".join(parts)


def _date(rng: random.Random) -> str:
    return (
        f"20{rng.randint(9, 19):02d}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}T10:{rng.randint(0, 59):02d}:00.5"
    )


def _owner(rng: random.Random) -> dict[str, object]:
    kind = rng.random()
    if kind < 0.1:
        return {"OwnerUserId": None, "OwnerDisplayName": None}
    if kind < 0.3:
        return {"OwnerUserId": None, "OwnerDisplayName": f"user{rng.randint(1, 9)}"}
    return {"OwnerUserId": rng.choice((-2, -1, *range(1, 30))), "OwnerDisplayName": None}


Texts = tuple[str, str, str]
"""A title, the body of a question, and that of an answer."""


def _texts(rng: random.Random, known: list[Texts]) -> Texts:
    """New texts, or those of an earlier thread with a word changed."""
    if known and rng.random() < 0.35:
        title, asked, answered = rng.choice(known)
        return title, asked.replace(" expect ", " want "), answered.replace(" broken ", " wrong ")
    known.append((f"Why {_prose(rng, 6)}?", _body(rng), _body(rng)))
    return known[-1]


def odd_threads(seed: int, count: int) -> list[AnyRow]:
    """Threads with every oddity of real dumps; question 10, 20, 30 …, its answers 11, 12 … 21, 22 …"""
    rng = random.Random(seed)
    known: list[Texts] = []
    rows: list[AnyRow] = [question(1, accepted=2), answer(2, 1)]
    for number in range(10, 10 * count + 10, 10):
        rows += _thread(rng, number, known)
    rows += [row for row in UNREADABLE.values() if rng.random() < 0.5]
    fabricated: dict[str, object] = {"Id": 1_000_000_001, "OwnerUserId": -1}
    rows += [question(1, accepted=2) | fabricated] * rng.randint(0, 1)
    rows += [{"Id": number, "PostTypeId": rng.choice((3, 4, 5))} for number in range(5, 9) if rng.random() < 0.5]
    return rows


def _thread(rng: random.Random, number: int, known: list[Texts]) -> Iterable[Row]:
    title, asked, answered = _texts(rng, known)
    n_answers = rng.randint(0, 3)
    ids = range(number + 1, number + 1 + n_answers)
    dangling = (None, 999_999, rng.randrange(10, number + 1, 10), number + 11)
    accepted = rng.choice(ids) if ids and rng.random() < 0.85 else rng.choice(dangling)
    more: dict[str, object] = {"Score": rng.randint(-1, 20), "CreationDate": _date(rng), "Title": title, "Body": asked}
    if rng.random() < 0.1:
        more["ClosedDate"] = _date(rng)
    row = question(number, accepted=accepted, tags=rng.choice(_TAGS)) | more | _owner(rng)
    yield row
    if rng.random() < 0.1:
        yield row | {"Body": _body(rng), "LastActivityDate": rng.choice((None, _date(rng)))}
    for place in ids:
        more = {"Score": rng.randint(-1, 20), "CreationDate": _date(rng), "Body": answered}
        row = answer(place, number) | more | _owner(rng)
        yield row
        if rng.random() < 0.1:  # the same id again, later, of the same time, or in another thread
            moved = {"ParentId": rng.choice((number, 10)), "LastActivityDate": rng.choice((None, _date(rng)))}
            yield row | {"Body": _body(rng)} | moved


def edited(rows: Sequence[AnyRow], seed: int, share: float) -> list[AnyRow]:
    """A newer dump: of so many threads something is edited, added or gone, some are new, all in another order."""
    rng = random.Random(seed)
    asked = {int(str(row["Id"])) for row in rows if isinstance(row, Mapping) and "Title" in row}
    numbers = sorted(number for number in asked if 1 < number < 1_000_000)
    edits = ("body", "answer", "gone", "accepted", "views", "closed")
    chosen = {number: rng.choice(edits) for number in numbers if rng.random() < share}
    newer = [made for row in rows for made in _edit(row, chosen, rng)]
    for number in range(max(numbers) + 10, max(numbers) + 31, 10):
        newer += _thread(rng, number, [])
    return shuffled(newer, seed)


def _edit(row: AnyRow, chosen: Mapping[int, str], rng: random.Random) -> Iterable[AnyRow]:
    """What one row becomes in the newer dump."""
    if not isinstance(row, Mapping) or row.get("PostTypeId") not in (1, 2):
        return [row]
    edit = chosen.get(int(str(row.get("ParentId", row["Id"]))))
    later = {"LastActivityDate": "2020-01-01T00:00:00.000"}
    is_question = row["PostTypeId"] == 1
    match edit:
        case "gone":
            return []
        case "body" if rng.random() < 0.5:
            return [dict(row) | {"Body": _body(rng)} | later]
        case "answer" if is_question:
            number = int(str(row["Id"]))
            return [row, answer(number + 9, number, Body=_body(rng), Score=rng.randint(0, 20))]
        case "accepted" if is_question:
            return [dict(row) | {"AcceptedAnswerId": int(str(row["Id"])) + rng.randint(1, 3)} | later]
        case "views" if is_question:
            return [dict(row) | {"ViewCount": 4_711, "Score": rng.randint(-1, 9)}]
        case "closed" if is_question:
            return [dict(row) | {"ClosedDate": "2019-12-01T00:00:00.000"}]
    return [row]


def users_table(names: Mapping[int, str]) -> bytes:
    """A Users.xml."""
    rows = [{"Id": number, "Reputation": 1, "DisplayName": name} for number, name in names.items()]
    return to_bytes(rows, Layout(root="users"))


def links_table(links: Iterable[tuple[int, int, int]]) -> bytes:
    """A PostLinks.xml of (question, related question, link type); type 3 marks a duplicate."""
    rows = [
        {
            "Id": number,
            "CreationDate": "2012-01-01T00:00:00.000",
            "PostId": one,
            "RelatedPostId": other,
            "LinkTypeId": kind,
        }
        for number, (one, other, kind) in enumerate(links)
    ]
    return to_bytes(rows, Layout(root="postlinks"))


def padded(rows: Sequence[AnyRow], megabytes: int) -> list[AnyRow]:
    """The rows, spread over so many megabytes of wiki pages, so that they fall into several blocks."""
    start = '  <row Id="7" PostTypeId="4" Body="'
    page = start + "wiki " * ((1 << 20) // 5) + '" />\n'
    step = -(-len(rows) // megabytes)
    return [made for place in range(0, len(rows), step) for made in (*rows[place : place + step], page)]
