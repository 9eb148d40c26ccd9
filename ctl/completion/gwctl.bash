# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Completion of gwctl for bash. A test holds its words to `gwctl --help`.

declare -gA _gwctl_words=(
  [gwctl]="status plan apply confirm rollback subnet site group rule client cert ca token block backup restore system explain flows monitor metrics --json --host --help --version"
  [status]="--health"
  [plan]=""
  [apply]="--confirm"
  [confirm]=""
  [rollback]=""
  [explain]=""
  [flows]="--client --from --to --service --rule --kill --all"
  [metrics]=""
  [monitor]="--denied --client --subnet --rule"
  [subnet]="list add remove"
  [subnet list]=""
  [subnet add]="--prefix --interface --vlan --address --via --host --description --apply"
  [subnet remove]="--apply"
  [site]="list add remove"
  [site list]=""
  [site add]="--public-key --prefix --endpoint --keepalive --description --apply"
  [site remove]="--apply"
  [group]="list add remove"
  [group list]=""
  [group add]="--interconnect --description --tunnel --apply"
  [group remove]="--apply"
  [rule]="list add remove"
  [rule list]=""
  [rule add]="--action --from --to --service --log --before --after --apply"
  [rule remove]="--apply"
  [client]="list show add rekey export set renew revoke remove"
  [client list]=""
  [client show]=""
  [client add]="--out --format --qr --force --cert-out --group --days --tunnel --description"
  [client rekey]="--out --format --qr --force --cert-out --days"
  [client export]="--out --format --qr --force --key"
  [client set]="--group --add-group --remove-group --tunnel --description --disable --enable"
  [client renew]="--days --out --force"
  [client revoke]="--reason"
  [client remove]=""
  [cert]="list show revoke crl"
  [cert list]=""
  [cert show]="--pem"
  [cert revoke]="--reason"
  [cert crl]="--out --der --force"
  [token]="create list revoke"
  [token create]="--group --name --ttl --uses --days --tunnel --description --qr"
  [token list]=""
  [token revoke]=""
  [block]="list add remove"
  [block list]=""
  [block add]="--ttl --comment --force"
  [block remove]=""
  [backup]="--passphrase-file --signer --force"
  [restore]="--passphrase-file --signer --replace --enable-clients"
  [system]="status update rollback"
  [system status]=""
  [system update]=""
  [system rollback]=""
  [ca]="show init rotate request import trust"
  [ca trust]="add list crl remove"
  [ca trust add]="--map --name --crl --replace"
  [ca trust list]="--pem"
  [ca trust crl]=""
  [ca trust remove]="--revoke-clients"
  [ca show]="--pem"
  [ca init]="--name"
  [ca rotate]="--root"
  [ca request]="--name --out --force"
  [ca import]="--cut-off"
)

# The names that `gwctl FOLDER list` prints in the column whose heading is $2. Quiet where no gateway answers.
_gwctl_names() {
  # shellcheck disable=SC2086 # a folder may be two words
  gwctl $1 list 2>/dev/null | awk -v heading="$2" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == heading) column = i; next }
    column && NF > column { print $column }'
}

# What may stand behind the option $1.
_gwctl_values() {
  case $1 in
    --tunnel) echo "split full" ;;
    --format) echo "wg-quick networkmanager networkd mobileconfig bundle" ;;
    --action) echo "allow deny reject" ;;
    --reason) echo "unspecified keyCompromise affiliationChanged superseded cessationOfOperation privilegeWithdrawn" ;;
    --group | --add-group | --remove-group) _gwctl_names group NAME ;;
    --before | --after | --rule) _gwctl_names rule NAME ;;
    --client) _gwctl_names client NAME ;;
    --subnet) _gwctl_names subnet NAME ;;
    --from | --to)
      echo "any vpn internet gateway"
      _gwctl_names subnet NAME | sed 's/^/subnet:/'
      _gwctl_names group NAME | sed 's/^/group:/'
      ;;
    --interface) command ls /sys/class/net ;;
    *) return 1 ;;
  esac
}

# Names of what the command works on.
_gwctl_objects() {
  case $1 in
    "client add" | "subnet add" | "site add" | "group add" | "rule add") ;;
    "client "[^l]*) _gwctl_names client NAME ;;
    "subnet remove") _gwctl_names subnet NAME ;;
    "site remove") _gwctl_names site NAME ;;
    "group remove") _gwctl_names group NAME ;;
    "rule remove") _gwctl_names rule NAME ;;
    "ca trust remove" | "ca trust crl") _gwctl_names "ca trust" NAME ;;
    "cert show" | "cert revoke") _gwctl_names cert SERIAL ;;
    explain)
      _gwctl_values --from
      _gwctl_names client NAME
      ;;
  esac
}

_gwctl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' word choices
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ -v _gwctl_words[${command:+$command }$word] ]] && command=${command:+$command }$word
  done
  case $previous in
    --out | --key | --cert-out | --passphrase-file | --crl | --signer)
      compopt -o default
      return
      ;;
    -H | --host)
      mapfile -t COMPREPLY < <(compgen -A hostname -- "$current")
      return
      ;;
  esac
  case $command in
    backup | restore | "system update" | "ca trust add" | "ca trust crl")
      if [[ $current != -* ]]; then
        compopt -o default
        return
      fi
      ;;
  esac
  if ! choices=$(_gwctl_values "$previous"); then
    choices=${_gwctl_words[${command:-gwctl}]}
    [[ $current == -* || -z $command ]] || choices+=" $(_gwctl_objects "$command")"
    [[ $current == -* && -n $command ]] && choices+=" --json --host --help"
  fi
  # The colon of subnet:web splits words in bash.
  [[ $current == : ]] && current=''
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
}

complete -F _gwctl gwctl
