"""Nothing unused stays in a TFLite file, and whatever names a tensor or buffer follows it."""

from __future__ import annotations

import numpy as np
import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.flatbuffer import append_buffer, indices, tensor_name
from ghostdeploy.lowering.tidy import drop_unused
from tests.lowering.rewrites.graphs import loop, two_signatures
from tests.lowering.rewrites.tiny import S, tiny


def entries(model) -> dict[str, list[str]]:
    """The tensors that each signature names."""
    return {
        s.signatureKey.decode(): [
            tensor_name(model.subgraphs[s.subgraphIndex].tensors[e.tensorIndex])
            for e in (*s.inputs, *s.outputs)
        ]
        for s in model.signatureDefs
    }


@pytest.mark.parametrize("data", [two_signatures(), two_signatures(swapped=True), loop()])
def test_signatures_belong_to_their_graph(data: bytes) -> None:
    model = flatbuffer.load(data, "here")
    before, sizes = entries(model), [len(g.tensors) for g in model.subgraphs]
    drop_unused(model)
    assert entries(flatbuffer.load(flatbuffer.dump(model), "there")) == before
    assert sum(sizes) > sum(len(g.tensors) for g in model.subgraphs)


def test_what_an_operator_keeps_its_inner_values_in_stays() -> None:
    t = tiny()
    unused, a, inner, b = (t.tensor((1, 4)) for _ in range(4))
    t.op("TANH", [a], [b]).intermediates = np.array([inner], np.int32)
    model = flatbuffer.load(t.bytes(a, b), "here")
    drop_unused(model)
    graph = model.subgraphs[0]
    assert [tensor_name(t) for t in graph.tensors] == ["t1", "t2", "t3"]
    assert indices(graph.operators[0].intermediates) == [1]
    assert unused == 0


def test_a_tensor_that_only_a_signature_names_stays() -> None:
    t = tiny()
    a, b, extra = t.tensor((1, 4)), t.tensor((1, 4)), t.tensor((1, 4))
    t.op("TANH", [a], [b])
    t.ends([a, extra], [b])
    t.signature("f")
    t.ends([a], [b])
    model = flatbuffer.load(flatbuffer.dump(t.model), "here")
    drop_unused(model)
    assert entries(model) == {"f": ["t0", "t2", "t1"]}


def test_old_metadata_follows_its_buffer() -> None:
    t = tiny()
    a, b = t.tensor((1, 4)), t.tensor((1, 4))
    t.op("TANH", [a], [b])
    for content in (b"nobody's", b"metadata"):
        append_buffer(t.model, content)
    t.model.metadataBuffer = np.array([len(t.model.buffers) - 1], np.int32)
    model = flatbuffer.load(t.bytes(a, b), "here")
    drop_unused(model)
    (place,) = indices(model.metadataBuffer)
    assert bytes(model.buffers[place].data) == b"metadata"
    assert len(model.buffers) == 2
    assert S.BufferT().data is None
