"""Start Pastelbot: `python bot.py` runs the bot, `python bot.py demo` opens it in the browser, `--help` tells more."""

from pastelbot.cli.main import main

if __name__ == "__main__":
    main()
