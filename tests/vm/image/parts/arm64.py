# SPDX-License-Identifier: Apache-2.0
"""The Raspberry Pi's image, booted by UEFI on QEMU's 'virt' board: gatewayd is READY with the configuration of its partition."""
import shutil

from machine import ARM64
from parts.client import add_client, tell_memory
from world import wait_for


def prove(scene):
    variables = scene.directory / "AAVMF_VARS.fd"
    shutil.copy("/usr/share/AAVMF/AAVMF_VARS.fd", variables)
    machine = scene.configured_machine(image="gatewayd-rpi.img")
    machine.memory = 1024
    machine.command = [
        *ARM64,
        "-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/AAVMF/AAVMF_CODE.fd", "-drive", f"if=pflash,format=raw,file={variables}",
    ]  # fmt: skip
    machine.power_on()
    ready = machine.wait_ready(600)
    boot = machine.ssh("systemctl show gatewayd -p ActiveEnterTimestampMonotonic --value").stdout.strip()
    scene.tell(f"measured: arm64, READY {int(boot) / 1e6:.1f} s after the kernel's start; healthy {ready:.1f} s after power on (first boot)")
    tell_memory(scene, machine)
    scene.check("it is arm64", machine.ssh("uname -m").stdout == "aarch64\n")
    scene.check("WireGuard is the kernel's", "kernel" in machine.ssh("gwctl status").stdout)
    scene.check("no unit failed", machine.ssh("systemctl --failed --plain --no-legend").stdout == "")
    scene.world.connect(add_client(machine, "alice"))
    scene.check("a client outside reaches the guarded page", wait_for("the page", scene.world.fetch, 90))
    scene.check("and not what no rule allows", not scene.world.fetch(8080))
