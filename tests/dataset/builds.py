"""Builds datasets for tests, and looks at what must be the same however they were built."""

from dataclasses import replace
from pathlib import Path

from procqa.config import LEAST_MEMORY_BYTES, PROCESS_BYTES, BuildConfig, RunConfig, build_config
from procqa.dataset.build import build_dataset
from procqa.dataset.request import BuildRequest
from procqa.manifest import load_manifest

ONE = RunConfig(jobs=1)
LITTLE = {jobs: f"{max(LEAST_MEMORY_BYTES, (jobs + 1) * PROCESS_BYTES) >> 20}MB" for jobs in (1, 2)}
"""The least memory that a build with one job, or with two, may be given."""

PROMISED = ("funnel.json", "leakage.json")

RECIPES = {
    "paper": build_config({}),
    "strict": build_config({"preset": "strict"}),
    "best": build_config({"answers": "best", "min_answer_chars": 1, "languages": ("python", "sql=sql")}),
    "author": build_config({"split": "author"}),
    "author-strict": build_config({"split": "author", "preset": "strict", "code": "any", "non_english": "keep"}),
    "hash": build_config({"split": "hash", "duplicate_links": "keep"}),
    "hash-clusters": build_config({"split": "hash", "near_duplicates": "cluster", "similarity": 0.7}),
    "redact": build_config({"redact": True}),
    "redact-clusters": build_config({"redact": True, "near_duplicates": "cluster", "closed": "drop"}),
}
"""Recipes that use every preset, split, kind of answer and option."""


def build(dump, out, *, config=None, run=ONE, **options):
    """The summary of a build of one dump, or of several in a tuple."""
    dumps = (str(dump),) if not isinstance(dump, tuple) else tuple(map(str, dump))
    return build_dataset(BuildRequest(dumps=dumps, out=out, config=config or BuildConfig(), run=run, **options))


def promised(out: Path) -> dict[str, object]:
    """What the same input and recipe must give, to the byte: data/, the funnel, the proofs, the splits."""
    files = load_manifest(out, kind="dataset").files
    return {
        path: entry["sha256"]
        for path, entry in files.items()
        if path.startswith("data/") or path in (*PROMISED, "splits.json")
    }


def on_stackoverflow(config: BuildConfig) -> BuildConfig:
    """The recipe with the site named, so that the name of a dump's file says nothing."""
    return replace(config, site="stackoverflow.com")
