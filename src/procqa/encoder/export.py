"""An encoder in another form: static, 8-bit, OpenVINO or ONNX; each an encoder folder of its own.

The manifest names what it was made from, the card says how like that it is. Source: ours, docs/decisions/0022.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from procqa import artifact
from procqa.artifact import Workspace, digest_input
from procqa.config import require
from procqa.encoder.bases import Base, find_base
from procqa.encoder.card import MINILM_CAVEAT
from procqa.encoder.distil import SIF_A, distil
from procqa.encoder.graph import GRAPHS, GraphEncoder, GraphFormat, is_graph, open_graph, write_shape
from procqa.encoder.likeness import describe_likeness, likeness
from procqa.encoder.model import MINILM_SHA256, load_model
from procqa.encoder.quantize import quantize_encoder, quantize_rows, quantized_recipe
from procqa.encoder.seen import SEEN_FILE
from procqa.encoder.static import TOKENIZER_FILE, StaticEncoder, is_static, open_static
from procqa.encoder.torch_encoder import TorchEncoder, token_limit
from procqa.encoder.tracing import check_graph, check_same, graph_shape, tokenizer_of, whole_module, write_tokenizer
from procqa.errors import ArtifactError, ConfigError
from procqa.manifest import Input, Manifest, is_artifact, load_manifest

Form = Literal["static", "int8", "openvino", "onnx"]
FORMS: tuple[Form, ...] = get_args(Form)

DIMENSIONS = 256
"""Of a distilled static encoder, unless its source has fewer. Source: model2vec 0.10.0."""

MOST_TOKENS = 32_768
"""More than any encoder reads: an export keeps the limit of its source."""

WHAT = {
    "static": "A static encoder, distilled: each token has one vector, a text their mean. It runs without torch.",
    "int8": "Static embeddings in 8-bit numbers, a scale for each row. It runs without torch.",
    "openvino": "The encoder as an OpenVINO graph, pooling and unit vectors inside. It runs without torch.",
    "onnx": "The encoder as an ONNX graph, pooling and unit vectors inside.",
}

_PYTHON = """from sentence_transformers import SentenceTransformer

vectors = SentenceTransformer("DIR").encode(["reverse a list"])
"""
_PROCQA = """from procqa import open_encoder

vectors = open_encoder("DIR").encode_documents(["reverse a list"])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderExport:
    """What to export, and where to.

    Args:
        encoder: a folder, or a name as ``open_encoder`` takes it.
        form: ``static`` (of a transformer), ``int8`` (of a static encoder of ours), ``openvino`` or ``onnx``.
        dimensions: of a static encoder; None takes 256, or those of the source where they are fewer.
        force: replace an ``out`` that another recipe made.
    """

    encoder: str
    out: Path
    form: Form
    dimensions: int | None = None
    force: bool = False

    def __post_init__(self) -> None:
        """Check form and dimensions."""
        require(self.form in FORMS, f"form must be one of {', '.join(FORMS)}, got {self.form!r}")
        require(
            self.dimensions is None or self.form == "static",
            f"dimensions must be given for a static encoder alone, got {self.form}",
        )
        require(self.dimensions is None or self.dimensions >= 1, f"dimensions must be >= 1, got {self.dimensions}")


def export_encoder(request: EncoderExport) -> dict[str, Any]:
    """Write an encoder in another form, or find it written already.

    Returns:
        The object of ``procqa export --json``.

    Raises:
        ConfigError: the encoder has no such form, or not so many dimensions.
        ArtifactError: the encoder is missing or broken, or ``out`` is taken or cannot be written.
        MissingExtra: the form needs a package that is not installed.
    """
    base = find_base(request.encoder)
    if base.folder is None:
        raise ConfigError(f"an export must be made of an encoder, got {base.label}, which is none yet: train it first")
    artifact.refuse_overlap(request.out, [base.folder])
    if request.form == "int8":
        manifest = _export_int8(request, base.folder)
    else:
        manifest = _export_transformer(request, base, base.folder)
    return {
        "form": request.form,
        "dimensions": manifest.counts.get("dimensions"),
        "max_tokens": manifest.counts["max_tokens"],
        "likeness": manifest.counts["likeness"],
        "size_bytes": sum(entry["size"] for entry in manifest.files.values()),
        "sha256": manifest.sha256,
        "out": str(request.out),
    }


def _export_int8(request: EncoderExport, folder: Path) -> Manifest:
    """8-bit embeddings of a static encoder of ours."""
    source = load_manifest(folder, kind="encoder")
    recipe = quantized_recipe(source)
    complete = _find_complete(request, recipe, source.inputs)
    if complete is not None:
        return complete
    if not is_static(folder):
        raise ArtifactError(f"{folder} must be a static encoder to be quantized: export it with --as static first")
    encoder = open_static(folder, name=folder.name, max_tokens=MOST_TOKENS)
    numbers, scales = quantize_rows(encoder.embeddings)
    found = likeness(encoder, replace(encoder, embeddings=numbers * scales[:, None]))
    about = {"dimensions": encoder.dimensions, "likeness": found}
    base = Base(folder.resolve().name, source.sha256, folder)
    card = _card("int8", base, recipe, found, encoder.max_tokens, has_seen=False)
    quantize_encoder(folder, request.out, card=card, about=about)
    return load_manifest(request.out, kind="encoder")


@dataclass(frozen=True, slots=True)
class _Job:
    """A transformer, and the recipe of what is made of it."""

    form: Form
    base: Base
    folder: Path
    model: Any  # SentenceTransformer, which has no types
    recipe: dict[str, Any]


def _export_transformer(request: EncoderExport, base: Base, folder: Path) -> Manifest:
    """A transformer as static embeddings or as a graph."""
    if is_static(folder) or is_graph(folder):
        kind = "static" if is_static(folder) else "a graph"
        raise ConfigError(f"{request.form} must be made of a transformer, but {base.label} is {kind} already")
    model = load_model(folder, max_tokens=MOST_TOKENS)
    check_graph(model, base.label)
    job = _Job(request.form, base, folder, model, _recipe(request, base, int(model.get_embedding_dimension())))
    inputs = (_input_of(base, folder),)
    complete = _find_complete(request, job.recipe, inputs)
    if complete is None:
        with artifact.workspace(request.out, kind="encoder", recipe=job.recipe, inputs=inputs) as work:
            _empty(work.path)
            if request.form == "static":
                _write_static(job, work.path)
            else:
                _write_graph(job, work.path)
            if (folder / SEEN_FILE).is_file():
                shutil.copyfile(folder / SEEN_FILE, work.path / SEEN_FILE)
            _finish(job, work)
        complete = load_manifest(request.out, kind="encoder")
    return complete


def _recipe(request: EncoderExport, base: Base, size: int) -> dict[str, Any]:
    """What makes an export of a transformer, by the names that a trained encoder has for its base."""
    recipe = {
        "exported_as": request.form,
        "base": base.label,
        "base_sha256": base.sha256,
        "base_lineage": list(base.lineage),
    }
    if request.form != "static":
        return recipe
    wanted = request.dimensions or min(DIMENSIONS, size)
    require(wanted <= size, f"dimensions must be at most the {size} of {base.label}, got {wanted}")
    return {**recipe, "dimensions": wanted, "sif_a": SIF_A}


def _write_static(job: _Job, folder: Path) -> None:
    """The folder of a StaticEmbedding that has the tokens of a transformer."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    tokenizer = tokenizer_of(job.model)
    tokenizer.enable_truncation(token_limit(job.model))
    embeddings = torch.from_numpy(distil(job.model, dimensions=job.recipe["dimensions"]))
    modules: list[Any] = [StaticEmbedding(tokenizer, embedding_weights=embeddings), Normalize()]
    static = SentenceTransformer(modules=modules, local_files_only=True)
    static.save_pretrained(str(folder), create_model_card=False)
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)  # safetensors makes files that only their owner can read


def _write_graph(job: _Job, folder: Path) -> None:
    """The graph of a transformer, and what it is fed with."""
    from procqa.encoder import onnx, openvino

    form: GraphFormat = "openvino" if job.form == "openvino" else "onnx"
    module = whole_module(job.model)
    if form == "openvino":
        openvino.save(openvino.convert(module), folder)
    else:
        onnx.save(module, folder)
    write_shape(folder, graph_shape(job.model, form, max_tokens=token_limit(job.model)))
    (folder / TOKENIZER_FILE).write_text(write_tokenizer(tokenizer_of(job.model)), encoding="utf-8")


def _finish(job: _Job, work: Workspace) -> None:
    """Measure what was written, and write its card."""
    limit = token_limit(job.model)
    export: StaticEncoder | GraphEncoder
    if job.form == "static":
        export = open_static(work.path, name=job.base.label, max_tokens=limit)
    else:
        export = open_graph(work.path, name=job.base.label, max_tokens=limit, precision="fp32")
        check_same(job.model, export)
    found = likeness(TorchEncoder(job.base.label, str(job.base.sha256), job.model), export)
    has_seen = (work.path / SEEN_FILE).is_file()
    card = _card(job.form, job.base, job.recipe, found, limit, has_seen=has_seen)
    (work.path / "README.md").write_text(card, encoding="utf-8")
    counts: dict[str, Any] = {"dimensions": export.dimensions, "max_tokens": limit, "likeness": found}
    validation = load_manifest(job.folder).counts.get("validation") if is_artifact(job.folder) else None
    if validation is not None and job.form != "static":  # a weight that belongs to the same vectors
        counts["validation"] = validation
    work.finish(counts)


def _find_complete(request: EncoderExport, recipe: dict[str, Any], inputs: tuple[Input, ...]) -> Manifest | None:
    return artifact.find_complete(request.out, kind="encoder", recipe=recipe, inputs=inputs, force=request.force)


def _input_of(base: Base, folder: Path) -> Input:
    """The encoder as a manifest names it; of one from elsewhere its weights."""
    if is_artifact(folder):
        return digest_input(folder)
    assert base.sha256 is not None
    return Input(base.label, sum(path.stat().st_size for path in folder.rglob("*.safetensors")), base.sha256)


def _empty(folder: Path) -> None:
    """Throw away what an interrupted run wrote."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _card(
    form: Form, base: Base, recipe: dict[str, Any], found: dict[str, Any], max_tokens: int, *, has_seen: bool
) -> str:
    """The README.md of an export."""
    library = "sentence-transformers" if form == "static" else "procqa"
    limits = [
        f"It reads the first {max_tokens} tokens of a text and nothing beyond.",
        "Licence, training data and scores are those of its source; `procqa evaluate` measures this form of it.",
    ]
    if form in ("static", "int8"):
        limits.append("A static encoder does not see the order of tokens.")
    if form in GRAPHS:
        limits.append(f"`{GRAPHS[form][0]}` takes `input_ids` and `attention_mask` of `tokenizer.json` as int64.")
    if not has_seen:
        limits.append("The hashes of the texts that it was trained on, `seen.bin`, are with its source, if anywhere.")
    if MINILM_SHA256 in (recipe.get("base_sha256"), *recipe.get("base_lineage", ())):
        limits.append(MINILM_CAVEAT)
    return "\n".join(
        [
            "---",
            f"library_name: {library}",
            "pipeline_tag: sentence-similarity",
            "---\n",
            f"# {base.label} as {form}\n",
            f"{WHAT[form]}\n",
            f"```python\n{_PYTHON if form == 'static' else _PROCQA}```\n",
            "## Source\n",
            f"Made from {base.label}, sha256 `{base.sha256}`. {describe_likeness(found)}\n",
            "## Limits\n",
            *(f"- {limit}" for limit in limits),
            "",
        ]
    )
