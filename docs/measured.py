"""The tables of the pages that are made from committed results: nothing in them is typed by hand."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks/results"
UNMEASURED = "Nothing is measured yet: `make bench` measures."


def curve() -> list[str]:
    """The table of time and memory over size, as last measured."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("bench_curve-*")]
    lines = [
        "| dump | rows | naive script | one job | two jobs | one job / naive | two jobs / one | memory of two jobs |"
    ]
    lines.append("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for point in found[-1]["curve"] if found else []:
        naive, one, two = (point["measured"][name] for name in ("naive", "procqa-1", "procqa-2"))
        lines.append(
            f"| {point['dump_bytes'] / 1e9:.1f} GB | {point['rows']:,} | {naive['seconds']:.0f} s"
            f" | {one['seconds']:.1f} s | {two['seconds']:.1f} s | {point['ratios']['procqa-1 / naive']:.2f} |"
            f" {point['ratios']['procqa-2 / procqa-1']:.2f} | {two['peak_bytes'] / 1e6:,.0f} MB |"
        )
    return lines if found else [UNMEASURED]


def options() -> list[str]:
    """The table of what each option of a build costs, as last measured."""
    result = _read("bench_options")
    if result is None:
        return [UNMEASURED]
    plain = result["measured"]["plain"]
    told = f"{result['dump_bytes'] / 1e6:,.0f} MB of Posts, one core; without any option {plain['cpu_seconds']:.1f} s"
    lines = [f"{told} of processor time and {plain['peak_bytes'] / 1e6:,.0f} MB:", ""]
    lines += ["| option | processor time, times that | memory | pairs kept |", "|---|---:|---:|---:|"]
    for name, values in result["measured"].items():
        if name != "plain":
            ratio = result["ratios"][f"{name} / plain"]
            lines.append(f"| `{name}` | {ratio:.2f} | {values['peak_bytes'] / 1e6:,.0f} MB | {values['kept']:,} |")
    return lines


def text_speed() -> list[str]:
    """The table of how fast texts are searched and signed on one core, as last measured."""
    leaks, near = _read("bench_decontaminate"), _read("bench_duplicates")
    if leaks is None or near is None:
        return [UNMEASURED]
    return [
        "| on one core | MB/s | beside it |",
        "|---|---:|---|",
        f"| pairs searched for {leaks['benchmark_texts']:,} benchmark texts | {leaks['mb_per_s']:.0f}"
        f" | {leaks['python_set_mb_per_s']:.1f} by a Python set of 13-grams, one of the rules |",
        f"| near-duplicates: pairs signed | {near['sign_mb_per_s']['procqa']:.0f}"
        f" | {near['sign_mb_per_s']['datasketch']:.1f} by datasketch |",
    ]


def published_scores() -> list[str]:
    """The table of the scores that others published, beside ours."""
    found = sorted(RESULTS.glob("published-*"))
    cases = json.loads(found[-1].read_text(encoding="utf-8"))["cases"] if found else []
    lines = [
        "| data | protocol | published | ours | repeats counted | own words | the task |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        scores = [case[name] for name in ("recomputed", "repeats counted", "own words", "the task of procqa")]
        cells = [f"{score:.3f}".removeprefix("0") for score in (case["published"], *scores)]
        measure = case["measure"].upper()
        lines.append(f"| {case['case']} | {measure}, {case['protocol']} | {' | '.join(cells)} |")
    return lines


def own_code() -> list[str]:
    """The table of the scores of search over one's own code, as last measured."""
    (found,) = RESULTS.glob("own_code-*.json")
    measured = json.loads(found.read_text(encoding="utf-8"))
    lines = ["| queries | ranked by | nDCG@10 | MRR@10 of answers | an answer among ten |", "|---|---|---|---|---|"]
    for name, of_modes in measured["scores"].items():
        for mode, scores in of_modes.items():
            cells = ["{:.3f} ({:.3f}–{:.3f})".format(*scores[key]) for key in ("ndcg@10", "mrr@10", "success@10")]
            lines.append(f"| {name} | {mode} | {' | '.join(cells)} |")
    told = [
        f"{mode} {against['delta']:+.3f}, p {against['p_holm']:.3f}"
        for mode, against in measured["hybrid against"].items()
    ]
    count = f"{measured['judgements']:,} judgements; {measured['hits without a judgement']} hits without one."
    return [*lines, "", f"{count} nDCG of hybrid minus that of {'; of '.join(told)} (Holm)."]


def training_speed() -> list[str]:
    """The table of pairs a second beside a bare loop, as last measured."""
    lines = ["| base | pairs a batch | pairs/s | of the bare loop | ratio | loss | of the bare loop |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    found = [_read(name) for name in ("bench_train", "bench_train_minilm")]
    for result in filter(None, found):
        ours, bare = result["measured"]["procqa"], result["measured"]["bare"]
        speeds = f"{ours['pairs_per_s']:,.0f} | {bare['pairs_per_s']:,.0f}"
        if ours["pairs_per_s"] < 100:
            speeds = f"{ours['pairs_per_s']} | {bare['pairs_per_s']}"
        lines.append(
            f"| {result['base']} | {result['batch_size']:,} | {speeds} | {result['ratios']['procqa / bare']:.2f}"
            f" | {ours['loss']:.2f} | {bare['loss']:.2f} |"
        )
    return lines if any(found) else [UNMEASURED]


def training_memory() -> list[str]:
    """The table of peak memory over the batch size, as last measured."""
    result = _read("bench_memory")
    if result is None:
        return [UNMEASURED]
    lines = [f"| pairs a batch | `--rows-at-once {result['rows_at_once']}` | all at once |", "|---:|---:|---:|"]
    whole = result["peak_bytes"]["whole"]
    for size, peak in result["peak_bytes"]["cached"].items():
        at_once = f"{whole[size] / 1e6:,.0f} MB" if size in whole else "–"
        lines.append(f"| {int(size):,} | {peak / 1e6:,.0f} MB | {at_once} |")
    return lines


def encoding_speed() -> list[str]:
    """The table of texts a second by what computes them, as last measured."""
    result = _read("bench_encode")
    if result is None:
        return [UNMEASURED]
    lines = ["| cores | way | computed by | texts/s | texts a CPU-second | cosine: mean | least |"]
    lines.append("|---|---|---|---:|---:|---:|---:|")
    for cores, of_ways in result["measured"].items():
        for way, of_way in of_ways.items():
            cosines = [f"{of_way[name]:.5f}" if name in of_way else "–" for name in ("cosine_mean", "cosine_least")]
            speeds = [f"{of_way[name]:,.0f}" for name in ("texts_per_s", "texts_per_cpu_s")]
            lines.append(f"| {' | '.join([cores, way, of_way['arithmetic'], *speeds, *cosines])} |")
    return lines


def _read(name: str) -> Any:  # Any: JSON
    """The committed result of a benchmark; None where there is none."""
    found = sorted(RESULTS.glob(f"{name}-*.json"))
    return json.loads(found[-1].read_text(encoding="utf-8")) if found else None


def speed() -> list[str]:
    """The table of the time, memory and size of search beside others, as last measured at each size."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("bench_search_*.json")]
    lines = [
        "| documents | | made in | size | opened in | memory | p50 | p95 | p99 | queries/s |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    told = []
    for result in sorted(found, key=lambda result: result["documents"]):
        ours = {**result, "bytes": sum(result["bytes"].values()), "open_s": result["cold"]["open_s"]}
        for mode, latency in result["latency_ms"].items():
            lines.append(_speed_row(result["documents"], f"procqa, {mode}", {**ours, "latency_ms": latency}))
        for name, peer in result["peers"].items():
            lines.append(_speed_row(result["documents"], name, peer))
        told += ["", _told_of(result)]
    return lines + told if found else ["Nothing is measured yet: `python -m benchmarks.bench_search` measures."]


def _speed_row(documents: int, name: str, who: dict[str, Any]) -> str:
    latency = who["latency_ms"]
    cuts = " | ".join(f"{latency[cut]:.1f} ms" for cut in ("p50", "p95", "p99"))
    return (
        f"| {documents:,} | {name} | {who['build']['cpu_seconds']:,.0f} s | {who['bytes'] / 1e6:,.0f} MB"
        f" | {who['open_s'] * 1e3:,.0f} ms | {who['ask']['peak_mb']:,} MB | {cuts} | {latency['per_second']:,.0f} |"
    )


def _told_of(result: dict[str, Any]) -> str:
    """What the table does not say of one size: vectors, recall, memory of the build, and kinds of queries."""
    parts = result["vectors"].values()
    in_lists = [f"{part['probes']:,} of {part['lists']:,}" for part in parts if part["kind"] == "lists"]
    lists = f"searched in {' and '.join(in_lists)} lists" if in_lists else "all compared"
    theirs = result["peers"]["faiss"]["recall@10 of exact"]
    kinds = result["latency_ms"]["hybrid"]["kinds"].items()
    asked = ", ".join(f"{kind} {latency['p95']:.1f} ms" for kind, latency in kinds)
    return (
        f"{result['documents']:,} documents: {sum(part['vectors'] for part in parts):,} vectors in {len(parts)}"
        f" languages, {lists}; {result['recall@10 of exact']:.3f} of the exact first ten found, {theirs:.3f} by faiss"
        f" of its own; first answer after {result['cold']['first_answer_s']:.2f} s, encoder and cold files included;"
        f" {result['build']['peak_mb']:,} MB to make it; p95 of hybrid by kind: {asked}."
    )
