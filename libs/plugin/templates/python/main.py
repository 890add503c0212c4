"""What the plugin does. What it can be told and asked stands in plugin.json."""
from pathlib import Path

from house import run

MEMINFO = Path('/proc/meminfo')


# One function for each command of plugin.json. What it raises is told to the caller as COMMAND_FAILED;
# `house.Refused(code, reason)` chooses the code.
def memory(parameters, configuration):
    used = used_memory(MEMINFO.read_text())
    return {'used': used, 'tooMuch': used > configuration['limit']}


def used_memory(meminfo):
    """The used memory in percent, from the text of /proc/meminfo (proc_meminfo(5))."""
    sizes = {name: int(rest.split()[0]) for name, rest in (line.split(':') for line in meminfo.splitlines())}
    return round(100 * (1 - sizes['MemAvailable'] / sizes['MemTotal']))


def problem():
    """Asked each second: why the plugin cannot do its work, or None. It is shown as not ready, with this reason."""
    return None if MEMINFO.exists() else f'{MEMINFO} is not there; this plugin works on Linux'


if __name__ == '__main__':
    run({'memory': memory}, problem)
