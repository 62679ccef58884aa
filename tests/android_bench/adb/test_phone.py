"""Which phone: the only one, one of several, by serial or by address."""

from __future__ import annotations

import time

import pytest

from android_bench import errors
from android_bench.adb.client import AdbClient
from android_bench.adb.phone import Adb, open_device
from tests.android_bench.adb.test_client import make_program
from tests.android_bench.adb.test_command import one_line
from tests.fake_phone.fixtures import attach


class TestWhichPhone:
    def test_the_only_one(self, phone):
        attach(phone)
        assert open_device().serial == phone.serial

    def test_none(self, adb_server):
        with pytest.raises(errors.NoDeviceError) as caught:
            open_device()
        assert "plug one in with USB debugging on, or run: ghostdeploy devices" in one_line(caught)

    def test_several(self, make_phone):
        serials = [attach(make_phone(name)).serial for name in ("kirin980", "prime")]
        with pytest.raises(errors.SeveralDevicesError) as caught:
            open_device()
        assert all(f"{serial} (device)" in one_line(caught) for serial in serials)
        assert "name one by its serial" in str(caught.value)

    def test_one_of_several(self, make_phone):
        first, second = attach(make_phone("kirin980")), attach(make_phone("prime"))
        for adb, model in ((first, "ELE-L29"), (second, "T1 Pro")):
            assert open_device(adb.serial).check(["getprop", "ro.product.model"]) == f"{model}\n"

    def test_the_only_one_that_is_ready(self, make_phone):
        ready, gone = make_phone("kirin980"), make_phone("prime")
        attach(ready)
        attach(gone)
        gone.unplug()
        while Adb(gone.serial).get_state() == "device":
            time.sleep(0.05)
        assert open_device().serial == ready.serial

    def test_a_dead_address_does_not_hide_what_the_only_phone_lacks(self, tmp_path):
        program = make_program(
            tmp_path,
            'case "$*" in\n'
            "devices) printf 'List of devices attached\\n1.2.3.4:5555\\toffline\\n"
            "R58M\\tunauthorized\\n' ;;\n"
            "*R58M*) echo 'error: device unauthorized.' >&2; exit 1 ;;\n"
            "*) exit 1 ;;\nesac",
        )
        with pytest.raises(errors.UnauthorizedError, match="R58M does not trust"):
            open_device(None, AdbClient(program))

    def test_an_unknown_serial(self, adb):
        with pytest.raises(errors.UnknownSerialError) as caught:
            open_device("R58M000")
        assert one_line(caught) == "R58M000 is not attached; see: ghostdeploy devices"
        started = time.monotonic()
        with pytest.raises(errors.UnknownSerialError):
            Adb("R58M000", patience_s=600).shell(["true"])
        assert time.monotonic() - started < 300

    @pytest.mark.parametrize("serial", ["", "-s", "a b"])
    def test_what_is_no_serial(self, serial):
        with pytest.raises(errors.OptionError, match="is no serial"):
            open_device(serial)

    def test_an_address_is_connected_to(self, phone):
        assert open_device(phone.serial).check(["echo", "hello"]) == "hello\n"
