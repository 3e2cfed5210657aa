"""What an encoder scores on held-out pairs, as training sees it: a number to choose by, and a weight beside words.

Training is given a scorer and knows nothing of tasks; ``evaluation.validate`` makes one of validation splits.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from procqa.manifest import is_artifact, load_manifest

if TYPE_CHECKING:
    from procqa.encoder.model import Encoder

FUSION_WEIGHT = 0.6
"""Weight of cosines beside words for an encoder of which nobody has chosen one. Source: ours, docs/decisions/0007."""


class SetScore(TypedDict):
    """MRR over the documents of a validation set, in [0, 1], of words, of the encoder, and of both."""

    queries: int
    documents: int
    bm25: float
    dense: float
    hybrid: float


class Validation(TypedDict):
    """What one encoder scores.

    Args:
        score: mean of ``dense`` over the sets: what recipes and stopping are chosen by.
        fusion_weight: of cosines beside words, that which makes the mean of ``hybrid`` over the sets largest.
        sets: the score of each set by its name.
    """

    score: float
    fusion_weight: float
    sets: dict[str, SetScore]


class Scorer(Protocol):
    """Scores an encoder on held-out pairs."""

    @property
    def described(self) -> dict[str, Any]:
        """What it scores on, by digest: part of the recipe."""
        ...

    def __call__(self, encoder: "Encoder") -> Validation:
        """The scores of an encoder; the same for the same vectors."""
        ...


def read_fusion_weight(folder: Path) -> float:
    """The weight that stands in the manifest of an encoder folder of ours; FUSION_WEIGHT where none does.

    Raises:
        ArtifactError: the manifest is broken.
    """
    if not is_artifact(folder):
        return FUSION_WEIGHT
    validation = load_manifest(folder, kind="encoder").counts.get("validation")
    return FUSION_WEIGHT if validation is None else float(validation["fusion_weight"])
