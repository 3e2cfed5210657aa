from procqa.dataset import shuffle
from procqa.dataset.resolve import ResolveTask, merge, resolve_ids

Q, A, W = shuffle.QUESTION, shuffle.ANSWER, shuffle.WANTED


def resolve(tmp_path, keys):
    buckets = [[] for _ in range(shuffle.KEY_BUCKETS)]
    for key in keys:
        buckets[shuffle.bucket_of(key[1], shuffle.KEY_BUCKETS)].append(key)
    path = tmp_path / "block.spill"
    shuffle.write_spill(path, [[] for _ in range(shuffle.ROW_BUCKETS)], buckets)
    tasks = [ResolveTask(bucket, ((0, (path,)),)) for bucket in range(shuffle.KEY_BUCKETS)]
    return merge(map(resolve_ids, tasks))


def test_an_id_in_two_threads_belongs_to_the_latest(tmp_path):
    resolved = resolve(tmp_path, [(A, 7, 1, 100, 5), (A, 7, 2, 200, 5), (A, 8, 1, 100, 5), (A, 8, 1, 200, 6)])
    assert resolved.moved == {(0, 7, 1)}


def test_accepted_ids_that_are_no_answer_of_their_question_are_told_apart(tmp_path):
    keys = [(Q, 1, 1, 0, 0), (Q, 2, 2, 0, 0), (Q, 3, 3, 0, 0), (Q, 4, 4, 0, 0), (A, 5, 1, 0, 0)]
    wanted = [(W, 5, 1, 0, 0), (W, 5, 2, 0, 0), (W, 4, 3, 0, 0), (W, 99, 4, 0, 0)]
    assert resolve(tmp_path, keys + wanted).misplaced == {
        (0, 2, 5): "accepted answer belongs to another question",
        (0, 3, 4): "accepted id is a question",
    }


def test_nothing_to_resolve_is_nothing(tmp_path):
    resolved = resolve(tmp_path, [(W, 5, 1, 0, 0)])
    assert (resolved.moved, resolved.misplaced) == (frozenset(), {})
