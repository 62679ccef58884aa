"""Settings are as before when a measurement is over, however it ends."""

from __future__ import annotations

import pytest

from android_bench.device.settings import fix_performance, keep_screen_on, restore_leftovers
from android_bench.errors import AndroidBenchError
from tests.android_bench.device_phones import Result, make_phone

KEY = "stay_on_while_plugged_in"
# a settings provider that keeps its value in a file
SETTINGS = """case $1 in
  get) if [ -f $ROOT/stay ]; then cat $ROOT/stay; else echo null; fi ;;
  put) echo $4 >$ROOT/stay ;;
  delete) rm -f $ROOT/stay ;;
esac
"""
SVC = "echo 7 >$ROOT/stay\n"
OFF = "cmd power set-fixed-performance-mode-enabled false"


@pytest.fixture
def phone(tmp_path):
    phone = make_phone("kirin980", tmp_path / "phone")
    for tool, source in {
        "settings": SETTINGS,
        "svc": SVC,
        "input": "",
        "wm": "",
        "cmd": "",
    }.items():
        phone.script(tool, source)
    return phone


@pytest.fixture
def folder(tmp_path):
    return f"{tmp_path}/ghost deploy's"


def stay(phone):
    file = phone.root / "stay"
    return file.read_text().strip() if file.exists() else None


@pytest.mark.parametrize("old", [None, "0", "3"])
def test_the_screen_setting_comes_back(phone, folder, tmp_path, old):
    if old:
        (phone.root / "stay").write_text(old + "\n")
    with keep_screen_on(phone, folder) as setting:
        assert setting.took_effect
        assert stay(phone) == "7"
        assert len(list(tmp_path.glob("ghost*/restore-screen.sh"))) == 1
    assert stay(phone) == old
    assert list(tmp_path.glob("ghost*/*")) == []
    assert "input keyevent 224" in phone.calls
    assert "input keyevent 223" not in phone.calls


def test_a_screen_that_was_off_is_put_to_sleep_again(phone, folder):
    phone.set_tool("dumpsys power", "  mWakefulness=Asleep\n")
    with keep_screen_on(phone, folder) as setting:
        assert not setting.took_effect
        assert setting.detail == "the phone stays Asleep"
    assert phone.calls[-1] == "input keyevent 223"
    assert stay(phone) is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_settings_come_back_after_ctrl_c_and_errors(phone, folder, error):
    with pytest.raises(error), keep_screen_on(phone, folder), fix_performance(phone, folder):
        raise error
    assert stay(phone) is None
    assert OFF in phone.calls
    assert restore_leftovers(phone, folder) == ()


def test_a_later_run_restores_after_a_crash(phone, folder):
    crashed = keep_screen_on(phone, folder)
    crashed.__enter__()
    fixed = fix_performance(phone, folder)
    fixed.__enter__()
    # the process is gone here: neither is left
    assert stay(phone) == "7"
    assert sorted(restore_leftovers(phone, folder)) == ["fixed-performance", "screen"]
    assert stay(phone) is None
    assert phone.calls.count(OFF) == 1
    assert restore_leftovers(phone, folder) == ()
    assert restore_leftovers(phone, "/nowhere/at/all") == ()


def test_entering_again_after_a_crash_keeps_the_first_state(phone, folder):
    keep_screen_on(phone, folder).__enter__()
    with keep_screen_on(phone, folder):
        pass
    assert stay(phone) is None


def test_what_cannot_be_restored_stays_for_later(phone, folder):
    problems = []
    with keep_screen_on(phone, folder, problems.append):
        phone.script("settings", "exit 1\n")
    assert problems == [
        "screen could not be restored (its commands failed); the next run will try again"
    ]
    assert restore_leftovers(phone, folder) == ()
    with keep_screen_on(phone, folder) as setting:
        assert not setting.took_effect  # or the wrong state would be taken for the old one
    phone.script("settings", SETTINGS)
    assert restore_leftovers(phone, folder) == ("screen",)
    assert stay(phone) is None


class Unplugged(AndroidBenchError):
    pass


class Cable:
    def __init__(self, phone):
        self.phone, self.plugged = phone, True

    def shell(self, command, timeout_s=30.0):
        if not self.plugged:
            raise Unplugged("no device")
        return self.phone.shell(command, timeout_s)

    def fail(self):
        self.plugged = False
        raise ZeroDivisionError


def test_an_unplug_hides_no_other_error(phone, folder):
    cable, problems = Cable(phone), []
    with pytest.raises(ZeroDivisionError), fix_performance(cable, folder, problems.append):
        cable.fail()
    assert "no device" in problems[0]
    assert restore_leftovers(phone, folder) == ("fixed-performance",)


def test_a_phone_without_fixed_performance_says_so(phone, folder, tmp_path):
    phone.script(
        "cmd",
        "echo 'Failed to set FIXED_PERFORMANCE mode' >&2; echo 'This is likely' >&2; exit 255",
    )
    with fix_performance(phone, folder) as setting:
        assert not setting.took_effect
        assert setting.detail.startswith("the phone refused: 'Failed to set FIXED_PERFORMANCE mode")
        assert list(tmp_path.glob("ghost*/*")) == []
    assert OFF not in phone.calls


def test_an_old_adbd_that_loses_the_status_is_not_believed(folder):
    class Old:
        def shell(self, command, timeout_s=30.0):
            return Result(b"Unknown command: set-fixed" if "true" in command[-5:] else b"")

    with fix_performance(Old(), folder) as setting:
        assert not setting.took_effect


def test_nothing_is_changed_that_could_not_be_undone(phone, tmp_path):
    (tmp_path / "file").write_text("")
    for hold in (keep_screen_on, fix_performance):
        with hold(phone, f"{tmp_path}/file/folder") as setting:
            assert not setting.took_effect
            assert "left as it is" in setting.detail
    phone.script("settings", "exit 1\n")
    with keep_screen_on(phone, f"{tmp_path}/ok") as setting:
        assert "cannot be read" in setting.detail
    assert stay(phone) is None
    assert not any(call.startswith(("svc", "cmd")) for call in phone.calls)
