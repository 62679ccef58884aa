"""Models of several graphs and signatures, loops, tables and variables, made by hand."""

from __future__ import annotations

import numpy as np

from ghostdeploy import flatbuffer
from tests.lowering.rewrites.tiny import Tiny, tiny

IMAGE = (1, 6, 6, 2)
ROWS = 20  # of ``table``


def add_clip(t: Tiny, source: int) -> int:
    """RELU_0_TO_1, which ``clip-relu`` rewrites."""
    target = t.tensor(IMAGE)
    t.op("RELU_0_TO_1", [source], [target])
    return target


def two_signatures(*, swapped: bool = False) -> bytes:
    """Two functions; the second graph's tensors have larger numbers than the first has any."""
    one = tiny()
    source = one.tensor(IMAGE)
    one.ends([source], [add_clip(one, source)])
    two = one.another()
    for _ in range(9):  # used by nothing: they are dropped, and the others move
        two.tensor((1,))
    source = two.tensor(IMAGE)
    target = two.tensor(IMAGE)
    two.op("TANH", [add_clip(two, source)], [target])
    two.ends([source], [target])
    for graph, key in ((two, "two"), (one, "one")) if swapped else ((one, "one"), (two, "two")):
        graph.signature(key)
    return flatbuffer.dump(one.model)


def loop() -> bytes:
    """WHILE(n < 3): n + 1, clip(x), where the body has more tensors than the main graph."""
    main = tiny()
    zero = main.tensor((), "int32", np.zeros((), np.int32))
    image, count, out = main.tensor(IMAGE), main.tensor((), "int32"), main.tensor(IMAGE)
    ends = {"condSubgraphIndex": 1, "bodySubgraphIndex": 2}
    main.op("WHILE", [zero, image], [count, out], kind="WhileOptions", **ends)
    main.model.operatorCodes[-1].version = 1
    condition = main.another()
    n, x = condition.tensor((), "int32"), condition.tensor(IMAGE)
    three = condition.tensor((), "int32", np.full((), 3, np.int32))
    less = condition.tensor((), "bool")
    condition.op("LESS", [n, three], [less])
    condition.ends([n, x], [less])
    body = main.another()
    for _ in range(5):
        body.tensor((1,))
    n, x = body.tensor((), "int32"), body.tensor(IMAGE)
    one, more = body.tensor((), "int32", np.ones((), np.int32)), body.tensor((), "int32")
    body.op("ADD", [n, one], [more], kind="AddOptions")
    body.ends([n, x], [more, add_clip(body, x)])
    main.ends([image], [out])
    main.signature("serving_default")
    return flatbuffer.dump(main.model)


def table(rows: int = ROWS) -> bytes:
    """A word's number looked up in a table of ``rows``, beside a clip of an image."""
    t = tiny()
    words, image, found = t.tensor((1, 4), "int32"), t.tensor(IMAGE), t.tensor((1, 4, 3))
    values = np.random.RandomState(0).rand(rows, 3).astype(np.float32)
    t.op("GATHER", [t.tensor((rows, 3), "float32", values), words], [found], kind="GatherOptions")
    t.ends([words, image], [found, add_clip(t, image)])
    return flatbuffer.dump(t.model)


def old_codes(data: bytes) -> bytes:
    """The same file as before 2020: operators' numbers in the one-byte field, if they fit there."""
    model = flatbuffer.load(data, "here")
    for code in model.operatorCodes:
        if code.builtinCode < 127:
            code.deprecatedBuiltinCode, code.builtinCode = code.builtinCode, 0
    return flatbuffer.dump(model)
