"""``python -m porism``: the same as the ``porism`` command."""

from porism.cli import main

if __name__ == "__main__":
    main()
