"""Small datasets written row by row, for what only reads them."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from procqa import artifact
from procqa.dataset.schema import SCHEMA, SPLITS, part_path

ASKED = datetime(2019, 5, 4, 12, 30, 15, 250_000, tzinfo=UTC)


def row(number, **changes):
    """A question with a code block on both sides; its text follows from its number."""
    made = {
        "question_id": number * 10,
        "answer_id": number * 10 + 1,
        "language": "python",
        "title": f"How do I call function {number}?",
        "question": f"I have this:\n\n```python\nx = {number}\n```",
        "answer": f"Call it so:\n\n```\nf({number})\n```",
        "tags": ["python", "function"],
        "question_score": number,
        "answer_score": number + 1,
        "view_count": None if number % 2 else 7,
        "question_created": ASKED + timedelta(days=number),
        "answer_created": ASKED + timedelta(days=number, hours=1),
        "question_author": f"asker {number}",
        "question_author_url": f"https://stackoverflow.com/users/{number}",
        "answer_author": "user 5",
        "answer_author_url": None,
        "question_licence": "CC BY-SA 4.0",
        "answer_licence": "CC BY-SA 3.0",
        "question_url": f"https://stackoverflow.com/q/{number * 10}",
        "answer_url": f"https://stackoverflow.com/a/{number * 10 + 1}",
        "question_code_chars": 6,
        "question_text_chars": 12,
        "answer_code_chars": 5,
        "answer_text_chars": 11,
        "duplicate_cluster": None,
        "site": "stackoverflow.com",
    }
    return {**made, **changes}


def table(rows):
    """Rows as the columns of a part."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def write_parts(folder, parts):
    """Write rows by (language, split) as the data/ of a dataset."""
    for (language, split), rows in parts.items():
        path = folder / part_path(language, split, 0, 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table([{**one, "language": language} for one in rows]), path)


def write_dataset(out, parts):
    """Write rows by (language, split) as a whole dataset."""
    languages = {}
    for (language, split), rows in parts.items():
        languages.setdefault(language, dict.fromkeys(SPLITS, 0))[split] += len(rows)
    with artifact.workspace(out, kind="dataset", recipe={}, inputs=[]) as work:
        write_parts(work.path, parts)
        work.finish({"languages": dict(sorted(languages.items()))})
    return out


def twelve_rows(language="python", first=0):
    """Ten rows to train on and one for each other split."""
    rows = [row(first + number) for number in range(1, 13)]
    return {(language, "train"): rows[:10], (language, "validation"): rows[10:11], (language, "test"): rows[11:]}
