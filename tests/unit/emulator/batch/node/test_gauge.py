"""What the machine is doing, from files as those below `/proc`."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from runner.emulator.batch.autoscale.samples import OF_MACHINES
from runner.emulator.batch.node.gauge import Gauge

NOW = datetime(2026, 1, 2, tzinfo=timezone.utc)


def write(folder: Path, *, busy: int, idle: int, sectors: int, received: int) -> None:
    (folder / "net").mkdir(parents=True, exist_ok=True)
    (folder / "stat").write_text(f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3\n")
    (folder / "meminfo").write_text("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n")
    (folder / "diskstats").write_text(
        f"8 0 sda {sectors} 0 {sectors} 0 2 0 4 0 0 0 0\n8 1 sda1 7 0 7 0 7 0 7 0 0 0 0\n"
        f"259 0 nvme0n1 1 0 1 0 1 0 1 0 0 0 0\n259 1 nvme0n1p1 9 0 9 0 9 0 9 0 0 0 0\n"
    )
    (folder / "net" / "dev").write_text(
        f"Inter-|\n face |\n    lo: 50 0 0 0 0 0 0 0 50 0\n  eth0: {received} 0 0 0 0 0 0 0 9 0\n"
    )


def test_metrics_are_those_since_the_reading_before(tmp_path: Path) -> None:
    write(tmp_path, busy=100, idle=100, sectors=10, received=1000)
    gauge = Gauge(tmp_path, tmp_path)
    assert gauge.read(NOW) == {}
    write(tmp_path, busy=130, idle=110, sectors=14, received=1500)
    assert gauge.read(NOW + timedelta(seconds=20)) == {}
    values = dict(gauge.read(NOW + timedelta(seconds=30)))
    assert values.pop("$DiskBytes") > 0
    assert values == {
        "$CPUPercent": 75.0,
        "$WallClockSeconds": 30.0,
        "$MemoryBytes": 600 * 1024.0,
        "$DiskReadOps": 4.0,
        "$DiskReadBytes": 4 * 512.0,
        "$DiskWriteOps": 0.0,
        "$DiskWriteBytes": 0.0,
        "$NetworkInBytes": 500.0,
        "$NetworkOutBytes": 0.0,
    }
    assert {*values, "$DiskBytes"} == set(OF_MACHINES)


def test_there_are_none_without_such_files(tmp_path: Path) -> None:
    gauge = Gauge(tmp_path, tmp_path / "missing")
    assert gauge.read(NOW) == {}
    assert gauge.read(NOW + timedelta(minutes=1)) == {}
