# SPDX-License-Identifier: Apache-2.0
"""The networks around the virtual machine: three namespaces, of which nothing is left after close().

outside   10.9.0.0/24, the bridge 'public' with the machine's first card; .1 is router, DHCP and time server; ssh goes from here
client    10.9.0.20 on that bridge: somebody's laptop, with a userspace WireGuard device
inside    10.1.1.10 on the bridge 'subnet' with the machine's second card: what the gateway guards; a web server on port 80 and 8080
"""
import os
import pathlib
import socket
import subprocess
import sys
import time

GATEWAY = "10.9.0.50"
SERVER = "10.1.1.10"
HERE = pathlib.Path(__file__).parent


def run(*command, check=True, stdin=None, timeout=60):
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done


def wait_for(what, condition, seconds, pause=0.5):
    """Calls condition until it is true; what it is goes into the error. Returns what it returned."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(pause)


def listens(path):
    """Whether somebody answers at a socket of the file system."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


class World:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.tag = f"gi{os.getpid()}"
        self.outside, self.client, self.inside = (f"{self.tag}{name}" for name in ("out", "cli", "ins"))
        self.tunnel = f"{self.tag}wg"
        self.processes = []
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    def inside_of(self, namespace, *command):
        return ("nsenter", f"--net=/run/netns/{namespace}", "--", *command)

    def at(self, namespace, *command, **options):
        return run(*self.inside_of(namespace, *command), **options)

    def start(self, namespace, *command):
        log = open(self.directory / f"{pathlib.Path(command[0]).name}.log", "ab")
        process = subprocess.Popen(self.inside_of(namespace, *command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def _make(self):
        for namespace in (self.outside, self.client, self.inside):
            run("ip", "netns", "add", namespace)
            self.at(namespace, "ip", "link", "set", "lo", "up")
        for bridge, tap in (("public", "tap0"), ("subnet", "tap1")):
            self.at(self.outside, "ip", "link", "add", bridge, "type", "bridge")
            self.at(self.outside, "ip", "tuntap", "add", tap, "mode", "tap")
            self.at(self.outside, "ip", "link", "set", tap, "master", bridge, "up")
            self.at(self.outside, "ip", "link", "set", bridge, "up")
        self.at(self.outside, "ip", "address", "add", "10.9.0.1/24", "dev", "public")
        for namespace, bridge, address in ((self.client, "public", "10.9.0.20/24"), (self.inside, "subnet", f"{SERVER}/24")):
            self.at(self.outside, "ip", "link", "add", f"to-{bridge}", "type", "veth", "peer", "name", "eth0", "netns", namespace)
            self.at(self.outside, "ip", "link", "set", f"to-{bridge}", "master", bridge, "up")
            self.at(namespace, "ip", "address", "add", address, "dev", "eth0")
            self.at(namespace, "ip", "link", "set", "eth0", "up")
        self.at(self.inside, "ip", "route", "add", "default", "via", "10.1.1.1")
        self._serve()

    def _serve(self):
        (self.directory / "leases").touch()
        configuration = self.directory / "udhcpd.conf"
        configuration.write_text(
            f"start {GATEWAY}\nend {GATEWAY}\ninterface public\nlease_file {self.directory}/leases\n"
            f"pidfile {self.directory}/udhcpd.pid\noption subnet 255.255.255.0\noption router 10.9.0.1\noption ntpsrv 10.9.0.1\n"
            "option lease 86400\nmin_lease 86400\n"
        )
        self.start(self.outside, "busybox", "udhcpd", "-f", str(configuration))
        self.start(self.outside, sys.executable, str(HERE / "sntp.py"), "10.9.0.1")
        page = self.directory / "www"
        page.mkdir(exist_ok=True)
        (page / "index.html").write_text("inside\n")
        for port in (80, 8080):
            self.start(self.inside, "busybox", "httpd", "-f", "-p", f"{SERVER}:{port}", "-h", str(page))

    def connect(self, profile):
        """Brings the client's tunnel up with a profile that gwctl wrote; replaces the one before."""
        self.disconnect()
        daemon = self.start(self.client, "wireguard-go", "-f", self.tunnel)
        # wg deletes a socket that does not listen yet.
        path = f"/var/run/wireguard/{self.tunnel}.sock"
        wait_for("the WireGuard device", lambda: listens(path) or daemon.poll() is not None, 30, 0.05)
        lines = [line.strip() for line in profile.splitlines()]
        values = {line.split("=", 1)[0].strip(): line.split("=", 1)[1].strip() for line in lines if "=" in line}
        bare = [line for line in lines if line.split("=")[0].strip() not in ("Address", "DNS", "MTU")]
        stripped = self.directory / "client.conf"
        stripped.touch(0o600)
        stripped.write_text("\n".join(bare) + "\n")
        self.at(self.client, "wg", "setconf", self.tunnel, str(stripped))
        for address in values["Address"].split(","):
            self.at(self.client, "ip", "address", "add", address.strip(), "dev", self.tunnel)
        self.at(self.client, "ip", "link", "set", self.tunnel, "mtu", values.get("MTU", "1280"), "up")
        for prefix in values["AllowedIPs"].split(","):
            self.at(self.client, "ip", "route", "replace", prefix.strip(), "dev", self.tunnel)

    def disconnect(self):
        self.at(self.client, "ip", "link", "del", self.tunnel, check=False)

    def fetch(self, port=80, seconds=5):
        """Whether the client gets the page of the guarded server."""
        url = f"http://{SERVER}:{port}/"
        return self.at(self.client, "curl", "-sf", "--max-time", str(seconds), url, check=False).stdout == "inside\n"

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
            process.wait()
        for namespace in (self.outside, self.client, self.inside):
            run("ip", "netns", "del", namespace, check=False)
