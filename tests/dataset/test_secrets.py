from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from procqa.dataset.secrets import Finding, find_secrets, redact, suspects
from procqa.text import fence, segments

# Put together here, so that no file of the project holds anything in the form of a secret.
LETTERS = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ0bC2dF4hJ6kL8nP"
BASE64 = "MIIEowIBAAKCAQEAvY3Z8kQwLpXo1rT5uHj7nB2mC4dEfGhJ"
KEY = "-----BEGIN RSA " + f"PRIVATE KEY-----\n{BASE64}\n{BASE64}\n-----END RSA " + "PRIVATE KEY-----"
TOKENS = {
    "aws_key": "AK" + "IAQ3EGRTYUIOPZXCVB",
    "github_token": "gh" + "p_" + LETTERS[:36],
    "gitlab_token": "gl" + "pat-" + LETTERS[:20],
    "google_key": "AI" + "zaSyD-" + LETTERS[:31],
    "slack_token": "xo" + "xb-2480913765-" + LETTERS[:12],
    "stripe_key": "sk" + "_live_" + LETTERS[:24],
    "npm_token": "np" + "m_" + LETTERS[:36],
    "huggingface_token": "h" + "f_" + LETTERS[:34],
    "sendgrid_key": "S" + "G." + LETTERS[:22] + "." + LETTERS[:41] + "aB",
    "jwt": "ey" + "JhbGciOiJIUzI1NiJ9" + ".ey" + "JzdWIiOiJqYW5lIn0." + LETTERS,
}


SECOND_FORMATS = (
    ("github_token", "github" + "_pat_" + LETTERS[:22]),
    ("google_key", "GOCS" + "PX-" + LETTERS[:28]),
    ("google_key", "ya" + "29." + LETTERS[:20]),
    ("openai_key", "s" + "k-" + LETTERS[:16] + "T3Blbk" + "FJ" + LETTERS[:16]),
    ("pypi_token", "pyp" + "i-AgEI" + LETTERS + LETTERS[:10]),
)


def test_the_address_of_a_hook_loses_what_is_secret():
    address = "https://hooks.slack" + ".com/services/"
    secret = "T" + LETTERS[:8] + "/B" + LETTERS[:8] + "/" + LETTERS[:24]
    assert redact(f"curl {address}{secret} -d x")[0] == f"curl {address}<TOKEN> -d x"


@pytest.mark.parametrize(("kind", "token"), [*TOKENS.items(), *SECOND_FORMATS])
def test_a_token_is_found_by_its_public_format_wherever_it_stands(kind, token):
    for before, after in (("", ""), ("key = '", "'"), ("é – ", "."), ("x=", "\n"), ("```\n", "\n```")):
        assert find_secrets(before + token + after) == [Finding(kind, len(before), len(before) + len(token))]


def test_a_token_is_a_word_of_its_own():
    assert find_secrets("x" + TOKENS["github_token"]) == []
    assert find_secrets(TOKENS["aws_key"] + "Z") == []


def test_bearer_tokens_and_named_keys_lose_only_what_is_secret():
    assert redact("Authorization: Bearer 1d3fe602da12a086ecb2b996fd7b")[0] == "Authorization: Bearer <TOKEN>"
    assert redact("the bearer authentication-is-not-easy-to-get")[0] == "the bearer authentication-is-not-easy-to-get"
    assert redact(f'aws_secret_access_key = "{LETTERS[:40]}"')[0] == 'aws_secret_access_key = "<TOKEN>"'
    assert redact(f"AccountKey={LETTERS[:40]}{LETTERS[:40]}aB3dE5==;x")[0] == "AccountKey=<TOKEN>;x"


def test_addresses_are_found_in_prose_and_code():
    assert redact("Mail jane.doe+so@corp.co.uk, or <joe@corp.com>.")[0] == "Mail <EMAIL>, or <<EMAIL>>."
    assert redact("write to joe@corp.com.Thanks")[0] == "write to <EMAIL>.Thanks"
    assert find_secrets("joe@corp.com")[0] == Finding("email", 0, 12)


@pytest.mark.parametrize(
    "text",
    [
        "foo@example.com, a@mail.example.org, you@yourdomain.com, x@host.test, root@localhost",
        "git@github.com:ann/tools.git and noreply@corp.com",
        "W@x.shape; A@B; icon@2x.png; lodash@4.17.21; @Override @app.route('/')",
        "AKIAIOSFODNN7" + "EXAMPLE and gh" + "p_" + "x" * 36 + " and sk" + "_live_your_secret_key_here_1",
        "https://user:password@corp.com/ and postgres://me:${PASSWORD}@corp.com",
        "-----BEGIN " + "PRIVATE KEY-----\n...\n-----END " + "PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----\n" + BASE64 + "\n-----END CERTIFICATE-----",
        "",
    ],
)
def test_placeholders_and_look_alikes_are_no_findings(text):
    assert redact(text) == (text, [])


def test_a_password_in_an_address_goes_and_the_address_stays():
    assert redact("mongodb://admin:s3cr3tZ!@db.corp.net/x")[0] == "mongodb://admin:<TOKEN>@db.corp.net/x"


def test_a_private_key_goes_and_the_lines_around_it_stay():
    text, findings = redact(f"Here:\n\n{fence(KEY, 'pem')}\n\nWhy?")
    assert [finding.kind for finding in findings] == ["private_key"]
    assert BASE64 not in text
    assert [span.kind for span in segments(text)] == ["text", "code", "text"]
    assert segments(text)[1].text.splitlines() == [
        "-----BEGIN RSA " + "PRIVATE KEY-----", "<KEY>", "", "-----END RSA " + "PRIVATE KEY-----"
    ]  # fmt: skip


def test_a_key_that_is_cut_short_is_still_a_key():
    cut = KEY.partition("\n-----END")[0]
    assert redact(f"{cut}\n...and so on")[0] == "-----BEGIN RSA " + "PRIVATE KEY-----\n<KEY>\n\n...and so on"


def test_findings_come_in_order_and_never_overlap():
    text = f"{TOKENS['jwt']} joe@corp.com {KEY} {TOKENS['aws_key']}"
    found = find_secrets(text)
    assert [finding.kind for finding in found] == ["jwt", "email", "private_key", "aws_key"]
    assert all(one.end <= other.start for one, other in pairwise(found))


PIECES = [
    "```", "````", "~~~", "\n", "\n\n", " ", "text", "`", "python", "> ", "joe@corp.com", KEY, KEY[:60], KEY[-60:], "é",
    "://a:b@corp.com", *TOKENS.values(),
]  # fmt: skip


CUT_KEY_AND_MORE = KEY[:60] + TOKENS["jwt"] + TOKENS["github_token"] + "joe@corp.com"


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example(CUT_KEY_AND_MORE)
def test_redaction_leaves_the_segments_and_no_finding(text):
    clean, findings = redact(text)
    assert [span.kind for span in segments(clean)] == [span.kind for span in segments(text)]
    assert find_secrets(clean) == []
    assert bool(findings) == (clean != text)


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=8).map("".join))
def test_a_column_of_texts_passes_over_no_text_with_findings(text):
    texts = ["clean", text, "", "also clean"]
    data = "".join(texts).encode("utf-8", "surrogatepass")
    offsets = np.cumsum([0, *(len(one.encode("utf-8", "surrogatepass")) for one in texts)])
    flags = suspects(np.frombuffer(data, dtype=np.uint8), offsets)
    assert not flags[[0, 2, 3]].any()
    assert flags[1] or not find_secrets(text)


@pytest.mark.parametrize("piece", ["@", "a@b.", "eyJ", "-eyJ.", KEY[:31], "ghp_", "bearer ", "://a:", "@a.b", "xox"])
def test_no_repetition_makes_the_search_slow(piece):
    assert find_secrets(piece * (200_000 // len(piece))) == []
