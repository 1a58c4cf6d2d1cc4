"""Runs a module as a program (`python -P quiet_start.py MODULE ARGUMENT...`): Ctrl-C while it loads ends it quietly.

A script of its own, so that nothing is loaded before Ctrl-C is the system's to answer. The program takes it back.
"""

import runpy
import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
