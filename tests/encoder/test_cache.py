import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.encoder.cache import CachedEncoder, VectorCache, open_cached, settings_sha256, text_digest
from procqa.encoder.encode import TEXTS_AT_ONCE
from procqa.encoder.model import open_encoder
from procqa.errors import ArtifactError


class Lengths:
    """An encoder whose vectors tell the length of a text and the side it was taken for; keeps what it was asked."""

    name, revision, dimensions, max_tokens = "lengths", "abc", 2, 128
    arithmetic, fusion_weight = "whole numbers", 0.5

    def __init__(self):
        self.asked = []

    def encode_queries(self, texts):
        self.asked.append(list(texts))
        return np.array([[len(text), 1] for text in texts], dtype=np.float32).reshape(-1, 2)

    def encode_documents(self, texts):
        return self.encode_queries(texts) * np.array([1, 0], dtype=np.float32)


def cached(folder: Path, encoder: Lengths | None = None) -> CachedEncoder:
    return CachedEncoder(encoder or Lengths(), folder, {})


def texts_of(digests: Path) -> int:
    return digests.stat().st_size // 16


def test_a_text_is_encoded_once_whatever_process_asks(tmp_path: Path):
    one, other = Lengths(), Lengths()
    with cached(tmp_path, one) as first:
        assert first.encode_queries(["abc", "a", "abc"]).tolist() == [[3, 1], [1, 1], [3, 1]]
        assert first.encode_queries(["a", "abcd"]).tolist() == [[1, 1], [4, 1]]
        assert one.asked == [["abc", "a"], ["abcd"]]
    with cached(tmp_path, other) as second:
        assert second.encode_queries(["abcd", "abc"]).tolist() == [[4, 1], [3, 1]]
        assert other.asked == []
        assert second.encode_queries([]).shape == (0, 2)


@pytest.mark.parametrize(
    "change", [{"revision": "abd"}, {"max_tokens": 64}, {"dimensions": 2, "settings": "another tokenizer"}]
)
def test_another_encoder_setting_or_side_has_vectors_of_its_own(change, tmp_path: Path):
    with cached(tmp_path) as first:
        first.encode_queries(["abc"])
        assert first.encode_documents(["abc"]).tolist() == [[3, 0]]
    encoder = Lengths()
    settings = {"settings": change["settings"]} if "settings" in change else {}
    for name, value in change.items():
        if name != "settings":
            setattr(encoder, name, value)
    with CachedEncoder(encoder, tmp_path, settings) as other:
        other.encode_queries(["abc"])
        assert encoder.asked == [["abc"]]
        assert (other.name, other.revision, other.dimensions) == ("lengths", encoder.revision, 2)
        assert other.max_tokens == encoder.max_tokens


def test_a_query_that_was_encoded_before_is_no_document(tmp_path: Path):
    with cached(tmp_path) as first:
        assert first.encode_queries(["abc"]).tolist() == [[3, 1]]
    with cached(tmp_path) as again:
        assert again.encode_documents(["abc"]).tolist() == [[3, 0]]


def test_as_many_texts_as_a_kill_may_cost_are_encoded_at_a_time(tmp_path: Path):
    lengths = Lengths()
    with cached(tmp_path, lengths) as encoder:
        encoder.encode_documents([str(number) for number in range(TEXTS_AT_ONCE + 5)])
        assert [len(asked) for asked in lengths.asked] == [TEXTS_AT_ONCE, 5]


@pytest.mark.parametrize("digest_bytes", [0, 1, 15, 16, 17, 31])
@pytest.mark.parametrize("vector_bytes", [0, 3, 8, 11])
def test_what_a_kill_cut_short_is_not_there_and_the_rest_is(digest_bytes: int, vector_bytes: int, tmp_path: Path):
    key = {"revision": "abc"}
    cache = VectorCache(tmp_path, key, dimensions=2)
    cache.add([text_digest("a"), text_digest("b")], np.array([[1, 2], [3, 4]], dtype=np.float32))
    cache.close()
    (digests,) = tmp_path.glob("*/0000.digests")
    for path, size in ((digests, digest_bytes), (digests.with_suffix(".vectors"), vector_bytes)):
        os.truncate(path, size)
    n_whole = min(digest_bytes // 16, vector_bytes // 8)
    cache = VectorCache(tmp_path, key, dimensions=2)
    assert len(cache) == n_whole
    assert cache.find([text_digest("a")])[1].tolist() == [n_whole > 0]
    cache.add([text_digest("c")], np.array([[5, 6]], dtype=np.float32))
    cache.close()
    again = VectorCache(tmp_path, key, dimensions=2)
    vectors, is_there = again.find([text_digest(text) for text in "abc"])
    assert is_there.tolist() == [n_whole > 0, False, True]
    assert vectors.tolist() == [[1, 2] if n_whole else [0, 0], [0, 0], [5, 6]]
    assert [path.name for path in sorted(digests.parent.glob("*.digests"))] == ["0000.digests"]


def test_two_at_once_add_to_files_of_their_own_and_later_ones_read_both(tmp_path: Path):
    with cached(tmp_path) as one, cached(tmp_path) as other:
        one.encode_documents(["a"])
        other.encode_documents(["a", "bb"])
        one.encode_documents(["ccc"])
    sizes = {path.name: texts_of(path) for path in tmp_path.glob("*/*.digests")}
    assert sizes == {"0000.digests": 2, "0001.digests": 2}
    lengths = Lengths()
    with cached(tmp_path, lengths) as later:
        assert later.encode_documents(["a", "bb", "ccc"]).tolist() == [[1, 0], [2, 0], [3, 0]]
        assert lengths.asked == []
        later.encode_documents(["dddd"])
    assert sorted(texts_of(path) for path in tmp_path.glob("*/*.digests")) == [2, 3]


PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from procqa.encoder.cache import VectorCache, text_digest
cache = VectorCache(Path(sys.argv[1]), {"revision": "abc"}, dimensions=64)
number = 0
while True:
    digests = [text_digest(str(number + place)) for place in range(50)]
    cache.add(digests, np.repeat(np.arange(number, number + 50, dtype=np.float32)[:, None], 64, axis=1))
    number += 50
    print(number, flush=True)
"""


def test_a_process_that_is_killed_leaves_whole_vectors(tmp_path: Path):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    durable = int([process.stdout.readline() for _ in range(3)][-1])
    process.send_signal(signal.SIGKILL)
    process.communicate()
    cache = VectorCache(tmp_path, {"revision": "abc"}, dimensions=64)
    assert len(cache) >= durable == 150
    vectors, is_there = cache.find([text_digest(str(number)) for number in range(len(cache))])
    assert is_there.all()
    assert (vectors == np.arange(len(cache))[:, None]).all()


@given(st.lists(st.text(max_size=4), max_size=30), st.lists(st.text(max_size=4), max_size=30))
def test_a_cached_encoder_gives_what_the_plain_one_gives(tmp_path_factory, first, second):
    with cached(tmp_path_factory.mktemp("cache")) as encoder:
        for texts in (first, second, first + second):
            assert encoder.encode_documents(texts).tolist() == Lengths().encode_documents(texts).tolist()


def test_a_static_encoder_by_name_has_its_own_vectors_to_the_last_bit(static_folder: Path, tmp_path: Path):
    texts = ["list to queue", "socket", "", "list to queue"]
    plain = open_encoder(str(static_folder), max_tokens=32)
    for _ in range(2):
        with open_cached(str(static_folder), tmp_path, max_tokens=32) as encoder:
            np.testing.assert_array_equal(encoder.encode_documents(texts), plain.encode_documents(texts))
    assert sum(map(texts_of, tmp_path.glob("*/*.digests"))) == 3


def test_settings_tell_a_tokenizer_from_another(static_folder: Path, tmp_path: Path):
    (tmp_path / "tokenizer.json").write_text("{}")
    one = settings_sha256(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    assert settings_sha256(tmp_path) == one
    (tmp_path / "tokenizer.json").write_text('{"a": 1}')
    assert settings_sha256(tmp_path) not in (one, settings_sha256(static_folder))


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match=r"the cache .* must be readable and writable: Not a directory"):
        cached(tmp_path / "file")


def test_a_full_disk_is_one_sentence_and_the_next_process_goes_on(tmp_path: Path):
    program = (
        "import resource, signal, sys\n"
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from procqa.encoder.cache import VectorCache, text_digest\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "cache = VectorCache(Path(sys.argv[1]), {'revision': 'abc'}, dimensions=2)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))\n"
        "try:\n"
        "    cache.add([text_digest(t) for t in 'abc'], np.ones((3, 2), np.float32))\n"
        "finally:\n"
        "    cache.close()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "ArtifactError: the cache" in ended.stderr.splitlines()[-1]
    cache = VectorCache(tmp_path, {"revision": "abc"}, dimensions=2)
    cache.add([text_digest("a")], np.ones((1, 2), np.float32))
    assert cache.find([text_digest("a"), text_digest("b")])[1].tolist() == [True, False]
    cache.close()
