# SPDX-License-Identifier: Apache-2.0
"""A signed bundle moves the gateway to the other slot with its state, and back; a bad version is left by itself; a foreign bundle is refused."""
import pathlib
import re
import subprocess

from parts.client import add_client
from world import run, wait_for

# What makes a version bad: gatewayd does not become ready.
BAD_UNIT = "[Service]\nExecStart=\nExecStart=/bin/false\n"
BUNDLE = pathlib.Path(__file__).resolve().parents[4] / "image/make/bundle"


def slot(machine):
    return machine.ssh("sed 's/.*rauc.slot=\\(.\\).*/\\1/' /proc/cmdline").stdout.strip()


def variant(scene, name, change):
    """A bundle of the built root file system with a build id of its own, and what change(tree) does to it."""
    work = scene.directory / f"variant-{name}"
    (work / "image-vm").mkdir(parents=True)
    tree = work / "image-vm" / "root"
    run("cp", "-a", "--reflink=auto", str(scene.build / "image-vm" / "root"), str(tree))
    (tree / "usr/lib/gateway/build-id").write_text(f"{name}\n")
    change(tree)
    run("mksquashfs", str(tree), str(work / "image-vm/rootfs.squashfs"), "-quiet", "-no-progress", "-comp", "gzip", "-b", "256K",
        "-no-xattrs", timeout=300)  # fmt: skip
    if name != "foreign":
        (work / "image-keys").symlink_to(scene.build / "image-keys")
    bundle = scene.directory / f"{name}.raucb"
    run(str(BUNDLE), "vm", str(work), str(bundle), timeout=120)
    run("rm", "-rf", str(work))
    return bundle


def send(machine, bundle):
    with open(bundle, "rb") as content:
        subprocess.run(machine.ssh_command("cat >/data/update.raucb"), stdin=content, check=True, timeout=300)


def install(machine, bundle, command, check=True):
    """command: what takes a bundle, 'rauc install' or 'gwctl system update'."""
    send(machine, bundle)
    done = machine.ssh(f"{command} /data/update.raucb; code=$?; rm -f /data/update.raucb; exit $code", check=False, timeout=600)
    if check and done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done


def restart(machine):
    before = machine.ssh("cat /proc/sys/kernel/random/boot_id").stdout
    machine.ssh("systemctl reboot", check=False)
    machine.hang_up()

    def restarted():
        try:
            done = machine.ssh("cat /proc/sys/kernel/random/boot_id", check=False, timeout=60)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0 and done.stdout != before

    wait_for("the restart", restarted, 400, 2)


def state(machine):
    """What has to be the same in every version; whether alice is online is not."""
    files = "/data/etc/machine-id /data/etc/ssh/ssh_host_ed25519_key.pub /etc/gatewayd/gateway.yaml"
    alice = "gwctl client show alice | grep -E '^(addresses|groups|key|certificate) '"
    return machine.ssh(f"sha256sum {files}; {alice}; gwctl ca show | grep sha256; gwctl status | grep 'public key'").stdout


def spoil(tree):
    (tree / "usr/lib/systemd/system/gatewayd.service.d/spoilt.conf").write_text(BAD_UNIT)
    (tree / "usr/lib/gateway/health-seconds").write_text("60\n")  # less patience, to save time


def prove(scene):
    good = variant(scene, "good", lambda tree: None)
    bad = variant(scene, "bad", spoil)
    foreign = variant(scene, "foreign", lambda tree: None)
    machine = scene.configured_machine()
    machine.power_on()
    machine.wait_ready()
    profile = add_client(machine, "alice")
    scene.world.connect(profile)
    wait_for("the page", scene.world.fetch, 60)
    before = state(machine)
    update(scene, machine, good, foreign, before)
    go_back(scene, machine, before)
    install_bad(scene, machine, bad, before)


def update(scene, machine, good, foreign, before):
    refused = install(machine, foreign, "gwctl system update", check=False)
    scene.check("a bundle that somebody else signed is refused", refused.returncode == 1 and "not signed by a key" in refused.stderr, refused.stderr)
    refused = install(machine, foreign, "rauc install", check=False)
    scene.check("by RAUC itself too", refused.returncode != 0 and "signature" in (refused.stdout + refused.stderr).lower(), refused.stderr)
    said = install(machine, good, "gwctl system update")
    scene.check("gwctl says what comes next", "reboot when it suits" in said.stdout, said.stdout)
    scene.check("the tunnel works while the update is written", scene.world.fetch())
    restart(machine)
    machine.wait_ready()
    scene.check("after the restart the other slot runs", slot(machine) == "B")
    scene.check("it is the new version", machine.ssh("cat /usr/lib/gateway/build-id").stdout == "good\n")
    unchanged(scene, machine, before)
    scene.check("the client comes in with its old profile", wait_for("the page", scene.world.fetch, 90))
    marked = grubenv(machine)
    scene.check("the boot loader has it as good", "B_OK=1" in marked and "B_TRY=0" in marked and "ORDER=B A" in marked, marked)
    shown = machine.ssh("gwctl system status").stdout
    scene.check("gwctl shows what runs", re.search(r"rootfs\.1 +B +booted +good +good ", shown) is not None, shown)


def go_back(scene, machine, before):
    machine.ssh("gwctl system rollback")
    restart(machine)
    machine.wait_ready()
    scene.check("gwctl system rollback goes back to the slot before", slot(machine) == "A")
    unchanged(scene, machine, before)
    scene.check("the client comes in", wait_for("the page", scene.world.fetch, 90))


def install_bad(scene, machine, bad, before):
    install(machine, bad, "rauc install")
    scene.check("a version that will turn out bad can be installed", "ORDER=B A" in grubenv(machine), grubenv(machine))
    restart(machine)
    wait_for("the slot that was good", lambda: came_back(machine), 600, 2)
    machine.wait_ready()
    scene.check("a version whose gatewayd does not become ready is left by itself", slot(machine) == "A")
    scene.check("and marked as bad", "B_OK=0" in grubenv(machine), grubenv(machine))
    unchanged(scene, machine, before)
    scene.check("the client comes in", wait_for("the page", scene.world.fetch, 90))


def grubenv(machine):
    return machine.ssh("grub-editenv /boot/fat/grub/grubenv list").stdout


def unchanged(scene, machine, before):
    now = state(machine)
    scene.check("keys, authority, configuration and clients are as before", now == before, f"{before}\n{now}")


def came_back(machine):
    try:
        return machine.ssh("grep -q rauc.slot=A /proc/cmdline", check=False, timeout=60).returncode == 0
    except subprocess.TimeoutExpired:
        return False
