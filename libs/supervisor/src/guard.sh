# The guard of one supervisor: when its standard input closes without a word of farewell, the supervisor is gone, and
# whatever it has started is killed. It is told, a line each: "watch GROUP", "forget GROUP", "end". guard.ts starts it.
#
# usage: sh guard.sh MARKER WHOSE    (WHOSE is only for a person who reads the list of processes)
marker=$1
trap '' HUP INT TERM
groups=' '
while read -r word group; do
  case $word in
    watch) groups="$groups$group " ;;
    forget) case $groups in *" $group "*) groups="${groups%%" $group "*} ${groups#*" $group "}" ;; esac ;;
    end) exit 0 ;;
  esac
done

for group in $groups; do kill -KILL -- "-$group" 2>/dev/null; done

# What has left its group still carries the marker in its environment; again, because one may start another meanwhile.
# There is no such list on macOS.
round=0
while [ -d /proc/self ] && [ "$round" -lt 40 ]; do
  strays=$(grep -lF "DOMUS_RUN=$marker" /proc/[0-9]*/environ 2>/dev/null)
  [ -n "$strays" ] || exit 0
  for file in $strays; do
    pid=${file#/proc/}
    kill -KILL "${pid%/environ}" 2>/dev/null
  done
  round=$((round + 1))
  sleep 0.05
done
