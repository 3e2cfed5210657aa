import numpy as np
import pytest
import torch

from procqa.encoder.model import open_encoder
from procqa.encoder.precision import choose_arithmetic, has_native_bf16, in_arithmetic
from procqa.errors import ConfigError

TEXTS = ["sort a list", "xs.sort(key=len)", "How do I read a file line by line in Go?", "socket.recv(1024) " * 60]


def test_auto_is_bf16_where_the_processor_has_it_and_fp32_on_other_devices():
    assert choose_arithmetic("auto", "cpu") == ("bf16" if has_native_bf16() else "fp32")
    assert choose_arithmetic("auto", "cuda") == "fp32"
    assert [choose_arithmetic(name, "cuda") for name in ("fp32", "bf16")] == ["fp32", "bf16"]


def test_a_precision_that_there_is_not_is_refused():
    with pytest.raises(ConfigError, match="precision must be one of auto, fp32, bf16, got 'fp16'"):
        open_encoder("minilm", precision="fp16")  # type: ignore[arg-type]  # on purpose


def test_matrices_are_multiplied_in_the_arithmetic_and_added_up_in_fp32():
    one = torch.ones(2, 2)
    kinds = []
    for arithmetic in ("fp32", "bf16"):
        with in_arithmetic(arithmetic, "cpu"):
            kinds.append((one @ one).dtype)
    assert kinds == [torch.float32, torch.bfloat16]
    assert (one @ one).dtype == torch.float32


def test_bf16_gives_nearly_the_vectors_of_fp32_as_unit_rows_of_fp32():
    exact, rounded = (open_encoder("minilm", precision=name, backend="torch") for name in ("fp32", "bf16"))
    assert (exact.arithmetic, rounded.arithmetic) == ("torch fp32", "torch bf16")
    one, other = exact.encode_documents(TEXTS), rounded.encode_documents(TEXTS)
    assert other.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(other, axis=1), 1, atol=1e-6)
    assert (one * other).sum(axis=1).min() > 0.9999
    assert np.abs(one - other).max() > 1e-6


@pytest.mark.parametrize(("precision", "most"), [("fp32", 1e-6), ("bf16", 5e-3)])
def test_the_vector_of_a_text_depends_on_its_batch_by_rounding_alone(precision, most):
    encoder = open_encoder("minilm", precision=precision, backend="torch")
    together = encoder.encode_documents(TEXTS)
    alone = np.concatenate([encoder.encode_documents([text]) for text in TEXTS])
    assert np.abs(together - alone).max() < most
    assert encoder.encode_documents(TEXTS).tolist() == together.tolist()
