"""Settings that other programs write into pictures, brought into the webui's form: one small reader a program."""
