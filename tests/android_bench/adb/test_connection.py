"""Which phone, and whether it can be talked to: each reason has its exception and its advice."""

from __future__ import annotations

import threading
import time

import pytest

from android_bench import errors
from android_bench.adb.phone import Adb, AdbClient, connect, list_devices, open_device
from tests.android_bench.adb.test_client import make_program
from tests.android_bench.adb.test_shell import SHORT_S, one_line
from tests.fake_phone.fixtures import PATIENCE_S, attach, free_port


class TestListing:
    def test_two_phones(self, make_phone):
        phones = [make_phone("kirin980"), make_phone("prime")]
        for phone in phones:
            attach(phone)
        listed = {entry.serial: entry for entry in list_devices()}
        first, second = (listed[phone.serial] for phone in phones)
        assert (first.state, first.model, first.product) == ("device", "ELE_L29", "ELE-L29EEA")
        assert (second.state, second.model, second.device) == ("device", "T1_Pro", "taro")
        assert first.transport_id != second.transport_id

    def test_none(self, adb_server):
        assert list_devices() == ()

    def test_every_state_that_adb_prints(self, tmp_path):
        lines = (
            "List of devices attached\n"
            "* daemon started successfully\n"
            "R1             device usb:1-1 product:a model:b device:c transport_id:1\n"
            "R2             unauthorized usb:1-2 transport_id:2\n"
            "R3             offline transport_id:3\n"
            "R4             no permissions (user in plugdev group; see [http://x]) usb:1-4"
            " transport_id:4\n"
            "R5             recovery product:a transport_id:5\n"
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


class TestWhichPhone:
    def test_the_only_one(self, phone):
        attach(phone)
        assert open_device().serial == phone.serial

    def test_none(self, adb_server):
        with pytest.raises(errors.NoDeviceError) as caught:
            open_device()
        assert "plug one in with USB debugging on, or run: adb connect" in one_line(caught)

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
        while Adb(gone.serial).state() == "device":
            time.sleep(0.05)
        assert open_device().serial == ready.serial

    def test_an_unknown_serial(self, adb):
        with pytest.raises(errors.UnknownSerialError) as caught:
            open_device("R58M000")
        assert one_line(caught) == "R58M000 is not attached; see: adb devices"
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


class TestConnecting:
    def test_nobody_there(self, adb_server):
        with pytest.raises(errors.UnknownSerialError) as caught:
            connect(f"127.0.0.1:{free_port()}", timeout_s=SHORT_S)
        assert "Connection refused" in one_line(caught)
        assert "wireless debugging" in str(caught.value)

    def test_no_such_host(self, adb_server):
        with pytest.raises(
            errors.UnknownSerialError, match=r"cannot connect to nohost\.invalid:5555"
        ):
            connect("nohost.invalid", timeout_s=SHORT_S)

    @pytest.mark.parametrize("address", ["", "a b", "-x", "a:b", "a:1:2"])
    def test_no_address(self, address):
        with pytest.raises(errors.OptionError, match="is no HOST:PORT"):
            connect(address)

    def test_never_authorized(self, make_phone):
        phone = make_phone(auth="never")
        with pytest.raises(errors.UnauthorizedError) as caught:
            connect(phone.serial, timeout_s=SHORT_S)
        assert one_line(caught) == (
            f"{phone.serial} does not trust this machine yet; accept the prompt on the phone's"
            " screen"
        )
        adb = Adb(phone.serial)
        assert adb.state() == "unauthorized"
        with pytest.raises(errors.UnauthorizedError):
            adb.shell(["true"])
        with pytest.raises(errors.UnauthorizedError):
            open_device()

    def test_authorized_by_a_tap(self, make_phone):
        phone = make_phone(auth="tap")
        with pytest.raises(errors.UnauthorizedError):
            connect(phone.serial, timeout_s=SHORT_S)
        tapping = threading.Timer(SHORT_S, phone.tap)
        tapping.start()
        assert connect(phone.serial, timeout_s=PATIENCE_S).check(["echo", "hi"]) == "hi\n"
        tapping.join()
        # its key is known from now on
        phone.drop()
        Adb(phone.serial).wait_online(PATIENCE_S)

    def test_slow_to_come_online(self, phone):
        phone.adbd.answering.clear()
        waking = threading.Timer(SHORT_S, phone.adbd.answering.set)
        waking.start()
        assert connect(phone.serial, timeout_s=PATIENCE_S).state() == "device"
        waking.join()

    def test_offline(self, adb, phone):
        phone.adbd.answering.clear()
        phone.drop()
        with pytest.raises(errors.OfflineError) as caught:
            Adb(phone.serial, patience_s=SHORT_S).shell(["true"])
        assert one_line(caught) == (
            f"{phone.serial} is offline; wake it and plug it in again, or run:"
            " adb reconnect offline"
        )
        assert adb.state() == "offline"
        phone.adbd.answering.set()
        assert adb.check(["echo", "back"]) == "back\n"

    def test_a_reboot_is_waited_for(self, adb, phone):
        before = adb.check(["cat", "/proc/sys/kernel/random/boot_id"])
        phone.reboot(plugged=False)
        plugging = threading.Timer(SHORT_S, phone.plug)
        plugging.start()
        adb.wait_online(PATIENCE_S)
        plugging.join()
        assert adb.check(["cat", "/proc/sys/kernel/random/boot_id"]) != before

    def test_a_phone_in_recovery(self, tmp_path):
        client = AdbClient(make_program(tmp_path, "echo recovery"))
        with pytest.raises(errors.OfflineError, match="in state recovery; start Android on it"):
            open_device("R1", client)

    def test_usb_permission(self, tmp_path):
        words = "error: insufficient permissions for device: missing udev rules? user is in group"
        client = AdbClient(make_program(tmp_path, f"echo '{words}' >&2; exit 1"))
        with pytest.raises(errors.UsbPermissionError, match="add udev rules"):
            open_device("R1", client)


def test_two_phones_at_once_do_not_disturb_each_other(make_phone):
    """One goes away for good in mid-command, the other works on."""
    good, bad = attach(make_phone("kirin980")), make_phone("prime")
    adb_of_bad = attach(bad, SHORT_S)
    raised: list[Exception] = []

    def use_bad() -> None:
        try:
            while True:
                adb_of_bad.shell("echo x; sleep 0.05")
        except errors.AdbError as error:
            raised.append(error)

    thread = threading.Thread(target=use_bad)
    thread.start()
    for number in range(10):
        if number == 3:
            bad.unplug()
        assert good.check(["echo", str(number)]) == f"{number}\n"
    thread.join()
    assert isinstance(raised[0], errors.ConnectionLostError | errors.OfflineError)
    bad.plug()
    adb_of_bad.wait_online(PATIENCE_S)
