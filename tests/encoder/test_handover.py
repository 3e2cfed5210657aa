from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from procqa.encoder.handover import hand_over, take_over
from procqa.encoder.streams import StreamConfig, write_texts


def test_what_is_taken_over_is_what_was_handed_over(dataset: Path, static_folder: Path, tmp_path: Path):
    corpus = write_texts([dataset], tmp_path / "texts", StreamConfig(pairs=("title-answer", "question-answer")))
    model = SentenceTransformer(str(static_folder), local_files_only=True)
    hand_over(tmp_path, corpus.streams[1:], corpus.rows, model)
    streams, rows, taken = take_over(tmp_path, max_tokens=128)
    assert rows == 165
    assert [stream.name for stream in streams] == [stream.name for stream in corpus.streams[1:]]
    for stream, expected in zip(streams, corpus.streams[1:], strict=True):
        positions = np.arange(len(expected))
        assert (stream.query, stream.document) == (expected.query, expected.document)
        assert stream.rows.tolist() == expected.rows.tolist()
        assert stream.keys(positions).tolist() == expected.keys(positions).tolist()
    texts = ["list to queue", "a socket"]
    assert taken.encode(texts).tolist() == model.encode(texts).tolist()
