from procqa.dataset.funnel import Tally


def test_tallies_add_up_and_survive_json():
    first, second = Tally(rows=3, questions=2, answers=1), Tally(rows=2, questions=2, repeated=1)
    first.drop("no accepted answer", "python")
    first.drop("no wanted language", None)
    second.drop("no accepted answer", "go")
    second.kept["go"] += 1
    first.add(Tally.from_dict(second.to_dict()))
    assert first.to_dict() == {
        "rows": 5,
        "questions": 4,
        "answers": 1,
        "other": 0,
        "repeated": 1,
        "unreadable": {},
        "kept": {"go": 1},
        "dropped": {"no accepted answer": {"go": 1, "python": 1}, "no wanted language": {"none": 1}},
    }


def test_pairs_read_are_the_questions_whose_answer_was_found():
    tally = Tally(questions=5)
    tally.drop("no accepted answer", "python")
    tally.drop("accepted answer not in the dump", "python")
    tally.drop("accepted answer belongs to another question", "python")
    tally.drop("answer too short", "python")
    assert tally.pairs_read == 2


def test_reasons_stand_in_the_order_in_which_they_are_tried():
    tally = Tally()
    for reason in ("answer too short", "contaminated", "no wanted language", "no accepted answer", "repeated"):
        tally.drop(reason, "go")
    assert list(tally.dropped_by_reason) == [
        "no accepted answer",
        "no wanted language",
        "answer too short",
        "contaminated",
        "repeated",
    ]
