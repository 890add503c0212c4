"""A plugin from its start to its end: what every plugin answers (docs/actions.md, plugin), and when it is ready.

Commands run one after another, and while one runs nothing else is done: what takes seconds belongs in a process of its own.
"""
import json
import os
import re
import shlex
import signal
import socket
import sys
import time
import traceback
from pathlib import Path

from .log import ERROR, log
from .supervisor import Supervisor
from .values import missing, problems, with_defaults

BEAT_S = 1
# It only says that it is alive meanwhile: long enough for a busy machine, and short enough to stop in time.
CONFIGURATION_TIMEOUT_S = 1.5
# The exit code that says that another instance runs, and nothing is wrong with this one.
EXIT_SUPERSEDED = 79


class Refused(Exception):
    """How a command says no: a code, a reason for a person, and details that go with them."""

    def __init__(self, code, reason, **details):
        super().__init__(reason)
        self.reply = {**details, 'status': False, 'code': code, 'reason': reason}


class NotConfigured(Exception):
    """There is no configuration to work with, with the reason for a person."""


def run(commands, problem=lambda: None):
    """Runs a plugin until it is told to stop.

    `commands` has a function for each command of plugin.json. It is called with the parameters and the configuration of
    this moment, both checked, with defaults, and returns the result; it raises `Refused`, or anything: that is COMMAND_FAILED.
    `problem` is asked each second, and gives the reason while the plugin cannot do its work, else None.
    """
    supervisor = Supervisor()
    supervisor.wait_for('zmq', 'python3-zmq')
    manifest = json.loads(Path(sys.argv[0]).with_name('plugin.json').read_text())
    for command in manifest.get('commands', {}):
        if command not in commands:
            sys.exit(f'plugin.json has the command {command}, and there is no function for it')
    Plugin(manifest, commands, problem, supervisor).run()


class Plugin:
    def __init__(self, manifest, commands, problem, supervisor):
        # Only here: the functions of a plugin can be tested without zmq.
        from . import mdp
        self.name = manifest['name']
        self.items = manifest.get('configuration', {})
        self.described = manifest.get('commands', {})
        self.commands = commands
        self.problem = problem
        self.supervisor = supervisor
        self.configuration = None
        self.stopping = False
        self.actions = {
            'helper.list': self.list, 'helper.list.get': self.list,
            'helper.help': self.help, 'helper.help.get': self.help,
            'helper.do': self.do, 'plugin.stop': self.stop,
        }
        self.host = os.environ.get('DOMUS_HOST') or socket.gethostname().split('.')[0].lower()
        self.broker = os.environ.get('DOMUS_BROKER') or 'tcp://127.0.0.1:40410'
        self.bus = mdp
        self.epoch = os.environ.get('DOMUS_EPOCH', '')
        self.worker = mdp.Worker(self.broker, f'{self.host}.{self.name}', self.answer, self.epoch)

    def run(self):
        try:
            self.serve()
        except self.bus.Superseded:
            if self.epoch:
                log(f'another instance of {self.host}.{self.name} runs now; this one ends', ERROR)
            else:
                log(f'another instance of {self.host}.{self.name} was started by a manager; this one has no epoch (DOMUS_EPOCH) and ends: '
                    'stop the plugin, then start this one with "domus run FOLDER"', ERROR)
            sys.exit(EXIT_SUPERSEDED)

    def serve(self):
        ends = [stop_signals(), *([sys.stdin.fileno()] if self.supervisor.is_there else [])]
        due = time.monotonic()
        while not self.stopping:
            if self.worker.wait(ends, due - time.monotonic()):
                break
            late = time.monotonic() - due
            if late >= 0:
                self.worker.beat(late)
                self.supervisor.alive()
                self.tell()
                due = time.monotonic() + BEAT_S
        log('stopping')
        self.worker.leave()

    def tell(self):
        """Ready is who can work and has a configuration that fits."""
        problem = self.problem()
        if problem is None and self.configuration is None:
            try:
                self.configuration = self.read_configuration()
            except NotConfigured as reason:
                problem = f'waits for its configuration: {reason}'
        self.supervisor.tell(problem)

    def read_configuration(self):
        """What is configured now, defaults included."""
        question = json.dumps({'host': self.host, 'plugin': self.name, 'reveal': True, 'by': f'{self.host}.{self.name}'}).encode()
        try:
            _, data = self.bus.ask(self.broker, 'dbmanager', b'config.get', question, timeout_s=CONFIGURATION_TIMEOUT_S, alive=self.supervisor.alive)
        except TimeoutError as error:
            raise NotConfigured(error) from None
        reply = json.loads(data)
        if not reply['status']:
            raise NotConfigured(reply['reason'])
        # A key that plugin.json does not have may be left from an older version.
        known = {key: value for key, value in reply['data'].items() if key in self.items}
        wrong = {**{key: 'is not set' for key in missing(self.items, known)}, **problems(self.items, known)}
        if wrong:
            raise NotConfigured('; '.join(f'{key} {reason}; set it: {self.set_command(key)}' for key, reason in wrong.items()))
        return with_defaults(self.items, known)

    def set_command(self, key):
        value = self.items[key].get('example', self.items[key].get('default'))
        return f'domus config set {self.name} {key} {shlex.quote(value if isinstance(value, str) else json.dumps(value))}'

    def answer(self, body):
        """The body of the reply: every request gets one, whatever it holds (rule W3)."""
        reply_action = 'mq.error'
        try:
            action = body[0].decode(errors='replace') if body else ''
            if action not in self.actions:
                raise Refused('ACTION_UNKNOWN', f'there is no action {action} here; there are {", ".join(self.actions)}')
            reply_action = re.sub(r'\.(do|get)$', '', action) + '.result'
            reply = {'status': True, 'reason': '', **self.actions[action](data_of(body))}
        except Refused as refused:
            reply = refused.reply
        except Exception:
            log(traceback.format_exc(), ERROR)
            reply = Refused('INTERNAL', 'it failed unexpectedly; the log of the plugin has the details').reply
        return [reply_action.encode(), json.dumps(reply).encode()]

    def list(self, data):
        return {'actions': list(self.described)}

    def help(self, data):
        name, command = self.find(data)
        return {'command': name, 'help': command['description'], 'parameters': command.get('parameters', {})}

    def do(self, data):
        name, command = self.find(data)
        items, given = command.get('parameters', {}), data.get('parameters', {})
        if not isinstance(given, dict):
            raise wrong_fields('INVALID_DATA', {'parameters': 'must be an object'})
        fields = {**{key: 'is required' for key in missing(items, given)}, **problems(items, given)}
        if fields:
            raise wrong_fields('PARAMETERS_INVALID', fields)
        try:
            self.configuration = self.read_configuration()
        except NotConfigured as reason:
            # What was known last is good for now.
            if self.configuration is None:
                raise Refused('COMMAND_FAILED', f'{self.name} cannot run {name} yet: {reason}') from None
        parameters = with_defaults(items, given)
        try:
            result = self.commands[name](parameters, self.configuration)
            json.dumps(result, allow_nan=False)
        except Refused:
            raise
        except Exception as error:
            log(traceback.format_exc(), ERROR)
            raise Refused('COMMAND_FAILED', str(error) or type(error).__name__) from error
        return {'command': name, 'parameters': parameters, 'result': result}

    def stop(self, data):
        # The answer goes out first.
        self.stopping = True
        return {}

    def find(self, data):
        """The command that a request is about."""
        name = data.get('command')
        if not isinstance(name, str):
            raise wrong_fields('INVALID_DATA', {'command': 'is missing' if name is None else 'must be a string'})
        if name not in self.described:
            raise Refused('COMMAND_UNKNOWN', f'{self.name} has no command {json.dumps(name[:64])} (it has {", ".join(self.described)})')
        return name, self.described[name]


def data_of(body):
    """The data of a request: one JSON object; absent or empty is an empty one."""
    if len(body) > 2:
        raise Refused('BAD_REQUEST', f'the body has {len(body)} frames; it needs an action and data')
    if len(body) < 2 or body[1] == b'':
        return {}
    try:
        data = json.loads(body[1], parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused('BAD_REQUEST', f'the data is not JSON: {error}') from None
    if not isinstance(data, dict):
        raise Refused('BAD_REQUEST', 'the data is not a JSON object')
    return data


def no_constant(name):
    raise ValueError(f'JSON has no {name}')


def wrong_fields(code, fields):
    return Refused(code, '; '.join(f'{field}: {reason}' for field, reason in fields.items()), fields=fields)


def stop_signals():
    """A file descriptor that can be read when a signal to stop has come: what is being answered is finished first."""
    readable, written = os.pipe()
    os.set_blocking(written, False)
    signal.set_wakeup_fd(written)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return readable
