# Completion of domus for bash: `source <(domus completion bash)`. It asks domus itself, so it needs no renewal.
_domus() {
  local line=${COMP_LINE:0:COMP_POINT} program index word gap mark value
  local -a words=()
  # Bash cuts words at ":" and "=" too, and replaces only what follows the last of them: words that no blank parts are put
  # together again for the question, and what stands before the cut is taken off the answers.
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    gap=${line%%[![:space:]]*}
    line=${line#"$gap"}
    ((index == COMP_CWORD)) && word=$line
    line=${line#"$word"}
    if [[ $index == 0 || -n $gap ]]; then
      words+=("$word")
    else
      words[${#words[@]} - 1]+=$word
    fi
  done
  word=${words[${#words[@]} - 1]}
  mark=
  for index in : = @; do
    [[ $COMP_WORDBREAKS == *"$index"* && $word == *"$index"* ]] || continue
    value=${word%"${word##*"$index"}"}
    ((${#value} > ${#mark})) && mark=$value
  done
  program=${words[0]/#~\//$HOME/}
  COMPREPLY=()
  while IFS=$'\t' read -r value _; do
    if [[ $value == :files || $value == :folders ]]; then
      compopt -o filenames 2>/dev/null
      [[ $value == :files ]] && index=-f || index=-d
      mapfile -t COMPREPLY < <(compgen "$index" -- "${word#"$mark"}")
      return
    fi
    [[ $value == *= ]] && compopt -o nospace 2>/dev/null
    COMPREPLY+=("${value#"$mark"}")
  done < <("$program" complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _domus domus
