-- SPDX-License-Identifier: Apache-2.0
-- What the program of schema 2 does to a registry, statement by statement as it prepared them: it adds dave, revokes carol,
-- removes bob, renews alice, and makes a revocation list. -bail: a statement that no longer works ends the test.
PRAGMA foreign_keys = ON;
BEGIN IMMEDIATE;
INSERT INTO client (number, name, device_uuid, wireguard, tunnel, description, disabled, created, serial, profile)
  VALUES (4, 'dave', '00000000-0000-4000-8000-000000000004', x'0400000042424242424242424242424242424242424242424242424242424242', NULL, '', 0, 1800000000, '78dde6c4000000000000000000000004', (SELECT profile FROM registry));
INSERT INTO client_group VALUES ((SELECT id FROM client WHERE name = 'dave'), 'ops');
INSERT INTO client_address VALUES ((SELECT id FROM client WHERE name = 'dave'), 4, x'00000000000000000000ffffac100028');
INSERT INTO certificate (serial, client, client_name, client_number, wireguard, not_before, not_after, sha256)
  VALUES ('78dde6c4000000000000000000000004', (SELECT id FROM client WHERE name = 'dave'), 'dave', 4, x'0400000042424242424242424242424242424242424242424242424242424242', 1799999700, 1800086400, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
INSERT INTO certificate_text VALUES ((SELECT id FROM certificate WHERE serial = '78dde6c4000000000000000000000004'), '-----BEGIN CERTIFICATE-----');
INSERT INTO audit (at, who, what) VALUES (1800000000, 'uid 0', 'client add dave');
COMMIT;
BEGIN IMMEDIATE;
UPDATE certificate SET revoked_at = 1800000000, reason = 'unspecified'
  WHERE client = (SELECT id FROM client WHERE name = 'carol') AND revoked_at = 0;
INSERT INTO audit (at, who, what) VALUES (1800000000, 'uid 0', 'client revoke carol');
COMMIT;
BEGIN IMMEDIATE;
UPDATE certificate SET revoked_at = 1800000000, reason = 'cessationOfOperation'
  WHERE client = (SELECT id FROM client WHERE name = 'bob') AND revoked_at = 0;
DELETE FROM client WHERE name = 'bob';
COMMIT;
BEGIN IMMEDIATE;
INSERT INTO certificate (serial, client, client_name, client_number, wireguard, not_before, not_after, sha256)
  VALUES ('96af9a3d00000000000000000000004d', 1, 'alice', 1, x'0100000042424242424242424242424242424242424242424242424242424242', 1800000000, 1834560000, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
INSERT INTO certificate_text VALUES ((SELECT id FROM certificate WHERE serial = '96af9a3d00000000000000000000004d'), '-----BEGIN CERTIFICATE-----');
UPDATE client SET serial = '96af9a3d00000000000000000000004d' WHERE name = 'alice';
COMMIT;
UPDATE registry SET crl_number = crl_number + 1;
UPDATE registry SET time_floor = 1800000000;
INSERT INTO block VALUES (x'00000000000000000000ffffcb007100', 24, 0, '', 'uid 0', 1800000000);
