"""sysload: the commands of plugin.json, on the numbers of the kernel (proc_loadavg(5), proc_meminfo(5), proc_uptime(5))."""
import os
from pathlib import Path

import house

PROC = Path('/proc')


def sensors(proc=PROC, processors=os.cpu_count() or 1):
    """The value of each sensor."""
    memory = dict(line.split(':') for line in (proc / 'meminfo').read_text().splitlines())
    total, available = (int(memory[name].split()[0]) for name in ('MemTotal', 'MemAvailable'))
    return {
        'load': round(float((proc / 'loadavg').read_text().split()[0]) / processors, 2),
        'memory': round(100 * (total - available) / total),
        'uptime': int(float((proc / 'uptime').read_text().split()[0])),
    }


def problem(proc=PROC):
    """Why there is nothing to read here, or None."""
    try:
        sensors(proc)
    except OSError as error:
        return f'{error.filename} cannot be read; sysload works on Linux'
    except (ArithmeticError, IndexError, LookupError, ValueError) as error:
        return f'what {proc} holds is not understood: {error!r}'


def read(parameters, configuration):
    return sensors()


def check(parameters, configuration):
    return judge(sensors(), parameters, configuration)


def judge(values, parameters, configuration):
    what = parameters['what']
    limit = parameters.get('limit', configuration[f'{what}-limit'])
    return {'what': what, 'value': values[what], 'limit': limit, 'ok': values[what] <= limit}


if __name__ == '__main__':
    house.run({'read': read, 'check': check}, problem)
