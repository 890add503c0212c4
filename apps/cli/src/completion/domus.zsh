#compdef domus
# Completion of domus for zsh: as the file _domus in a folder of fpath, or by `source <(domus completion zsh)` after compinit.
# It asks domus itself, so it needs no renewal.
_domus() {
  local program=${words[1]/#\~\//$HOME/} line value
  local -a closed open
  for line in "${(@f)$("$program" complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
    # A colon parts the value from its description.
    value=${${line%%$'\t'*}//:/\\:}
    [[ $line == *$'\t'* ]] && value+=:${line#*$'\t'}
    case $line in
      '') ;;
      :files) _files && return ;;
      :folders) _files -/ && return ;;
      *=|*=$'\t'*) open+=("$value") ;;
      *) closed+=("$value") ;;
    esac
  done
  local found=1
  (($#closed)) && _describe -t domus domus closed && found=0
  (($#open)) && _describe -t domus domus open -S '' && found=0
  return found
}
if [[ ${funcstack[1]} == _domus ]]; then _domus "$@"; else compdef _domus domus; fi
