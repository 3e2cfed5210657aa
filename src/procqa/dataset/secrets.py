"""Finds e-mail addresses, private keys and service tokens in a post, and puts marks in their place.

A compiled pass over the bytes looks for what every finding must hold: an address's "@", or the four
bytes by which a public token format is known. Only a text with one of them is searched by pattern, so
a clean text costs little. What is plainly a placeholder (example.com, xxxx, AKIA…EXAMPLE) is no finding.
It finds formats, not every secret: a password in prose has none. Source: ours, docs/decisions/0013.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from string import ascii_letters, digits

import numpy as np
from numba import njit
from numpy.typing import NDArray

EMAIL = "email"
PRIVATE_KEY = "private_key"
URL_PASSWORD = "url_password"  # noqa: S105 - the name of a kind

MAX_DOMAIN_BYTES = 255
"""The longest domain name, in bytes. Source: ours, docs/decisions/0013 (RFC 1035)."""

LEAST_KEY_CHARS = 40
"""A private key's text has a run of at least so many base64 characters. Source: ours, docs/decisions/0013."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found and where: ``text[start:end]``, in characters."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Format:
    """A token's public format: group 1 is what must not be shown; every match holds one of the clues.

    A clue shorter than four characters is followed by a letter, a digit, "_" or "-".
    """

    kind: str
    pattern: re.Pattern[str]
    clues: tuple[str, ...]


# No match begins inside what another attempt has read already, so a search stays linear.
_START, _STOP = r"(?<![A-Za-z0-9_-])", r"(?![A-Za-z0-9_-])"
FORMATS = tuple(
    _Format(kind, re.compile(pattern), clues)
    for kind, pattern, clues in (
        ("aws_key", rf"{_START}((?:AKIA|ASIA)[A-Z0-9]{{16}}){_STOP}", ("AKIA", "ASIA")),
        (
            "aws_key",
            r"(?i:secret_?access_?key)[\"']?\s{0,3}[:=]>?\s{0,3}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
            ("t_ac", "tAcc", "T_AC", "tacc", "TACC"),
        ),
        ("azure_key", r"AccountKey=([A-Za-z0-9+/]{86}==)", ("ntKe",)),
        (
            "github_token",
            rf"{_START}(gh[pousr]_[A-Za-z0-9]{{36,255}}){_STOP}",
            ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        ),
        ("github_token", rf"{_START}(github_pat_[A-Za-z0-9_]{{22,255}}){_STOP}", ("b_pa",)),
        ("gitlab_token", rf"{_START}(glpat-[A-Za-z0-9_-]{{20,255}}){_STOP}", ("glpa",)),
        ("google_key", rf"{_START}(AIza[A-Za-z0-9_-]{{35}}){_STOP}", ("AIza",)),
        ("google_key", rf"{_START}(GOCSPX-[A-Za-z0-9_-]{{28}}){_STOP}", ("GOCS",)),
        ("google_key", rf"{_START}(ya29\.[A-Za-z0-9_-]{{20,1024}}){_STOP}", ("ya29",)),
        ("slack_token", rf"{_START}(xox[abeoprs]-[A-Za-z0-9-]{{10,255}}){_STOP}", ("xox",)),
        ("slack_token", r"hooks\.slack\.com/services/(T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]{16,64})", ("ks.s",)),
        (
            "stripe_key",
            rf"{_START}((?:sk|rk)_(?:live|test)_[A-Za-z0-9]{{16,255}}){_STOP}",
            ("sk_l", "sk_t", "rk_l", "rk_t"),
        ),
        ("openai_key", rf"{_START}(sk-[A-Za-z0-9_-]{{16,200}}T3BlbkFJ[A-Za-z0-9_-]{{16,200}}){_STOP}", ("T3Bl",)),
        ("huggingface_token", rf"{_START}(hf_[A-Za-z0-9]{{34}}){_STOP}", ("hf_",)),
        ("npm_token", rf"{_START}(npm_[A-Za-z0-9]{{36}}){_STOP}", ("npm_",)),
        ("pypi_token", rf"{_START}(pypi-AgEI[A-Za-z0-9_-]{{50,1024}}){_STOP}", ("AgEI",)),
        ("sendgrid_key", rf"{_START}(SG\.[A-Za-z0-9_-]{{22}}\.[A-Za-z0-9_-]{{43}}){_STOP}", ("SG.",)),
        (
            "jwt",
            rf"{_START}(eyJ[A-Za-z0-9_-]{{8,4096}}\.eyJ[A-Za-z0-9_-]{{8,16384}}\.[A-Za-z0-9_-]{{16,2048}})(?![A-Za-z0-9_-])",
            (".eyJ",),
        ),
        (
            "bearer_token",
            r"(?i:bearer)[ \t]+(?=[A-Za-z_.+/-]{0,256}[0-9])([A-Za-z0-9_.+/-]{20,2048}={0,2})",
            ("eare", "EARE"),
        ),
    )
)
"""The public formats of keys and tokens, in the order in which they are tried. Source: ours, docs/decisions/0013."""

_KEY_HEAD = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"""(?:[A-Za-z0-9+/=\s:,.\\"'|>();]|-(?!--))*+""")
_KEY_RUN = re.compile(rf"[A-Za-z0-9+/=]{{{LEAST_KEY_CHARS},}}")
_KEY_CLUE = "-BEG"

_NAME_CHARS = ascii_letters + digits + "._%+-"
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}(?:\.(?=[A-Za-z0-9]))?){1,16}")
_LOGIN = re.compile(r"://[^\s:/@]{1,128}:([^\s/@]{1,128})$")
_LOGIN_CHARS = 262
MAX_NAME_CHARS = 64
"""The longest name before an "@". Source: ours, docs/decisions/0013 (RFC 5321)."""

_COUNTRIES = (
    "ac ad ae af ag ai al am ao ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc"
    " cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr"
    " ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm"
    " jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp"
    " mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw"
    " py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl"
    " tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
_GENERIC = (
    "aero agency app biz blog cloud codes com company coop dev digital edu email global gov group info int jobs"
    " live mil mobi museum name net network news online org page pro shop site software solutions space store"
    " systems team tech technology tel travel website wiki work world xyz"
)
ENDINGS = frozenset(f"{_COUNTRIES} {_GENERIC}".split())
"""Endings that addresses have: countries and the common others; ``W@x.shape`` is no address.

Source: ours, docs/decisions/0013."""

PLACEHOLDER_DOMAIN = re.compile(
    r"(?:.+\.)?(?:example\.[a-z.]+|.+\.(?:example|test|invalid|localhost|local)"
    r"|(?:your|my|some)-?(?:domain|website|site|server|host|company|email)\.[a-z]+"
    r"|(?:domain|foo|bar|baz|foobar|test|users\.noreply\.github)\.[a-z]+)"
)
PLACEHOLDER_NAMES = frozenset(["git", "hg", "svn", "noreply", "no-reply", "donotreply", "do-not-reply"])
"""Names that are nobody's: repositories are cloned from git@…. Source: ours, docs/decisions/0013."""

PLACEHOLDER_TOKEN = re.compile(r"example|your|placeholder|redacted|dummy|changeme|xxxx", re.IGNORECASE)
PLACEHOLDER_PASSWORD = re.compile(
    r"(?:my|your|the)?_?(?:pass|password|passwd|pwd|secret|pw|token)|[<{\[(*%$].*|x+", re.IGNORECASE
)
LEAST_DISTINCT = 5
"""A token of fewer different characters was made up. Source: ours, docs/decisions/0013."""

MARKS = {EMAIL: "<EMAIL>", PRIVATE_KEY: "<KEY>"}
TOKEN_MARK = "<TOKEN>"  # noqa: S105 - what stands for a token


ADDRESS_BIT, KEY_BIT, FIRST_FORMAT_BIT = 0, 1, 2
"""What the bits of a mask of clues stand for; each format has one, in the order of FORMATS."""


def _clue_table() -> tuple[NDArray[np.bool_], NDArray[np.uint32], NDArray[np.uint32]]:
    """A small table that most bytes of clean text miss, the sorted clues that it stands for, and their bits."""
    tails = ascii_letters + digits + "_-"
    bits: dict[int, int] = {int.from_bytes(_KEY_CLUE.encode(), "big"): 1 << KEY_BIT}
    for number, of_format in enumerate(FORMATS, start=FIRST_FORMAT_BIT):
        for head in of_format.clues:
            for tail in product(tails, repeat=4 - len(head)):
                code = int.from_bytes((head + "".join(tail)).encode(), "big")
                bits[code] = bits.get(code, 0) | 1 << number
    codes = np.array(sorted(bits), dtype=np.uint32)
    table = np.zeros(1 << _TABLE_BITS, dtype=np.bool_)
    table[(codes * _MULTIPLIER) >> _SHIFT] = True
    return table, codes, np.array([bits[code] for code in sorted(bits)], dtype=np.uint32)


def _before_at() -> NDArray[np.bool_]:
    """The bytes that end a name, or a password in a web address, before an "@"."""
    ends = np.zeros(256, dtype=np.bool_)
    ends[[ord(letter) for letter in ascii_letters + digits + "._%+-!#$&*=?^~"]] = True
    ends[128:] = True
    return ends


_TABLE_BITS = 15
_MULTIPLIER, _SHIFT = np.uint32(2654435761), np.uint32(32 - _TABLE_BITS)
_TABLE, _CODES, _BITS = _clue_table()
_BEFORE_AT = _before_at()


@njit(cache=True, nogil=True)
def _clues(data: NDArray[np.uint8], start: int, stop: int) -> int:
    """The bits of all clues in a range of bytes."""
    window, found = np.uint32(0), np.uint32(0)
    for place in range(start, stop):
        byte = data[place]
        window = np.uint32((window << np.uint32(8)) | np.uint32(byte))
        if _TABLE[np.uint32(window * _MULTIPLIER) >> _SHIFT]:
            at = np.searchsorted(_CODES, window)
            if at < len(_CODES) and _CODES[at] == window:
                found |= _BITS[at]
        if byte == 64 and _is_address(data, start, place, stop):
            found |= np.uint32(1 << ADDRESS_BIT)
    return int(found)


@njit(cache=True, nogil=True)
def _is_address(data: NDArray[np.uint8], start: int, at: int, stop: int) -> bool:
    """Whether an "@" has a name or a password before it and a dotted name behind it."""
    if at == start or not _BEFORE_AT[data[at - 1]]:
        return False
    for place in range(at + 1, min(stop, at + MAX_DOMAIN_BYTES)):
        byte = data[place]
        if byte == 46:
            if place > at + 1 and place + 1 < stop and _is_word(data[place + 1]):
                return True
        elif not _is_word(byte) and byte != 45:
            return False
    return False


@njit(cache=True, nogil=True, inline="always")
def _is_word(byte: int) -> bool:
    """Whether a byte is an ASCII letter or digit."""
    return 97 <= byte <= 122 or 65 <= byte <= 90 or 48 <= byte <= 57


@njit(cache=True, nogil=True)
def _clues_of_rows(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bits of all clues in each row of a column."""
    found = np.zeros(len(offsets) - 1, dtype=np.int64)
    for row in range(len(found)):
        found[row] = _clues(data, offsets[row], offsets[row + 1])
    return found


def find_secrets(text: str) -> list[Finding]:
    """The e-mail addresses, private keys and tokens in a text, in its order; none overlap. Linear in its length."""
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    clues = _clues(data, 0, len(data))
    if not clues:
        return []
    found = list(_find_tokens(text, clues >> FIRST_FORMAT_BIT))
    if clues >> KEY_BIT & 1:
        found += _find_keys(text)
    if clues >> ADDRESS_BIT & 1:
        found += _find_addresses(text)
    found.sort(key=lambda finding: (finding.start, -finding.end))
    kept: list[Finding] = []
    for finding in found:
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
    return kept


def redact(text: str) -> tuple[str, list[Finding]]:
    """The text with a mark in the place of each finding, and the findings as places of the text given.

    `procqa.text.segments` of the result are as many and of the same kinds: no mark makes or ends a fence.
    """
    findings = find_secrets(text)
    parts: list[str] = []
    end = 0
    for finding in findings:
        # A key may span lines; what follows it must not come to stand on the line where the key began.
        line_break = "\n" if "\n" in text[finding.start : finding.end] else ""
        parts += text[end : finding.start], MARKS.get(finding.kind, TOKEN_MARK), line_break
        end = finding.end
    return "".join((*parts, text[end:])), findings


_NO_BLANKS = re.compile(r"\S*")


def _find_keys(text: str) -> Iterator[Finding]:
    """Private keys: what stands between the lines BEGIN and END, or of a cut one the runs of base64."""
    for head in _KEY_HEAD.finditer(text):
        body = _KEY_BODY.match(text, head.end())
        runs = list(_KEY_RUN.finditer(body[0])) if body else []
        if not runs or body is None or _is_made_up(runs[0][0]):
            continue
        if text.startswith("-----END", body.end()):
            start = body.end() - len(body[0].lstrip())
            yield Finding(PRIVATE_KEY, start, start + len(body[0].strip()))
        else:
            # What is glued to the last run goes with it: cut off, it may be an address of its own.
            end = _NO_BLANKS.match(text, body.start() + runs[-1].end())
            yield Finding(PRIVATE_KEY, body.start() + runs[0].start(), end.end() if end else len(text))


def _find_tokens(text: str, formats: int) -> Iterator[Finding]:
    """Tokens of the formats whose bits are set."""
    for number, of_format in enumerate(FORMATS):
        if formats >> number & 1:
            for match in of_format.pattern.finditer(text):
                if not _is_made_up(match[1]):
                    yield Finding(of_format.kind, *match.span(1))


def _is_made_up(token: str) -> bool:
    # A long token may hold any word by chance.
    return len(set(token[4:])) < LEAST_DISTINCT or PLACEHOLDER_TOKEN.search(token, 0, 64) is not None


def _find_addresses(text: str) -> Iterator[Finding]:
    """E-mail addresses, and passwords in web addresses (``://user:password@host``)."""
    at = text.find("@")
    while at >= 0:
        domain = _domain(text, at + 1)
        if domain is not None and PLACEHOLDER_DOMAIN.fullmatch(domain.lower()) is None:
            finding = _before(text, at, at + 1 + len(domain))
            if finding is not None:
                yield finding
        at = text.find("@", at + 1)


def _before(text: str, at: int, end: int) -> Finding | None:
    """The address whose "@" is at a place, or the password that stands there."""
    login = _LOGIN.search(text[max(0, at - _LOGIN_CHARS) : at])
    if login is not None:
        is_password = PLACEHOLDER_PASSWORD.fullmatch(login[1]) is None
        return Finding(URL_PASSWORD, at - len(login[1]), at) if is_password else None
    head = text[max(0, at - MAX_NAME_CHARS - 1) : at]
    name = head[len(head.rstrip(_NAME_CHARS)) :].lstrip("._%+-")
    if not name or len(name) > MAX_NAME_CHARS or name.lower() in PLACEHOLDER_NAMES or name.lower().startswith("your"):
        return None
    return Finding(EMAIL, at - len(name), end)


def _domain(text: str, start: int) -> str | None:
    """The domain name that begins at a place; a capital after a full stop begins the next sentence."""
    match = _DOMAIN.match(text, start, start + MAX_DOMAIN_BYTES)
    if match is None:
        return None
    labels = match[0].split(".")
    while len(labels) > 1:
        if labels[-1].lower() in ENDINGS:
            return ".".join(labels)
        if not labels[-1][:1].isupper():
            return None
        labels.pop()
    return None


def suspects(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows of a column of UTF-8 may hold a finding; all others hold none.

    Args:
        data: the bytes of all rows.
        offsets: (n + 1,) where each row begins, and where the last one ends.
    """
    flags: NDArray[np.bool_] = _clues_of_rows(data, offsets) != 0
    return flags
