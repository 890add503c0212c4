"""The tests of the plugin: `python3 -m unittest` runs them; they need no house."""
import json
import tempfile
import unittest
from pathlib import Path

import main

MEMINFO = 'MemTotal:       1000 kB\nMemFree:          50 kB\nMemAvailable:    250 kB\n'


class Memory(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(setattr, main, 'MEMINFO', main.MEMINFO)
        main.MEMINFO = Path(folder.name, 'meminfo')

    def test_is_told_in_percent(self):
        main.MEMINFO.write_text(MEMINFO)
        self.assertEqual(main.memory({}, {'limit': 90}), {'used': 75, 'tooMuch': False})

    def test_is_too_much_above_the_limit(self):
        main.MEMINFO.write_text(MEMINFO)
        self.assertFalse(main.memory({}, {'limit': 75})['tooMuch'])
        self.assertTrue(main.memory({}, {'limit': 74})['tooMuch'])

    def test_is_a_problem_where_it_cannot_be_read(self):
        self.assertRegex(main.problem(), 'meminfo is not there')
        main.MEMINFO.write_text(MEMINFO)
        self.assertIsNone(main.problem())


class Manifest(unittest.TestCase):
    def test_has_the_commands_that_are_written(self):
        manifest = json.loads(Path(main.__file__).with_name('plugin.json').read_text())
        for command in manifest['commands']:
            self.assertTrue(callable(getattr(main, command)), command)


if __name__ == '__main__':
    unittest.main()
