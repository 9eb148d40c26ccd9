-- SPDX-License-Identifier: Apache-2.0
-- A registry as the program of schema 2 made it: clients alice and bob, whose key was compromised, and a block.
PRAGMA journal_mode = WAL;
PRAGMA application_id = 458176044;
BEGIN;
CREATE TABLE client (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  number INTEGER NOT NULL UNIQUE CHECK (number > 0),
  name TEXT NOT NULL UNIQUE,
  device_uuid TEXT NOT NULL UNIQUE,
  wireguard BLOB NOT NULL UNIQUE CHECK (length(wireguard) = 32),
  tunnel TEXT CHECK (tunnel IN ('split', 'full')),
  description TEXT NOT NULL,
  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
  created INTEGER NOT NULL,
  serial TEXT NOT NULL UNIQUE REFERENCES certificate (serial) DEFERRABLE INITIALLY DEFERRED,
  profile TEXT NOT NULL
) STRICT;
CREATE TABLE client_group (
  client INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  PRIMARY KEY (client, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE client_address (
  client INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,
  family INTEGER NOT NULL CHECK (family IN (4, 6)),
  address BLOB NOT NULL UNIQUE CHECK (length(address) = 16),
  PRIMARY KEY (client, family)
) STRICT, WITHOUT ROWID;
CREATE TABLE certificate (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  serial TEXT NOT NULL UNIQUE,
  client INTEGER REFERENCES client (id) ON DELETE SET NULL,
  client_name TEXT NOT NULL,
  client_number INTEGER NOT NULL,
  wireguard BLOB NOT NULL CHECK (length(wireguard) = 32),
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '',
  sha256 TEXT NOT NULL
) STRICT;
CREATE INDEX certificate_client ON certificate (client);
CREATE INDEX certificate_wireguard ON certificate (wireguard);
CREATE TABLE certificate_text (
  certificate INTEGER PRIMARY KEY REFERENCES certificate (id),
  pem TEXT NOT NULL
) STRICT;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL
) STRICT;
CREATE TABLE registry (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  crl_number INTEGER NOT NULL DEFAULT 0,
  time_floor INTEGER NOT NULL DEFAULT 0,
  profile TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO registry (id) VALUES (1);
CREATE TABLE block (
  address BLOB NOT NULL CHECK (length(address) = 16),
  length INTEGER NOT NULL CHECK (length BETWEEN 0 AND 128),
  until INTEGER NOT NULL,
  comment TEXT NOT NULL,
  who TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (address, length)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
INSERT INTO client (number, name, device_uuid, wireguard, tunnel, description, disabled, created, serial, profile)
  VALUES (1, 'alice', '00000000-0000-4000-8000-000000000001', x'0100000042424242424242424242424242424242424242424242424242424242', NULL, '', 0, 1799913600, '9e3779b1000000000000000000000001', 'f1');
INSERT INTO client_group VALUES (1, 'developers');
INSERT INTO client_address VALUES (1, 4, x'00000000000000000000ffffac100003'), (1, 6, x'fd6d706e6c6100000000000000000003');
INSERT INTO certificate (serial, client, client_name, client_number, wireguard, not_before, not_after, revoked_at, reason, sha256)
  VALUES ('9e3779b1000000000000000000000001', 1, 'alice', 1, x'0100000042424242424242424242424242424242424242424242424242424242', 1799999700, 1831536000, 0, '', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
INSERT INTO certificate_text VALUES (1, '-----BEGIN CERTIFICATE-----');
INSERT INTO audit (at, who, what) VALUES (1800000000, 'uid 0', 'client add alice');
INSERT INTO client (number, name, device_uuid, wireguard, tunnel, description, disabled, created, serial, profile)
  VALUES (2, 'bob', '00000000-0000-4000-8000-000000000002', x'0200000042424242424242424242424242424242424242424242424242424242', NULL, '', 0, 1799913600, '3c6ef362000000000000000000000002', 'f1');
INSERT INTO client_group VALUES (2, 'developers');
INSERT INTO client_address VALUES (2, 4, x'00000000000000000000ffffac100004'), (2, 6, x'fd6d706e6c6100000000000000000004');
INSERT INTO certificate (serial, client, client_name, client_number, wireguard, not_before, not_after, revoked_at, reason, sha256)
  VALUES ('3c6ef362000000000000000000000002', 2, 'bob', 2, x'0200000042424242424242424242424242424242424242424242424242424242', 1799999700, 1831536000, 1800000000, 'keyCompromise', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
INSERT INTO certificate_text VALUES (2, '-----BEGIN CERTIFICATE-----');
INSERT INTO audit (at, who, what) VALUES (1800000000, 'uid 0', 'client add bob');
INSERT INTO audit (at, who, what) VALUES (1800000000, 'uid 0', 'client revoke bob');
UPDATE registry SET crl_number = 10, time_floor = 1799999000, profile = 'f1' WHERE id = 1;
INSERT INTO block VALUES (x'00000000000000000000ffffc6336400', 24, 0, 'scans', 'uid 0', 1800000000);
COMMIT;
