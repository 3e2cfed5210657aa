import hashlib
import json
from itertools import islice

import pytest

from procqa.dataset.croissant import CONFORMS_TO, MEANINGS, CroissantFacts, write_croissant
from procqa.dataset.schema import SCHEMA
from tests.dataset.small import ASKED, twelve_rows, write_parts

FACTS = CroissantFacts(
    "procqa of stackoverflow.com",
    "Questions with their accepted answers.",
    ["CC BY-SA 3.0", "CC BY-SA 4.0"],
    ("stackoverflow.com",),
    "2024-03-31T12:00:00.000",
)

# Its own libraries deprecate what it calls of them; nothing of that is ours.
foreign_warnings = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture
def folder(tmp_path):
    write_parts(tmp_path, {**twelve_rows(), **twelve_rows("cpp", first=50)})
    write_croissant(tmp_path, FACTS)
    return tmp_path


def test_every_column_has_a_meaning():
    assert list(MEANINGS) == SCHEMA.names


def test_every_part_is_named_with_its_digest(folder):
    described = json.loads((folder / "croissant.json").read_text())
    assert described["conformsTo"] == CONFORMS_TO
    assert (described["name"], described["datePublished"]) == ("procqa-of-stackoverflow-com", "2024-03-31")
    assert described["license"] == ["CC BY-SA 3.0", "CC BY-SA 4.0"]
    files = [entry for entry in described["distribution"] if entry["@type"] == "cr:FileObject"]
    assert len(files) == 6
    for entry in files:
        data = (folder / entry["contentUrl"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        assert entry["contentSize"] == f"{len(data)} B"


def test_what_is_unknown_is_left_out(tmp_path):
    write_croissant(tmp_path, CroissantFacts("x", "y", ["MIT"], ("local",)))
    described = json.loads((tmp_path / "croissant.json").read_text())
    assert described["license"] == "MIT"
    assert described.keys().isdisjoint({"url", "datePublished"})


@foreign_warnings
@pytest.mark.parametrize("record_set", ["all", "python", "cpp"])
def test_the_reference_reader_gives_ten_records_with_every_column(folder, record_set):
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed", exc_type=ImportError)
    dataset = mlcroissant.Dataset(folder / "croissant.json")
    assert dataset.metadata.ctx.issues.report() == ""
    records = list(islice(dataset.records(record_set), 10))
    assert len(records) == 10
    for record in records:
        assert list(record) == [f"{record_set}/{name}" for name in SCHEMA.names]
    record = next(one for one in dataset.records(record_set) if one[f"{record_set}/question_score"] % 50 == 2)
    values = {name.partition("/")[2]: value for name, value in record.items()}
    assert values["title"].startswith(b"How do I call function ")
    assert values["tags"] == [b"python", b"function"]
    assert values["view_count"] == 7
    assert (values["question_created"] - ASKED).days % 50 == 2
    assert (values["duplicate_cluster"], values["answer_author_url"]) == (None, None)


@foreign_warnings
def test_the_reference_reader_finds_nothing_to_warn_of(folder, caplog):
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed", exc_type=ImportError)
    mlcroissant.Dataset(folder / "croissant.json")
    assert [record.getMessage() for record in caplog.records if record.levelname != "INFO"] == []
