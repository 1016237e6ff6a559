import os
import subprocess
import time
from pathlib import Path

from va_cluster.process import Process, alive, identify, start_time, state, stop, written

STAT = "4711 (a (strange) name) S 1 4711 4711 0 -1 4194560 9 0 0 0 1 2 0 0 20 0 14 0 987654 1 2"


def fake_proc(folder: Path, pid: int, stat: str, boot: str = "boot-1") -> Path:
    (folder / str(pid)).mkdir(parents=True, exist_ok=True)
    (folder / str(pid) / "stat").write_text(stat)
    (folder / "sys/kernel/random").mkdir(parents=True, exist_ok=True)
    (folder / "sys/kernel/random/boot_id").write_text(f"{boot}\n")
    return folder


def test_the_name_of_a_program_does_not_shift_the_fields() -> None:
    assert start_time(STAT) == 987654
    assert state(STAT) == "S"


def test_the_same_id_with_another_start_is_another_process(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, 4711, STAT)
    recorded = identify(4711, proc)
    assert recorded == Process(4711, 987654, "boot-1")
    assert alive(recorded, proc)
    fake_proc(tmp_path, 4711, STAT.replace("987654", "999999"))
    assert not alive(recorded, proc)


def test_the_same_id_and_start_in_another_boot_is_another_process(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, 4711, STAT)
    recorded = Process(4711, 987654, "boot-0")
    assert not alive(recorded, proc)


def test_a_zombie_does_not_live(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, 4711, STAT.replace(") S", ") Z"))
    assert identify(4711, proc) is None


def test_no_process_has_no_identity(tmp_path: Path) -> None:
    assert identify(4711, fake_proc(tmp_path, 1, STAT)) is None


def test_a_pid_file_is_believed_only_with_the_right_command_line(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path / "proc", 4711, STAT)
    (proc / "4711/cmdline").write_text("dockerd\0--host\0unix:///run/va/docker.sock\0")
    pid_file = tmp_path / "dockerd.pid"
    assert written(pid_file, "docker.sock", proc) is None
    pid_file.write_text("4711")
    assert written(pid_file, "va/docker.sock", proc) == Process(4711, 987654, "boot-1")
    assert written(pid_file, "other/docker.sock", proc) is None
    pid_file.write_text("")
    assert written(pid_file, "docker.sock", proc) is None
    pid_file.write_text("4712")
    assert written(pid_file, "docker.sock", proc) is None


def test_stop_ends_the_recorded_process_and_no_namesake() -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        identity = identify(child.pid)
        assert identity is not None
        stop(Process(child.pid, identity.start_time + 1, identity.boot), grace=1)
        time.sleep(0.05)
        assert child.poll() is None
        stop(identity, grace=5)
        assert child.wait(5) != 0
    finally:
        child.kill()
        child.wait()


def test_we_ourselves_live() -> None:
    identity = identify(os.getpid())
    assert identity is not None
    assert alive(identity)
