"""The command line. A group of commands is a pair of files: `…_app.py` has what is typed and its help, `…_commands.py`
what is done; that one is imported when it is asked for, so that `--help` stays quick. Below all: `running.py`."""
