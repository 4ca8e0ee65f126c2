"""Writes the manual page `docs/man/batch-run.1` and `docs/command-line.md` from the parser.

    python docs/generate_help.py

It knows how parsers are built and nothing of what commands do: all that is said of them is their
own help. What no command can say (environment, files) stands here.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from runner.cli.help.texts import (
    DESCRIPTION,
    EXAMPLES,
    EXIT_CODES,
    PURPOSES,
    by_purpose,
    split_examples,
)
from runner.cli.parser import Parser, build_subparser
from runner.cli.table import Command

HERE = Path(__file__).resolve().parent
MANUAL = HERE / "man" / "batch-run.1"
PAGE = HERE / "command-line.md"

_ENVIRONMENT = (
    ("BATCH_RUN_TARGET", "where to run if `--target` does not say it: `local` or `azure`"),
    ("AZURE_BATCH_ENDPOINT", "the Batch account's endpoint; where it is set, runs go to Azure"),
    ("AZURE_BATCH_ACCOUNT", "its name, if the endpoint's host does not begin with it"),
    ("AZURE_BATCH_ACCESS_KEY", "its key; without it the identity that is logged in is used"),
    ("AZURE_STORAGE_CONNECTION_STRING", "the storage account, its key included"),
    ("AZURE_STORAGE_ACCOUNT", "or its name"),
    ("AZURE_STORAGE_KEY", "with its key; without it the identity that is logged in is used"),
    ("AZURE_STORAGE_BLOB_ENDPOINT", "where its blobs are, if not at Azure's usual address"),
    (
        "AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP",
        "where the Batch account is: `doctor` reads its quotas then",
    ),
    ("HTTPS_PROXY, NO_PROXY", "ways through proxies, as other programs have them"),
    (
        "REQUESTS_CA_BUNDLE, SSL_CERT_FILE",
        "certificates to trust, where a proxy has some of its own",
    ),
    ("BATCH_RUN_SECRET_NAME", "the value of the secret parameter `NAME`, in capital letters"),
    ("BATCH_RUN_PRICES", "what nodes cost, if `--prices` does not say it"),
    ("BATCH_RUN_PRICES_ENDPOINT", "the URL of another price service than Azure's"),
    ("XDG_CACHE_HOME", "where prices are kept for a day (default: ~/.cache)"),
    ("NO_COLOR", "no colours, whatever it is set to"),
)
_FILES = (
    (".batch-run/runs/RUN/", "all that is known of a run: spec, plan, events, logs, report.json"),
    (".batch-run/last", "the id of the newest run of the folder"),
    ("results/WORKLOAD/CONTAINER/", "what comes home, unless `--output` says otherwise"),
)
_WORDS = re.compile(r"`([^`]+)`")


def make_page() -> str:
    """The page of the site, as Markdown."""
    return "\n".join(_page()).rstrip() + "\n"


def make_manual() -> str:
    """The manual page, in the language of `man`."""
    return "\n".join(_manual()) + "\n"


def _page() -> Iterator[str]:
    yield "<!-- Made from the parser by `python docs/generate_help.py`. -->\n"
    yield "# The command line\n"
    yield (
        f"{DESCRIPTION} `batch-run SPEC` is the same as `batch-run run SPEC`. What is printed on"
        " standard output is data; what people are told goes to standard error.\n"
    )
    for purpose, commands in by_purpose():
        names = ", ".join(f"[`{each.name}`](#batch-run-{each.name})" for each in commands)
        yield f"- To {PURPOSES[purpose]}: {names}"
    yield ""
    for _, commands in by_purpose():
        for command in commands:
            yield from _section(command)
    yield "## Exit codes\n\n| code | meaning |\n|---|---|"
    yield from (f"| {int(code)} | {meaning} |" for code, meaning in EXIT_CODES.items())
    yield "\nWhere several hold: 130 > 70 > 2 > 3 > 4 > 1 > 5 > 0.\n"
    yield "## Environment\n\n| variable | what for |\n|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in _ENVIRONMENT)
    yield ""


def _section(command: Command) -> Iterator[str]:
    parser = build_subparser(command.name)
    yield f"## batch-run {command.name}\n\n{command.summary}\n"
    yield f"```text\n{_usage(parser)}\n```\n"
    rows = [action for action in parser.actions if "--help" not in action.option_strings]
    if rows:
        yield "| option | what it does |\n|---|---|"
        for action in rows:
            yield f"| {_cell(f'`{_invocation(action)}`')} | {_cell(_help(parser, action))} |"
        yield ""
    if command.examples:
        yield "| example | what for |\n|---|---|"
        yield from (f"| `{line}` | {what} |" for line, what in split_examples(command.examples))
        yield ""


def _cell(text: str) -> str:
    """The text as a table's cell, in which a bar ends it and `<` begins HTML but in code."""
    parts = re.split("(`[^`]*`)", text.replace("|", "\\|"))
    return "".join(each if each.startswith("`") else each.replace("<", "&lt;") for each in parts)


def _manual() -> Iterator[str]:
    yield '.\\" Made from the parser by python docs/generate_help.py.'
    yield '.TH BATCH\\-RUN 1 "" "batch\\-run" "User commands"'
    yield f".SH NAME\nbatch\\-run \\- {_roff(_lower(DESCRIPTION))}"
    yield ".SH SYNOPSIS\n.B batch\\-run\n.I COMMAND\n[\\fIOPTION\\fR ...]\n.br"
    yield ".B batch\\-run\n.I SPEC\n[\\fIOPTION\\fR ...]"
    yield ".SH DESCRIPTION"
    yield _roff(
        "A workload is one YAML file: the files that it is about, a pool of nodes and one command,"
        " which is run once for each file. `batch-run SPEC` uploads the files, makes the pool and"
        " the job, watches the tasks, brings the results home and leaves nothing behind. It does"
        " so on Azure Batch, or on an emulator of it that comes inside and needs no account."
    )
    yield ".PP\n" + _roff("`batch-run SPEC` is the same as `batch-run run SPEC`.")
    for purpose, commands in by_purpose():
        yield f".SH {_roff(PURPOSES[purpose]).upper()}"
        for command in commands:
            yield from _manual_section(command)
    yield ".SH EXIT STATUS"
    yield from _terms((str(int(code)), meaning) for code, meaning in EXIT_CODES.items())
    yield ".SH ENVIRONMENT"
    yield from _terms(_ENVIRONMENT)
    yield ".SH FILES"
    yield from _terms(_FILES)
    yield ".SH EXAMPLES"
    yield from _example_terms(EXAMPLES)


def _manual_section(command: Command) -> Iterator[str]:
    parser = build_subparser(command.name)
    yield f".SS {_roff(_usage(parser))}"
    yield _roff(command.summary)
    for action in parser.actions:
        if "--help" not in action.option_strings:
            yield f".TP\n\\fB{_roff(_invocation(action))}\\fR\n{_roff(_help(parser, action))}"
    if command.examples:
        yield ".PP\nExamples:"
        yield from _example_terms(command.examples)


def _example_terms(text: str) -> Iterator[str]:
    return _terms(split_examples(text))


def _terms(rows: Sequence[tuple[str, str]] | Iterator[tuple[str, str]]) -> Iterator[str]:
    return (f".TP\n\\fB{_roff(left)}\\fR\n{_roff(right)}" for left, right in rows)


def _roff(text: str) -> str:
    """The text with nothing in it that `man` would take for its own; names in bold."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    bold = _WORDS.sub(r"\\fB\1\\fR", safe)
    return f"\\&{bold}" if bold.startswith(".") else bold


def _usage(parser: Parser) -> str:
    """In one line, with options together: each is described anyway."""
    words = [_placed(action) for action in parser.actions if not action.option_strings]
    optional = ["[OPTION ...]"] if len(parser.actions) - len(words) > 1 else []  # but `--help`
    return " ".join((parser.prog, *words, *optional))


def _placed(action: argparse.Action) -> str:
    name = str(action.metavar or "|".join(map(str, action.choices or ())) or action.dest)
    match action.nargs:
        case "?":
            return f"[{name}]"
        case "*":
            return " ".join(f"[{word}]" for word in name.split())
        case "+":
            first, *more = name.split()
            return " ".join((first, *(f"[{word}]" for word in more))) if more else f"{name} ..."
        case _:
            return name


def _invocation(action: argparse.Action) -> str:
    """The option with what it takes, or the argument's name."""
    value = action.metavar or "|".join(map(str, action.choices or ())) or action.dest.upper()
    if not action.option_strings:
        return str(value)
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {value}"


def _help(parser: Parser, action: argparse.Action) -> str:
    return " ".join((action.help or "").split()) % {**vars(action), "prog": parser.prog}


def _lower(text: str) -> str:
    return (text[0].lower() + text[1:]).rstrip(".")


def main() -> None:
    """Writes both."""
    MANUAL.parent.mkdir(exist_ok=True)
    MANUAL.write_text(make_manual(), encoding="utf-8")
    PAGE.write_text(make_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
