"""Which phones are attached, in every state that adb prints."""

from __future__ import annotations

from android_bench.adb.client import AdbClient
from android_bench.adb.devices import list_devices
from tests.android_bench.adb.test_client import make_program
from tests.fake_phone.fixtures import attach


class TestListing:
    def test_two_phones(self, make_phone):
        phones = [make_phone("kirin980"), make_phone("prime")]
        for phone in phones:
            attach(phone)
        listed = {entry.serial: entry for entry in list_devices()}
        first, second = (listed[phone.serial] for phone in phones)
        assert (first.state, second.state) == ("device", "device")

    def test_none(self, adb_server):
        assert list_devices() == ()

    def test_every_state_that_adb_prints(self, tmp_path):
        lines = (
            "List of devices attached\n"
            "* daemon started successfully\n"
            "R1\tdevice\n"
            "R2\tunauthorized\n"
            "R3\toffline\n"
            "R4\tno permissions (user in plugdev group; see [http://x])\n"
            "R5\trecovery\n"
            "R6\tdevice\n\n"
        )
        program = make_program(tmp_path, f"cat <<'E'\n{lines}E")
        states = [entry.state for entry in list_devices(AdbClient(program))]
        assert states == [
            "device",
            "unauthorized",
            "offline",
            "no permissions",
            "recovery",
            "device",
        ]
