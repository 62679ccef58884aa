"""Ways to damage a file: bytes, the structure of TFLite, ONNX, JSON and TOML, lines of text.

Each function takes a source of chance and a file's content, and returns another content.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

Mutate = Callable[[random.Random, bytes], bytes]

EXTREMES = (0, 1, 2, 3, 4, 8, 127, 255, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 4, 2**32 - 1)
NUMBERS = (
    *(0, 1, -1, 2, 3, 7, 63, 255, 2**15, 2**31 - 1, -(2**31), 2**32, 2**53 + 1, 2**63 - 1),
    *(2**63, 2**64, -(10**30), 10**400, 0.0, -0.0, 0.5, 1e-320, 1e308, float("inf"), float("nan")),
)
TEXTS = (
    *("", " ", "x", "a" * 70_000, "\ud800", "\udfff x", "\x00", "\x1b[2J\x1b]0;t\x07", "\u202e"),
    *(
        "\n",
        "\r\nerror: ",
        "../../../../etc/passwd",
        "/dev/null",
        "%s%n{0}",
        "<b>&amp;'\"",
        "[red]",
    ),
    *("٣", "1e999", "nan", "-", "é" * 300, "https://[::1", "--help", "|" * 200),
)
DEEP = 3000
MOST_BYTES = 50_000_000  # of a line that is written again and again
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")


def damage_bytes(source: random.Random, data: bytes) -> bytes:
    """Flip, overwrite, cut, splice, shift or repeat a part; one to three times."""
    changed = bytearray(data or b"\0")
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        source.choice(_BYTES)(source, changed)
        if not changed:
            break
    return bytes(changed)


def _flip(source: random.Random, data: bytearray) -> None:
    for _ in range(source.randint(1, 16)):
        data[source.randrange(len(data))] ^= 1 << source.randrange(8)


def _overwrite(source: random.Random, data: bytearray) -> None:
    place = source.randrange(len(data)) // 4 * 4
    value = source.choice((*EXTREMES, source.getrandbits(32)))
    data[place : place + 4] = value.to_bytes(4, "little")


def _cut(source: random.Random, data: bytearray) -> None:
    del data[source.randrange(len(data)) :]


def _splice(source: random.Random, data: bytearray) -> None:
    """One part over another: offsets that point at the wrong kind of thing."""
    here, there, size = (source.randrange(n) for n in (len(data), len(data), 64))
    data[here : here + size] = data[there : there + size]


def _shift(source: random.Random, data: bytearray) -> None:
    place = source.randrange(len(data))
    data[place : place + source.randrange(8)] = source.randbytes(source.randrange(8))


def _repeat(source: random.Random, data: bytearray) -> None:
    place = source.randrange(len(data))
    part = bytes(data[place : place + source.randint(1, 64)])
    data[place:place] = part * source.choice((1, 2, 50, 2000))


_BYTES = (_flip, _flip, _overwrite, _overwrite, _cut, _splice, _shift, _repeat)


def damage_tflite(source: random.Random, data: bytes) -> bytes:
    """Change offsets and lengths, or fields of the object tree, or bytes."""
    way = source.randrange(4)
    if way == 0:
        return damage_bytes(source, data)
    return _damage_words(source, data) if way == 1 else _damage_tree(source, data)


def _damage_words(source: random.Random, data: bytes) -> bytes:
    """Give a word (an offset, a length, an index) the value of another one, or one nearby."""
    changed, words = bytearray(data), len(data) // 4
    for _ in range(source.randint(1, 2)):
        place, other = (4 * source.randrange(words) for _ in range(2))
        value = int.from_bytes(data[(place, other)[source.randrange(2)] :][:4], "little")
        value = (value + source.choice((-8, -4, -1, 0, 1, 4, 8, len(data)))) % 2**32
        changed[place : place + 4] = value.to_bytes(4, "little")
    return bytes(changed)


def _damage_tree(source: random.Random, data: bytes) -> bytes:
    from ghostdeploy import flatbuffer

    tree = flatbuffer.load(data, "a seed")
    for _ in range(source.choice((1, 1, 2, 4))):
        owner, name = source.choice(list(_attributes(tree)))
        setattr(owner, name, _odd_value(source, getattr(owner, name)))
    try:
        return flatbuffer.dump(tree)
    except Exception:  # what the packer refuses no file can hold
        return _damage_words(source, data)


def _attributes(node: Any) -> Iterator[tuple[Any, str]]:
    """Walk a tree of the generated classes: every attribute with its owner."""
    for name, value in vars(node).items():
        yield node, name
        for item in value if isinstance(value, list) else (value,):
            if hasattr(item, "Pack"):
                yield from _attributes(item)


def _odd_value(source: random.Random, value: Any) -> Any:
    import numpy as np

    number = source.choice((0, 1, -1, 2, 3, 5, 9, 100, 127, 70_000, 2**31 - 1, -(2**31)))
    if isinstance(value, list) and value:
        return source.choice((value[1:], value[:-1], value * 2, value[::-1], [], value * 300))
    if isinstance(value, np.ndarray) and value.size:
        changed = value.copy()
        with np.errstate(all="ignore"):
            changed[source.randrange(value.size)] = np.int64(number).astype(value.dtype)
        return source.choice((changed, changed, changed, value[:-1], np.tile(value, 3), None))
    if isinstance(value, (bool, int, float)):
        return number
    if isinstance(value, bytes):
        return source.choice((b"", None, b"\xff\xfe", b"a" * 5000, b"\x1b[2J\n", value + value))
    return None if value is not None else source.choice((None, b"x", np.array([number], np.int32)))


def damage_onnx(source: random.Random, data: bytes) -> bytes:
    """Change fields of the protobuf tree, nest graphs, or damage bytes."""
    import onnx

    if source.randrange(4) == 0:
        return damage_bytes(source, data)
    model = onnx.load_from_string(data)
    for _ in range(source.choice((1, 1, 2, 4))):
        message = source.choice(list(_messages(model)))
        field = source.choice(message.DESCRIPTOR.fields)
        _damage_field(source, message, field)
    if source.randrange(40) == 0:
        _nest(model.graph, source.choice((3, 30, 90)))
    return bytes(model.SerializeToString())


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for field, value in message.ListFields():
        if field.message_type:
            for item in value if field.label == field.LABEL_REPEATED else (value,):
                yield from _messages(item)


def _damage_field(source: random.Random, message: Any, field: Any) -> None:
    """Set, clear, repeat or reorder one field; what protobuf refuses stays as it is."""
    value = getattr(message, field.name)
    if source.randrange(4) == 0:
        return message.ClearField(field.name)
    if field.label != field.LABEL_REPEATED:
        if not field.message_type:
            setattr(message, field.name, _odd_scalar(source, field))
        return None
    if field.message_type:
        if value and source.randrange(2):
            value.add().CopyFrom(source.choice(list(value)))
        elif value:
            del value[source.randrange(len(value))]
    elif value and source.randrange(3):
        value[source.randrange(len(value))] = _odd_scalar(source, field)
    else:
        value.extend([_odd_scalar(source, field)] * source.choice((1, 2, 3000)))
    return None


def _odd_scalar(source: random.Random, field: Any) -> Any:
    if field.cpp_type == field.CPPTYPE_STRING:
        text = source.choice([t for t in TEXTS if t.isprintable() or "\x1b" in t])
        text = text.encode("utf-8", "replace").decode()
        return text.encode() if field.type == field.TYPE_BYTES else text
    if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return source.choice((0.0, -1.0, 1e30, float("inf"), float("nan")))
    if field.cpp_type == field.CPPTYPE_ENUM:
        return source.choice([value.number for value in field.enum_type.values])
    bits = 63 if field.cpp_type in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64) else 31
    low = 0 if field.cpp_type in (field.CPPTYPE_UINT32, field.CPPTYPE_UINT64) else -(2**bits)
    return source.choice((0, 1, 2, 3, 17, 70_000, 2**bits - 1, low, max(low, -1)))


def _nest(graph: Any, depth: int) -> None:
    """Put the graph's own nodes into a branch in a branch in a branch."""
    for _ in range(depth):
        node = graph.node.add(op_type="If", name="deep")
        node.input.append("x")
        graph = node.attribute.add(name="then_branch", type=5).g


def damage_json(source: random.Random, data: bytes) -> bytes:
    """Give one to three values another type or size; names, nesting, digits; or bytes."""
    if source.randrange(5) == 0:
        return damage_bytes(source, data)
    tree = json.loads(data)
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        _damage_place(source, tree)
    text = json.dumps(tree)
    deep = source.choice(("[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP))
    text = text.replace('"deep deep"', deep)
    return text.replace('"digits digits"', "9" * 5000).encode()


def damage_json_lines(source: random.Random, data: bytes) -> bytes:
    """Damage one line of JSON lines, or the lines' order, ends and number."""
    lines = data.splitlines()
    place = source.randrange(len(lines))
    if source.randrange(4):
        lines[place] = damage_json(source, lines[place])
    else:
        lines = damage_text(source, data).splitlines()
    return b"\n".join(lines) + source.choice((b"\n", b"", b"\r\n"))


def _damage_place(source: random.Random, tree: Any) -> None:
    places = list(_places(tree))
    if not places:
        return
    owner, key = source.choice(places)
    value, way = owner[key], source.randrange(8)
    if way == 0:
        del owner[key]
    elif way == 1 and isinstance(owner, dict):
        owner[source.choice((*TEXTS, "schema", "path"))] = owner.pop(key)
    elif way == 2 and isinstance(value, list):
        owner[key] = value * source.choice((2, 100))
    elif isinstance(value, str) and way < 5:
        owner[key] = source.choice((value + source.choice(TEXTS), value[:-1], value.upper()))
    elif isinstance(value, (int, float)) and way < 5:
        owner[key] = source.choice(NUMBERS)
    else:
        odd = (None, True, False, [], {}, [[]], {"a": 1}, ["x"], "deep deep", "digits digits")
        owner[key] = source.choice((source.choice(NUMBERS), source.choice(TEXTS), *odd))


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield tree, key
        if isinstance(value, (dict, list)):
            yield from _places(value)


TOML_VALUES = (
    *("true", '""', "[]", "{}", "0", "-1", "1e400", "nan", "inf", "-inf", "9" * 30, "'''\n'''"),
    *('"\\u0000"', '"\\ud800"', '"\\u001b[2J"', "1979-05-27", "07:32:00", "[[1]]", "{a = 1}"),
    *("[" * 2000 + "]" * 2000, '"' + "x" * 9000 + '"', "0x7fffffffffffffffff", '"/dev/null"'),
)


def damage_toml(source: random.Random, data: bytes) -> bytes:
    """Give a key another value, a value another key, a table twice; or damage text."""
    if source.randrange(3) == 0:
        return damage_text(source, data)
    lines = data.decode().splitlines()
    at = [number for number, line in enumerate(lines) if "=" in line]
    for _ in range(source.choice((1, 1, 2, 3))):
        number = source.choice(at)
        key = lines[number].partition("=")[0]
        other = lines[source.choice(at)]
        value = source.choice((*TOML_VALUES, other.partition("=")[2]))
        lines[number] = source.choice(
            (f"{key} = {value}", f"{key} = {value}", f"{other.partition('=')[0]} = {value}")
        )
    return "\n".join(lines).encode("utf-8", "replace")


def damage_text(source: random.Random, data: bytes) -> bytes:
    """Lose, repeat, swap and join lines, put odd numbers and words in; or damage bytes."""
    if source.randrange(4) == 0:
        return damage_bytes(source, data)
    lines = data.splitlines(keepends=True) or [b""]
    for _ in range(source.choice((1, 1, 2, 5))):
        source.choice(_LINES)(source, lines)
    return b"".join(lines)


def _lose(source: random.Random, lines: list[bytes]) -> None:
    if len(lines) > 1:
        del lines[source.randrange(len(lines))]


def _double(source: random.Random, lines: list[bytes]) -> None:
    place = source.randrange(len(lines))
    times = source.choice((2, 2, 2, 3000))
    if times * len(lines[place]) < MOST_BYTES:
        lines[place] *= times


def _swap(source: random.Random, lines: list[bytes]) -> None:
    one, other = (source.randrange(len(lines)) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[one]


def _renumber(source: random.Random, lines: list[bytes]) -> None:
    at = [place for place, line in enumerate(lines) if NUMBER.search(line)]
    if at:
        place = source.choice(at)
        found = source.choice(list(NUMBER.finditer(lines[place])))
        odd = source.choice((*map(repr, NUMBERS[:-2]), "nan", "1e999", "9" * 5000, "0x10", "1_0"))
        before, after = lines[place][: found.start()], lines[place][found.end() :]
        lines[place] = before + odd.encode() + after


def _insert(source: random.Random, lines: list[bytes]) -> None:
    place = source.randrange(len(lines))
    at = source.randrange(len(lines[place]) + 1)
    text = source.choice(TEXTS).encode("utf-8", "surrogatepass")
    lines[place] = lines[place][:at] + text + lines[place][at:]


_LINES = (_lose, _double, _swap, _renumber, _renumber, _insert)
