# SPDX-License-Identifier: Apache-2.0
"""What a part works with: the built images, a world and a machine in it, and what was seen so far."""
import pathlib

from machine import Machine
from world import World

CONFIGURATION = """\
gateway: {name: lab, public: {interface: eth0, endpoint: 10.9.0.50, allow: [ssh, ping], enroll_port: 443}}
vpn: {subnets: [172.16.201.0/24]}
subnets:
  web: {prefixes: [10.1.1.0/24], interface: eth1, address: 10.1.1.1}
groups:
  staff: {description: everybody}
rules:
  - {name: staff-web, action: allow, from: [group:staff], to: [subnet:web], services: [http, ping]}
"""


class Scene:
    def __init__(self, build, directory):
        self.build, self.directory = pathlib.Path(build), pathlib.Path(directory)
        self.images = self.build / "images"
        self.failures = []
        self._world = None
        self.machine = None

    @property
    def world(self):
        if self._world is None:
            self._world = World(self.directory)
        return self._world

    def new_machine(self, image="gatewayd-vm.raw", **options):
        """A machine with a fresh disk of 2 GiB, off."""
        disk = self.directory / "disk.raw"
        Machine.copy_disk(self.images / image, disk, "2G")
        self.machine = Machine(self.world, disk, **options)
        return self.machine

    def configured_machine(self, **options):
        """The same with configuration and key on its partition GATEWAY."""
        machine = self.new_machine(**options)
        machine.put("gateway.yaml", CONFIGURATION)
        machine.put("authorized_keys", machine.key.with_suffix(".pub").read_text())
        return machine

    def check(self, what, good, seen=""):
        print(f"   {'ok' if good else 'NOT SO'}: {what}" + ("" if good or seen == "" else f"; seen: {seen}"), flush=True)
        if not good:
            self.failures.append(what)

    def tell(self, what):
        print(f"   {what}", flush=True)

    def show_console(self):
        if self.machine:
            print(self.machine.serial()[-3000:])

    def close(self):
        if self.machine:
            self.machine.hang_up()
        if self._world:
            self._world.close()
