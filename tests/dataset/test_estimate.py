import pytest
from benchmarks.dumps import write_dump as generate

from procqa.config import LEAST_MEMORY_BYTES, BuildConfig, RunConfig, build_config
from procqa.dataset.estimate import estimate_build
from procqa.dataset.request import BuildRequest
from procqa.errors import ConfigError, DumpError
from tests.dataset.builds import ONE, build
from tests.dumps import CONTAINERS, shuffled, threads, to_bytes, write_container, write_dump

TWO = RunConfig(jobs=2)
COUNTED = ("rows", "questions", "answers", "pairs_read", "kept")


def estimate(*dumps, out, config=None, run=ONE, **more):
    request = BuildRequest(dumps=tuple(map(str, dumps)), out=out, config=config or BuildConfig(), run=run, **more)
    return estimate_build(request)


@pytest.fixture(scope="module")
def large_dump(tmp_path_factory):
    """A dump of 6 MB, as the benchmarks generate it."""
    path = tmp_path_factory.mktemp("large") / "Posts.xml"
    generate(path, size_bytes=6_000_000, seed=5)
    return path


@pytest.fixture(scope="module")
def large_estimate(large_dump, tmp_path_factory):
    """What is expected of it by the preset paper."""
    return estimate(large_dump, out=tmp_path_factory.mktemp("out") / "out")


def test_a_small_dump_is_counted_exactly(sample_dump, tmp_path):
    config = build_config({"site": "local", "preset": "strict"})
    found = estimate(sample_dump, out=tmp_path / "out", config=config)
    assert list(tmp_path.iterdir()) == []
    real = build(sample_dump, tmp_path / "out", config=config)
    assert [found[name] for name in COUNTED] == [real[name] for name in COUNTED]
    assert found["languages"] == {name: sum(of.values()) for name, of in real["languages"].items()}
    assert (found["sample"], found["sample_bytes"] <= found["total_bytes"]) == ("whole", True)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_small_dump_is_counted_exactly_in_any_container(tmp_path, container):
    path = write_container(tmp_path, to_bytes(shuffled(threads(30), 1)), container)
    found = estimate(path, out=tmp_path / "out")
    assert [found[name] for name in COUNTED] == [60, 30, 30, 30, 30]
    assert found["languages"] == {"csharp": 10, "go": 10, "python": 10}


def check_within_two(found, dump, real):
    assert (found["sample"], found["total_bytes"]) == ("spread", dump.stat().st_size)
    assert found["sample_bytes"] < 0.5 * found["total_bytes"]
    for name in COUNTED:
        assert real[name] / 2 < found[name] < real[name] * 2, name
    assert real["peak_memory_bytes"] / 2 < found["peak_memory_bytes"]
    assert found["disk_bytes"] > found["scratch_bytes"] > 0
    assert found["seconds"] > 0
    assert found["cpu_seconds"] > 0


def test_a_large_dump_is_told_within_a_factor_of_two(large_dump, large_estimate, tmp_path):
    check_within_two(large_estimate, large_dump, build(large_dump, tmp_path / "out"))


def test_so_it_is_with_the_best_answers_strict_rules_and_redaction(large_dump, tmp_path):
    config = build_config({"answers": "best", "preset": "strict", "redact": True})
    found = estimate(large_dump, out=tmp_path / "out", config=config)
    check_within_two(found, large_dump, build(large_dump, tmp_path / "out", config=config))


def test_several_dumps_add_up(large_dump, large_estimate, tmp_path):
    small = write_dump(tmp_path / "small.xml", threads(30))
    both = estimate(large_dump, small, out=tmp_path / "out")
    for name, more in zip(COUNTED, [60, 30, 30, 30, 30], strict=True):
        assert both[name] == large_estimate[name] + more
    assert both["languages"]["go"] == large_estimate["languages"].get("go", 0) + 10
    assert both["total_bytes"] == large_estimate["total_bytes"] + small.stat().st_size


def test_more_processes_take_more_memory(tmp_path):
    dump = write_dump(tmp_path / "dump.xml", threads(30))
    one, two = (estimate(dump, out=tmp_path / "out", run=run) for run in (ONE, TWO))
    assert (one["jobs"], two["jobs"]) == (1, 2)
    assert two["peak_memory_bytes"] > 1.5 * one["peak_memory_bytes"]
    assert two["cpu_seconds"] > one["cpu_seconds"]


def test_tables_beside_posts_are_counted_in(tmp_path):
    rows = threads(30)
    dump = write_dump(tmp_path / "Posts.xml", rows).parent
    links = '<postlinks>\n  <row Id="1" PostId="1" RelatedPostId="3" LinkTypeId="3" />\n</postlinks>'
    (dump / "PostLinks.xml").write_text(links)
    (dump / "Users.xml").write_text('<users>\n  <row Id="5" DisplayName="Ann" />\n</users>')
    assert estimate(dump, out=tmp_path.parent / "out")["kept"] == 29


def test_tables_beside_a_large_dump_are_counted_in(large_dump, tmp_path):
    users = b"".join(b'  <row Id="%d" DisplayName="user %d" />\n' % (n, n) for n in range(60_000))
    (tmp_path / "Posts.xml").symlink_to(large_dump)
    (tmp_path / "Users.xml").write_bytes(b"<users>\n" + users + b"</users>")
    found = estimate(tmp_path, out=tmp_path.parent / "out")
    assert found["kept"] > 50


def test_a_large_dump_without_a_wanted_pair_promises_none(large_dump, tmp_path):
    found = estimate(large_dump, out=tmp_path / "out", config=BuildConfig(languages=("cobol=cobol",)))
    assert (found["kept"], found["languages"]) == (0, {})
    assert found["questions"] > 500


def test_what_a_build_refuses_is_refused(tmp_path):
    dump = write_dump(tmp_path / "dump.xml", threads(5))
    with pytest.raises(ConfigError, match="standard input"):
        estimate("-", out=tmp_path / "out")
    with pytest.raises(ConfigError, match="a language must be one of"):
        estimate(dump, out=tmp_path / "out", config=BuildConfig(languages=("fortran",)))
    with pytest.raises(DumpError, match="must hold a pair"):
        estimate(dump, out=tmp_path / "out", config=BuildConfig(languages=("ruby",)))
    with pytest.raises(DumpError, match=r"empty\.xml holds none"):
        estimate(write_dump(tmp_path / "empty.xml", []), out=tmp_path / "out")
    with pytest.raises(DumpError, match=r"absent\.xml"):
        estimate(tmp_path / "absent.xml", out=tmp_path / "out")


def test_the_least_memory_is_enough_for_a_trial(tmp_path):
    dump = write_dump(tmp_path / "dump.xml", threads(30))
    run = RunConfig(jobs=1, memory=f"{LEAST_MEMORY_BYTES >> 20}MB")
    assert estimate(dump, out=tmp_path / "out", run=run)["kept"] == 30


def test_workers_whose_share_of_the_memory_is_small_are_tried_all_the_same(tmp_path):
    dump = write_dump(tmp_path / "dump.xml", threads(30))
    assert estimate(dump, out=tmp_path / "out", run=RunConfig(jobs=16, memory="8GB"))["kept"] == 30
