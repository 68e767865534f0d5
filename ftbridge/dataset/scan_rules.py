"""Checks that tell a card, an account or a telephone number from any other number."""

from __future__ import annotations

import re

_IBAN_LENGTHS = dict(
    pair.split(":")
    for pair in [
        "AD:24",
        "AE:23",
        "AL:28",
        "AT:20",
        "AZ:28",
        "BA:20",
        "BE:16",
        "BG:22",
        "BH:22",
        "BR:29",
        "BY:28",
        "CH:21",
        "CR:22",
        "CY:28",
        "CZ:24",
        "DE:22",
        "DK:18",
        "DO:28",
        "EE:20",
        "EG:29",
        "ES:24",
        "FI:18",
        "FO:18",
        "FR:27",
        "GB:22",
        "GE:22",
        "GI:23",
        "GL:18",
        "GR:27",
        "GT:28",
        "HR:21",
        "HU:28",
        "IE:22",
        "IL:23",
        "IQ:23",
        "IS:26",
        "IT:27",
        "JO:30",
        "KW:30",
        "KZ:20",
        "LB:28",
        "LC:32",
        "LI:21",
        "LT:20",
        "LU:20",
        "LV:21",
        "LY:25",
        "MC:27",
        "MD:24",
        "ME:22",
        "MK:19",
        "MR:27",
        "MT:31",
        "MU:30",
        "NL:18",
        "NO:15",
        "PK:24",
        "PL:28",
        "PS:29",
        "PT:25",
        "QA:29",
        "RO:24",
        "RS:22",
        "SA:24",
        "SC:31",
        "SE:24",
        "SI:19",
        "SK:24",
        "SM:27",
        "ST:25",
        "SV:28",
        "TL:23",
        "TN:24",
        "TR:26",
        "UA:29",
        "VA:22",
        "VG:24",
        "XK:20",
    ]
)
_CARD_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12}"
    r"|35\d{14}|6(?:011|[45]|2)\d{12,17}|50\d{14}"
)
_NORTH_AMERICAN = re.compile(r"(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}")
_PHONE_WORD = re.compile(
    r"(?:phone|tel|telefon|t[ée]l[ée]phone|call|mobile|cell|fax|whatsapp|handy|sms|text me)"
    r"[^\d]{0,16}$",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")


def _digits(text: str) -> str:
    return "".join(char for char in text if "0" <= char <= "9")


def luhn_ok(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others."""
    total = 0
    for index, char in enumerate(reversed(digits)):
        value = int(char) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def card_ok(text: str) -> bool:
    """A payment card: an issuer's prefix and length, and Luhn."""
    digits = _digits(text)
    return bool(_CARD_ISSUER.fullmatch(digits)) and luhn_ok(digits)


def iban_length(country: str) -> int:
    """How many characters an account number of this country has; 0 where it has none."""
    return int(_IBAN_LENGTHS.get(country.upper(), 0))


def iban_ok(text: str) -> bool:
    """A bank account: mod 97 of the rearranged number is 1 (ISO 13616)."""
    compact = "".join(char for char in text.upper() if char.isalnum())
    if not compact.isascii():
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def ssn_ok(text: str) -> bool:
    """A US social security number that can have been issued."""
    digits = _digits(text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def phone_ok(text: str, before: str) -> bool:
    """A telephone number: international, North American, written with a leading 0 and gaps,
    or any number of 7 to 15 digits right after a word such as "call"."""
    digits = _digits(text)
    if not 7 <= len(digits) <= 15 or digits.startswith("000") or _DATE.match(text):
        return False
    if text.startswith("+"):
        return len(digits) >= 8
    if len(digits) == 10 and _NORTH_AMERICAN.fullmatch(text):
        return True
    if len(digits) == 11 and digits[0] == "1" and _NORTH_AMERICAN.search(text):
        return True
    if text[0] == "0" and len(digits) >= 9 and len(digits) < len(text) and "." not in text:
        return True
    return bool(_PHONE_WORD.search(before))
