"""Finds text in a post that speaks to an agent instead of a reader; it is flagged, and never dropped.

Posts are written by strangers, and a model that reads a hit may take a sentence in it for an order. Each rule looks for
one way of giving such an order. A flag is a warning and no proof, a text without one is still a stranger's: what keeps
an agent safe is that it is quoted (``quoting.py``). Rates on real posts: docs/decisions/0027.
"""

import re
import unicodedata
from dataclasses import dataclass

MAX_SCREENED_CHARS = 60_000
"""Screened of a text: a question and an answer of the greatest length that a site takes."""

TAGS = 0xE0000
"""Where Unicode keeps invisible copies of ASCII."""

TAG_CHARACTERS = re.compile("[\U000e0000-\U000e007f]")
HIDDEN_RUN = re.compile("[\u200b\u200c\u2060-\u2064\ufeff\U000e0000-\U000e007f\U000e0100-\U000e01ef]{4,}")
IGNORABLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")

_BEFORE = r"(?:previous|prior|preceding|earlier|above|foregoing|existing|current|original|initial|system|other)"
_ORDERS = r"(?:instructions?|prompts?|directions|directives?|guidelines|guardrails|commands|messages|context|rules)"
_IGNORE = r"(?:ignore|disregard|forget|override|bypass|do not follow|don't follow|stop following)"
_AGENT = (
    r"(?:ai|llms?|(?:ai )?language model|chat ?bot|chatgpt|gpt|claude|gemini|copilot|(?:ai )?coding|ai-powered)"
    r"(?:[ -](?:agents?|assistants?|models?|tools?|systems?))?"
)
_CALL = r"(?:dear|hey|hello|attention|(?:note|notice|message|instructions?) (?:to|for)|to all|to any|for all|for any)"
_KEYS = r"api[ -]?keys?|access tokens?|credentials|secrets|passwords?|private keys?|ssh keys?|cookies|\.env|id_rsa"
_SECRETS = rf"(?:{_KEYS}|environment variables|source code|files?|conversation|chat history|system prompt)"
_HIDDEN = r"(?:full|entire|hidden|initial|secret|system|exact)"
_PROMPT = r"(?:prompt|instructions|message|guidelines)"
_SEND = r"(?:send|post|upload|exfiltrate|leak|forward|e-?mail|transmit|curl)"
_SAY = r"(?:tell|mention|inform|alert|reveal|disclose|notify|ask)(?:ing)?"


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of speaking to an agent.

    Args:
        name: what an agent is told.
        pattern: of the text as ``fold`` leaves it.
        by_line: whether the start of a line means something to the pattern; else lines are one text.
    """

    name: str
    pattern: re.Pattern[str]
    by_line: bool = False


def _rule(name: str, *patterns: str, by_line: bool = False) -> Rule:
    return Rule(name, re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.MULTILINE), by_line)


RULES = (
    _rule(
        "overrides instructions",
        rf"\b{_IGNORE}(?: (?:all|any|every|each|the|your|my|these|those|of|and|everything|anything))* {_BEFORE}"
        rf"(?: (?:and|or|developer|safety|user|{_BEFORE}))* {_ORDERS}\b",
        rf"\b{_IGNORE} (?:all |any )?(?:of )?your (?:\w+ )?{_ORDERS}\b",
        rf"\b{_IGNORE} (?:everything|all|anything) (?:that )?"
        r"(?:you (?:were|have been) (?:told|given)|above|before this)\b",
        r"\b(?:new|updated|revised|real|actual|important|hidden) (?:system )?instructions?"
        rf"(?: (?:for|to) (?:you|the (?:{_AGENT}|assistant|agent|model)))? ?:",
    ),
    _rule(
        "addresses an agent",
        rf"\b{_CALL} (?:the |any |all )?{_AGENT} ?[:,!.]",
        rf"\bif you(?: are|'re)(?: an?| the)? {_AGENT}\b",
        rf"\b(?:as|you are|you're) an? (?:helpful )?(?:{_AGENT}|helpful assistant),? (?:you|and you|your)\b",
        rf"\b{_AGENT} (?:reading|processing|summari[sz]ing|parsing|indexing) this\b",
        r"\b(?:ai|llm|language model|coding)s? (?:agents?|assistants?|models?) "
        r"(?:must|shall|should always|are (?:required|instructed|ordered) to)\b",
    ),
    _rule(
        "gives a new role",
        r"\byou are now (?:in |a |an |the )?(?:\w+ ){0,2}"
        r"(?:mode|dan|unrestricted|jailbroken|assistant|agent|ai|persona)\b",
        r"\b(?:enter|enable|activate|switch to) (?:developer|debug|god|dan|jailbreak|admin|unrestricted) mode\b"
        r"(?=.{0,60}\b(?:ignore|without|restrictions?|instructions?|you)\b)",
        r"\b(?:pretend|act as if|act as though|roleplay as if) you (?:have no|had no|are not bound|can do anything)\b",
        r"\bfrom now on,? you (?:will|must|are going to) (?:act|answer|respond|obey|behave|reply)\b",
    ),
    _rule(
        "forges a speaker",
        r"<\|(?:im_start|im_end|system|user|assistant|eot_id|start_header_id)\|>",
        r"\[/inst\]|<</?sys>>",
        r"</?(?:system[-_ ]?(?:prompt|message|reminder)|tool_(?:result|response|output)|function_results?)>",
        r"\bbegin(?:ning)? (?:of )?(?:new )?system (?:prompt|message|instructions?)\b",
        r"\bend of (?:user|quoted|untrusted) (?:input|data|text|content)\b",
    ),
    _rule(
        "forges a speaker",
        r"^(?:#+ ?)?(?:system|developer)(?: (?:prompt|message|instruction))? ?: ?"
        r"(?:you|ignore|do not|always|never|the (?:user|assistant))\b",
        by_line=True,
    ),
    _rule(
        "asks for secrets",
        rf"\b(?:reveal|repeat|leak|disclose)\b(?: \w+){{0,2}} your (?:{_HIDDEN} )*{_PROMPT}\b",
        rf"\b(?:print|show|output|tell me)\b(?: \w+){{0,2}} your (?:{_HIDDEN} )+{_PROMPT}\b",
        rf"\b{_SEND}\b(?: \w+){{0,4}} (?:the )?user's (?:\w+ ){{0,2}}{_SECRETS}",
        rf"\b(?:exfiltrate|leak|steal)\b(?: \w+){{0,4}} {_SECRETS}(?= to\b)",
        rf"\b(?:read|open|find|collect|gather|cat)\b(?: [\w~/.-]+?){{0,4}}[ /](?:{_KEYS})(?: [\w~/.-]+){{0,4}} and "
        rf"(?:include|{_SEND})\b(?=.{{0,40}}\b(?:https?:|to\b))",
    ),
    _rule(
        "steers tools",
        r"\b(?:use|call|invoke|run|execute)\b(?: \w+){0,2} your (?:\w+ ){0,2}(?:tools?|function calls?|mcp|plugins?)\b",
        r"\b(?:with|using|through|via) your (?:shell|bash|terminal|browser|file|search|web|email|code|mcp) tools?\b",
        r"\byour (?:next|first) (?:tool call|function call|action|response|reply) (?:must|should|has to|will)\b",
    ),
    _rule(
        "hides from the user",
        rf"\b(?:do not|don't|never|without) {_SAY}(?: (?:this|that|it|these|about|any of this|to))* the (?:human|user)"
        r"(?: (?:about|that|of) (?:this|these|what you|you)\b| for (?:permission|confirmation|approval)\b)",
        r"\b(?:keep|hide|conceal) (?:this|these|it|them)(?: \w+){0,2} (?:secret |hidden )?from the (?:human|user)\b",
    ),
)
"""Every rule but the one for hidden characters, which folding would remove."""

_BLANKS = re.compile(r"[^\S\n]{2,}")
_BLANK_LINES = re.compile(r"\n(?:[^\S\n]?\n){2,}")

HIDDEN = "hides text in invisible characters"


def fold(text: str) -> str:
    """The text as the rules read it: compatible forms, lower case, nothing invisible, one blank where there were more.

    Lines stay; the marks of emphasis, code and quotations go.
    """
    shown = IGNORABLE.sub("", TAG_CHARACTERS.sub(lambda found: chr(ord(found[0]) - TAGS), text))
    folded = unicodedata.normalize("NFKC", shown).casefold().replace("’", "'")
    return re.sub(r" ?\n[ >]*", "\n", re.sub(r"[ \t]+", " ", re.sub(r"[*`]+|(?<!\w)_+|(?<!_)_++(?!\w)", "", folded)))


def screen(text: str) -> tuple[str, ...]:
    """The names of the rules that a text meets, in the order of the rules.

    Only its first 60,000 characters count, where a run of blanks is one and a run of blank lines is a single one.
    """
    head = _BLANK_LINES.sub("\n\n", _BLANKS.sub(" ", text))[:MAX_SCREENED_CHARS]
    lines = fold(head)
    flat = lines.replace("\n", " ")
    found = [rule.name for rule in RULES if rule.pattern.search(lines if rule.by_line else flat)]
    if HIDDEN_RUN.search(head):
        found.append(HIDDEN)
    return tuple(dict.fromkeys(found))
