"""The house as a plugin in Python sees it; a plugin copies this folder, and imports what is named here.

It speaks plain MDP/0.1 (docs/protocol.md) and follows docs/extending.md, "A plugin in any language". It needs Python 3.9
and python3-zmq alone.
"""
from .log import log
from .plugin import Refused, run

__all__ = ['Refused', 'log', 'run']
