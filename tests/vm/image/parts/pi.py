# SPDX-License-Identifier: Apache-2.0
"""The Raspberry Pi's boot partition, file by file: what its firmware looks for is there, whole, and refers to what exists."""
import hashlib
import json
import subprocess

from world import run


def files(image, offset):
    listing = run("mdir", "-/", "-b", "-i", f"{image}@@{offset}").stdout
    return [name.removeprefix("::/") for name in listing.split("\n") if name and not name.endswith("/")]


def prove(scene):
    image = scene.images / "gatewayd-rpi.img"
    table = json.loads(run("sfdisk", "--json", str(image)).stdout)["partitiontable"]
    first = table["partitions"][0]
    scene.check("the partition table is an MBR, which every Pi reads", table["label"] == "dos")
    scene.check("its first partition is FAT (type 0xC)", first["type"] == "c", first)
    offset = first["start"] * 512
    read = lambda name: run_bytes(image, offset, name)  # noqa: E731
    found = files(image, offset)
    label = run("mlabel", "-s", "-i", f"{image}@@{offset}", "::").stdout
    scene.check("the partition is called GATEWAY", "GATEWAY" in label, label)
    origin = {  # Where each file has to come from, unchanged.
        "bootcode.bin": "firmware/usr/lib/raspi-firmware", "start.elf": "firmware/usr/lib/raspi-firmware",
        "fixup.dat": "firmware/usr/lib/raspi-firmware", "start4.elf": "firmware/usr/lib/raspi-firmware",
        "fixup4.dat": "firmware/usr/lib/raspi-firmware", "u-boot.bin": "firmware/usr/lib/u-boot/rpi_arm64",
    }  # fmt: skip
    work = scene.build / "image-rpi"
    for name, directory in origin.items():
        same = name in found and hashlib.sha256(read(name)).digest() == hashlib.sha256((work / directory / name).read_bytes()).digest()
        scene.check(f"{name} is Debian's", same)
    for board in ("bcm2837-rpi-3-b", "bcm2837-rpi-3-b-plus", "bcm2711-rpi-4-b", "bcm2711-rpi-cm4-io"):
        scene.check(f"{board}.dtb is a device tree", f"{board}.dtb" in found and read(f"{board}.dtb")[:4] == b"\xd0\x0d\xfe\xed")
    config = read("config.txt").decode()
    kernel = next(line.split("=")[1] for line in config.splitlines() if line.startswith("kernel="))
    scene.check("config.txt starts a file that is there, in 64 bits", kernel in found and "arm_64bit=1" in config)
    uboot = read("u-boot.bin")
    scene.check("U-Boot looks for EFI/BOOT/BOOTAA64.EFI by itself", b"bootaa64.efi" in uboot.lower())
    loader = read("EFI/BOOT/BOOTAA64.EFI")
    scene.check("which is an EFI program for arm64", loader[:2] == b"MZ" and loader[int.from_bytes(loader[60:64], "little") + 4 :][:2] == b"\x64\xaa")
    scene.check("GRUB's files are there", {"grub/grub.cfg", "grub/grubenv", "grub/platform.cfg", "grub/gateway.id"} <= set(found), found)
    scene.check("grubenv is one block of GRUB's", len(read("grub/grubenv")) == 1024 and read("grub/grubenv").startswith(b"# GRUB Environment Block\n"))
    scene.check("the owner finds what to do", {"README.txt", "gateway.yaml.example"} <= set(found))
    expected = set(origin) | {"config.txt", "LICENCE.firmware.txt", "README.txt", "gateway.yaml.example", "EFI/BOOT/BOOTAA64.EFI"}
    strange = [name for name in found if name not in expected and not name.startswith("grub/") and not name.endswith(".dtb")]
    scene.check("and nothing else", not strange, strange)


def run_bytes(image, offset, name):
    return subprocess.run(["mtype", "-i", f"{image}@@{offset}", f"::/{name}"], capture_output=True, check=True).stdout
