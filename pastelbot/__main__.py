"""`python -m pastelbot` is the same as the `pastelbot` command."""

from pastelbot.cli.main import main

if __name__ == "__main__":
    main()
