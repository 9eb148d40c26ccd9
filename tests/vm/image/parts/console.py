# SPDX-License-Identifier: Apache-2.0
"""A machine with nothing supplied says what to do; with a bad file what is wrong; both let nobody in but SSH."""
from scene import CONFIGURATION
from world import GATEWAY


def knock(scene, port):
    """What becomes of a TCP connection from outside: 'open', 'refused' or 'silent'."""
    code = f"""
import socket
s = socket.socket(); s.settimeout(8)
try: s.connect(("{GATEWAY}", {port})); print("open")
except ConnectionRefusedError: print("refused")
except OSError: print("silent")
"""
    return scene.world.at(scene.world.outside, "python3", "-c", code).stdout.strip()


def prove(scene):
    machine = scene.new_machine()
    machine.power_on()
    machine.wait_serial(r"The next three things to do", 300)
    machine.wait_serial(r"root@gateway", 120)
    scene.check("the console tells where the SSH key and the configuration go", "authorized_keys" in machine.serial() and "gateway.yaml" in machine.serial())
    scene.check("and that nobody can log in by SSH", "Nobody can log in by SSH" in machine.serial())
    scene.check("whoever has the console may look around", "root@gateway" in machine.serial())
    scene.check("SSH is reached", knock(scene, 22) == "open")
    scene.check("SSH lets nobody in", machine.ssh("true", check=False).returncode == 255)
    scene.check("any other port keeps silent", knock(scene, 80) == "silent")
    machine.power_cut()

    machine.put("gateway.yaml", CONFIGURATION.replace("vpn:", "vpm:"))
    machine.power_on()
    machine.wait_serial(r"unknown key 'vpm'", 300)
    machine.wait_serial(r"root@gateway", 120)
    scene.check("a bad file is told on the console with line and column", "gateway.yaml:2:1: error: unknown key 'vpm'" in machine.serial())
    machine.power_cut()
    errors = machine.get("gateway.yaml.errors.txt") or ""
    scene.check("and in a file beside it", "gateway.yaml:2:1: error: unknown key 'vpm'" in errors, errors)
