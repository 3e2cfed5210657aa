"""One encoder for all texts, or towers of their own for queries and documents, or for prose and code.

Towers are the routes of a sentence-transformers Router, so that one folder holds them all. A text of modality
towers is cut into its prose and its code, each goes to its tower, and the text's vector is the sum of both.
Source: docs/paper.md#macp for the shared encoder; ours, docs/decisions/0016 for the others.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from procqa.text import segments

if TYPE_CHECKING:
    from torch import Tensor

Towers = Literal["shared", "query-document", "modality"]

ROUTES: dict[Towers, tuple[str, ...]] = {
    "shared": (),
    "query-document": ("query", "document"),
    "modality": ("text", "code"),
}
"""The routes of each kind of towers."""

CODE_SIGNS_SHARE = 0.08
"""From this share of operators and brackets on, a text without a fence is code: true of .90 of code blocks and of
.065 of prose, titles that name functions among them. Source: ours, docs/decisions/0016."""

_CODE_SIGNS = re.compile(r"[(){}\[\];=<>+*/_&|$@#%\\^~!:]")
_NO_PROSE = re.compile(r"`[^`]*`|https?://\S+")


def is_code(text: str) -> bool:
    """Whether a text without a fence is code rather than prose; inline code and links do not count."""
    plain = "".join(_NO_PROSE.sub(" ", text).split())
    n_signs = len(_CODE_SIGNS.findall(plain))
    return n_signs > 0 and n_signs >= CODE_SIGNS_SHARE * len(plain)


def cut_modalities(text: str) -> tuple[str, str]:
    """The prose of a text and its code; one of them is empty where there is none."""
    spans = segments(text)
    if not any(span.kind == "code" for span in spans):
        return ("", text) if is_code(text) else (text, "")
    prose, code = (
        "\n\n".join(span.text for span in spans if span.kind == kind and span.text.strip()) for kind in ("text", "code")
    )
    return prose, code


def towers_of(model: Any) -> Towers:  # Any: SentenceTransformer, which has no types
    """What kind of towers a model has."""
    routes = set(getattr(model[0], "sub_modules", {}))
    return next((kind for kind, names in ROUTES.items() if names and set(names) == routes), "shared")


def first_modules(model: Any) -> list[Any]:
    """What reads the texts of a model: its first module, or that of each tower."""
    kind = towers_of(model)
    return [model[0].sub_modules[route][0] for route in ROUTES[kind]] if ROUTES[kind] else [model[0]]


def build_towers(kind: Towers, make: Callable[[], list[Any]]) -> list[Any]:
    """The modules of a model of some kind, but for what makes unit vectors.

    Args:
        make: makes the modules of one tower, anew each time.
    """
    if kind == "shared":
        return make()
    from sentence_transformers.sentence_transformer.modules import Router

    query_or_text, document_or_code = ROUTES[kind]
    default = document_or_code if kind == "query-document" else query_or_text
    return [Router({query_or_text: make(), document_or_code: make()}, default_route=default)]


def join_parts(vectors: "list[Tensor]", is_there: "list[Tensor]") -> "Tensor":
    """(B, D) the sum of the unit vectors of the parts that each text has; zeros for a text of none.

    Args:
        vectors: (B, D) of each part.
        is_there: (B,) bool of each part.
    """
    import torch
    from torch import nn

    parts = [
        torch.where(there[:, None].to(of_part.device), nn.functional.normalize(of_part.float(), dim=1), 0.0)
        for of_part, there in zip(vectors, is_there, strict=True)
    ]
    total: Tensor = sum(parts[1:], parts[0])
    return total
