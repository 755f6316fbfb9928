"""The command `kerasdl`, also `python -m kerasdl`."""

import argparse
from collections.abc import Sequence

from kerasdl.info import info


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command that `argv` names."""
    parser = argparse.ArgumentParser(prog="kerasdl")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    about = "print versions, features of the processor, devices, and the cache folder"
    commands.add_parser("info", help=about, description=about)
    parser.parse_args(argv)
    facts = info()
    width = max(map(len, facts))
    for name, fact in facts.items():
        print(f"{name:{width}}  {fact}")


if __name__ == "__main__":
    main()
