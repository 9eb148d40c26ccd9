# SPDX-License-Identifier: Apache-2.0
"""A backup moves the gateway to a fresh machine that was given nothing but an SSH key; the clients notice nothing."""
import re
import shlex

from parts.client import add_client
from world import GATEWAY, wait_for

PASSPHRASE = "correct horse battery staple\n"


def identity(machine):
    """What makes a gateway this one, for its clients."""
    return machine.ssh("gwctl ca show | grep sha256; gwctl status | grep 'public key'; sha256sum /etc/gatewayd/gateway.yaml").stdout


def gwctl(scene, machine, *arguments):
    """gwctl as the owner runs it, on another machine: backup and passphrase stay there. What it printed."""
    ssh = scene.directory / "bin" / "ssh"
    ssh.parent.mkdir(exist_ok=True)
    ssh.write_text(f"#!/bin/sh\nexec /usr/bin/ssh {shlex.join(machine.ssh_options())} \"$@\"\n")
    ssh.chmod(0o755)
    passphrase = scene.directory / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text(PASSPHRASE)
    command = [str(scene.build / "bin/gwctl"), "-H", f"root@{GATEWAY}", *arguments, "--passphrase-file", str(passphrase)]
    return scene.world.at(scene.world.outside, "env", f"PATH={ssh.parent}:/usr/bin:/bin", *command, timeout=300).stdout


def restore(scene, machine, backup):
    said = gwctl(scene, machine, "restore", str(backup))
    wait_for("the restored gateway", lambda: machine.ssh("gwctl client show alice", check=False).returncode == 0, 120, 1)
    return said


def prove(scene):
    machine = scene.configured_machine()
    machine.power_on()
    machine.wait_ready()
    profile = add_client(machine, "alice")
    machine.ssh("gwctl rule add more --action allow --from group:staff --to subnet:web --service tcp/8080 && gwctl apply")
    scene.world.connect(profile)
    wait_for("the page", scene.world.fetch, 60)
    wait_for("what the rule gives", lambda: scene.world.fetch(8080), 30)
    before = identity(machine)
    backup = scene.directory / "gateway.backup"
    gwctl(scene, machine, "backup", str(backup))
    machine.power_off()

    machine = scene.new_machine()
    machine.put("authorized_keys", machine.key.with_suffix(".pub").read_text())
    machine.power_on()
    machine.wait_ready()
    closed = machine.ssh("nft list table inet gateway_stance", check=False).returncode == 0
    scene.check("a machine without a configuration is healthy, and closed but for SSH", closed)
    said = restore(scene, machine, backup)
    scene.check("what it says names who is disabled", re.search(r"alice", said) is not None and "disabled" in said, said)
    scene.check("authority, key and configuration are those of the gateway before", identity(machine) == before, identity(machine))
    scene.check("a client whose access the backup cannot vouch for stays outside", not scene.world.fetch())
    machine.ssh("gwctl client set alice --enable")
    scene.check("let in again it comes in with its old profile", wait_for("the page", scene.world.fetch, 90))
    scene.check("and reaches what a rule of gateway.d gives it", wait_for("the other page", lambda: scene.world.fetch(8080), 30))
    owner = machine.ssh("stat -c %U:%a /etc/gatewayd/gateway.yaml").stdout
    scene.check("gateway.yaml is root's", owner == "root:644\n", owner)
    scene.check("what is restored is what is in force", re.search(r"files +as applied", machine.ssh("gwctl status").stdout) is not None)
    gone = machine.ssh("nft list table inet gateway_stance", check=False).returncode != 0
    scene.check("the firewall of an unconfigured machine is gone", gone)
    scene.check("gwctl takes a rule away", machine.ssh("gwctl rule remove more && gwctl apply", check=False).returncode == 0)
    scene.check("and it acts", not scene.world.fetch(8080))
    scene.check("no unit failed", machine.ssh("systemctl --failed --plain --no-legend").stdout == "")
    machine.power_off()
    machine.power_on()
    machine.wait_ready()
    scene.check("after a restart it is the same gateway", identity(machine) == before, identity(machine))
    scene.check("and the client comes in", wait_for("the page", scene.world.fetch, 90))
