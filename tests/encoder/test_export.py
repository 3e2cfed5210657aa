import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from procqa.chain import check_files
from procqa.encoder.export import EncoderExport, export_encoder
from procqa.encoder.model import open_encoder
from procqa.encoder.static import is_static
from procqa.encoder.training import train
from procqa.errors import ArtifactError, ConfigError
from procqa.manifest import load_manifest
from tests.encoder.small import tiny_config

HAS_OPENVINO, HAS_ONNX = find_spec("openvino") is not None, find_spec("onnxscript") is not None
needs_openvino = pytest.mark.skipif(not HAS_OPENVINO, reason="the extra openvino is not installed")
needs_onnx = pytest.mark.skipif(not (HAS_ONNX and HAS_OPENVINO), reason="the extra onnx is not installed")
GRAPHS = [pytest.param("openvino", marks=needs_openvino), pytest.param("onnx", marks=needs_onnx)]
TEXTS = ["How do I turn a list into a file?", "", "Call `list_to_file(x)` in python", "queue " * 60]


def export(source: Path, out: Path, form, **changes) -> dict:
    return export_encoder(EncoderExport(encoder=str(source), out=out, form=form, **changes))


@pytest.mark.parametrize("form", GRAPHS)
def test_a_graph_gives_the_vectors_of_its_source_without_torch_and_holds_no_path(
    form, tiny_folder: Path, tmp_path: Path
):
    summary = export(tiny_folder, tmp_path / "g", form)
    assert (summary["dimensions"], summary["max_tokens"]) == (64, 32)
    assert summary["likeness"]["cosine_least"] == 1.0
    for name in load_manifest(tmp_path / "g").files:
        assert b"site-packages" not in (tmp_path / "g" / name).read_bytes()
    program = (
        "import json, sys; from procqa.encoder.model import open_encoder;"
        "encoder = open_encoder(sys.argv[1], precision='fp32');"
        "print(json.dumps([encoder.arithmetic, encoder.encode_documents(json.loads(sys.argv[2])).tolist()]));"
        "assert 'torch' not in sys.modules and 'sentence_transformers' not in sys.modules"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "g"), json.dumps(TEXTS)]
    arithmetic, vectors = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    source = open_encoder(str(tiny_folder), precision="fp32", backend="torch")
    assert arithmetic == "openvino fp32"
    assert np.array(vectors) == pytest.approx(source.encode_documents(TEXTS), abs=1e-5)


@pytest.mark.parametrize("form", ["static", GRAPHS[0]])
def test_an_export_says_what_it_was_made_from_and_is_the_same_bytes_again(form, tiny_folder: Path, tmp_path: Path):
    summary = export(tiny_folder, tmp_path / "e", form)
    manifest, source = load_manifest(tmp_path / "e", kind="encoder"), load_manifest(tiny_folder)
    assert [(entry.name, entry.sha256) for entry in manifest.inputs] == [("encoder", source.sha256)]
    assert manifest.recipe["exported_as"] == form
    assert {check.outcome for check in check_files(tmp_path / "e", manifest)} == {"ok"}
    assert (tmp_path / "e" / "seen.bin").read_bytes() == (tiny_folder / "seen.bin").read_bytes()
    card = (tmp_path / "e" / "README.md").read_text()
    assert f"# encoder as {form}" in card
    assert "every fourth title, question or answer of the sample dump" in card
    assert export(tiny_folder, tmp_path / "e", form) == summary
    again = export(tiny_folder, tmp_path / "again", form)
    assert again["sha256"] == summary["sha256"]


def test_a_distilled_encoder_is_static_and_loads_in_sentence_transformers(tiny_folder: Path, tmp_path: Path):
    from sentence_transformers import SentenceTransformer

    summary = export(tiny_folder, tmp_path / "s", "static", dimensions=24)
    assert is_static(tmp_path / "s")
    assert summary["likeness"].keys() == {"texts", "similarity_correlation"}
    encoder = open_encoder(str(tmp_path / "s"))
    assert (encoder.arithmetic, encoder.dimensions, encoder.max_tokens) == ("numpy fp32", 24, 32)
    library = SentenceTransformer(str(tmp_path / "s"), local_files_only=True)
    assert encoder.encode_documents(TEXTS) == pytest.approx(library.encode(TEXTS), abs=1e-5)


def test_what_is_distilled_is_a_base_whose_lineage_goes_on(tiny_folder: Path, dataset: Path, tmp_path: Path):
    export(tiny_folder, tmp_path / "s", "static", dimensions=16)
    train([dataset], tmp_path / "m", tiny_config(base=str(tmp_path / "s"), steps=0))
    source = open_encoder(str(tiny_folder), backend="torch")
    assert load_manifest(tmp_path / "m").recipe["base_lineage"] == [source.revision]


def test_a_static_encoder_becomes_8_bit_numbers(static_folder: Path, tmp_path: Path):
    summary = export(static_folder, tmp_path / "q", "int8")
    assert summary["likeness"]["cosine_least"] > 0.999
    assert export(static_folder, tmp_path / "q", "int8") == summary
    one, other = (open_encoder(str(folder)).encode_documents(TEXTS) for folder in (static_folder, tmp_path / "q"))
    assert (one * other).sum(axis=1).tolist() == pytest.approx([1, 0, 1, 1], abs=1e-3)


def test_what_has_no_such_form_is_refused(static_folder: Path, tiny_folder: Path, dataset: Path, tmp_path: Path):
    towers = tmp_path / "towers"
    train([dataset], towers, tiny_config(towers="query-document", steps=0))
    for source, form, changes, error, sentence in (
        (static_folder, "static", {}, ConfigError, "must be made of a transformer, but encoder is static already"),
        (tiny_folder, "int8", {}, ArtifactError, "must be a static encoder to be quantized"),
        (tiny_folder, "static", {"dimensions": 65}, ConfigError, "at most the 64 of encoder, got 65"),
        (tiny_folder, "onnx", {"dimensions": 8}, ConfigError, "for a static encoder alone, got onnx"),
        (tiny_folder, "gguf", {}, ConfigError, "form must be one of static, int8, openvino, onnx, got 'gguf'"),
        (towers, "static", {}, ArtifactError, "but it has towers"),
        (tmp_path / "none", "static", {}, ArtifactError, "there is no such folder"),
    ):
        with pytest.raises(error, match=sentence):
            export(source, tmp_path / "out", form, **changes)
    with pytest.raises(ArtifactError, match="must lie apart from its inputs"):
        export(tiny_folder, tiny_folder, "static")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))
