"""What the first of several processes prepares, as files in the scratch folder that the others open.

The streams stand in a safetensors file, the texts and token numbers in theirs, and the model to start from in a
sentence-transformers folder. Source: ours, docs/decisions/0019.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import save_file

from procqa.encoder.model import load_model
from procqa.encoder.streams import Stream

STREAMS_FILE, START_FOLDER = "streams.safetensors", "start"


def hand_over(scratch: Path, streams: Sequence[Stream], rows: int, model: Any) -> None:  # Any: SentenceTransformer
    """Write the streams of a corpus of so many rows, and the model to start from."""
    arrays: dict[str, NDArray[Any]] = {"hashes": streams[0].hashes, "groups": streams[0].groups}
    mined = next((stream.mined for stream in streams if stream.mined is not None), None)
    arrays |= {} if mined is None else {"mined": mined}
    arrays |= {f"rows.{number}": stream.rows for number, stream in enumerate(streams)}
    described = [(stream.name, stream.query, stream.document, stream.mined is not None) for stream in streams]
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    save_file(contiguous, scratch / STREAMS_FILE, {"streams": json.dumps(described), "rows": str(rows)})
    model.save_pretrained(str(scratch / START_FOLDER), create_model_card=False)


def take_over(scratch: Path, *, max_tokens: int) -> tuple[list[Stream], int, Any]:  # Any: SentenceTransformer
    """The streams, the rows of their corpus, and the model, as ``hand_over`` wrote them."""
    with safetensors.safe_open(scratch / STREAMS_FILE, framework="np") as file:
        described = file.metadata()
        hashes, groups = file.get_tensor("hashes"), file.get_tensor("groups")
        mined = file.get_tensor("mined") if "mined" in file.keys() else None  # noqa: SIM118  the file is no mapping
        streams = [
            Stream(
                name,
                query,
                document,
                file.get_tensor(f"rows.{number}"),
                hashes,
                groups,
                mined if has_mined else None,
            )
            for number, (name, query, document, has_mined) in enumerate(json.loads(described["streams"]))
        ]
    return streams, int(described["rows"]), load_model(scratch / START_FOLDER, max_tokens=max_tokens)
