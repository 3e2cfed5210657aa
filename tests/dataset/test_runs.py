import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from procqa.dataset.collect import to_pair
from procqa.dataset.runs import OrderedPair, plan_parts, to_row, write_part, write_run
from procqa.dataset.schema import SCHEMA
from procqa.dataset.split import time_cuts
from procqa.dump.rows import to_post
from tests.dumps import answer, question, xml_row


def pair(number, language="python"):
    posts = [to_post(xml_row(row).strip().encode(), site="local") for row in (question(number), answer(number, number))]
    return OrderedPair(to_pair(*posts, language), posts[0].created_ms // 20_000, 0)


def test_a_row_has_every_column_and_counts_its_code():
    row = to_row(pair(7).pair)
    assert sorted(row) == sorted(SCHEMA.names)
    assert row["question_code_chars"] + row["question_text_chars"] <= len(row["question"])
    assert row["question_code_chars"] >= len("thing(7)")
    assert row["duplicate_cluster"] is None


@given(st.lists(st.lists(st.integers(1, 10_000), max_size=40), min_size=1, max_size=5), st.integers(1, 9))
def test_however_pairs_are_spread_over_runs_the_parts_are_the_sorted_rows(tmp_path_factory, spread, part_rows):
    folder = tmp_path_factory.mktemp("runs")
    seen: set[int] = set()
    runs = []
    for place, numbers in enumerate(spread):
        fresh = [number for number in dict.fromkeys(numbers) if number not in seen]
        seen.update(fresh)
        runs.append(folder / f"{place}.arrow")
        write_run(runs[-1], [pair(number, ("go", "python")[number % 2]) for number in fresh])
    stats = [write_part(part) for part in plan_parts(folder, runs, time_cuts, part_rows=part_rows)]
    for language, rest in (("go", 0), ("python", 1)):
        parts = [
            path
            for split in ("train", "validation", "test")
            for path in sorted(folder.glob(f"data/{language}/{split}-*"))
        ]
        numbers = [number for path in parts for number in pq.read_table(path)["question_id"].to_pylist()]
        ordered = sorted((number for number in seen if number % 2 == rest), key=lambda number: pair(number).key[:2])
        assert numbers == ordered
        assert all(pq.read_metadata(path).num_rows <= part_rows for path in parts)
    assert sum(part.rows for part in stats) == len(seen)
