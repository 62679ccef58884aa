"""Text from records (device names, paths, error output) made safe to show.

Escaping for a format is that format's own business; this removes what no output wants.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

CELL_LIMIT = 160
_Cut = Callable[[Sequence[str], int], list[str]]
_KEPT_FORMAT_CHARACTERS = "\u200c\u200d"  # joiners: scripts and emoji need them


def clean(text: object, limit: int = CELL_LIMIT) -> str:
    """Return one line of at most ``limit`` characters: no control or bidirectional characters.

    What cannot be encoded (lone surrogates, as undecodable file names bring) becomes U+FFFD.
    """
    raw = str(text)[: 8 * limit + 8]
    line = " ".join("".join(map(_visible, raw)).split())
    return shorten(line, limit)


def shorten(text: str, limit: int) -> str:
    """Leave the middle out of more than ``limit`` characters: names differ at their ends."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def shorten_apart(texts: Sequence[str], limit: int) -> list[str]:
    """Clean and shorten every text, so that different ones look different.

    Where the usual cut would leave them alike, they are cut before the first character that
    differs; what even then looks alike is numbered.
    """
    whole = [clean(text, 8 * limit) for text in texts]
    found = _renew(whole, [shorten(text, limit) for text in whole], limit, _cut_before_difference)
    return _renew(whole, found, limit, _number)


def _renew(whole: Sequence[str], found: list[str], limit: int, cut: _Cut) -> list[str]:
    alike = {short for short, count in Counter(found).items() if count > 1}
    renewed = list(found)
    for short in alike:
        places = [n for n, text in enumerate(found) if text == short]
        different = list(dict.fromkeys(whole[n] for n in places))
        if len(different) > 1:
            cuts = dict(zip(different, cut(different, limit), strict=True))
            for n in places:
                renewed[n] = cuts[whole[n]]
    return renewed


def _cut_before_difference(texts: Sequence[str], limit: int) -> list[str]:
    alike = next((n for n, chars in enumerate(zip(*texts, strict=False)) if len(set(chars)) > 1), 0)
    start = max(0, alike - limit // 4)
    return [shorten(f"…{text[start:]}", limit) for text in texts]


def _number(texts: Sequence[str], limit: int) -> list[str]:
    marks = [f" ({n})" for n in range(1, len(texts) + 1)]
    return [
        shorten(text, limit - len(mark)) + mark for text, mark in zip(texts, marks, strict=True)
    ]


def shorten_to_width(text: str, width: int) -> str:
    """Leave the middle out of what takes more than ``width`` terminal columns."""
    limit = width
    while display_width(shorten(text, limit)) > width and limit > 1:
        limit -= 1
    return shorten(text, limit)


def display_width(text: str) -> int:
    """Return terminal columns: wide East Asian characters take two, combining marks none."""
    return sum(map(_columns, text))


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Fill ``text`` up to ``width`` terminal columns; ``right`` aligns it to the right."""
    fill = " " * max(0, width - display_width(text))
    return fill + text if right else text + fill


def wrap(text: str, width: int) -> list[str]:
    """Break ``text`` into lines of at most ``width`` terminal columns, at spaces where possible."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if display_width(joined) <= width:
            lines[-1] = joined
            continue
        pieces = _hard_split(word, width)
        lines += pieces if lines[-1] else []
        if not lines[0]:
            lines = pieces
    return lines


def _hard_split(word: str, width: int) -> list[str]:
    pieces = [""]
    for char in word:
        if display_width(pieces[-1] + char) > width and pieces[-1]:
            pieces.append("")
        pieces[-1] += char
    return pieces


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category[0] == "Z" or char in "\t\n\r\v\f":
        return " "
    if category == "Cn" and ord(char) & 0xFFFE == 0xFFFE:  # no character, of no known width
        return "\ufffd"
    if category in ("Cc", "Cs", "Cf") and char not in _KEPT_FORMAT_CHARACTERS:
        return "\ufffd"
    return char


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
