#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lets this machine join a gatewayd network with openssl, curl and wg-quick alone: makes its keys, enrols (RFC 7030), writes
# /etc/wireguard/INTERFACE.conf and brings it up. Private keys never leave the machine.
# usage: join.sh LINK [NAME] [INTERFACE]      (NAME: this host's; INTERFACE: gw0; WG_DIR: /etc/wireguard; NO_UP=1: only write)
set -eu

fail() {
  echo "join: $*" >&2
  exit 1
}

[ $# -ge 1 ] || fail "usage: join.sh LINK [NAME] [INTERFACE]"
for program in openssl curl wg od base64; do
  command -v "$program" >/dev/null || fail "$program is missing: install openssl, curl and wireguard-tools"
done
link=$1
name=${2:-$(hostname | cut -d. -f1 | tr 'A-Z_' 'a-z-')}
interface=${3:-gw0}
base=${link%%/join#*}
token=$(printf '%s' "$link" | sed -n 's/.*[#&]token=\([a-z2-7]\{26\}\).*/\1/p')
fingerprint=$(printf '%s' "$link" | sed -n 's/.*[#&]ca=\([0-9a-f]\{64\}\).*/\1/p')
case $base in https://*) ;; *) fail "the link is none: https://…/join#token=…&ca=…" ;; esac
if [ -z "$token" ] || [ -z "$fingerprint" ]; then fail "the link is not whole: https://…/join#token=…&ca=…"; fi

umask 077
directory=${WG_DIR:-/etc/wireguard}/gatewayd-$interface
[ ! -e "${WG_DIR:-/etc/wireguard}/$interface.conf" ] || fail "${WG_DIR:-/etc/wireguard}/$interface.conf is there already; give another interface"
mkdir -p "$directory"
cd "$directory"

# The gateway is known by the fingerprint in the link, and by nothing else: not a word is said to another.
curl -fsSk --tlsv1.3 "$base/.well-known/est/cacerts" | base64 -d | openssl pkcs7 -inform DER -print_certs -out presented.pem
rm -f part-* ca.pem
awk '/BEGIN CERT/ { n++ } n { print > ("part-" n) }' presented.pem
for part in part-*; do
  [ "$(openssl x509 -in "$part" -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1)" = "$fingerprint" ] && cp "$part" ca.pem
done
rm -f part-* presented.pem
[ -s ca.pem ] || fail "this is not the gateway that the link is of: somebody may be in the middle. Nothing was sent."
ask() {
  curl -sS --tlsv1.3 --cacert ca.pem "$@"
}

# Of an attempt that was cut off the keys are kept: the token may be spent, and to the same keys the gateway gives the same.
[ -s wireguard.key ] || wg genkey >wireguard.key
[ -s client.key ] || openssl ecparam -name prime256v1 -genkey -noout -out client.key
# RFC 8410 §7: what stands in front of a raw X25519 key.
{ printf '\060\056\002\001\000\060\005\006\003\053\145\156\004\042\004\040'; base64 -d wireguard.key; } >wireguard.der
public=$(wg pubkey <wireguard.key | base64 -d | od -An -vtx1 | tr -d ' \n')
openssl req -new -key client.key -subj "/CN=$name" -outform DER -out request.der \
  -addext "@OID@=DER:0420$public"

challenge=$(ask -f "$base/.well-known/gatewayd/challenge")
field() {
  printf '%s' "$challenge" | sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p"
}
nonce=$(field nonce)
{ printf '\060\052\060\005\006\003\053\145\156\003\041\000'; field public_key | base64 -d; } >challenge.der
secret=$(openssl pkeyutl -derive -keyform DER -inkey wireguard.der -peerform DER -peerkey challenge.der | od -An -vtx1 | tr -d ' \n')
mac=$({ printf 'gatewayd wireguard proof 1\000'; printf '%s' "$nonce" | base64 -d; openssl dgst -sha256 -binary request.der; } |
  openssl mac -digest SHA256 -macopt "hexkey:$secret" -in - -binary HMAC | base64 -w0)

status=$(base64 request.der | ask --retry 5 --retry-delay 1 --retry-all-errors -o answer -w '%{http_code}' -u "token:$token" -H 'Content-Type: application/pkcs10' \
  -H "WireGuard-Proof: $nonce $mac" --data-binary @- "$base/.well-known/est/simpleenroll")
[ "$status" = 200 ] || fail "the gateway refused ($status): $(cat answer)"
base64 -d answer | openssl pkcs7 -inform DER -print_certs -out client.crt
rm -f answer request.der challenge.der wireguard.der

profile=$(ask -f --cert client.crt --key client.key "$base/.well-known/gatewayd/profile")
challenge=$profile
list() {
  printf '%s' "$profile" | sed -n "s/.*\"$1\" *: *\[\([^]]*\)\].*/\1/p" | tr -d '"' | sed 's/,/, /g'
}
{
  echo "[Interface]"
  echo "PrivateKey = $(cat wireguard.key)"
  echo "Address = $(list addresses)"
  [ -z "$(list dns)" ] || echo "DNS = $(list dns), $(field dns_domain)"
  echo "MTU = $(printf '%s' "$profile" | sed -n 's/.*"mtu" *: *\([0-9]*\).*/\1/p')"
  echo
  echo "[Peer]"
  echo "PublicKey = $(field gateway_public_key)"
  echo "Endpoint = $(field endpoint)"
  echo "AllowedIPs = $(list allowed_ips)"
  echo "PersistentKeepalive = 25"
} >"../$interface.conf"
rm -f wireguard.key
echo "joined $(field gateway_name) as $(field client); the certificate is $directory/client.crt"
if [ -z "${NO_UP:-}" ]; then
  wg-quick up "$interface"
else
  echo "bring it up: wg-quick up $interface"
fi
