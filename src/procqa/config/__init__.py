"""Every number of every recipe, with its unit and its source.

One frozen dataclass a stage; a config that exists is valid. The defaults are the recipe of the paper
(docs/paper.md), or an assumption of ours that the help text names as such. Flags of the command line
come from these fields, and a manifest holds the resolved config, so a run repeats from its output.
"""

from procqa.config.build import BUILD_PRESETS, BuildConfig, RunConfig, build_config
from procqa.config.common import (
    LANGUAGES,
    LEAST_MEMORY_BYTES,
    MAX_QUERY_CHARS,
    MEMORY_UNITS,
    PROCESS_BYTES,
    Backend,
    parse_memory,
    require,
)
from procqa.config.evaluate import EvaluateConfig
from procqa.config.index import IndexConfig
from procqa.config.mine import MineConfig
from procqa.config.presets import TRAIN_PRESETS, train_config
from procqa.config.search import SearchConfig, ServeConfig
from procqa.config.train import DEFAULT_PATIENCE, DEFAULT_STEPS, KNOWN_PAIRS, LENGTHS, MAX_STEPS, PAIRS, TrainConfig

__all__ = [
    "BUILD_PRESETS",
    "DEFAULT_PATIENCE",
    "DEFAULT_STEPS",
    "KNOWN_PAIRS",
    "LANGUAGES",
    "LEAST_MEMORY_BYTES",
    "LENGTHS",
    "MAX_QUERY_CHARS",
    "MAX_STEPS",
    "MEMORY_UNITS",
    "PAIRS",
    "PROCESS_BYTES",
    "TRAIN_PRESETS",
    "Backend",
    "BuildConfig",
    "EvaluateConfig",
    "IndexConfig",
    "MineConfig",
    "RunConfig",
    "SearchConfig",
    "ServeConfig",
    "TrainConfig",
    "build_config",
    "parse_memory",
    "require",
    "train_config",
]
