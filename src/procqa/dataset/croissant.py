"""Describes a dataset to machines: croissant.json, as MLCommons' Croissant 1.0 has it.

Every Parquet part is a file with its sha256; a record set for all languages and one for each give every
column, as the configurations of the card do. ``mlcroissant`` reads it where it lies, without network.
Source: ours, docs/decisions/0013.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from procqa.dataset.schema import SCHEMA
from procqa.manifest import FORMAT_VERSION, describe_files

CROISSANT = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
VERSION = f"{FORMAT_VERSION}.0.0"
"""Of the format; which data it is, the digests say. Source: ours, docs/decisions/0013."""

PARQUET = "application/x-parquet"
ALL = "all"

MEANINGS = {
    "question_id": "id of the question on its site; of a function or a published query a digest of it",
    "answer_id": "id of the answer on its site; of a function or a published query a digest of it",
    "language": "programming language, one a question",
    "title": "title of the question, or name of the function",
    "question": "body of the question, or documentation of the function, in Markdown",
    "answer": "the answer in Markdown, or the function",
    "tags": "tags of the question in their order",
    "question_score": "votes for the question",
    "answer_score": "votes for the answer",
    "view_count": "how often the question was viewed",
    "question_created": "when the question was asked, UTC",
    "answer_created": "when the answer was written, UTC",
    "question_author": "who asked",
    "question_author_url": "profile of who asked",
    "answer_author": "who answered",
    "answer_author_url": "profile of who answered",
    "question_licence": "licence of title and question",
    "answer_licence": "licence of the answer",
    "question_url": "address of the question",
    "answer_url": "address of the answer",
    "question_code_chars": "characters of the question in code blocks",
    "question_text_chars": "characters of the question outside code blocks",
    "answer_code_chars": "characters of the answer in code blocks",
    "answer_text_chars": "characters of the answer outside code blocks",
    "duplicate_cluster": "number of the cluster of near-duplicates; null where there is none",
    "site": "host the posts come from, or `local`",
}
"""What each column of SCHEMA means, in one phrase."""

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The JSON-LD context that Croissant 1.0 prescribes."""


@dataclass(frozen=True, slots=True)
class CroissantFacts:
    """What a description tells beside the files themselves.

    Args:
        name: of the dataset; letters, digits, "-" and "_" are kept.
        licences: as the rows name them.
        sites: hosts that the posts come from; ``local`` has no address.
        newest: ISO date of the newest post, which stands for the date of publication: a folder holds no clock.
    """

    name: str
    description: str
    licences: Sequence[str]
    sites: Sequence[str] = ()
    newest: str | None = None


def write_croissant(folder: Path, facts: CroissantFacts) -> None:
    """Write croissant.json for the Parquet parts that lie in a dataset's folder.

    Cost: every part is read once, for its sha256.
    """
    files = describe_files(folder, (folder / "data").glob("*/*.parquet"))
    text = json.dumps(describe(files, facts), indent=2, ensure_ascii=False)
    (folder / CROISSANT).write_text(text + "\n", encoding="utf-8")


def describe(files: Mapping[str, Mapping[str, Any]], facts: CroissantFacts) -> dict[str, Any]:
    """The JSON-LD of a dataset.

    Args:
        files: size and sha256 of each part, by its path in the folder.
    """
    languages = sorted({path.split("/")[1] for path in files})
    sets = {ALL: "data/*/*.parquet", **{language: f"data/{language}/*.parquet" for language in languages}}
    urls = [f"https://{site}" for site in facts.sites if site != "local"]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in facts.name),
        "description": facts.description,
        "license": _one_or_all(facts.licences),
        **({"url": urls[0]} if urls else {}),
        "creator": [{"@type": "Organization", "name": "the authors that each row names", **_url(urls)}],
        **({"datePublished": facts.newest[:10]} if facts.newest else {}),
        "version": VERSION,
        "citeAs": "arXiv 2403.16702 (ProCQA); name this dataset by the sha256 of manifest.json",
        "isLiveDataset": False,
        "distribution": [*_file_objects(files), *_file_sets(sets)],
        "recordSet": [_record_set(name) for name in sets],
    }


def _one_or_all(names: Sequence[str]) -> str | list[str]:
    return names[0] if len(names) == 1 else list(names)


def _url(urls: Sequence[str]) -> dict[str, str]:
    return {"url": urls[0]} if urls else {}


def _file_objects(files: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for path, entry in sorted(files.items()):
        yield {
            "@type": "cr:FileObject",
            "@id": path,
            "name": path.rsplit("/", 1)[-1],
            "contentUrl": path,
            "contentSize": f"{entry['size']} B",
            "encodingFormat": PARQUET,
            "sha256": entry["sha256"],
        }


def _file_sets(sets: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name, pattern in sets.items():
        yield {
            "@type": "cr:FileSet",
            "@id": f"files-{name}",
            "name": f"files-{name}",
            "encodingFormat": PARQUET,
            "includes": pattern,
        }


def _record_set(name: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": "pairs of all languages" if name == ALL else f"pairs in {name}",
        "key": [{"@id": f"{name}/site"}, {"@id": f"{name}/question_id"}],
        "field": [_field(name, column) for column in SCHEMA],
    }


def _field(record_set: str, column: pa.Field) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column.name}",
        "name": column.name,
        "description": MEANINGS[column.name],
        "dataType": _data_type(column.type),
        **({"repeated": True} if pa.types.is_list(column.type) else {}),
        "source": {"fileSet": {"@id": f"files-{record_set}"}, "extract": {"column": column.name}},
    }


def _data_type(kind: pa.DataType) -> str:
    """The schema.org name of an Arrow type of SCHEMA."""
    if pa.types.is_list(kind):
        return _data_type(kind.value_type)
    if pa.types.is_timestamp(kind):
        return "sc:DateTime"
    return "sc:Integer" if pa.types.is_integer(kind) else "sc:Text"
