# SPDX-License-Identifier: Apache-2.0
"""UEFI, and configuration and key handed over by the machine (SMBIOS type 11, fw_cfg) instead of the partition."""
import base64
import shutil

from machine import AMD64
from scene import CONFIGURATION


def prove(scene):
    firmware = scene.directory / "OVMF_VARS.fd"
    shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", firmware)
    machine = scene.new_machine()
    configuration = scene.directory / "gatewayd.config"
    configuration.write_text(CONFIGURATION)
    key = base64.b64encode(machine.key.with_suffix(".pub").read_bytes()).decode()
    machine.command = [
        *AMD64,
        "-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd", "-drive", f"if=pflash,format=raw,file={firmware}",
        "-smbios", f"type=11,value=io.systemd.credential.binary:ssh.authorized_keys={key}",
        "-fw_cfg", f"name=opt/io.systemd.credentials/gatewayd.config,file={configuration}",
    ]  # fmt: skip
    machine.power_on()
    ready = machine.wait_ready(400)
    scene.tell(f"measured: UEFI, healthy {ready:.1f} s after power on (first boot)")
    scene.check("the machine was started by UEFI", machine.ssh("test -d /sys/firmware/efi", check=False).returncode == 0)
    scene.check("the configuration came by fw_cfg", machine.ssh("cat /etc/gatewayd/gateway.yaml").stdout == CONFIGURATION)
    scene.check("the key came by SMBIOS", "ssh.authorized_keys" in machine.ssh("journalctl -b -u gateway-take-over -o cat").stdout)
