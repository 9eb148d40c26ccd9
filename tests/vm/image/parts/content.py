# SPDX-License-Identifier: Apache-2.0
"""What the built files hold, and what they must not: keys, passwords, identities."""
import re
import subprocess

from world import run

# A private key in any of the usual wrappings, and WireGuard's form of one in a file of its own line.
SECRET = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|^PrivateKey *= *\S", re.M)
NAMES = re.compile(r"(ssh_host_.*|authorized_keys|.*\.key|.*\.p12|id_(rsa|ed25519|ecdsa)|credential\.secret|registry\.db|random-seed)$")


def tree_is_clean(scene, root, platform):
    secret, named = [], []
    for path in root.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        if NAMES.match(path.name):
            named.append(str(path.relative_to(root)))
        # Programs that read keys have the words in them.
        if path.stat().st_size < 1 << 20 and path.read_bytes()[:4] != b"\x7fELF" and SECRET.search(path.read_bytes()):
            secret.append(str(path.relative_to(root)))
    scene.check(f"{platform}: no private key lies in the root file system", not secret, secret)
    scene.check(f"{platform}: no file is named like a key or an identity", not named, named)
    scene.check(f"{platform}: the machine id is made at first boot", (root / "etc/machine-id").read_text() == "")
    hashes = [line for line in (root / "etc/shadow").read_text().splitlines() if line.split(":")[1] not in ("*", "!", "!*")]
    scene.check(f"{platform}: nobody has a password", not hashes, hashes)
    passwd = [line for line in (root / "etc/passwd").read_text().splitlines() if line.split(":")[1] == ""]
    scene.check(f"{platform}: nobody needs none either", not passwd, passwd)
    sshd = (root / "etc/ssh/sshd_config").read_text()
    scene.check(f"{platform}: sshd takes keys only", "PasswordAuthentication no" in sshd and "KbdInteractiveAuthentication no" in sshd)
    suid = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and not p.is_symlink() and p.stat().st_mode & 0o6000]
    scene.tell(f"{platform}: set-user-id programs: {' '.join(sorted(suid))}")


def prove(scene):
    for platform, raw in (("vm", "gatewayd-vm.raw"), ("rpi", "gatewayd-rpi.img")):
        disk = scene.images / raw
        if not disk.exists():
            scene.check(f"{raw} is built (make image-{platform})", False)
            continue
        root = scene.directory / f"root-{platform}"
        # Out of the disk image itself, not out of what it was made from.
        partitions = run("sfdisk", "--json", str(disk)).stdout
        starts = [int(start) for start in re.findall(r'"start": (\d+)', partitions)]
        slot = starts[2 if platform == "vm" else 1] * 512
        subprocess.run(["unsquashfs", "-q", "-n", "-o", str(slot), "-d", str(root), str(disk)], check=True, stdout=subprocess.DEVNULL)
        tree_is_clean(scene, root, platform)
        size = (scene.images / f"{raw}.zst").stat().st_size
        limit = 90 if platform == "vm" else 200
        scene.check(f"{platform}: compressed {size / 1e6:.1f} MB, at most {limit}", size <= limit * 1000000, size)
        scene.check(f"{platform}: whole MiB", disk.stat().st_size % (1 << 20) == 0)
    vhd = scene.images / "gatewayd-vm.vhd"
    scene.check("the VHD is fixed and of whole MiB", vhd.stat().st_size % (1 << 20) == 512 and vhd.read_bytes()[-512:-504] == b"conectix")
    footer = vhd.read_bytes()[-512:]
    scene.check("its footer says fixed", footer[60:64] == b"\0\0\0\2")
    scene.check("its footer says whole MiB", int.from_bytes(footer[48:56], "big") % (1 << 20) == 0)
