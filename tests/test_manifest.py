"""What a manifest must be."""

import json

import pytest

from procqa.artifact import workspace
from procqa.errors import ArtifactError
from procqa.manifest import load_manifest

WHOLE = {"kind": "dataset", "sha256": "", "inputs": [], "recipe": {}, "counts": {}, "files": {}, "format_version": 1}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "holds no manifest.json"),
        ("{", "not a readable manifest"),
        ('{"format_version": 99}', "format version 99"),
        *(
            (json.dumps({**WHOLE, name: wrong}), "not a readable manifest")
            for name, wrong in (("files", ["a"]), ("files", {"a": {"size": "1", "sha256": ""}}), ("kind", ["a"]))
        ),
    ],
)
def test_a_broken_manifest_is_one_sentence(tmp_path, content, sentence):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ArtifactError, match=sentence):
        load_manifest(tmp_path)


def test_another_kind_and_an_absent_folder_are_refused(tmp_path):
    with workspace(tmp_path / "out", kind="dataset", recipe={}, inputs=[]) as work:
        work.finish({})
    with pytest.raises(ArtifactError, match="must be a procqa index, but it is a procqa dataset"):
        load_manifest(tmp_path / "out", kind="index")
    with pytest.raises(ArtifactError, match="no such folder"):
        load_manifest(tmp_path / "absent")
