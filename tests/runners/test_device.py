"""A device as a user names it."""

from __future__ import annotations

import pytest

from ghostdeploy.runners import Device


@pytest.mark.parametrize(
    ("text", "scheme", "target", "phone", "instructions"),
    [
        ("local", "local", "", False, False),
        ("adb", "adb", "", True, False),
        ("adb:10.0.0.2:5555", "adb", "10.0.0.2:5555", True, False),
        ("fake:kirin980", "fake", "kirin980", True, False),
        ("qemu", "qemu", "", False, True),
        ("qemu:cortex-a76", "qemu", "cortex-a76", False, True),
        ("toaster", "toaster", "", False, False),
    ],
)
def test_what_a_name_means(text, scheme, target, phone, instructions):
    device = Device.parse(text)
    assert (device.scheme, device.target) == (scheme, target)
    assert (device.is_phone, device.counts_instructions) == (phone, instructions)
    assert str(device) == text
