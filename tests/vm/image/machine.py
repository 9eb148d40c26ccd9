# SPDX-License-Identifier: Apache-2.0
"""A virtual machine that boots a built image under QEMU (TCG), with its serial console and ssh."""
import pathlib
import re
import subprocess
import time

from world import GATEWAY, run, wait_for

COMMON = ["-smp", "1", "-nodefaults", "-display", "none", "-no-user-config"]
AMD64 = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "max", *COMMON]
ARM64 = ["qemu-system-aarch64", "-accel", "tcg,thread=multi", "-machine", "virt", "-cpu", "cortex-a72", *COMMON]


class Machine:
    """disk: a raw image that this machine may write. The world lends it two cards."""

    def __init__(self, world, disk, command=None, memory=512, extra=()):
        self.world, self.disk, self.memory = world, pathlib.Path(disk), memory
        self.command = list(command or AMD64)
        self.extra = list(extra)
        self.serial_path = self.disk.with_suffix(".serial")
        self.key = self.disk.parent / "owner_key"
        self.control = self.disk.parent / "ssh.sock"
        self.process = None
        if not self.key.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))

    @staticmethod
    def copy_disk(image, disk, size):
        run("cp", "--sparse=always", "--reflink=auto", str(image), str(disk))
        run("truncate", "-s", size, str(disk))

    def fat(self):
        """mtools' name of the boot partition: file and offset in bytes."""
        done = run("sfdisk", "--json", str(self.disk)).stdout
        starts = [int(start) for start in re.findall(r'"start": (\d+)', done)]
        types = re.findall(r'"type": "([^"]*)"', done)
        index = next(i for i, t in enumerate(types) if t.upper().startswith("C12A7328") or t == "c")
        return f"{self.disk}@@{starts[index] * 512}"

    def put(self, name, text):
        """A file on the partition GATEWAY, as a laptop would write it; the machine is off."""
        run("mcopy", "-o", "-i", self.fat(), "-", f"::/{name}", stdin=text)

    def get(self, name):
        done = run("mcopy", "-n", "-i", self.fat(), f"::/{name}", "-", check=False)
        return done.stdout if done.returncode == 0 else None

    def power_on(self):
        self.serial_path.unlink(missing_ok=True)
        self.control.unlink(missing_ok=True)
        cards = []
        for index in (0, 1):
            cards += ["-netdev", f"tap,id=n{index},ifname=tap{index},script=no,downscript=no"]
            cards += ["-device", f"virtio-net-pci,netdev=n{index},mac=52:54:00:09:00:0{index},romfile="]
        command = [
            *self.command, "-m", str(self.memory), *cards,
            "-drive", f"file={self.disk},format=raw,if=none,id=d,cache=writeback", "-device", "virtio-blk-pci,drive=d",
            "-chardev", f"file,id=s,path={self.serial_path}", "-serial", "chardev:s", *self.extra,
        ]  # fmt: skip
        self.started = time.monotonic()
        self.process = self.world.start(self.world.outside, *command)

    def power_cut(self):
        self.process.kill()
        self.process.wait()

    def serial(self):
        return self.serial_path.read_text(errors="replace") if self.serial_path.exists() else ""

    def wait_serial(self, pattern, seconds):
        def seen():
            self._alive()
            return re.search(pattern, self.serial())

        try:
            return wait_for(f"'{pattern}' on the serial console", seen, seconds)
        except TimeoutError:
            print(self.serial()[-3000:])
            raise

    def _alive(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"QEMU ended with {self.process.returncode}")

    def ssh_options(self):
        return [
            "-i", str(self.key), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=30", "-o", "ControlMaster=auto", "-o", f"ControlPath={self.control}",
            "-o", "ControlPersist=yes", "-o", "ServerAliveInterval=5",
        ]  # fmt: skip

    def ssh_command(self, *command):
        return self.world.inside_of(self.world.outside, "ssh", *self.ssh_options(), f"root@{GATEWAY}", *command)

    def ssh(self, command, check=True, timeout=120, stdin=None):
        return run(*self.ssh_command(command), check=check, timeout=timeout, stdin=stdin)

    def wait_ssh(self, seconds):
        def answers():
            self._alive()
            try:
                return self.ssh("true", check=False, timeout=60).returncode == 0
            except subprocess.TimeoutExpired:
                return False

        wait_for("ssh", answers, seconds, 1)

    def hang_up(self):
        run(*self.world.inside_of(self.world.outside, "ssh", "-o", f"ControlPath={self.control}", "-O", "exit", "x"), check=False)

    def wait_ready(self, seconds=300):
        """Until the gateway is there and has told the boot loader that its slot is good. Returns seconds since power on."""
        self.wait_ssh(seconds)
        command = "systemctl is-active --quiet gatewayd && gwctl status --health && test $(systemctl is-active gateway-health) = inactive"
        wait_for("a healthy gateway", lambda: self.ssh(command, check=False).returncode == 0, seconds, 1)
        return time.monotonic() - self.started

    def power_off(self, seconds=120):
        self.ssh("systemctl poweroff", check=False)
        self.hang_up()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.power_cut()
            raise
