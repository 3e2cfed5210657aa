"""The arithmetic in which torch encodes: fp32, or bf16 where the processor has it.

In bf16 the matrices are multiplied at twice the speed or more; sums, norms and the vectors stay fp32. The cosine of
both vectors of a text is .9999 and more. Source: ours, docs/decisions/0022.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal, get_args

from procqa.config import require

Precision = Literal["auto", "fp32", "bf16"]
Arithmetic = Literal["fp32", "bf16"]

NATIVE_BF16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""Capabilities of processors, as torch names them, any of which multiplies matrices in bf16."""


def has_native_bf16() -> bool:
    """Whether this processor multiplies in bf16 rather than imitates it."""
    import torch

    # An older torch cannot be asked, and fp32 is never wrong.
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in NATIVE_BF16)


def choose_arithmetic(precision: Precision, device: str) -> Arithmetic:
    """What a setting means on a device, a name such as ``cpu``: auto is fp32 off the processor.

    Raises:
        ConfigError: there is no such setting.
    """
    choices = get_args(Precision)
    require(precision in choices, f"precision must be one of {', '.join(choices)}, got {precision!r}")
    if precision == "auto":
        return "bf16" if device == "cpu" and has_native_bf16() else "fp32"
    return precision


def in_arithmetic(arithmetic: Arithmetic, device: str) -> AbstractContextManager[Any]:  # Any: torch has no narrower
    """What makes torch multiply matrices so while it lasts; their inputs and results stay fp32."""
    import torch

    return torch.autocast(device, dtype=torch.bfloat16, enabled=arithmetic == "bf16")
