#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A time server that says what this machine's clock says (RFC 5905, client mode only). For the tests' own network namespace.

usage: sntp.py ADDRESS
"""
import socket
import struct
import sys
import time

SINCE_1900 = 2208988800


def stamp(seconds):
    return struct.pack("!II", int(seconds) + SINCE_1900, int((seconds % 1) * 2**32))


listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind((sys.argv[1], 123))
while True:
    request, sender = listener.recvfrom(512)
    if len(request) < 48:
        continue
    now = time.time()
    head = struct.pack("!BBBbII4s", 0x24, 2, 6, -20, 0, 16, b"TEST")
    listener.sendto(head + stamp(now) + request[40:48] + stamp(now) + stamp(time.time()), sender)
