"""The log of a plugin, line by line, in the form of all logs of the house."""
import json
import time

INFO, WARNING, ERROR = 30, 40, 50


def log(text, level=INFO):
    # Without blanks: by its beginning a line is known as an entry of a log.
    print(json.dumps({'level': level, 'time': int(time.time() * 1000), 'msg': text}, separators=(',', ':')), flush=True)
