"""Every family of retrieval tasks as data: what is asked, of which documents, and how its publisher measures.

A task is named FAMILY:PART. The facts stand here once: ``benchmarks`` finds and reads the files by them, the
evaluation puts them into the protocol of a number. What a publisher does not state is left unsaid.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Tasks that differ only in their part.

    Args:
        part: what stands behind the colon; None where nothing may.
        parts: all that there are, where the publisher fixes them.
        query: the text of a query.
        document: the text of a document.
        relevant: which documents are right for a query.
        protocol: how the publisher ranks and counts, in words.
        measure: the publisher's metric, a key of ``Result.metrics``.
        candidates: see ``Collection``.
        folder: where the published files lie below a root.
        files: their names in that folder, with ``{part}`` for the part.
        source: what the data is.
        layout: the repository, its commit and the file that describe the layout, and the release where it has a name.
        licence: of the data.
        from_dataset: whether datasets of ours are tasks of this family too.
    """

    name: str
    part: str | None
    parts: tuple[str, ...] = ()
    query: str
    document: str
    relevant: str
    protocol: str
    measure: str = "mrr@1000"
    candidates: int = 0
    folder: str = ""
    files: tuple[str, ...] = ()
    source: str
    layout: str
    licence: str
    from_dataset: bool = False

    @property
    def pattern(self) -> str:
        """How a task of this family is named, such as ``rosetta:A-B``."""
        return self.name if self.part is None else f"{self.name}:{self.part}"


ACCEPTED = "the accepted answer alone; an answer of the same text counts as another"
"""Source: docs/paper.md#benchmark-protocol."""

OWN_OR_EQUAL = "its own, and every document of the same text"
"""Source: ours, docs/evaluation.md#tasks."""

WHOLE = "MRR among all documents, 0 beyond rank 1,000"
"""Source: docs/paper.md#suite."""

FULL = "MRR of the first right document, over the whole ranking"
"""Source: docs/paper.md#suite."""

RAW_CODE = "function as published, but Python's without its docstring"
TOKENS = "code_tokens, with a blank between them: no comments, no docstring"
LANGUAGES_OF_CODESEARCHNET = ("go", "java", "javascript", "php", "python", "ruby")
POOL = 1_000
"""The candidates of CodeSearchNet's older protocol. Source: docs/paper.md#suite."""

_PROCQA = Family(
    name="procqa",
    part="LANG",
    query="title, line break, question in Markdown",
    document="accepted answer in Markdown, of every split",
    relevant=ACCEPTED,
    protocol="MRR among all answers of the language, 0 beyond rank 1,000",
    folder="procqa",
    source="test split of the dataset",
    layout="a folder made by procqa build, or a released file: jordane95/procqa@452fea5: bi_encoder/data.py",
    licence="that of each row",
    from_dataset=True,
)

_CODESEARCHNET = Family(
    name="codesearchnet",
    part="LANG",
    parts=LANGUAGES_OF_CODESEARCHNET,
    query="docstring",
    document=RAW_CODE,
    relevant="the functions of the query's url",
    protocol=f"{WHOLE}; its published numbers are those of codesearchnet-tokens",
    candidates=POOL,
    folder="codesearchnet",
    files=("{part}/test.jsonl", "{part}/codebase.jsonl"),
    source="CodeSearchNet as filtered by GraphCodeBERT, test queries over the functions of validation and test",
    layout="microsoft/CodeBERT@1008a9a: GraphCodeBERT/codesearch/README.md",
    licence="that of each function's repository",
)

_WHOLE_CODESEARCHNET = replace(
    _CODESEARCHNET,
    name="codesearchnet-whole",
    relevant="its own function",
    protocol="MRR among 1,000 candidates, in blocks of a shuffled order; here in blocks of the published one, and also "
    "among all functions of the partition, 0 beyond rank 1,000",
    files=("{part}/final/jsonl/test/{part}_test_0.jsonl",),
    source="CodeSearchNet as published, its whole test partition",
    layout="github/CodeSearchNet@09c3594: README.md, resources/README.md",
)

_ADVTEST = Family(
    name="advtest",
    part=None,
    query="docstring",
    document=f"{RAW_CODE}; names of functions and variables are replaced",
    relevant="its own function",
    protocol=f"{WHOLE}; its published numbers are those of advtest-tokens",
    folder="advtest",
    files=("test.jsonl",),
    source="AdvTest of CodeXGLUE, test",
    layout="microsoft/CodeXGLUE@278e057: Text-Code/NL-code-search-Adv/README.md",
    licence="C-UDA",
)

_CONALA_PACS = Family(
    name="conala-pacs",
    part=None,
    query="intent, of those that share less than half of their words with what describes the snippet",
    document="Python snippet",
    relevant="the snippets of the query's Stack Overflow question",
    protocol="MRR of the first right snippet among 20; the paper's authors: over the whole ranking",
    folder="pacs",
    files=("conala-test-curated-0.5.jsonl", "conala-curated-snippets.jsonl"),
    source="PACS, CoNaLa: conala-test-curated-0.5 over conala-curated",
    layout="nokia/codesearch@28d8cf5: codesearch/data_config.py, Zenodo record 4001602",
    licence="CC BY-SA 4.0",
)

_SO_DS = replace(
    _CONALA_PACS,
    name="so-ds",
    query="title of a Stack Overflow question",
    relevant="the snippets of the questions that it duplicates",
    files=("so-ds-feb20-test.jsonl", "so-ds-feb20.jsonl"),
    source="PACS, SO-DS: so-ds-feb20-test over so-ds-feb20",
)

_STAQC = replace(
    _SO_DS,
    name="staqc",
    files=("staqc-py-test-raw.jsonl", "staqc-py-cleaned.jsonl"),
    source="PACS, StaQC in Python: staqc-py-test-raw over staqc-py-cleaned",
    licence="CC BY 4.0 (StaQC)",
)

_CDCS = Family(
    name="cdcs",
    part="LANG",
    parts=("solidity", "sql"),
    query="description",
    document="code on one line, without /* comments */",
    relevant="its own code",
    protocol="success at 1, 5 and 10, and MRR, among the 1,000 of the test file",
    folder="cdcs",
    files=("SQL.txt", "Solidity.txt"),
    source="CDCS, test",
    layout="fewshotcdcs/CDCS@a40f9fe: dataset/test",
    licence="none is stated",
)

_CODENET = Family(
    name="codenet",
    part="A-B",
    query="program in language A, without comments, on one line",
    document="program in language B, without comments, on one line",
    relevant="the programs for the same problem",
    protocol="zero-shot MAP over the whole ranking, the query itself left out, of queries with a right program",
    measure="map",
    folder="codenet",
    files=("ruby_with_func.jsonl", "python_with_func.jsonl", "java_with_func.jsonl"),
    source="CodeNet as selected by UniXcoder",
    layout="microsoft/CodeBERT@b566d37: UniXcoder/downstream-tasks/zero-shot-search",
    licence="that of Project CodeNet",
)

_CONCAT = "description, blank, snippet"
"""Source: authors' code: eval_codesearch_so-ds_concat.py and its like."""

_FAMILIES = (
    _PROCQA,
    replace(_PROCQA, name="procqa-title", query="title", protocol="ours: procqa, asked with less"),
    _CODESEARCHNET,
    replace(_CODESEARCHNET, name="codesearchnet-tokens", query="docstring_tokens", document=TOKENS, protocol=WHOLE),
    _WHOLE_CODESEARCHNET,
    replace(_WHOLE_CODESEARCHNET, name="codesearchnet-whole-tokens", query="docstring_tokens", document=TOKENS),
    _ADVTEST,
    replace(
        _ADVTEST,
        name="advtest-tokens",
        query="docstring_tokens",
        document="function_tokens, with a blank between them; names of functions and variables are replaced",
        protocol=WHOLE,
    ),
    Family(
        name="cosqa",
        part=None,
        query="web query",
        document="Python function as published, docstring in",
        relevant="the one function that is labelled right",
        protocol=FULL,
        folder="cosqa",
        files=("cosqa-retrieval-test-500.json", "code_idx_map.txt"),
        source="CoSQA code retrieval, test queries over all candidate functions, code as published",
        layout="Jun-jie-Huang/CoCLR@778daa8: data/search",
        licence="C-UDA (data), MIT (repository)",
    ),
    Family(
        name="conala",
        part=None,
        query="rewritten intent",
        document="Python snippet",
        relevant="the snippets of all equal intents, and every snippet of the same text",
        protocol="ours: CoNaLa is published for generation; MRR among the snippets of the test file",
        folder="conala",
        files=("conala-test.json",),
        source="CoNaLa curated test, rewritten intent to snippet",
        layout="conala-corpus-v1.1.zip",
        licence="CC BY-SA",
    ),
    _CONALA_PACS,
    replace(_CONALA_PACS, name="conala-pacs-concat", document=_CONCAT),
    _SO_DS,
    replace(_SO_DS, name="so-ds-concat", document=_CONCAT),
    _STAQC,
    replace(_STAQC, name="staqc-concat", document=_CONCAT),
    Family(
        name="codenn",
        part="LANG",
        query="title",
        document="code of the accepted answer",
        relevant=OWN_OR_EQUAL,
        protocol="ours: CODE-NN is published for summaries; MRR among all code of the language's test file",
        folder="codenn",
        files=("test.jsonl",),
        source="CODE-NN test, Stack Overflow title to the snippet of its accepted answer",
        layout="JSON lines of id, language, title and answer, or LANG/test.txt of sriniiyer/codenn@0f7fbb8: "
        "data/stackoverflow",
        licence="CC BY-SA 3.0",
    ),
    Family(
        name="csn-cloze",
        part="LANG",
        query="docstring",
        document="function as joined tokens",
        relevant=OWN_OR_EQUAL,
        protocol="ours: MRR among the functions of the language",
        folder="csn-cloze",
        files=("test.jsonl",),
        source="CodeSearchNet functions of the maxmin cloze test, docstring to code; one token each is a guess",
        layout="JSON lines of id, language, docstring and code",
        licence="C-UDA",
    ),
    _CDCS,
    replace(
        _CDCS,
        name="cdcs-raw",
        document="code as published, comments in",
        protocol="the paper's authors: success at 1, 5 and 10, and MRR, among the 1,000 of the test file",
    ),
    Family(
        name="poj104",
        part=None,
        query="program, C or C++",
        document="program, C or C++",
        relevant="the programs for the same problem",
        protocol="MAP at R, the number of right programs, which is 499; the query itself left out",
        measure="map@r",
        folder="poj104",
        files=("test.jsonl",),
        source="POJ-104 as split by CodeXGLUE, test",
        layout="microsoft/CodeXGLUE@0a80e02: Code-Code/Clone-detection-POJ-104/README.md",
        licence="C-UDA",
    ),
    _CODENET,
    replace(
        _CODENET,
        name="codenet-raw",
        query="program in language A, comments in",
        document="program in language B, comments in",
        protocol="ours: as codenet",
    ),
    Family(
        name="rosetta",
        part="A-B",
        query="program in language A",
        document="program in language B",
        relevant="the programs for the same task",
        protocol="ours, as CodeNet's: MAP over the ranking, the query itself left out",
        measure="map",
        folder="rosetta",
        files=("programs.jsonl",),
        source="Rosetta Code 2017, program to programs of the same task",
        layout="JSON lines of task, language, file and code",
        licence="GFDL 1.2",
    ),
    Family(
        name="beir",
        part="PATH",
        query="text",
        document="title, blank, text",
        relevant="those judged above 0, with their grades",
        protocol="nDCG over the first ten",
        measure="ndcg@10",
        files=("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"),
        source="BEIR folder",
        layout="beir-cellar/beir: corpus, queries and qrels of a dataset",
        licence="as its publisher states",
    ),
    Family(
        name="mteb",
        part="NAME",
        query="text, and after a blank the instruction, where the task has one; no prompt",
        document="title, blank, text",
        relevant="those judged above 0, with their grades",
        protocol="nDCG over the first ten in MTEB(Code) and CoIR",
        measure="ndcg@10",
        folder="mteb",
        files=("NAME",),
        source="a retrieval task of mteb",
        layout="a copy of the dataset repository that mteb names, at its revision",
        licence="as mteb states for the task",
    ),
)

FAMILIES = {family.name: family for family in _FAMILIES}
"""Every family of tasks by name. Source: docs/paper.md#suite, docs/paper.md#benchmark-protocol."""
