"""The salient lines of errors as the tools of the eleven languages print them."""

import pytest

from procqa.search.salient import MOST_LINES, find_salient

TRACES = {
    "python": (
        'Traceback (most recent call last):\n  File "/srv/app/main.py", line 12, in <module>\n    run()\n'
        "  File \"main.py\", line 7, in run\n    int('x')\n"
        "ValueError: invalid literal for int() with base 10: 'x'",
        ["ValueError: invalid literal for int() with base 10: 'x'"],
    ),
    "python, one caused by another": (
        "Traceback (most recent call last):\nKeyError: 'a'\n\nDuring handling of the above exception, another exception"
        " occurred:\n\nTraceback (most recent call last):\n  File \"x.py\", line 1\n"
        "requests.exceptions.ConnectionError: no route",
        ["KeyError: 'a'", "requests.exceptions.ConnectionError: no route"],
    ),
    "java": (
        'Exception in thread "main" java.lang.NullPointerException: Cannot invoke "String.length()"\n'
        "\tat com.example.Main.run(Main.java:14)\n\tat com.example.Main.main(Main.java:5)\n"
        "Caused by: java.io.IOException: broken pipe\n\t... 2 more",
        [
            'Exception in thread "main" java.lang.NullPointerException: Cannot invoke "String.length()"',
            "Caused by: java.io.IOException: broken pipe",
        ],
    ),
    "javascript": (
        "Uncaught TypeError: Cannot read properties of undefined (reading 'map')\n    at App (App.js:21:9)\n"
        "    at renderWithHooks (react-dom.development.js:16305:18)",
        ["Uncaught TypeError: Cannot read properties of undefined (reading 'map')"],
    ),
    "c#": (
        "Unhandled exception. System.InvalidOperationException: Sequence contains no elements\n"
        "   at System.Linq.ThrowHelper.ThrowNoElementsException()\n   at Program.Main() in C:\\src\\Program.cs:line 9",
        ["Unhandled exception. System.InvalidOperationException: Sequence contains no elements"],
    ),
    "c# compiler": (
        "Program.cs(12,9): error CS0103: The name 'foo' does not exist in the current context",
        ["Program.cs: error CS0103: The name 'foo' does not exist in the current context"],
    ),
    "go": (
        "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n"
        "\t/tmp/sandbox/prog.go:9 +0x1d",
        ["panic: runtime error: index out of range [5] with length 3"],
    ),
    "rust compiler": (
        "error[E0382]: borrow of moved value: `s`\n --> src/main.rs:4:20\n  |\n3 | let t = s;",
        ["error[E0382]: borrow of moved value: `s`"],
    ),
    "rust": (
        "thread 'main' panicked at src/main.rs:4:37:\ncalled `Option::unwrap()` on a `None` value\n"
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
        ["called `Option::unwrap()` on a `None` value"],
    ),
    "rust, before 1.73": (
        "thread 'main' panicked at 'called `Option::unwrap()` on a `None` value', src/main.rs:4:37",
        None,
    ),
    "rust, nothing below": ("thread 'main' (4711) panicked at src/main.rs:4:37:", None),
    "node": (
        "node:internal/modules/cjs/loader:1144\n  throw err;\n  ^\n\nError: Cannot find module 'express'\n"
        "Require stack:\n- /srv/app.js\n    at Module._resolveFilename (node:internal/modules/cjs/loader:1144:15)",
        ["Error: Cannot find module 'express'"],
    ),
    "python, without a kind": ("Traceback (most recent call last):\nException: no job", ["Exception: no job"]),
    "a promise": ("Uncaught (in promise) Error: boom", ["Uncaught (in promise) Error: boom"]),
    "c compiler": (
        "main.c:3:5: error: 'printf' undeclared (first use in this function)\n    3 |     printf();",
        ["error: 'printf' undeclared (first use in this function)"],
    ),
    "linker": (
        "/usr/bin/ld: /tmp/ccX.o: in function `main':\nmain.c:(.text+0x9): undefined reference to `sqrt'\n"
        "collect2: error: ld returned 1 exit status",
        None,
    ),
    "segmentation fault": ("Segmentation fault (core dumped)", ["Segmentation fault (core dumped)"]),
    "php": (
        "PHP Fatal error:  Uncaught Error: Call to undefined function mysql_connect() in /var/www/html/db.php:3\n"
        "Stack trace:\n#0 {main}\n  thrown in /var/www/html/db.php on line 3",
        ["PHP Fatal error: Uncaught Error: Call to undefined function mysql_connect() in"],
    ),
    "ruby": (
        "app.rb:3:in `run': undefined method `upcase' for nil:NilClass (NoMethodError)\n\tfrom app.rb:7:in `<main>'",
        ["in `run': undefined method `upcase' for nil:NilClass (NoMethodError)"],
    ),
    "lisp": (
        "debugger invoked on a UNBOUND-VARIABLE in thread\n#<THREAD \"main thread\" RUNNING {1001570003}>:\n"
        "  The variable X is unbound.",
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("trace", "salient"), TRACES.values(), ids=TRACES)
def test_what_an_error_says_is_kept_and_where_it_happened_is_not(trace: str, salient: list[str] | None):
    found = find_salient(trace)

    assert found
    if salient is not None:
        assert list(found) == salient
    assert not any("/srv" in line or "/tmp" in line or "0x" in line for line in found)


@pytest.mark.parametrize(
    "text",
    [
        "how do I catch a ValueError in python",
        "what does NullPointerException mean",
        "error handling in rust",
        "def f():\n    raise ValueError('x')",
        "sort a list",
        "",
    ],
)
def test_questions_and_code_are_no_errors(text: str):
    assert find_salient(text) == ()


def test_a_long_line_takes_a_bounded_time():
    assert find_salient("ValueError: " + "a." * 9_990) == ("ValueError: " + "a." * 9_989 + "a.",)
    assert find_salient("ValueError: x at lib/a.b-c.py:12: y") == ("ValueError: x at lib/ y",)


def test_the_last_lines_of_a_long_log_are_kept_once_each():
    log = "\n".join(f"error: number {n}" for n in range(50)) + "\nerror: number 49"

    assert find_salient(log) == tuple(f"error: number {n}" for n in range(50 - MOST_LINES, 50))
