"""Runs a stand-in from the folder itself (``python -S -E FOLDER PROTOCOL``), without the import of ``porism``."""

import sys

if not __package__:
    folder, _, name = sys.path[0].rpartition("/")
    sys.path[0] = folder
    __package__ = name
    __import__(name)

from .program import run

run()
