# SPDX-License-Identifier: Apache-2.0
"""The configuration of the boot partition is taken over, and a client outside gets what the rules give him, until revoked."""
import json
import re
import time

from scene import CONFIGURATION
from world import GATEWAY, wait_for


def memory(machine):
    fields = dict(re.findall(r"(\w+): +(\d+) kB", machine.ssh("cat /proc/meminfo").stdout))
    return (int(fields["MemTotal"]) - int(fields["MemAvailable"])) / 1024


def tables(machine):
    """MiB that gatewayd's BPF tables take, by what the kernel says of each."""
    command = "cd /proc/$(systemctl show -p MainPID --value gatewayd)/fdinfo && grep -l map_id * | xargs awk '/^memlock/ {sum += $2} END {print sum}'"
    return int(machine.ssh(command).stdout) / (1 << 20)


def tell_memory(scene, machine):
    used = memory(machine)
    scene.tell(f"measured: {used:.0f} MiB in use of a machine with {machine.memory} MiB, of which gatewayd's tables {tables(machine):.0f}")
    return used


def add_client(machine, name):
    # Certificates need a synchronised clock, which takes some seconds more than READY.
    def issued():
        done = machine.ssh(f"gwctl client add {name} --group staff --out -", check=False)
        return done.stdout if done.returncode == 0 else None

    return wait_for("a profile", issued, 120, 2)


def join(scene, machine):
    """A laptop with nothing but a link, by the enrolment server of the image."""
    link = json.loads(machine.ssh("gwctl --json token create --group staff").stdout)["link"]
    gwconnect = (str(scene.build / "bin/gwconnect"), "--state", str(scene.directory / "laptop"))
    scene.world.disconnect()
    scene.world.at(scene.world.client, *gwconnect, "join", link, "--name", "laptop")
    scene.world.start(scene.world.client, *gwconnect, "run")
    scene.check("a device that joins by a link reaches what its group may reach", wait_for("the page", scene.world.fetch, 90))
    scene.check("the keys of the authority are not gatewayd's", machine.ssh("stat -c %U:%a /data/lib/gatewayd-signer").stdout == "gatewayd-signer:700\n")
    scene.world.at(scene.world.client, *gwconnect, "leave")
    scene.check("and nothing once it has left", not scene.world.fetch())
    again = scene.world.at(scene.world.client, *gwconnect, "join", link, "--name", "laptop", check=False)
    scene.check("the link is good once", again.returncode != 0 and "token" in again.stderr, again.stderr)


def prove(scene):
    machine = scene.configured_machine()
    machine.put("gateway.yaml.errors.txt", "left from before\n")
    machine.power_on()
    ready = machine.wait_ready()
    boot = machine.ssh("systemctl show gatewayd -p ActiveEnterTimestampMonotonic --value").stdout.strip()
    scene.tell(f"measured: READY {int(boot) / 1e6:.1f} s after the kernel's start; healthy and marked {ready:.1f} s after power on (first boot)")
    scene.check("WireGuard is the kernel's", "kernel" in machine.ssh("gwctl status").stdout)
    scene.check("the configuration is that of the partition", machine.ssh("cat /etc/gatewayd/gateway.yaml").stdout == CONFIGURATION)
    scene.check("what gateway.yaml.errors.txt said is gone", machine.ssh("ls /boot/fat").stdout.find("errors.txt") < 0)
    scene.check("the console says where it is reached", f"SSH: root@{GATEWAY}, host key SHA256:" in machine.serial())
    scene.check("no unit failed", machine.ssh("systemctl --failed --plain --no-legend").stdout == "")
    scene.check("the root is read-only", machine.ssh("touch /usr/x", check=False).returncode != 0)
    scene.check("at most 120 MiB of memory are in use", tell_memory(scene, machine) <= 120)

    profile = add_client(machine, "alice")
    scene.world.connect(profile)
    wait_for("the guarded page through the tunnel", scene.world.fetch, 60)
    scene.check("the client reaches what its group may reach", True)
    scene.check("and not what no rule allows", not scene.world.fetch(8080))
    denied = machine.ssh("gwctl client show alice").stdout
    scene.check("which is counted as denied", re.search(r"denied +[1-9]", denied) is not None, denied)

    machine.ssh("kill -9 $(systemctl show -p MainPID --value gatewayd)")
    scene.check("traffic goes on while gatewayd is dead", scene.world.fetch())
    wait_for("gatewayd back", lambda: machine.ssh("gwctl status --health", check=False).returncode == 0, 120, 1)
    scene.check("and after it is back", scene.world.fetch())
    scene.check("no unit failed over that", machine.ssh("systemctl restart gatewayd && systemctl --failed --plain --no-legend").stdout == "")
    scene.check("with the rules as before", not scene.world.fetch(8080))

    machine.ssh("sed -i s/http,/http,tcp\\\\/8080,/ /etc/gatewayd/gateway.yaml && gwctl apply")
    scene.check("a rule that is applied by ssh acts", scene.world.fetch(8080))
    began = time.monotonic()
    machine.power_off()
    scene.tell(f"measured: {time.monotonic() - began:.0f} s to power off")
    machine.power_on()
    again = machine.wait_ready()
    boot = machine.ssh("systemctl show gatewayd -p ActiveEnterTimestampMonotonic --value").stdout.strip()
    scene.tell(f"measured: READY {int(boot) / 1e6:.1f} s after the kernel's start; healthy {again:.1f} s after power on (second boot)")
    wait_for("the page after a restart", scene.world.fetch, 60)
    scene.check("the file on the partition, unchanged, does not undo what was changed since", scene.world.fetch(8080))

    machine.ssh("gwctl client revoke alice")
    scene.check("a revoked client gets nothing", not scene.world.fetch())
    join(scene, machine)
    machine.power_off()
    changed = CONFIGURATION.replace("[http, ping]", "[ping]")
    machine.put("gateway.yaml", changed)
    machine.power_on()
    machine.wait_ready()
    rules = machine.ssh("gwctl rule list").stdout
    scene.check("a changed file on the partition is taken over and applied", re.search(r"staff-web .* ping ", rules) is not None, rules)
    scene.check("what was taken over is what is in force", re.search(r"files +as applied", machine.ssh("gwctl status").stdout) is not None)
