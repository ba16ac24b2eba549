"""How numbers are read and shown in sentences."""

import unicodedata

_LONGEST = 1e15  # whole numbers beyond it are shown in short


def number_text(value: float) -> str:
    """Return a number as people write it: 2147483647, 0.5; only what is too long is shown with an exponent."""
    whole = abs(value) < _LONGEST and value == int(value)
    return str(int(value)) if whole else f"{value:g}"


def read_digits(text: str) -> str:
    """Return a text whose full-width digits and signs are the usual ones."""
    return unicodedata.normalize("NFKC", text).strip()


def read_float(text: str) -> float:
    """Return a number, NaN where it is none; digits in any script count, and no underscores as Python has them."""
    plain = read_digits(text)
    try:
        return float("nan") if "_" in plain else float(plain)
    except ValueError:
        return float("nan")
