import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from procqa.encoder.model import open_encoder
from procqa.encoder.static import is_static
from procqa.encoder.torch_encoder import ModalityEncoder
from procqa.encoder.towers import cut_modalities, first_modules, is_code, join_parts, towers_of
from procqa.encoder.training import train
from procqa.errors import ArtifactError
from procqa.text import segments
from tests.encoder.small import make_dataset, tiny_config

FENCED = "Use `sorted`:\n\n```python\nsorted(xs)\n```\n\nor\n\n```\nxs.sort()\n```"


@pytest.mark.parametrize(
    ("text", "prose", "code"),
    [
        (FENCED, "Use `sorted`:\n\nor", "sorted(xs)\n\n\nxs.sort()\n"),
        ("How do I sort a list in place?", "How do I sort a list in place?", ""),
        ("for (int i = 0; i < n; i++) { s += a[i]; }", "", "for (int i = 0; i < n; i++) { s += a[i]; }"),
        (
            "see https://a.example/b?c=d&e=f#g, `x[i] += {}`",
            "see https://a.example/b?c=d&e=f#g, `x[i] += {}`",
            "",
        ),
        ("", "", ""),
        ("```\n \n```", "", ""),
    ],
)
def test_a_text_is_cut_into_its_prose_and_its_code(text, prose, code):
    assert cut_modalities(text) == (prose, code)


@given(st.text(max_size=200))
def test_nothing_of_a_text_without_a_fence_is_lost(text):
    prose, code = cut_modalities(text)
    if all(span.kind == "text" for span in segments(text)):
        assert {prose, code} == {text, ""}


def test_blank_text_is_no_code():
    assert not is_code("")
    assert not is_code(" \n")


def test_parts_are_joined_as_far_as_they_are_there():
    ones, twos = torch.tensor([[3.0, 0.0]] * 3), torch.tensor([[0.0, 2.0]] * 3)
    there = [torch.tensor([True, True, False]), torch.tensor([True, False, False])]
    assert join_parts([ones, twos], there).tolist() == [[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions and answers with prose and code, of which some lack one."""
    rows = [
        (f"How {n} to {m}", f"I have {n}\n\n```\n{n}_{m} = [{m}]\n```", f"Call {m}\n\n```\n{n}({m});\n```")
        for n in ("sort", "read", "open", "send", "lock")
        for m in ("list", "file", "port", "mail")
    ]
    rows += [(f"Why {n}?", f"Because {n} is odd", f"It is {n}") for n in ("this", "that", "what")]
    return make_dataset(tmp_path_factory.mktemp("mixed") / "M", {"python": rows})


@pytest.fixture(scope="module", params=["query-document", "modality"])
def trained(request, mixed, tmp_path_factory):
    """(kind, folder) of a static encoder with towers."""
    out = tmp_path_factory.mktemp("towers") / request.param
    train([mixed], out, tiny_config(towers=request.param, steps=30, batch_size=8))
    return request.param, out


def test_towers_learn_and_are_opened_from_one_folder(trained):
    kind, folder = trained
    lines = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert not is_static(folder)
    encoder = open_encoder(str(folder))
    assert towers_of(encoder.model) == kind
    one, other = (first.embedding.weight for first in first_modules(encoder.model))
    assert one.shape == other.shape
    assert not torch.allclose(one, other)
    assert "one for" in (folder / "README.md").read_text()
    vectors = encoder.encode_queries(["How sort to list", FENCED]), encoder.encode_documents([FENCED, "x = [1];"])
    for side in vectors:
        assert np.linalg.norm(side, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert encoder.max_tokens == 128


def test_queries_and_documents_have_each_their_tower(trained):
    kind, folder = trained
    encoder = open_encoder(str(folder))
    query, document = encoder.encode_queries(["sort a list"]), encoder.encode_documents(["sort a list"])
    assert np.allclose(query, document, atol=1e-5) is (kind == "modality")


def test_the_vector_of_a_text_is_the_sum_of_its_parts(trained):
    kind, folder = trained
    if kind != "modality":
        pytest.skip("of modality towers alone")
    encoder = open_encoder(str(folder))
    assert isinstance(encoder, ModalityEncoder)
    prose, code = cut_modalities(FENCED)
    parts = [encoder.model.encode([prose], task="text"), encoder.model.encode([code], task="code")]
    total = sum(part / np.linalg.norm(part) for part in parts)
    assert encoder.encode_documents([FENCED])[0] == pytest.approx((total / np.linalg.norm(total))[0], abs=1e-5)
    assert encoder.encode_documents(["", FENCED])[0].tolist() == [0.0] * 16


@pytest.mark.parametrize("towers", ["query-document", "modality"])
def test_towers_of_a_few_rows_at_a_time_train_as_those_of_all(mixed, tmp_path, towers):
    for name, rows in (("whole", None), ("few", 3)):
        train([mixed], tmp_path / name, tiny_config(towers=towers, steps=4, batch_size=8, rows_at_once=rows))
    one, other = (open_encoder(str(tmp_path / name)).encode_documents([FENCED]) for name in ("whole", "few"))
    assert one == pytest.approx(other, abs=1e-4)


def test_a_transformer_gets_towers_too(mixed, tmp_path):
    train([mixed], tmp_path / "m", tiny_config(base="minilm", towers="modality", steps=1, batch_size=4, max_tokens=16))
    encoder = open_encoder(str(tmp_path / "m"))
    assert encoder.dimensions == 384
    assert np.linalg.norm(encoder.encode_queries([FENCED, "plain words"]), axis=1) == pytest.approx([1, 1], abs=1e-4)


def test_towers_are_a_base_for_towers_of_their_kind_alone(trained, mixed, tmp_path):
    kind, folder = trained
    train([mixed], tmp_path / "again", tiny_config(base=str(folder), towers=kind, steps=1, batch_size=4))
    assert towers_of(open_encoder(str(tmp_path / "again")).model) == kind
    with pytest.raises(ArtifactError, match=f"a base with {kind} towers can be trained on with these alone"):
        train([mixed], tmp_path / "other", tiny_config(base=str(folder), steps=1, batch_size=4))
    assert not (tmp_path / "other").exists()


def test_a_tower_of_foreign_code_is_refused(trained, tmp_path):
    _, folder = trained
    (path,) = folder.glob("**/router_config.json")
    copy = tmp_path / "copy"
    for file in folder.rglob("*"):
        if file.is_file():
            place = copy / file.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
    config, place = json.loads(path.read_text()), copy / path.relative_to(folder)
    nested = dict.fromkeys(config["types"], "sentence_transformers.base.modules.router.Router")
    cases = [
        ({**config, "types": dict.fromkeys(config["types"], "evil.Module")}, r"modules, got 'evil\.Module'"),
        ({**config, "types": nested}, "must have towers for query and document or text and code"),
        ({**config, "structure": {"image": []}}, "or text and code, got routes image"),
        ([], "must name the modules of a Router"),
    ]
    for broken, sentence in cases:
        place.write_text(json.dumps(broken))
        with pytest.raises(ArtifactError, match=sentence):
            open_encoder(str(copy))
    place.rename(place.with_name("config.json"))  # the library would read it there too
    with pytest.raises(ArtifactError, match="must name the modules of a Router"):
        open_encoder(str(copy))


@pytest.mark.parametrize("decoy", [None, "model-x.safetensors"])
def test_a_pickle_in_a_tower_is_refused_wherever_the_folder_is_named_from(trained, tmp_path, monkeypatch, decoy):
    _, folder = trained
    shutil.copytree(folder, tmp_path / "copy")
    (weights,) = list((tmp_path / "copy").glob("*_0_StaticEmbedding/model.safetensors"))[:1]
    weights.rename(weights.with_name(decoy) if decoy else weights.with_name("pytorch_model.bin"))
    weights.with_name("pytorch_model.bin").write_bytes(b"a pickle")
    monkeypatch.chdir(tmp_path)
    for name in (str(tmp_path / "copy"), "./copy"):
        with pytest.raises(ArtifactError, match="has pickled weights, which are never loaded"):
            open_encoder(name)
