"""Decontamination: MB of text searched a second on one core, and the cost of building the search, beside a Python set.

Pairs and benchmark texts are made of words whose frequencies fall as in real text; the pairs are clean but for
one in a thousand. Compiling is left out of the speeds and stated. Peak memory is that of the process, numba included.
"""

import json
import random
import resource
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from procqa.corpora.benchmarks import BenchmarkText
from procqa.dataset.decontaminate import KeptTexts, LeakFinder, keep_texts

BENCHMARK_TEXTS, BENCHMARK_WORDS = 40_000, 50
"""About the five benchmarks that were measured together: docs/decisions/0009."""

LEAKING_SHARE = 0.001
ROUNDS = 3
AT_ONCE = 64
"""Pairs a call, as ``procqa corpus`` searches; ``procqa build`` searches them one by one."""


def make_words(rng: random.Random) -> tuple[list[str], list[float]]:
    """30,000 invented words and how often each comes."""
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(30_000)]
    total, weights = 0.0, []
    for rank in range(1, len(words) + 1):
        total += 1 / rank
        weights.append(total)
    return words, weights


def make_texts(rng: random.Random, vocabulary: tuple[list[str], list[float]], n: int, words: int) -> Iterator[str]:
    """Texts of half to one and a half times so many words."""
    for _ in range(n):
        yield " ".join(rng.choices(vocabulary[0], cum_weights=vocabulary[1], k=rng.randint(words // 2, 3 * words // 2)))


def search_set(pairs: Iterable[tuple[str, str, str]], grams: set[tuple[str, ...]]) -> int:
    """The peer: runs of 13 lower-case words, looked up in a Python set."""
    found = 0
    for pair in pairs:
        words = " ".join(pair).lower().split()
        found += any(tuple(words[i : i + 13]) in grams for i in range(len(words) - 12))
    return found


@click.command()
@click.option("--megabytes", default=40, help="text to search")
@click.option("--pair-bytes", default=1_800, help="mean size of a pair")
def main(megabytes: int, pair_bytes: int) -> None:
    """Print one JSON object."""
    rng = random.Random(7)
    vocabulary = make_words(rng)
    items = list(make_texts(rng, vocabulary, BENCHMARK_TEXTS, BENCHMARK_WORDS))
    n_pairs = megabytes * 1_000_000 // pair_bytes
    bodies = make_texts(rng, vocabulary, 2 * n_pairs, pair_bytes // 2 // 6)
    titles = make_texts(rng, vocabulary, n_pairs, 8)
    pairs = [(title, next(bodies), next(bodies)) for title in titles]
    for place in range(0, n_pairs, int(1 / LEAKING_SHARE)):
        title, question, answer = pairs[place]
        pairs[place] = (title, f"{question} {rng.choice(items)}", answer)
    size = sum(len(" ".join(pair)) for pair in pairs)
    with tempfile.TemporaryDirectory() as folder:
        kept = KeptTexts(Path(folder) / "texts.jsonl")
        texts = [BenchmarkText(benchmark="made", item=str(number), text=text) for number, text in enumerate(items)]
        started = time.perf_counter()
        keep_texts(kept.path, texts[:10])
        LeakFinder(kept).find("a", "b", "c")
        compile_s = time.perf_counter() - started
        started = time.perf_counter()
        keep_texts(kept.path, texts)
        build_s = time.perf_counter() - started
        finder = LeakFinder(kept)
        seconds = []
        for _ in range(ROUNDS):
            started = time.process_time()
            leaks = (leak for at in range(0, n_pairs, AT_ONCE) for leak in finder.find_all(pairs[at : at + AT_ONCE]))
            found = sum(leak is not None for leak in leaks)
            seconds.append(time.process_time() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    grams = {tuple(words[i : i + 13]) for words in map(str.split, items) for i in range(len(words) - 12)}
    started = time.process_time()
    found_by_set = search_set(pairs, grams)
    set_s = time.process_time() - started
    print(
        json.dumps(
            {
                "mb_per_s": round(size / 1e6 / min(seconds), 1),
                "python_set_mb_per_s": round(size / 1e6 / set_s, 1),
                "text_bytes": size,
                "pairs": n_pairs,
                "found": found,
                "found_by_python_set": found_by_set,
                "compile_or_load_s": round(compile_s, 2),
                "build_s": round(build_s, 2),
                "benchmark_texts": BENCHMARK_TEXTS,
                "peak_memory_bytes": peak,
                "ratios": {"procqa / python set": round(set_s / min(seconds), 1)},
            }
        )
    )


if __name__ == "__main__":
    main()
