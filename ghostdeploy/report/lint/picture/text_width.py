"""How much of a drawing a text takes, before any browser sets it."""

from __future__ import annotations

# Widths in em of DejaVu Sans, the widest of the fonts that the page names: rather too much.
NARROW, WIDE = "iljftrI.,:;'|!()[]/\\ ·", "mwMWQ@%…"
NARROW_EM, WIDE_EM, UPPER_EM, OTHER_EM = 0.4, 1.0, 0.75, 0.64


def room_to_keep(text: str, size: float, room: int) -> int:
    """Return the width in pixels that ``text`` must be squeezed to, 0 where it fits.

    ``size`` is the font's and ``room`` the width that there is, both in pixels.
    """
    return room if size * sum(map(_em, text)) > room else 0


def _em(char: str) -> float:
    if char in NARROW:
        return NARROW_EM
    if char in WIDE or ord(char) > 0x2E80:  # East Asian
        return WIDE_EM
    return UPPER_EM if char.isupper() else OTHER_EM
