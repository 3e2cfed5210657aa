"""The sample dump is what docs/sample.md says, and its answers are true: the programs in them are run.

The file is read here by hand, line by line, and not by procqa: so this page can tell whether the reader
is right, and the reader cannot hide a mistake in the file.
"""

import html
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from procqa.bundled import sample_dump
from procqa.config import BuildConfig, RunConfig
from procqa.dataset.build import build_dataset
from procqa.dataset.request import BuildRequest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "sample.md"

TAGS = {
    "c": "c",
    "c++": "cpp",
    "c++11": "cpp",
    "c#": "csharp",
    "go": "go",
    "java": "java",
    "java-8": "java",
    "javascript": "javascript",
    "lisp": "lisp",
    "common-lisp": "lisp",
    "php": "php",
    "python": "python",
    "python-3.x": "python",
    "ruby": "ruby",
    "rust": "rust",
}

# A program, a paragraph that ends in "prints:" or "Output:", and what the program prints.
PROGRAM = re.compile(
    r"<pre[^>]*><code>(?P<program>(?:(?!</code>).)*)</code></pre>\s*"
    r"<p>(?:[^<]|</?(?:code|em|strong)>)*(?:prints|Output):</p>\s*"
    r"<pre[^>]*><code>(?P<output>(?:(?!</code>).)*)</code></pre>",
    re.DOTALL,
)


class Row(NamedTuple):
    """One line of the file; ``reason`` says why it can be no post."""

    place: int
    raw: bytes
    attributes: dict[str, str]
    reason: str | None

    def number(self, name: str) -> int | None:
        return int(self.attributes[name]) if name in self.attributes else None

    @property
    def id(self) -> int:
        return int(self.attributes["Id"])

    @property
    def kind(self) -> str:
        return {"1": "question", "2": "answer"}.get(self.attributes["PostTypeId"], "other")

    @property
    def tags(self) -> list[str]:
        return re.findall(r"[^<>|]+", self.attributes.get("Tags", ""))


class Sample(NamedTuple):
    """The whole file, with repeated ids resolved.

    ``rows`` are all lines in their order, ``posts`` the readable questions and answers by id.
    """

    rows: list[Row]
    posts: dict[int, Row]
    repeated: list[Row]

    def questions(self) -> list[Row]:
        return [row for row in self.posts.values() if row.kind == "question"]

    def answers(self) -> list[Row]:
        return [row for row in self.posts.values() if row.kind == "answer"]


def why_unreadable(raw: bytes, attributes: Mapping[str, str]) -> str | None:
    """The reason why a row can be no post, in the words of the build; None if it can."""
    references = [int(x, 16) if x else int(d) for x, d in re.findall(rb"&#(?:x([0-9A-Fa-f]+)|([0-9]+));", raw)]
    if any(code < 32 and code not in (9, 10, 13) for code in references):
        return "forbidden character"
    for name, reason in (("Id", "no id"), ("Body", "no body")):
        if name not in attributes:
            return reason
    try:
        datetime.fromisoformat(attributes["CreationDate"])
    except ValueError:
        return "impossible date"
    return None if re.fullmatch(r"-?\d+", attributes["Score"]) else "impossible score"


def read_line(place: int, raw: bytes) -> Row:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
        reason: str | None = "not UTF-8"
    else:
        reason = None
    attributes = {name: html.unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', text)}
    return Row(place, raw, attributes, reason or why_unreadable(raw, attributes))


def read_sample() -> Sample:
    lines = [line for line in sample_dump().read_bytes().split(b"\r\n") if line.startswith(b"  <row ")]
    rows = [read_line(place, raw) for place, raw in enumerate(lines)]
    posts: dict[int, Row] = {}
    repeated = []
    for row in rows:
        if row.reason or row.kind == "other":
            continue
        rival = posts.get(row.id)
        if rival is None or row.attributes["LastActivityDate"] > rival.attributes["LastActivityDate"]:
            posts[row.id] = row
        if rival is not None:
            repeated.append(min(row, rival, key=lambda r: r.attributes["LastActivityDate"]))
    return Sample(rows, posts, repeated)


SAMPLE = read_sample()


def rough_text(body: str) -> str:
    """A body without its tags; near enough to tell very short and very long ones from the rest."""
    return html.unescape(re.sub(r"<[^>]+>", "", body)).strip()


def language_of(question: Row) -> str | None:
    return next((TAGS[tag] for tag in question.tags if tag in TAGS), None)


def dropped_for(question: Row) -> str | None:
    """Why a question is no pair under the paper's preset, or None; the first reason of the funnel."""
    accepted = question.number("AcceptedAnswerId")
    answer = SAMPLE.posts.get(accepted) if accepted is not None else None
    body = rough_text(question.attributes["Body"])
    reply = rough_text(answer.attributes["Body"]) if answer else ""
    n_question = len(question.attributes["Title"]) + len(body)
    checks = (
        (accepted is None, "no accepted answer"),
        (answer is None, "accepted answer not in the dump"),
        (answer and answer.kind == "answer" and answer.number("ParentId") != question.id, OTHERS),
        (answer and answer.kind == "question", "accepted id is a question"),
        (language_of(question) is None, "no wanted language"),
        (n_question < 20, "question too short"),
        (n_question > 30_000, "question too long"),
        (len(reply) < 10, "answer too short"),
        (len(reply) > 30_000, "answer too long"),
    )
    return next((reason for applies, reason in checks if applies), None)


OTHERS = "accepted answer belongs to another question"


def pairs() -> list[tuple[str, Row, Row]]:
    """Language, question and accepted answer of every pair that a build keeps."""
    return [
        (str(language_of(q)), q, SAMPLE.posts[int(q.attributes["AcceptedAnswerId"])])
        for q in SAMPLE.questions()
        if dropped_for(q) is None
    ]


def programs_of(answer: Row) -> list[tuple[str, str]]:
    """The (program, stated output) pairs of a post."""
    found = PROGRAM.finditer(answer.attributes["Body"])
    return [(html.unescape(match["program"]), html.unescape(match["output"])) for match in found]


def table(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading of the page, without its head."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in row] for row in rows[1:]]


# The oddities


def ids(rows: Iterable[Row]) -> list[str]:
    return sorted((row.attributes.get("Id", "none") for row in rows), key=lambda text: (len(text), text))


def unreadable_for(reason: str) -> list[str]:
    return ids(row for row in SAMPLE.rows if row.reason == reason)


def dropped_because(reason: str) -> list[str]:
    return ids(question for question in SAMPLE.questions() if dropped_for(question) == reason)


def readable() -> list[Row]:
    return [row for row in SAMPLE.rows if row.reason is None]


def stands_before_its_question(answer: Row) -> bool:
    question = SAMPLE.posts.get(int(answer.attributes["ParentId"]))
    return question is not None and answer.place < question.place


def is_question(number: int | None) -> bool:
    return number in SAMPLE.posts and SAMPLE.posts[number].kind == "question"


ODDITIES: dict[str, Callable[[], list[str]]] = {
    **{
        reason: lambda reason=reason: dropped_because(reason)
        for reason in (
            "no accepted answer",
            "accepted answer not in the dump",
            OTHERS,
            "accepted id is a question",
            "no wanted language",
            "question too short",
            "question too long",
            "answer too short",
            "answer too long",
        )
    },
    **{
        reason: lambda reason=reason: unreadable_for(reason)
        for reason in ("forbidden character", "not UTF-8", "no id", "no body", "impossible date", "impossible score")
    },
    "question not in the dump": lambda: ids(a for a in SAMPLE.answers() if not is_question(a.number("ParentId"))),
    "answer before its question": lambda: ids(filter(stands_before_its_question, SAMPLE.answers())),
    "other post type": lambda: ids(row for row in readable() if row.kind == "other"),
    "repeated id": lambda: ids(SAMPLE.repeated),
    "no tags": lambda: ids(q for q in SAMPLE.questions() if not q.tags),
    "tags with bars": lambda: ids(row for row in readable() if row.attributes.get("Tags", "").startswith("|")),
    "numeric references": lambda: ids(
        row for row in readable() if re.search(rb"&#(?!xA;|x9;|xD;|x1F;)x?[0-9A-F]+;", row.raw)
    ),
    "letters as UTF-8": lambda: ids(row for row in readable() if not row.raw.isascii()),
    "no licence": lambda: ids(row for row in readable() if "ContentLicense" not in row.attributes),
    "no author": lambda: ids(
        row for row in readable() if not {"OwnerUserId", "OwnerDisplayName"} & set(row.attributes)
    ),
    "author by number only": lambda: ids(
        row
        for row in SAMPLE.posts.values()
        if "OwnerUserId" in row.attributes and "OwnerDisplayName" not in row.attributes
    ),
    "author by name only": lambda: ids(
        row
        for row in SAMPLE.posts.values()
        if "OwnerDisplayName" in row.attributes and "OwnerUserId" not in row.attributes
    ),
    "attributes in another order": lambda: ids(row for row in readable() if not row.raw.startswith(b'  <row Id="')),
}


def test_each_oddity_of_the_page_stands_in_these_rows_of_the_file():
    stated = {kind: rows for kind, rows, *_ in table("Oddities")}
    assert set(stated) == set(ODDITIES)
    for kind, rows in stated.items():
        found = ODDITIES[kind]()
        assert rows in (", ".join(found), f"{len(found)} rows"), kind


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("no accepted answer", 5),
        ("accepted answer not in the dump", 3),
        ("answer before its question", 10),
        ("question not in the dump", 3),
        ("other post type", 5),
        ("no wanted language", 6),
        ("tags with bars", 10),
        ("numeric references", 3),
        ("no author", 5),
    ],
)
def test_an_oddity_is_there_often_enough_to_be_met(kind, least):
    assert len(ODDITIES[kind]()) >= least


# The file and its counts


def test_the_file_has_the_layout_of_a_dump():
    lines = sample_dump().read_bytes().split(b"\r\n")
    assert lines[0] == b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>'
    assert lines[1].startswith(b"<!--")
    assert lines[2] == b"<posts>"
    assert lines[-2:] == [b"</posts>", b""]
    assert all(line.startswith(b"  <row ") and line.endswith(b" />") and b"\n" not in line for line in lines[3:-2])


def counts() -> dict[str, int]:
    return {
        "rows": len(SAMPLE.rows),
        "questions": len(SAMPLE.questions()),
        "answers": len(SAMPLE.answers()),
        "other": sum(row.reason is None and row.kind == "other" for row in SAMPLE.rows),
        "unreadable": sum(row.reason is not None for row in SAMPLE.rows),
        "repeated": len(SAMPLE.repeated),
        "kept": len(pairs()),
    }


def test_the_counts_of_the_page_are_those_of_the_file():
    assert {name: int(number) for name, number in table("Counts")} == counts()


def test_the_pairs_per_language_of_the_page_are_those_of_the_file():
    per_language = Counter(language for language, _, _ in pairs())
    assert {language: int(number) for language, number, *_ in table("Pairs")} == per_language
    assert min(per_language.values()) >= 12
    assert len(per_language) == 11


def test_a_build_reads_the_file_as_this_page_does(tmp_path):
    request = BuildRequest(
        dumps=(str(sample_dump()),), out=tmp_path / "out", config=BuildConfig(site="local"), run=RunConfig(jobs=1)
    )
    summary = build_dataset(request)
    assert {name: summary[name] for name in counts()} == counts()
    assert summary["dropped"] == Counter(filter(None, map(dropped_for, SAMPLE.questions())))
    per_language = {language: sum(parts.values()) for language, parts in summary["languages"].items()}
    assert per_language == Counter(language for language, _, _ in pairs())


def test_no_question_is_asked_in_more_than_three_languages():
    titles = [question.attributes["Title"] for question in SAMPLE.questions()]
    assert len(set(titles)) == len(titles)
    for topic, numbers in table("Questions asked in several languages"):
        languages = [language_of(SAMPLE.posts[int(number)]) for number in numbers.split(", ")]
        assert 2 <= len(set(languages)) == len(languages) <= 3, topic


def test_the_pairs_are_asked_over_all_years_of_the_site():
    years = {question.attributes["CreationDate"][:4] for _, question, _ in pairs()}
    assert years == {str(year) for year in range(2009, 2025)}


def test_many_questions_quote_code_or_an_error_message():
    with_code = [q for _, q, _ in pairs() if "<pre" in q.attributes["Body"]]
    with_error = [
        q for _, q, _ in pairs() if re.search("(?i)error|exception|warning|panic", rough_text(q.attributes["Body"]))
    ]
    assert len(with_code) > 0.9 * len(pairs())
    assert len(with_error) > 0.4 * len(pairs())


# The programs


def run(command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    settings = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONUTF8": "1", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def succeed(command: Sequence[str | Path], folder: Path) -> None:
    done = run(command, folder)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def interpreted(suffix: str, *command: str) -> Callable[[list[str], Path], list[list[str]]]:
    """A preparation that writes each program into a file and hands it to an interpreter."""

    def prepare(programs: list[str], folder: Path) -> list[list[str]]:
        for number, program in enumerate(programs):
            (folder / f"p{number}{suffix}").write_text(program, encoding="utf-8")
        return [[*command, f"p{number}{suffix}"] for number in range(len(programs))]

    return prepare


def compiled(suffix: str, *command: str, before: tuple[str, ...] = ()) -> Callable[[list[str], Path], list[list[str]]]:
    """A preparation that compiles each program on its own: ``{}`` in the command is its stem."""

    def prepare(programs: list[str], folder: Path) -> list[list[str]]:
        for number, program in enumerate(programs):
            (folder / f"p{number}{suffix}").write_text(program, encoding="utf-8")
            succeed([word.format(f"p{number}") for word in command], folder)
        return [[*before, str(folder / f"p{number}.exe")] for number in range(len(programs))]

    return prepare


def prepare_java(programs: list[str], folder: Path) -> list[list[str]]:
    """One compilation for all programs; no two of them have a class of the same name."""
    names = [re.findall(r"^public class (\w+)", program, re.MULTILINE)[0] for program in programs]
    for name, program in zip(names, programs, strict=True):
        (folder / f"{name}.java").write_text(program, encoding="utf-8")
    succeed(["javac", "-encoding", "UTF-8", "-proc:none", *(f"{name}.java" for name in names)], folder)
    return [["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", ".", name] for name in names]


def prepare_go(programs: list[str], folder: Path) -> list[list[str]]:
    """One build for all programs, each a command of one module."""
    (folder / "go.mod").write_text("module sample\n\ngo 1.18\n", encoding="utf-8")
    (folder / "bin").mkdir()
    for number, program in enumerate(programs):
        (folder / f"p{number}").mkdir()
        (folder / f"p{number}" / "main.go").write_text(program, encoding="utf-8")
    succeed(["go", "build", "-o", "bin/", "./..."], folder)
    return [[str(folder / "bin" / f"p{number}")] for number in range(len(programs))]


class Runner(NamedTuple):
    """How a language is run: the tools it needs, and what turns programs into commands."""

    tools: tuple[str, ...]
    prepare: Callable[[list[str], Path], list[list[str]]]


RUNNERS = {
    "c": Runner(("gcc",), compiled(".c", "gcc", "-std=gnu11", "-pthread", "{}.c", "-o", "{}.exe")),
    "cpp": Runner(("g++",), compiled(".cpp", "g++", "-std=c++17", "-pthread", "-w", "{}.cpp", "-o", "{}.exe")),
    "csharp": Runner(("mcs", "mono"), compiled(".cs", "mcs", "-out:{}.exe", "{}.cs", before=("mono",))),
    "go": Runner(("go",), prepare_go),
    "java": Runner(("javac", "java"), prepare_java),
    "javascript": Runner(("node",), interpreted(".js", "node")),
    "lisp": Runner(("sbcl",), interpreted(".lisp", "sbcl", "--script")),
    "php": Runner(("php",), interpreted(".php", "php")),
    "python": Runner((), interpreted(".py", sys.executable)),
    "ruby": Runner(("ruby",), interpreted(".rb", "ruby")),
    "rust": Runner(("rustc",), compiled(".rs", "rustc", "--edition", "2021", "{}.rs", "-o", "{}.exe")),
}


def test_every_accepted_answer_holds_a_program_and_states_what_it_prints():
    without = [answer.id for _, _, answer in pairs() if not programs_of(answer)]
    assert without == []


@pytest.mark.parametrize("language", sorted(RUNNERS))
def test_the_programs_print_what_the_answers_say(language, tmp_path):
    runner = RUNNERS[language]
    missing = [tool for tool in runner.tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"the {language} answers need {' and '.join(missing)}, not on this machine")
    posts = [(answer, *found) for name, _, answer in pairs() if name == language for found in programs_of(answer)]
    commands = runner.prepare([program for _, program, _ in posts], tmp_path)
    for (answer, _, output), command in zip(posts, commands, strict=True):
        done = run(command, tmp_path)
        assert (done.returncode, done.stdout.rstrip()) == (0, output.rstrip()), f"answer {answer.id}: {done.stderr}"


def test_the_page_names_the_tools_that_run_each_language():
    stated = {language: tools for language, _, tools, *_ in table("Pairs")}
    assert stated == {language: " and ".join(runner.tools) or "python" for language, runner in RUNNERS.items()}
