"""Who started the plugin: it reads the plugin's state on a pipe (docs/architecture.md, "Supervision")."""
import importlib
import json
import os
import select
import sys

from .log import WARNING, log


class Supervisor:
    """Its end of the pipe, and our standard input, which closes when it is gone. Started by hand, there is none."""

    def __init__(self):
        self.pipe = int(os.environ.get('DOMUS_READY_FD', -1))
        self.is_there = self.pipe >= 0
        self.told = ()
        if self.is_there:
            os.set_blocking(self.pipe, False)
        # From now on it waits for our own word.
        self.say('starting')

    def tell(self, problem):
        """Ready, if there is no problem; only what is new is said."""
        if problem == self.told:
            return
        self.told = problem
        if problem is None:
            log('ready')
            self.say('ready')
        else:
            log(f'not ready: {problem}', WARNING)
            self.say('not-ready', reason=problem)

    def alive(self):
        """To be called each second: who is silent for ten is killed and started again."""
        self.say('alive')

    def say(self, state, **more):
        if not self.is_there:
            return
        try:
            os.write(self.pipe, json.dumps({'state': state, **more}).encode() + b'\n')
        except OSError:
            pass  # It sleeps, or is gone: then our standard input closes.

    def wait_for(self, module, package):
        """Waits for a module that is missing: it can be installed meanwhile. Who started us by hand gets the message."""
        while True:
            try:
                importlib.import_module(module)
                return
            except ImportError as error:
                problem = f'install {package}: {sys.executable} says {error}'
            if not self.is_there:
                sys.exit(problem)
            self.tell(problem)
            self.alive()
            if select.select([sys.stdin], [], [], 1)[0]:
                sys.exit()
            importlib.invalidate_caches()
