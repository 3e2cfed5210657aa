"""The laws that every dataset keeps, over generated dumps with every oddity of real ones."""

import json
import subprocess
import sys
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.config import RunConfig
from procqa.dataset.build import build_dataset
from procqa.dataset.request import BuildRequest
from procqa.dataset.schema import SPLITS, read_rows
from procqa.errors import DumpError
from tests.dataset.builds import LITTLE, ONE, RECIPES, build, on_stackoverflow, promised
from tests.dumps import (
    BENCHMARK_TEXT,
    CONTAINERS,
    ODD_LAYOUTS,
    PLAIN,
    UNREADABLE,
    answer,
    links_table,
    odd_threads,
    padded,
    question,
    shuffled,
    to_bytes,
    users_table,
    write_container,
    write_dump,
)

VOLATILE = ("seconds", "peak_memory_bytes", "out")
DATES = [None, "2011-01-01T00:00:00.000", "2012-01-01T00:00:00.000"]
recipes = st.sampled_from(sorted(RECIPES))

rows_of_any_kind = st.lists(
    st.one_of(
        st.builds(
            question,
            st.integers(1, 12) | st.sampled_from([1_000_000_001, 1_000_000_010]),
            accepted=st.none() | st.integers(1, 20),
            tags=st.sampled_from(["<python>", "|go|c|", "<sql>", ""]),
            Body=st.sampled_from(["<p>A body that is long enough to be kept.</p>", "", "<pre>x</pre>"]),
            LastActivityDate=st.sampled_from(DATES),
            OwnerUserId=st.sampled_from([None, -1, 5]),
        ),
        st.builds(
            answer,
            st.integers(1, 20) | st.sampled_from([1_000_000_001, 1_000_000_010]),
            st.integers(1, 12),
            Body=st.sampled_from(["<p>Long enough an answer.</p>", "no"]),
            LastActivityDate=st.sampled_from(DATES),
            Score=st.sampled_from([1, "x"]),
            OwnerUserId=st.sampled_from([None, -2, -1, 7]),
        ),
        st.builds(lambda number: {"Id": number, "PostTypeId": 4}, st.integers(1, 20)),
        st.sampled_from(sorted(UNREADABLE.values())),
        st.just("  <!-- <row in a comment> -->\n"),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=10)
@given(rows_of_any_kind, st.integers(0, 5), recipes, st.sampled_from(ODD_LAYOUTS))
def test_nothing_vanishes_and_order_does_not_matter(tmp_path_factory, rows, seed, recipe, layout):
    folder, config = tmp_path_factory.mktemp("law"), RECIPES[recipe]
    rows = [*rows, question(1_001, accepted=1_002), answer(1_002, 1_001)]
    write_dump(folder / "a.xml", rows)
    write_dump(folder / "b.xml", shuffled(rows, seed), layout)
    one, two = (build(folder / f"{name}.xml", folder / name, config=config) for name in "ab")
    n_rows = sum(not (isinstance(row, str) and "comment" in row) for row in rows)
    assert (
        n_rows == one["rows"] == sum(one[name] for name in ("questions", "answers", "other", "unreadable", "repeated"))
    )
    assert one["questions"] == one["kept"] + sum(one["dropped"].values())
    assert one["kept"] == len(list(read_rows(folder / "a"))) == sum(sum(n.values()) for n in one["languages"].values())
    assert all(one[name] == two[name] for name in one if name not in VOLATILE)
    assert promised(folder / "a") == promised(folder / "b")


@settings(max_examples=10)
@given(
    st.integers(0, 1_000),
    st.integers(1, 60),
    recipes,
    st.sampled_from([PLAIN, *ODD_LAYOUTS]),
    st.sampled_from(CONTAINERS),
    st.sampled_from([RunConfig(jobs=1, memory=LITTLE[1]), RunConfig(jobs=2, executor="inline"), RunConfig(jobs=1)]),
)
def test_container_order_and_memory_do_not_change_a_byte(tmp_path_factory, seed, count, recipe, layout, container, run):
    folder, config = tmp_path_factory.mktemp("law"), on_stackoverflow(RECIPES[recipe])
    rows = odd_threads(seed, count)
    dump = write_dump(folder / "a.xml", rows)
    other = write_container(folder, to_bytes(padded(shuffled(rows, seed), 5), layout), container)
    one = build(dump, folder / "a", config=config)
    build(other, folder / "b", config=config, run=run)
    funnels = [json.loads((folder / name / "funnel.json").read_text()) for name in "ab"]
    pages = funnels[1]["rows"] - funnels[0]["rows"]
    assert funnels[1] == funnels[0] | {"rows": funnels[0]["rows"] + pages, "other": funnels[0]["other"] + pages}
    first, second = (
        {path: sha256 for path, sha256 in promised(folder / name).items() if path != "funnel.json"} for name in "ab"
    )
    assert first == second
    assert_nothing_is_parted(folder / "a", by_author=config.split == "author", n_rows=one["kept"])


def assert_nothing_is_parted(out, *, by_author, n_rows):
    """No thread, cluster or, where they are asked for, asker stands in two splits."""
    splits_of = defaultdict(set)
    seen = 0
    for split in SPLITS:
        for row in read_rows(out, split=split):
            seen += 1
            splits_of["thread", row["site"], row["question_id"]].add(split)
            if row["duplicate_cluster"] is not None:
                splits_of["cluster", row["duplicate_cluster"]].add(split)
            if by_author and row["question_author_url"] is not None:
                splits_of["asker", row["question_author_url"]].add(split)
    assert seen == n_rows
    assert {len(splits) for splits in splits_of.values()} == {1}


def test_a_dump_with_every_oddity_has_clusters_askers_and_reasons_of_every_kind(tmp_path):
    # What the laws above are worth: the generated dumps do hold what is promised of them.
    write_dump(tmp_path / "dump.xml", odd_threads(5, 400))
    summary = build(tmp_path / "dump.xml", tmp_path / "out", config=RECIPES["strict"])
    assert set(summary["dropped"]) >= {
        "no accepted answer",
        "accepted answer not in the dump",
        "accepted answer belongs to another question",
        "accepted id is a question",
        "no wanted language",
        "answer by the Answer Bot",
        "closed",
        "question score too low",
        "answer score too low",
        "answer too short",
        "no code",
        "not English",
    }
    assert summary["repeated"] > 10
    assert summary["unreadable"] > 3
    proof = json.loads((tmp_path / "out/splits.json").read_text())
    assert sum(proof["clusters"][split] for split in SPLITS) > 3
    assert proof["clusters"]["in_several"] == proof["threads"]["in_several"] == 0


def test_a_hash_split_keeps_every_question_where_it_was_when_the_dump_grows(tmp_path):
    rows = odd_threads(5, 60)
    write_dump(tmp_path / "old.xml", rows)
    write_dump(tmp_path / "new.xml", [*rows, *(row for n in range(5_001, 5_101, 2) for row in thread(n))])
    places = []
    for name in ("old", "new"):
        build(tmp_path / f"{name}.xml", tmp_path / name, config=RECIPES["hash"])
        places.append(
            {row["question_id"]: split for split in SPLITS for row in read_rows(tmp_path / name, split=split)}
        )
    assert places[0].items() < places[1].items()


def thread(number):
    return question(number, accepted=number + 1), answer(number + 1, number)


def test_every_unreadable_row_is_counted_with_its_reason_and_place(tmp_path):
    bad = {**UNREADABLE, "16 MiB or longer": f'  <row Id="913" PostTypeId="2" Body="{"x" * (17 << 20)}" />\n'.encode()}
    rows = [*thread(1), *bad.values(), *thread(3)]
    dump = write_dump(tmp_path / "dump.xml", rows)
    summary = build(dump, tmp_path / "out", rejects=tmp_path / "rejects.jsonl")
    assert (summary["rows"], summary["unreadable"], summary["kept"]) == (len(bad) + 4, len(bad), 2)
    assert json.loads((tmp_path / "out/funnel.json").read_text())["unreadable"] == dict.fromkeys(sorted(bad), 1)
    raw = dump.read_bytes()
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert [reject["reason"] for reject in rejects] == list(bad)
    for reject in rejects:
        row = bad[reject["reason"]].strip()
        assert raw[reject["offset"] :][: len(row)] == row


@settings(max_examples=15)
@given(st.floats(0, 1, exclude_max=True), st.sampled_from(["xml", "gz", "7z"]))
def test_a_dump_that_is_cut_off_is_one_sentence_and_leaves_nothing(tmp_path_factory, share, container):
    folder = tmp_path_factory.mktemp("law")
    dump = write_container(folder, to_bytes(odd_threads(1, 20)).rstrip(), container)
    whole = dump.read_bytes()
    dump.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DumpError) as caught:
        build(dump, folder / "out")
    assert "\n" not in str(caught.value)
    assert [path.name for path in folder.iterdir()] == [dump.name]


@settings(max_examples=6)
@given(st.integers(1, 13), st.sampled_from(["paper", "author-strict"]))
def test_wherever_ctrl_c_falls_the_folder_is_absent_and_the_same_command_completes_it(
    tmp_path_factory, interrupted_at, recipe
):
    folder = tmp_path_factory.mktemp("law")
    dump = write_dump(folder / "dump.xml", odd_threads(1, 40))
    calls = 0

    def interrupt(stage, done):
        nonlocal calls
        calls += 1
        if calls == interrupted_at:
            raise KeyboardInterrupt

    request = BuildRequest(dumps=(str(dump),), out=folder / "out", config=RECIPES[recipe], run=ONE)
    try:
        build_dataset(request, interrupt)
    except KeyboardInterrupt:
        assert sorted(path.name for path in folder.iterdir()) == [".out.partial", "dump.xml"]
        build_dataset(request)
    build(dump, folder / "whole", config=RECIPES[recipe])
    assert promised(folder / "out") == promised(folder / "whole")
    assert not (folder / ".out.partial").exists()


def test_what_was_built_at_the_same_place_before_does_not_matter(tmp_path):
    (tmp_path / "none.txt").write_text("a text of a benchmark that stands in no pair whatever\n")
    (tmp_path / "some.txt").write_text(BENCHMARK_TEXT + "\n")
    for seed, benchmark in ((1, "none.txt"), (2, "some.txt"), (2, "none.txt")):
        folder = tmp_path / f"dump-{seed}"
        folder.mkdir(exist_ok=True)
        write_dump(folder / "Posts.xml", odd_threads(seed, 60))
        (folder / "Users.xml").write_bytes(users_table({number: f"Name {number + seed}" for number in range(1, 30)}))
        (folder / "PostLinks.xml").write_bytes(links_table([(10 * number, 20, 3) for number in range(seed, 60, 5)]))
        options = {"config": RECIPES["strict"], "benchmarks": (tmp_path / benchmark,)}
        for name, force in ((f"alone-{seed}-{benchmark}", False), ("again", True)):
            build(folder, tmp_path / name, force=force, **options)
        assert promised(tmp_path / "again") == promised(tmp_path / f"alone-{seed}-{benchmark}")


def test_memory_stays_below_its_setting_however_large_the_dump(tmp_path):
    long = "".join(f"<p>Line {n} of a long answer that says the same again and again.</p>" for n in range(300))
    rows = [
        row | {"Body": long}
        for number in range(1, 3_000, 2)
        for row in (question(number, accepted=number + 1), answer(number + 1, number))
    ]
    dump = write_dump(tmp_path / "dump.xml", rows)
    assert dump.stat().st_size > 60 << 20
    command = [sys.executable, "-m", "procqa", "build", dump, "--out", tmp_path / "out", "--jobs", "1", "--json"]
    # A shell between this process and the command: a child begins with the peak of the process that starts it.
    shell = ["sh", "-c", '"$@"; exit $?', "sh", *map(str, command), "--memory", "400MB"]
    summary = json.loads(subprocess.run(shell, capture_output=True, text=True, timeout=120, check=True).stdout)
    assert summary["kept"] == 1_500
    assert summary["peak_memory_bytes"] <= 400 << 20
