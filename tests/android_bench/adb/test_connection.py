"""Which phone, and whether it can be talked to: each reason has its exception and its advice."""

from __future__ import annotations

import threading

import pytest

from android_bench import errors
from android_bench.adb.client import AdbClient
from android_bench.adb.phone import Adb, connect, open_device
from tests.android_bench.adb.test_client import make_program
from tests.android_bench.adb.test_command import SHORT_S, one_line
from tests.fake_phone.fixtures import PATIENCE_S, attach, free_port


class TestConnecting:
    def test_nobody_there(self, adb_server):
        with pytest.raises(errors.UnknownSerialError) as caught:
            connect(f"127.0.0.1:{free_port()}", timeout_s=SHORT_S)
        assert "Connection refused" in one_line(caught)
        assert "wireless debugging" in str(caught.value)

    def test_no_such_host(self, adb_server):
        with pytest.raises(
            errors.UnknownSerialError, match=r"nobody answers at nohost\.invalid:5555"
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
        assert adb.get_state() == "unauthorized"
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
        assert connect(phone.serial, timeout_s=PATIENCE_S).get_state() == "device"
        waking.join()

    def test_offline(self, adb, phone):
        phone.adbd.answering.clear()
        phone.drop()
        with pytest.raises(errors.OfflineError) as caught:
            Adb(phone.serial, patience_s=SHORT_S).shell(["true"])
        said = f"{phone.serial} is offline; wake it and plug it in again, or run: "
        assert one_line(caught) == f"{said}{adb.client.name} reconnect offline"
        assert adb.get_state() == "offline"
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
