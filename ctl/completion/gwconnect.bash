# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Completion of gwconnect for bash. A test holds its words to `gwconnect --help`.

declare -gA _gwconnect_words=(
  [gwconnect]="join status leave renew set down run --state --help --version"
  [join]="--name --interface --fail-closed --rotate-days --certificate --key --passphrase-file --proxy"
  [status]="--json"
  [leave]=""
  [renew]="--rotate"
  [set]="--proxy"
  [down]=""
  [run]="--udp-retry"
)

_gwconnect() {
  local current=${COMP_WORDS[COMP_CWORD]} command='' word choices
  COMPREPLY=()
  case ${COMP_WORDS[COMP_CWORD - 1]} in
    --state | --certificate | --key | --passphrase-file)
      compopt -o default
      return
      ;;
  esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ -v _gwconnect_words[$word] ]] && command=$word
  done
  choices=${_gwconnect_words[${command:-gwconnect}]}
  [[ -n $command ]] && choices+=" --state --help"
  [[ $command == leave || $command == renew || $command == set ]] &&
    choices+=" $(gwconnect status --json 2>/dev/null | sed -n 's/^ *"network": "\(.*\)",*$/\1/p')"
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
}

complete -F _gwconnect gwconnect
