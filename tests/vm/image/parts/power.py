# SPDX-License-Identifier: Apache-2.0
"""Twenty power cuts at random moments while clients are added and revoked: what was acknowledged is there, and nothing is broken."""
import random
import subprocess
import time

from world import wait_for

CUTS = 20

# Runs in the machine until the power goes. A line goes out after each command was acknowledged, and one before it.
WORK = """
i=$1
while :; do
  echo "adding c$i"; gwctl client add c$i --group staff --out - >/dev/null && echo "added c$i"
  echo "revoking c$i"; [ $((i % 2)) = 0 ] && gwctl client revoke c$i >/dev/null && echo "revoked c$i"
  i=$((i + 1))
done
"""


class Ledger:
    """What the gateway has acknowledged, and the one command that was under way."""

    def __init__(self):
        self.present, self.open = {}, None

    def read(self, line):
        word, name = line.split()
        if word in ("adding", "revoking"):
            self.open = (word, name)
        else:
            self.present[name] = "valid" if word == "added" else "revoked"
            self.open = None

    def settle(self, found):
        """Differences of what was found to what must be; the open command may have happened or not."""
        wrong = []
        for name in sorted(set(self.present) | set(found)):
            wanted, seen = self.present.get(name), found.get(name)
            if wanted == seen or (self.open and self.open[1] == name and seen in ("valid", "revoked")):
                continue
            wrong.append(f"{name}: acknowledged as {wanted}, found {seen}")
        self.present, self.open = dict(found), None
        return wrong


def clients(machine):
    lines = machine.ssh("gwctl client list").stdout.splitlines()[1:]
    return {line.split()[0]: "revoked" if line.split()[1] == "revoked" else "valid" for line in lines}


def cut(machine, ledger, number, after):
    """Lets the machine work for some seconds, cuts its power, and brings the ledger up to date with what it had said."""
    worker = subprocess.Popen(machine.ssh_command(f"sh -s {number * 1000}"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    worker.stdin.write(WORK)
    worker.stdin.close()
    first = worker.stdout.readline()  # the clock of the moment starts with the work
    time.sleep(after)  # the moment itself, not a wait for something
    machine.power_cut()
    machine.hang_up()
    worker.kill()
    said = [first, *worker.stdout.readlines()]
    worker.wait()
    for line in said:
        if line.endswith("\n") and len(line.split()) == 2:
            ledger.read(line.strip())


def prove(scene):
    seed = random.randrange(1 << 32)
    scene.tell(f"seed {seed}")
    chance = random.Random(seed)
    machine = scene.configured_machine()
    machine.power_on()
    machine.wait_ready()
    machine_id = machine.ssh("cat /etc/machine-id").stdout
    wait_for("a synchronised clock", lambda: "not synchronised" not in machine.ssh("gwctl status").stdout, 120, 1)
    ledger, wrong, back, acknowledged = Ledger(), [], 0, 0
    for number in range(1, CUTS + 1):
        cut(machine, ledger, number, chance.uniform(0, 8))
        acknowledged = len(ledger.present)
        machine.power_on()
        seconds = machine.wait_ready(400)
        back += 1
        found = clients(machine)
        scene.tell(f"cut {number}: back after {seconds:.0f} s, {acknowledged} acknowledged, {len(found)} found, under way: {ledger.open}")
        wrong += ledger.settle(found)
        sound = machine.ssh("dmesg | grep -c 'EXT4-fs error'", check=False).stdout.strip()
        if sound != "0":
            wrong.append(f"cut {number}: {sound} file system errors")
        wait_for("a synchronised clock", lambda: "not synchronised" not in machine.ssh("gwctl status").stdout, 120, 1)
    scene.check(f"the gateway came back healthy after each of {CUTS} cuts", back == CUTS, back)
    scene.check(f"all that was acknowledged was kept, {len(ledger.present)} clients", not wrong and len(ledger.present) > CUTS, wrong)
    scene.check("slot A still is the one in use", "rauc.slot=A" in machine.ssh("cat /proc/cmdline").stdout)
    scene.check("the machine is who it was", machine.ssh("cat /etc/machine-id").stdout == machine_id)
    machine.ssh("systemctl stop gatewayd && cp /var/lib/gatewayd/registry.db* /root/")
    scene.check("the registry is intact, byte by byte", integrity(scene, machine) == "ok\n")


def integrity(scene, machine):
    for name in ("registry.db", "registry.db-wal"):
        with open(scene.directory / name, "wb") as file:
            subprocess.run(machine.ssh_command(f"cat /root/{name} 2>/dev/null"), stdout=file, timeout=60, check=False)
    if not (scene.directory / "registry.db-wal").stat().st_size:
        (scene.directory / "registry.db-wal").unlink()
    return scene.world.at(scene.world.outside, "sqlite3", str(scene.directory / "registry.db"), "PRAGMA integrity_check").stdout
