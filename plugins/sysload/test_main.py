"""The commands of sysload on numbers that are known: python3 -m unittest"""
import json
import tempfile
import unittest
from pathlib import Path

import main

MEMINFO = 'MemTotal:        8000000 kB\nMemFree:          100000 kB\nMemAvailable:    2000000 kB\nBuffers:          300000 kB\n'
LIMITS = {'load-limit': 2, 'memory-limit': 75}


class Sensors(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.proc = Path(folder.name)
        for name, text in {'loadavg': '3.00 2.50 2.00 2/512 4711\n', 'meminfo': MEMINFO, 'uptime': '93784.25 180000.50\n'}.items():
            (self.proc / name).write_text(text)

    def test_are_the_numbers_of_the_kernel(self):
        self.assertEqual(main.sensors(self.proc, processors=4), {'load': 0.75, 'memory': 75, 'uptime': 93784})

    def test_are_those_of_the_manifest(self):
        manifest = json.loads(Path(main.__file__).with_name('plugin.json').read_text())
        self.assertEqual(list(main.sensors(self.proc)), list(manifest['sensors']))

    def test_of_this_machine_can_be_read(self):
        self.assertIsNone(main.problem())

    def test_say_why_they_cannot_be_read(self):
        self.assertIsNone(main.problem(self.proc))
        (self.proc / 'uptime').write_text('soon')
        self.assertRegex(main.problem(self.proc), 'is not understood: .*soon')
        (self.proc / 'meminfo').write_text('nothing')
        self.assertRegex(main.problem(self.proc), 'is not understood')
        (self.proc / 'meminfo').unlink()
        self.assertEqual(main.problem(self.proc), f'{self.proc}/meminfo cannot be read; sysload works on Linux')


class Check(unittest.TestCase):
    def test_is_ok_up_to_the_limit(self):
        values = {'load': 2.0, 'memory': 75}
        self.assertEqual(main.judge(values, {'what': 'memory'}, LIMITS), {'what': 'memory', 'value': 75, 'limit': 75, 'ok': True})
        self.assertEqual(main.judge(values, {'what': 'memory', 'limit': 74.5}, LIMITS)['ok'], False)
        self.assertEqual(main.judge({'load': 2.01}, {'what': 'load'}, LIMITS), {'what': 'load', 'value': 2.01, 'limit': 2, 'ok': False})


if __name__ == '__main__':
    unittest.main()
