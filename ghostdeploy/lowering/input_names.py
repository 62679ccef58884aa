"""What a converter calls the inputs of a model."""

from __future__ import annotations

import re


def input_name(name: str, number: int) -> str:
    """Return what a converter calls input ``number``: its own name, or one without odd signs."""
    return name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) else f"input_{number}"
