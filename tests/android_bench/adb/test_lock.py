"""One process at a time: taken, held, refused with the holder's name, taken over when stale."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import threading

import pytest

from android_bench import errors
from android_bench.adb import lock as adb_lock
from android_bench.adb.lock import LEASE_S, LOCK, DeviceLock
from android_bench.adb.phone import Adb
from ghostdeploy.fake_phone import Phone, Trigger
from tests.android_bench.adb.test_command import one_line
from tests.fake_phone.fixtures import attach, leftovers


def other_machine(adb: Adb, lease_s: float = LEASE_S) -> DeviceLock:
    """A lock as a process of another machine takes it."""
    lock = DeviceLock(adb, "gate", lease_s)
    lock.owner = dataclasses.replace(lock.owner, host="elsewhere", pid=1)
    return lock


def is_free(phone: Phone) -> bool:
    return not phone.host_path(LOCK).exists() and leftovers(phone) == []


class TestHolding:
    def test_takes_and_gives_back(self, any_phone):
        adb = attach(any_phone)
        with DeviceLock(adb, "it's a $(bench)") as lock:
            owner = json.loads(any_phone.host_path(f"{LOCK}/owner").read_text())
            assert owner == dataclasses.asdict(lock.owner)
            lock.refresh()
        assert is_free(any_phone)

    def test_a_second_one_is_refused_by_name(self, adb, phone):
        with DeviceLock(adb, "bench") as lock, pytest.raises(errors.DeviceLockedError) as caught:
            DeviceLock(adb, "gate").acquire()
        owner = lock.owner
        assert one_line(caught).startswith(
            f"{phone.serial} is in use by process {owner.pid} on {owner.host} (bench), last seen"
        )
        assert f"adb -s {phone.serial} shell rm -r {LOCK}" in str(caught.value)
        assert is_free(phone)

    def test_is_given_back_after_an_error(self, adb, phone):
        with pytest.raises(ZeroDivisionError), DeviceLock(adb, "bench"):
            raise ZeroDivisionError
        assert is_free(phone)

    def test_only_one_of_many_gets_it(self, adb, phone):
        got: list[DeviceLock] = []

        def take() -> None:
            lock = DeviceLock(adb, "bench")
            try:
                lock.acquire()
            except errors.DeviceLockedError:
                return
            got.append(lock)

        threads = [threading.Thread(target=take) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 1
        got[0].release()
        assert is_free(phone)

    def test_taken_through_a_lost_connection(self, adb, phone):
        phone.faults.drop_after_output = Trigger("owner.tmp", after_bytes=60)
        with DeviceLock(adb, "bench") as lock:
            lock.refresh()
        assert is_free(phone)

    def test_two_phones_have_one_each(self, make_phone):
        phones = [make_phone("kirin980"), make_phone("prime")]
        with DeviceLock(attach(phones[0]), "a"), DeviceLock(attach(phones[1]), "b"):
            pass
        assert all(is_free(phone) for phone in phones)


class TestStale:
    def test_held_by_another_machine_until_its_lease_is_over(self, adb, phone):
        other_machine(adb, lease_s=100).acquire()
        phone.advance(80)
        with pytest.raises(errors.DeviceLockedError, match=r"process 1 on elsewhere \(gate\)"):
            DeviceLock(adb, "bench").acquire()
        phone.advance(80)
        with DeviceLock(adb, "bench"):
            pass
        assert is_free(phone)

    def test_a_refresh_prolongs_it(self, adb, phone):
        other = other_machine(adb, lease_s=100)
        other.acquire()
        phone.advance(80)
        other.refresh()
        phone.advance(80)
        with pytest.raises(errors.DeviceLockedError):
            DeviceLock(adb, "bench").acquire()
        other.release()
        assert is_free(phone)

    def test_after_a_reboot(self, adb, phone):
        other_machine(adb).acquire()
        phone.reboot()
        with DeviceLock(adb, "bench"):
            pass
        assert is_free(phone)

    def test_of_a_process_of_this_machine_that_is_gone(self, adb, phone):
        gone = subprocess.Popen(["true"])
        gone.wait()
        lock = DeviceLock(adb, "bench")
        lock.owner = dataclasses.replace(lock.owner, pid=gone.pid)
        lock.acquire()
        with DeviceLock(adb, "gate"):
            pass
        assert is_free(phone)

    def test_without_an_owner(self, adb, phone, monkeypatch):
        monkeypatch.setattr(adb_lock, "_WITHOUT_OWNER_S", 0)
        adb.check(["mkdir", "-p", LOCK])
        with DeviceLock(adb, "bench"):
            pass
        assert is_free(phone)

    def test_of_a_garbled_owner(self, adb, phone):
        adb.check(f"mkdir -p {LOCK}; echo garbage >{LOCK}/owner")
        with DeviceLock(adb, "bench"):
            pass
        assert is_free(phone)

    def test_the_former_holder_is_told_and_takes_nothing_away(self, adb, phone):
        former = other_machine(adb, lease_s=1)
        former.acquire()
        phone.advance(100)
        with DeviceLock(adb, "bench") as lock:
            with pytest.raises(errors.DeviceLockedError, match=r"\(bench\)"):
                former.refresh()
            former.release()
            lock.refresh()
        assert is_free(phone)

    def test_of_two_that_find_it_stale_one_gets_it(self, adb, phone):
        former = other_machine(adb, lease_s=1)
        former.acquire()
        phone.advance(100)
        first, second = DeviceLock(adb, "first"), DeviceLock(adb, "second")
        seen = second._take()
        first.acquire()
        second._break(seen)
        first.refresh()
        with pytest.raises(errors.DeviceLockedError):
            second.acquire()
        first.release()
        assert is_free(phone)

    def test_where_the_uptime_is_denied(self, adb, phone):
        phone.host_path("/proc/uptime").chmod(0)
        with (
            DeviceLock(adb, "bench"),
            pytest.raises(errors.DeviceLockedError, match="at an unknown time"),
        ):
            DeviceLock(adb, "gate").acquire()
        assert is_free(phone)


def test_a_phone_that_is_gone_does_not_hide_the_error(phone):
    adb = attach(phone, patience_s=0.2)

    def fail() -> None:
        phone.unplug()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), DeviceLock(adb, "bench"):
        fail()
    phone.plug()
    adb.wait_online(60)
    adb.check(["rm", "-r", LOCK])
