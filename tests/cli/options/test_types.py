"""Words of the command line as values, and values of a suite as the same."""

from __future__ import annotations

import pytest

from ghostdeploy.cli.options.types import Change, Limit, Looks, Resolution, Share
from ghostdeploy.errors import UsageError


@pytest.mark.parametrize(
    ("kind", "word", "value"),
    [
        (Share(), "2%", 0.02),
        (Share(), " 0.5% ", 0.005),
        (Share(), "0.02", 0.02),
        (Share(), 0.02, 0.02),
        (Share(), "150%", 1.5),
        (Looks(), "10,16,24", (10, 16, 24)),
        (Looks(), [10, 16], (10, 16)),
        (Limit(), "GhostNet=1.25", ("GhostNet", 1.25)),
        (Limit(), "a=b=2", ("a=b", 2.0)),
        (Limit(), ("GhostNet", 1.25), ("GhostNet", 1.25)),
        (Resolution(), "192x320", (192, 320)),
        (Resolution(), 64, (64, 64)),
        (Change(), "kernel=9,7,5", ("kernel", (9, 7, 5))),
    ],
)
def test_values(kind, word, value):
    assert kind.convert(word, None, None) == value


@pytest.mark.parametrize(
    ("kind", "word", "says"),
    [
        (Share(), "much", "takes a share such as 2% or 0.02, not 'much'"),
        (Share(), "2", "takes a share such as 2% or 0.02, not '2'"),
        (Share(), "2%%", "not '2%%'"),
        (Looks(), "a,b", "--looks takes pairs such as 10,16,24, not 'a,b'"),
        (Looks(), ["a"], "not 'a'"),
        (Limit(), "GhostNet", "--max-ratio takes NAME=1.25, not 'GhostNet'"),
        (Limit(), "=1", "not '=1'"),
        (Limit(), "x=fast", "not 'x=fast'"),
        (Resolution(), "abc", "write a resolution as 224 or 192x320"),
        (Change(), "kernel", "write an option as NAME=VALUE, not 'kernel'"),
    ],
)
def test_a_wrong_word_is_told(kind, word, says):
    with pytest.raises(UsageError) as caught:
        kind.convert(word, None, None)
    assert says in str(caught.value)
