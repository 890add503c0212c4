# Completion of domus for fish: `domus completion fish | source`. It asks domus itself, so it needs no renewal.
function __domus_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    type -q $program; or return
    set -l found ($program complete -- $words[2..-1] $word 2>/dev/null)
    switch "$found[1]"
        case :files
            __fish_complete_path $word
        case :folders
            __fish_complete_directories $word ''
        case '*'
            test (count $found) -gt 0; and printf '%s\n' $found
    end
end
complete -c domus -f -a '(__domus_complete)'
