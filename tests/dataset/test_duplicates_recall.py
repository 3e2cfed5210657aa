"""How many near-duplicates are found, measured against true Jaccard similarities and against datasketch."""

import html
import re
import zlib
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

from procqa.dataset.duplicates import find_clusters
from procqa.dataset.minhash import SHINGLE_TOKENS, sign
from procqa.dataset.tokens import read_tokens
from procqa.dump.archive import open_dump
from procqa.dump.body import to_markdown

Text = tuple[str, str, str]
SIMILARITY = 0.8
ROW = re.compile(rb'<row Id="(\d+)" PostTypeId="([12])"(?: AcceptedAnswerId="(\d+)")?[^\n]*? Body="([^"]*)"[^\n]*')
TITLE = re.compile(rb' Title="([^"]*)"')


def shingles_of(text: Text) -> set[bytes]:
    hashes = read_tokens("\n".join(text)).hashes
    return {hashes[i : i + SHINGLE_TOKENS].tobytes() for i in range(len(hashes) - SHINGLE_TOKENS + 1)}


def jaccard_pairs(shingles: list[set[bytes]], least: float) -> dict[tuple[int, int], float]:
    """Every pair of texts with at least some true similarity, and how similar they are."""
    holders: dict[bytes, list[int]] = {}
    for number, found in enumerate(shingles):
        for shingle in found:
            holders.setdefault(shingle, []).append(number)
    shared: dict[tuple[int, int], int] = {}
    for numbers in holders.values():
        for pair in combinations(numbers, 2):
            shared[pair] = shared.get(pair, 0) + 1
    similar = {(i, j): n / (len(shingles[i]) + len(shingles[j]) - n) for (i, j), n in shared.items()}
    return {pair: jaccard for pair, jaccard in similar.items() if jaccard >= least}


def peer_pairs(shingles: list[set[bytes]]) -> set[tuple[int, int]]:
    """The pairs that datasketch's MinHashLSH gives at the same threshold and with as many permutations."""
    index, sketches = MinHashLSH(threshold=SIMILARITY, num_perm=128), []
    for number, found in enumerate(shingles):
        sketch = MinHash(num_perm=128)
        sketch.update_batch(list(found))
        index.insert(number, sketch)
        sketches.append(sketch)
    return {(i, j) for j, sketch in enumerate(sketches) for i in index.query(sketch) if i < j}


def labels_of(texts: list[Text], folder: Path) -> NDArray[np.int64]:
    np.save(folder / "signatures.npy", np.array([sign(*text) for text in texts]))
    paths, scratch = [folder / "signatures.npy"], folder / "scratch"
    return find_clusters(paths, scratch, map, similarity=SIMILARITY, memory_bytes=1 << 26)


def recall(labels: NDArray[np.int64], pairs: set[tuple[int, int]]) -> float:
    return float(np.mean([labels[i] == labels[j] != -1 for i, j in pairs]))


@pytest.fixture(scope="module")
def planted() -> list[Text]:
    """1,200 texts of 200 words, a third of them copies with 1 to 9 words changed: Jaccard .76 to .97 to the first."""
    generator = np.random.default_rng(5)
    words = np.array([f"w{number}" for number in range(5_000)])
    frequencies = 1 / np.arange(1, 5_001)
    texts = []
    for number in range(800):
        text = generator.choice(words, 200, p=frequencies / frequencies.sum())
        texts.append(text)
        if number % 2:
            copy = text.copy()
            copy[generator.choice(200, number % 9 + 1, replace=False)] = "changed"
            texts.append(copy)
    return [(" ".join(text[:8]), " ".join(text[8:90]), " ".join(text[90:])) for text in texts]


@pytest.fixture(scope="module")
def real() -> list[Text]:
    """The pairs of programming-qa whose titles begin alike, for every twentieth beginning of a title."""
    dump = Path(__file__).parents[3] / "shared/data/dumps/programming-qa.7z"
    if not dump.is_file():
        pytest.skip("the real dumps of ../shared/data/dumps are not here")
    with open_dump(str(dump)) as stream:
        data = b"".join(iter(lambda: stream.read(1 << 22), b""))
    questions: dict[bytes, tuple[bytes, bytes]] = {}
    answers: dict[bytes, bytes] = {}
    for row in ROW.finditer(data):
        if row[2] == b"2":
            answers[row[1]] = row[4]
        elif (title := TITLE.search(row[0])) and zlib.crc32(title[1][:20].lower()) % 20 == 0:
            questions[row[3]] = title[1], row[4]
    read = html.unescape
    return [
        (read(title.decode()), to_markdown(read(body.decode())), to_markdown(read(answers[number].decode())))
        for number, (title, body) in questions.items()
    ]


@pytest.mark.parametrize("name", ["planted", "real"])
def test_recall_is_at_least_that_of_datasketch(name, request, tmp_path):
    texts = request.getfixturevalue(name)
    labels = labels_of(texts, tmp_path)
    shingles = [shingles_of(text) for text in texts]
    jaccards = jaccard_pairs(shingles, 0.5)
    near = {pair for pair, jaccard in jaccards.items() if jaccard >= SIMILARITY}
    peer = peer_pairs(shingles) & near
    assert len(near) > 150
    # Measured: planted .95 and datasketch .81, real .96 and datasketch .71.
    assert recall(labels, near) >= 0.95 * len(peer) / len(near)
    assert recall(labels, near) >= 0.93
    assert recall(labels, peer) >= 0.93
    # The estimate has a standard error of .035 at .8, so what is missed lies just above the threshold.
    assert recall(labels, {pair for pair in near if jaccards[pair] >= 0.9}) == 1
    # And what is found lies above or just below it: here the rest are ends of chains.
    together = [jaccards.get((i, j), 0.0) for i, j in pairs_together(labels)]
    assert np.mean(np.array(together) >= 0.7) >= 0.95


def pairs_together(labels: NDArray[np.int64]) -> list[tuple[int, int]]:
    members: dict[int, list[int]] = {}
    for row, label in enumerate(labels.tolist()):
        if label != -1:
            members.setdefault(label, []).append(row)
    return [pair for rows in members.values() for pair in combinations(rows, 2)]
