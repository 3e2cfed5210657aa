"""What rankers are given."""

from procqa.evaluation.rankers import Pool


def test_a_pool_is_known_by_its_ids_and_texts():
    assert Pool(["a"], ["b"]).digest == Pool(("a",), ("b",)).digest
    assert len({Pool(["a"], ["b"]).digest, Pool(["ab"], [""]).digest, Pool(["a", "b"], ["", ""]).digest}) == 3
