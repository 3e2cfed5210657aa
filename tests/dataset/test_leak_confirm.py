from procqa.corpora.benchmarks import BenchmarkText
from procqa.dataset.leak_confirm import confirm
from procqa.dataset.leak_kernels import GRAM, NEAR, RUN

TEXTS = [
    BenchmarkText(benchmark="b", item=f"i{n}", text=text)
    for n, text in enumerate(
        [
            "How do I sort a list in place",
            "sort a list in place by the key",
            "one two three four five six seven eight nine ten eleven",
        ]
    )
]


def ask(found, title, question, answer):
    confirmed = confirm(found, TEXTS.__getitem__, {"title": title, "question": question, "answer": answer})
    return confirmed and (confirmed[0].item, *confirmed[1:])


def test_a_candidate_that_no_rule_confirms_is_no_leak():
    assert ask([[RUN, 0, 0], [GRAM, 1, 0], [NEAR, 2, 0]], "sort", "a list", "in place") is None
    assert ask([], "How do I sort a list in place", "", "") is None


def test_the_order_of_the_rules_comes_before_that_of_the_texts():
    found = [[RUN, 0, 0], [RUN, 1, 0]]
    title = "sort a list in place, by the key"
    assert ask(found, title, "How do I sort a list in place ok", "") == ("i1", "exact", TEXTS[1].text, "title", title)
    assert ask(found, "t", "x how do i sort a list in place by the key", "")[:2] == ("i0", "substring")


def test_a_near_duplicate_is_named_with_the_unit_that_is_like_it():
    code = "one two three four five six seven eight nine ten twelve\n"
    leak = ask([[NEAR, 2, 2]], "t", "q", f"so\n\n```\n{code}```\n\nand much more text follows here in other words")
    assert leak == ("i2", "near-duplicate", TEXTS[2].text, "answer code", code)
