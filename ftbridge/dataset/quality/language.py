"""Which scripts and languages the texts are in, and which answers leave the language asked in."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from operator import itemgetter

from ftbridge.dataset.quality.batch import Batch
from ftbridge.dataset.quality.finding import SHOWN_LINES, Finding

_SCRIPTS = (
    ("Greek", 0x370, 0x3FF),
    ("Cyrillic", 0x400, 0x52F),
    ("Armenian", 0x530, 0x58F),
    ("Hebrew", 0x590, 0x5FF),
    ("Arabic", 0x600, 0x77F),
    ("Devanagari", 0x900, 0x97F),
    ("Bengali", 0x980, 0x9FF),
    ("Tamil", 0xB80, 0xBFF),
    ("Telugu", 0xC00, 0xC7F),
    ("Thai", 0xE00, 0xE7F),
    ("Georgian", 0x10A0, 0x10FF),
    ("Hangul", 0x1100, 0x11FF),
    ("Kana", 0x3040, 0x30FF),
    ("Han", 0x3400, 0x9FFF),
    ("Hangul", 0xAC00, 0xD7AF),
)
_LOOKED_AT = 120
"""Characters at the beginning of a text that are judged; more change the answer rarely."""

_WORDS = {
    "English": "the and you is are was with for this that have your can please what how",
    "German": "der die und ist nicht das ich sie mit ein eine für auf bitte wie wir",
    "French": "le les est vous pas pour une dans que je des avec nous votre sur",
    "Spanish": "el los es por para una que con su como del las está muy usted",
    "Italian": "il che è per una non con sono della di mi grazie come questo",
    "Portuguese": "não uma para com você os do da em que por mais como seu obrigado",
    "Dutch": "het een van ik niet dat met voor zijn je op wij maar uw",
    "Polish": "nie jest się na do że jak czy dla proszę to przez co mam",
}
_LANGUAGE_OF: dict[str, tuple[str, ...]] = {}
for _name, _words in _WORDS.items():
    for _word in _words.split():
        _LANGUAGE_OF[_word] = (*_LANGUAGE_OF.get(_word, ()), _name)
_LETTERS = re.compile(r"[A-Za-z]{3}")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_EVERY = 16
_ALL_UNTIL = 500


class Languages:
    """Script of every example; language of the first 500 and of each sixteenth after them."""

    def __init__(self) -> None:
        self._seen = 0
        self._scripts: Counter[str] = Counter()
        self._languages: Counter[str] = Counter()
        self._lines: dict[str, list[int]] = {}
        self._crossed = Finding(
            "answer_language",
            "the answer is in another script or language than the question; the model learns to "
            "switch; translate it, unless translation is the task",
        )

    def look(self, batch: Batch) -> None:
        """Judge a batch."""
        for line, seen in zip(batch.lines, batch.views, strict=True):
            self._seen += 1
            question, answer = seen.prompt[-_LOOKED_AT:], seen.answer[:_LOOKED_AT]
            said = script_of(answer)
            asked = said if question.isascii() and said == "Latin" else script_of(question)
            self._count(self._scripts, said, line)
            crossed = bool(asked and said and asked != said)
            if said == "Latin" and (self._seen <= _ALL_UNTIL or self._seen % _EVERY == 0):
                language = language_of(seen.answer)
                self._count(self._languages, language, line)
                other = language_of(seen.prompt) if language and not crossed else ""
                crossed = crossed or bool(other and other != language)
            if crossed and not seen.calls:
                self._crossed.add(line)

    def _count(self, counter: Counter[str], name: str, line: int) -> None:
        if name:
            counter[name] += 1
            if counter[name] <= SHOWN_LINES:
                self._lines.setdefault(name, []).append(line)

    def findings(self) -> list[Finding]:
        """What was found over the whole file."""
        crossed = [self._crossed] if self._crossed.count else []
        scripts = self._mix("script_mix", self._scripts, "scripts")
        return [*crossed, *scripts, *self._mix("language_mix", self._languages, "languages")]

    def _mix(self, code: str, counter: Counter[str], what: str) -> list[Finding]:
        total = counter.total()
        if len(counter) < 2 or total < 20:
            return []
        usual = counter.most_common(1)[0][0]
        rest = total - counter[usual]
        listed = ", ".join(f"{name} {n / total:.1%}" for name, n in counter.most_common(5))
        lines = sorted(x for name in counter if name != usual for x in self._lines[name])
        message = (
            f"the answers are in several {what} ({listed}); a language with few examples is "
            "learnt badly and can show up unasked; collect more of it or leave it out"
        )
        return [Finding(code, message, rest, lines[:SHOWN_LINES])]


def script_of(text: str) -> str:
    """The script of most letters of a text; empty where it has hardly any letters."""
    if text.isascii():
        return "Latin" if text[:16].isalpha() or _LETTERS.search(text) else ""
    foreign = _NOT_ASCII.findall(text)
    counts = Counter(map(_script, foreign))
    # About one in six characters of Latin text is no letter.
    counts["Latin"] += (len(text) - len(foreign)) * 5 // 6
    counts.pop("", None)
    # A character of these says as much as a few letters.
    for name in ("Han", "Kana", "Hangul"):
        counts[name] *= 3
    if counts["Kana"]:
        counts["Kana"] += counts.pop("Han", 0)
    name, most = max(counts.items(), key=itemgetter(1))
    return name if most >= max(4, 0.6 * counts.total()) else ""


def language_of(text: str) -> str:
    """The language that a text's small words point to; empty where they don't."""
    counts: Counter[str] = Counter()
    for word in text[:200].lower().split():
        for name in _LANGUAGE_OF.get(word.strip(".,!?¿¡:;\"'"), ()):
            counts[name] += 1
    ranked = counts.most_common(2)
    if not ranked or ranked[0][1] < 3:
        return ""
    return ranked[0][0] if len(ranked) < 2 or ranked[0][1] >= 2 * ranked[1][1] else ""


@lru_cache(maxsize=1 << 14)
def _script(char: str) -> str:
    """The script of a letter outside ASCII; empty for signs and emoji."""
    code = ord(char)
    if not char.isalpha():
        return ""
    if code < 0x370 or 0x1E00 <= code <= 0x1EFF:
        return "Latin"
    for name, low, high in _SCRIPTS:
        if low <= code <= high:
            return name
    return "other"
